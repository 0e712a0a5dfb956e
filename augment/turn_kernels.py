"""A mesh's vertices as a view's kernels take them, and how they turn.

A vertex is a row of 16 float32 (STATIC): its point in the source's camera frame (mm), the model's
colour, the cosine to the source, the second photo's pixel, weight and gain; and a row of two that
change with the view: the cosine to the view's camera, and opacity.
"""

import numba
import numpy as np

from augment.trust_kernels import enlarged_at

POINT, COLOR, FACING, SECOND_PX, SECOND_WEIGHT, SECOND_GAIN = 0, 3, 6, 7, 9, 10
STATIC = 16  # 13 of them used: a row is a cache line
VIEW_FACING, OPACITY = 0, 1


@numba.njit(nogil=True, cache=True, error_model="numpy")
def turn_vertices(
    points, static, normals, opacity, counts, turn, shift, lens, back_mm, thin, screen, varying
):
    """Screen places (N, 3) float64 and what changes with the view (N, 2) float32, in place.

    Args:
        points, static, normals: (N, 3) float64, for a label's place shows what float32 loses;
            (N, 16), (N, 3) float32; source frame.
        opacity: (N, 2) float32, unturned and turned.
        counts: how many vertices are the head's, and how many are opaque; they come first.
        turn, shift: (3, 3), (3,) float64, source frame to view frame, a similarity.
        lens: fx, fy, cx, cy and perspective of the view's camera; fx = 1 / mm_per_px of an
            orthographic one.
        back_mm: what is not the head is set back by this.
        thin: how far the turned opacity counts; cosines between which flanks come in; ratios of
            enlarged_at.
    """
    fx, fy, cx, cy, perspective = lens
    share, flank, ratios = thin
    heads, firm = counts
    size = np.sqrt(turn[0, 0] ** 2 + turn[1, 0] ** 2 + turn[2, 0] ** 2)
    for i in range(len(static)):
        px, py, pz = points[i, 0], points[i, 1], points[i, 2]
        x = turn[0, 0] * px + turn[0, 1] * py + turn[0, 2] * pz + shift[0]
        y = turn[1, 0] * px + turn[1, 1] * py + turn[1, 2] * pz + shift[1]
        z = turn[2, 0] * px + turn[2, 1] * py + turn[2, 2] * pz + shift[2]
        nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
        across = turn[0, 0] * nx + turn[0, 1] * ny + turn[0, 2] * nz
        down = turn[1, 0] * nx + turn[1, 1] * ny + turn[1, 2] * nz
        away = turn[2, 0] * nx + turn[2, 1] * ny + turn[2, 2] * nz
        if perspective:
            inverse = 1 / z if z > 0 else np.nan  # the rasteriser drops it
            screen[i, 0], screen[i, 1] = fx * x * inverse + cx, fy * y * inverse + cy
            cosine = -(across * x + down * y + away * z) / (size * np.sqrt(x * x + y * y + z * z))
        else:
            screen[i, 0], screen[i, 1] = fx * x + cx, fy * y + cy
            cosine = -away / size
        screen[i, 2] = z if i < heads else z + back_mm
        varying[i, 0], varying[i, 1] = cosine, 1.0
        if i >= firm:
            facing = static[i, FACING]
            flat = min(max((facing - flank[0]) / (flank[1] - flank[0]), 0.0), 1.0)
            kept = 1 - enlarged_at(facing, cosine, ratios) * (1 - flat)
            varying[i, 1] = (1 - share) * opacity[i, 0] + share * opacity[i, 1] * kept
