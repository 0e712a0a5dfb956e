"""Triangles in groups of neighbours: what cannot be seen is passed over a group at a time."""

import numba
import numpy as np

from imaging.projection import FAR_MM, NEAR_MM

SIZE = 32  # triangles: a patch of some pixels across, as are the tiles that it is compared with
X, Y, Z, RADIUS, AXIS, SPREAD, COLUMNS = 0, 1, 2, 3, 4, 7, 8  # of a group's ball and normals
FAR_PX = 1 << 20  # beyond any image
ROUNDING = 1 + 1e-6


def neighbours(points: np.ndarray, triangles: np.ndarray, outer: np.ndarray):
    """Groups of triangles that lie together.

    Args:
        points: (V, 3), any shape of the mesh. triangles: (T, 3) int32.
        outer: (T,) bool, triangles that come first and are not mixed with the others.

    Returns:
        order (T,) int32, the triangles group after group; starts (C + 1,) int32 into it; and the
        number of groups of the ``outer``.
    """
    places = points[triangles].mean(1)
    first, rest = _halved(places, np.flatnonzero(outer)), _halved(places, np.flatnonzero(~outer))
    groups = [group for group in (*first, *rest) if len(group)]
    starts = np.cumsum([0, *map(len, groups)], dtype=np.int32)
    count = len(groups) - sum(len(group) > 0 for group in rest)
    return np.concatenate(groups).astype(np.int32), starts, count


def _halved(places: np.ndarray, own: np.ndarray) -> list[np.ndarray]:
    """Numbers ``own`` of (N, 3) places, parted across the longest side until SIZE are together;
    full groups where that can be, since each costs the same to look at."""
    if len(own) <= SIZE:
        return [own]
    axis = np.ptp(places[own], axis=0).argmax()
    ascending = own[np.argsort(places[own, axis], kind="stable")]
    half = -(-len(own) // (2 * SIZE)) * SIZE
    return [*_halved(places, ascending[:half]), *_halved(places, ascending[half:])]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def enclose(points, triangles, order, starts):
    """A ball and a cone of normals about each group: (C, COLUMNS) float64.

    Columns are the ball's centre and radius, the cone's axis, and the sine of its half angle; 2
    where that is no sharp one.
    """
    balls = np.zeros((len(starts) - 1, COLUMNS))
    for g in range(len(balls)):
        own = order[starts[g] : starts[g + 1]]
        for axis in range(3):
            low, high = np.inf, -np.inf
            for t in own:
                for m in range(3):
                    place = np.float64(points[triangles[t, m], axis])
                    low, high = min(low, place), max(high, place)
            balls[g, X + axis] = (low + high) / 2
        x, y, z, widest = balls[g, X], balls[g, Y], balls[g, Z], 0.0
        i, j, k, least = 0.0, 0.0, 0.0, 1.0
        for t in own:
            a, b, c = _normal(points, triangles, t)
            i, j, k = i + a, j + b, k + c
            for m in range(3):
                p, q, r = _corner(points, triangles, t, m)
                widest = max(widest, (p - x) ** 2 + (q - y) ** 2 + (r - z) ** 2)
        scale = 1 / max(np.sqrt(i * i + j * j + k * k), 1e-30)
        i, j, k = i * scale, j * scale, k * scale
        for t in own:
            a, b, c = _normal(points, triangles, t)
            least = min(least, a * i + b * j + c * k)
        balls[g, RADIUS] = np.sqrt(widest)
        balls[g, AXIS], balls[g, AXIS + 1], balls[g, AXIS + 2] = i, j, k
        balls[g, SPREAD] = np.sqrt(max(1 - least * least, 0.0)) if least > 0 else 2.0
    return balls


@numba.njit(nogil=True, cache=True, inline="always")
def _corner(points, triangles, t, m):
    """x, y, z of a triangle's corner."""
    i = triangles[t, m]
    return np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[i, 2])


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _normal(points, triangles, t):
    """Unit, outwards; 0 of a triangle without area. Numbers and no arrays: these are made one by
    one, which would take most of the time."""
    x, y, z = _corner(points, triangles, t, 0)
    a, b, c = _corner(points, triangles, t, 1)
    d, e, f = _corner(points, triangles, t, 2)
    a, b, c, d, e, f = a - x, b - y, c - z, d - x, e - y, f - z
    i, j, k = b * f - c * e, c * d - a * f, a * e - b * d
    scale = 1 / max(np.sqrt(i * i + j * j + k * k), 1e-30)
    return i * scale, j * scale, k * scale


@numba.njit(nogil=True, cache=True, error_model="numpy")
def look_at(balls, matrix, lens, perspective, bounds, nearest, away):
    """Where groups lie in an image, at most.

    Args:
        balls: (C, COLUMNS) of enclose().
        matrix, lens, perspective: as of imaging.projection.project.
        bounds: (C, 4) int32, filled: left, top, right, bottom pixel, in the image or not.
        nearest: (C,) float64, filled: nearness that no corner exceeds.
        away: (C,) uint8, filled: 1 where all triangles turn their backs to the camera, nearly.
    """
    fx, fy, cx, cy = lens
    scale = np.sqrt(matrix[2, 0] ** 2 + matrix[2, 1] ** 2 + matrix[2, 2] ** 2)
    for g in range(len(balls)):
        x, y, z = _turned(matrix, balls[g, X], balls[g, Y], balls[g, Z])
        x, y, z = x + matrix[0, 3], y + matrix[1, 3], z + matrix[2, 3]
        i, j, k = _turned(matrix, balls[g, AXIS], balls[g, AXIS + 1], balls[g, AXIS + 2])
        radius = balls[g, RADIUS] * scale * ROUNDING
        front = z - radius
        if front < NEAR_MM:  # may be cut, or behind the camera
            bounds[g, 0] = bounds[g, 1] = 0
            bounds[g, 2] = bounds[g, 3] = FAR_PX
            nearest[g], away[g] = 1, 0
            continue
        if perspective:
            u, v, reach, way = x / z, y / z, radius / front, np.sqrt(x * x + y * y + z * z)
            # |p/q - x/z| of a point (p, q) of the ball is at most this
            across, down = reach * np.sqrt(1 + u * u), reach * np.sqrt(1 + v * v)
            nearest[g] = min(NEAR_MM / front * ROUNDING, 1.0)
            back = (i * x + j * y + k * z) / (way * scale) - radius / way
        else:
            u, v, across, down, back = x, y, radius, radius, k / scale
            nearest[g] = min((1 - front / FAR_MM) * ROUNDING, 1.0)
        away[g] = back > balls[g, SPREAD]
        # a pixel more: corners are rounded
        bounds[g, 0] = _held(fx * (u - across) + cx - 1)
        bounds[g, 1] = _held(fy * (v - down) + cy - 1)
        bounds[g, 2] = _held(fx * (u + across) + cx + 1)
        bounds[g, 3] = _held(fy * (v + down) + cy + 1)


@numba.njit(nogil=True, cache=True, inline="always")
def _held(pixel):
    return np.int32(min(max(np.floor(pixel), -1.0), FAR_PX))


@numba.njit(nogil=True, cache=True, inline="always")
def _turned(matrix, x, y, z):
    return (
        matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z,
        matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z,
        matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z,
    )
