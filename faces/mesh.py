"""Triangle meshes: normals, edges, subdivision, hulls and similarity alignment."""

import numba
import numpy as np
import scipy.sparse as sp
from scipy.spatial import ConvexHull

from faces.rotation import nearest_rotation


def triangle_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Area-weighted normals (T, 3) float64 (twice the area long) of triangles (T, 3)."""
    points = np.ascontiguousarray(vertices, dtype=np.float64)
    return _cross_sides(points, np.ascontiguousarray(triangles))


@numba.njit(nogil=True, cache=True)
def _cross_sides(points, triangles):
    normals = np.zeros((len(triangles), 3))
    for t in range(len(triangles)):
        normals[t] = _cross(points, triangles[t, 0], triangles[t, 1], triangles[t, 2])
    return normals


@numba.njit(nogil=True, cache=True)
def _cross(points, i, j, k):
    """The cross product of two sides of a triangle, (x, y, z)."""
    ax, ay, az = points[i, 0], points[i, 1], points[i, 2]
    bx, by, bz = points[j, 0] - ax, points[j, 1] - ay, points[j, 2] - az
    cx, cy, cz = points[k, 0] - ax, points[k, 1] - ay, points[k, 2] - az
    return by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx


def vertex_normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3) float64, area-weighted over the triangles (T, 3) around each vertex.

    In the camera frame (y down) the triangles keep their winding and the normals still point
    outwards, since FLIP is a rotation. A vertex without area has a zero normal.
    """
    normals = np.zeros((len(vertices), 3))
    points = np.ascontiguousarray(vertices, dtype=np.float64)
    _add_normals(points, np.ascontiguousarray(triangles), normals)
    return normals


@numba.njit(nogil=True, cache=True)
def _add_normals(points, triangles, normals):
    """Area-weighted normals summed at the corners, then of length 1."""
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        x, y, z = _cross(points, i, j, k)
        for corner in (i, j, k):
            normals[corner, 0] += x
            normals[corner, 1] += y
            normals[corner, 2] += z
    for v in range(len(points)):
        x, y, z = normals[v, 0], normals[v, 1], normals[v, 2]
        length = np.sqrt(x * x + y * y + z * z)
        if length > 0:
            normals[v, 0], normals[v, 1], normals[v, 2] = x / length, y / length, z / length


def unique_edges(triangles: np.ndarray) -> np.ndarray:
    """Undirected edges (E, 2) int32, each once, the smaller vertex first, sorted."""
    corners = np.asarray(triangles, dtype=np.int64)
    start, end = corners.T.ravel(), np.roll(corners, -1, axis=1).T.ravel()
    # an edge as one number sorts ten times faster than as a row of two
    code = np.sort((np.minimum(start, end) << 32) | np.maximum(start, end))
    code = code[np.concatenate([[True], code[1:] != code[:-1]])] if len(code) else code
    return np.stack([code >> 32, code & 0xFFFFFFFF], 1).astype(np.int32)


def similarity(
    source: np.ndarray, target: np.ndarray, weights: np.ndarray | None = None, scale: bool = True
) -> tuple[float, np.ndarray, np.ndarray]:
    """Least-squares (s, R, t) with target ≈ s · R · source + t (Umeyama 1991).

    Args:
        source, target: (N, 3) corresponding points.
        weights: (N,) non-negative; equal where None.
        scale: whether s is estimated, else 1.

    Returns:
        s, R (3, 3), t (3,), float64. Points transform as ``s * points @ R.T + t``.
    """
    w = np.ones(len(source)) if weights is None else np.asarray(weights, dtype=np.float64)
    w = w / w.sum()
    source_mean, target_mean = w @ source, w @ target
    p, q = source - source_mean, target - target_mean
    covariance = (q * w[:, None]).T @ p
    rotation = nearest_rotation(covariance)
    factor = np.trace(rotation.T @ covariance) / (w @ (p**2).sum(1)) if scale else 1.0
    return float(factor), rotation, target_mean - factor * rotation @ source_mean


def hull_points(points: np.ndarray) -> np.ndarray:
    """Those of the points (N, 3) that are corners of their convex hull: the box around all of them
    in any view is the box around these few.

    Raises:
        scipy.spatial.QhullError: all in one plane, or fewer than four.
    """
    return points[ConvexHull(points).vertices]


