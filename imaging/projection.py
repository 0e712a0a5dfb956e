"""Points to snapped pixels in one pass: moved, projected, rounded, and what lies too near."""

import numba
import numpy as np

from imaging.raster_kernels import DROPPED, MAX_COORDINATE_PX, ONE

NEAR_MM = 10.0  # of the near plane: what is closer to the camera is cut off
FAR_MM = 2.0**20  # a kilometre: an orthographic camera sees no farther


@numba.njit(nogil=True, cache=True, error_model="numpy")
def project(points, matrix, lens, perspective, snapped, near):
    """Fill ``snapped`` and ``near`` for points of a mesh before a camera.

    Args:
        points: (V, 3) float32 mm.
        matrix: (3, 4) float64 into the camera's frame.
        lens: fx, fy (px; px/mm of an orthographic camera), cx, cy (px).
        perspective: whether x and y are divided by z.
        snapped: (V, 2) int32, 1/256 px; DROPPED where z is not within NEAR_MM and FAR_MM.
        near: (V,) float64 in (0, 1], linear over the image: NEAR_MM / z of a perspective one,
            1 - z / FAR_MM of an orthographic one.

    Returns:
        The number of dropped points, and the others' (left, top, right, bottom) in 1/256 px.
    """
    fx, fy, cx, cy = lens
    dropped = 0
    left, top, right, bottom = 1 << 30, 1 << 30, -(1 << 30), -(1 << 30)
    for i in range(len(points)):
        x, y, z = np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[i, 2])
        depth = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3]
        across = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3]
        down = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3]
        inverse = 1 / depth if perspective else 1.0
        u, v = fx * across * inverse + cx, fy * down * inverse + cy
        inside = abs(u) < MAX_COORDINATE_PX and abs(v) < MAX_COORDINATE_PX
        if not (inside and NEAR_MM <= depth < FAR_MM):  # also false for NaN
            snapped[i, 0] = snapped[i, 1] = DROPPED
            near[i] = 0
            dropped += 1
            continue
        a, b = int(np.floor(u * ONE + 0.5)), int(np.floor(v * ONE + 0.5))
        snapped[i, 0], snapped[i, 1] = a, b
        near[i] = NEAR_MM * inverse if perspective else 1 - depth / FAR_MM
        left, right = min(left, a), max(right, a)
        top, bottom = min(top, b), max(bottom, b)
    return dropped, left, top, right, bottom


@numba.njit(nogil=True, cache=True, inline="always")
def depth_of(near, perspective):
    """z in mm of a nearness as project() has it."""
    return NEAR_MM / near if perspective else (1 - near) * FAR_MM
