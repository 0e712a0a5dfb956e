"""Distance from points to a triangle surface, exact among the triangles near each point."""

import numba
import numpy as np
import scipy.spatial


def distance_to_surface(
    points_mm: np.ndarray, vertices_mm: np.ndarray, triangles: np.ndarray, nearest: int = 3
) -> np.ndarray:
    """(N,) float64 mm from points (N, 3) to the surface of triangles (T, 3) over (V, 3).

    The triangles tried for a point are those around its ``nearest`` vertices: enough wherever the
    mesh is finer than its features, and never less than the true distance.
    """
    used = np.unique(triangles)
    tree = scipy.spatial.cKDTree(vertices_mm[used])
    near = used[tree.query(points_mm, k=np.arange(1, nearest + 1))[1]]
    order = np.argsort(triangles.ravel(), kind="stable")
    starts = np.concatenate(
        [[0], np.cumsum(np.bincount(triangles.ravel(), minlength=len(vertices_mm)))]
    )
    out = np.zeros(len(points_mm))
    _distances(
        np.ascontiguousarray(points_mm, np.float64),
        np.ascontiguousarray(vertices_mm, np.float64),
        triangles,
        near,
        starts,
        order // 3,
        out,
    )
    return out


@numba.njit(cache=True, nogil=True)
def _distances(points, vertices, triangles, near, starts, around, out):
    for i in range(len(points)):
        best = np.inf
        for j in range(near.shape[1]):
            for p in range(starts[near[i, j]], starts[near[i, j] + 1]):
                a, b, c = triangles[around[p]]
                best = min(best, _squared(points[i], vertices[a], vertices[b], vertices[c]))
        out[i] = np.sqrt(best)


@numba.njit(cache=True, nogil=True)
def _squared(p, a, b, c):
    """Squared distance to a triangle: its plane if the foot lies inside, else its three sides."""
    ab, ac, ap = b - a, c - a, p - a
    d00, d01, d11 = (ab * ab).sum(), (ab * ac).sum(), (ac * ac).sum()
    d20, d21 = (ap * ab).sum(), (ap * ac).sum()
    determinant = d00 * d11 - d01 * d01
    if determinant > 1e-12 * d00 * d11:
        s = (d11 * d20 - d01 * d21) / determinant
        t = (d00 * d21 - d01 * d20) / determinant
        if s >= 0 and t >= 0 and s + t <= 1:
            gap = ap - s * ab - t * ac
            return (gap * gap).sum()
    return min(_to_side(p, a, b), _to_side(p, b, c), _to_side(p, c, a))


@numba.njit(cache=True, nogil=True)
def _to_side(p, a, b):
    side, gap = b - a, p - a
    length = (side * side).sum()
    share = 0.0 if length == 0 else min(1.0, max(0.0, (gap * side).sum() / length))
    gap = gap - share * side
    return (gap * gap).sum()