def loop_subdivide(triangles: np.ndarray, vertex_count: int) -> tuple[np.ndarray, sp.csr_matrix]:
    """One step of Loop subdivision.

    Args:
        triangles: (T, 3) int, manifold with boundary; vertices outside them are carried over.
        vertex_count: V of the coarse mesh.

    Returns:
        (4T, 3) int32 triangles in the coarse winding, four to each coarse triangle in order, and
        the prolongation (V + E, V) CSR float64. Fine vertices 0..V-1 are the coarse ones, then
        one an edge in the order of unique_edges. Rows sum to 1; a boundary follows its own cubic
        B-spline, so open rims (eyes, mouth, neck) stay where they are.
    """
    edges = unique_edges(triangles)
    corner_edges, opposite = _edges_of_corners(triangles, edges, vertex_count)
    uses = np.bincount(corner_edges.ravel(), minlength=len(edges))
    boundary = uses == 1
    prolongation = sp.vstack(
        [
            _even_rows(edges, boundary, vertex_count),
            _odd_rows(edges, boundary, corner_edges, opposite, vertex_count),
        ]
    ).tocsr()
    (a, b, c), (ab, bc, ca) = triangles.T, (corner_edges + vertex_count).T
    fine = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], 1).reshape(-1, 3)
    return fine.astype(np.int32), prolongation


def _edges_of_corners(triangles, edges, vertex_count):
    """Edge index (T, 3) of the sides ab, bc, ca, and the vertex (T, 3) opposite each."""
    code = edges[:, 0].astype(np.int64) * vertex_count + edges[:, 1]
    sides = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].astype(np.int64), axis=-1)
    return np.searchsorted(code, sides[..., 0] * vertex_count + sides[..., 1]), triangles[
        :, [2, 0, 1]
    ]


def _even_rows(edges, boundary, vertex_count):
    """Loop's rule for the old vertices: Warren's weights inside, 1/8 6/8 1/8 on a boundary."""

    def adjacency(pairs):
        both = np.concatenate([pairs, pairs[:, ::-1]])
        shape = (vertex_count, vertex_count)
        return sp.csr_matrix((np.ones(len(both)), both.T), shape=shape)

    inner, rim = adjacency(edges), adjacency(edges[boundary])
    valence, rim_valence = inner.sum(1).A1, rim.sum(1).A1
    with np.errstate(divide="ignore"):
        beta = np.where(valence == 3, 3 / 16, 3 / (8 * valence))
    on_rim = rim_valence > 0
    regular_rim = rim_valence == 2  # a vertex where several rims meet stays where it is
    inner_weight = np.where(on_rim | (valence == 0), 0, beta)
    rim_weight = np.where(regular_rim, 1 / 8, 0)
    own = 1 - inner_weight * valence - rim_weight * rim_valence
    return sp.diags(inner_weight) @ inner + sp.diags(rim_weight) @ rim + sp.diags(own)


def _odd_rows(edges, boundary, corner_edges, opposite, vertex_count):
    """Loop's rule for the new vertices: 3/8 3/8 1/8 1/8 inside, the midpoint on a boundary."""
    count = len(edges)
    ends = np.repeat(np.where(boundary, 1 / 2, 3 / 8)[:, None], 2, 1)
    inner = ~boundary[corner_edges.ravel()]
    rows = np.concatenate([np.repeat(np.arange(count), 2), corner_edges.ravel()[inner]])
    columns = np.concatenate([edges.ravel(), opposite.ravel()[inner]])
    values = np.concatenate([ends.ravel(), np.full(inner.sum(), 1 / 8)])
    return sp.csr_matrix((values, (rows, columns)), shape=(count, vertex_count))


def soften(mask: np.ndarray, triangles: np.ndarray, rounds: int) -> np.ndarray:
    """A mask (V,) as values in [0, 1] that fall off over about ``rounds`` edges at its border."""
    edges, values = unique_edges(triangles), np.asarray(mask, dtype=np.float64)
    both = np.concatenate([edges, edges[:, ::-1]])
    degree = np.maximum(np.bincount(both[:, 0], minlength=len(mask)), 1)
    for _ in range(rounds):
        around = np.bincount(both[:, 0], values[both[:, 1]], minlength=len(mask))
        values = (values + around / degree) / 2
    return values
