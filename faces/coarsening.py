"""The coarse level of a model that comes as one fine mesh: some of its own vertices.

Where faces.refinement makes the fine level of a coarse model, this makes the coarse level of a fine
one, so that the registration's two levels serve every imported model.
"""

from dataclasses import dataclass, replace

import numba
import numpy as np
import scipy.sparse as sp
from scipy.spatial import cKDTree

from faces.decimation import decimate
from faces.mesh import unique_edges

SKIN = 4000  # vertices of the coarse level's skin: about what the default model's has (3,570)
WORTH = 2.0  # a mesh of less than this many times as many is coarse enough as it is


@dataclass(frozen=True, slots=True, eq=False)
class Coarsening:
    """How a mesh of V vertices is coarsened to C of them.

    Attributes:
        vertices: (C,) int32 into V, ascending.
        triangles: (t, 3) int32 into C.
        source: (t,) int32, the fine triangle that each was.
        corners: (V, 3) int32 into C, corners of the coarse triangle nearest to each fine vertex.
        weights: (V, 3) float32, its barycentric coordinates; they sum to 1.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    source: np.ndarray
    corners: np.ndarray
    weights: np.ndarray

    @property
    def nearest(self) -> np.ndarray:
        """(V,) int32, the coarse vertex nearest to each fine one."""
        most = self.weights.argmax(1)[:, None]
        return np.take_along_axis(self.corners, most, axis=1).ravel()


def coarsened(model, skin: int = SKIN):
    """The two-level model whose fine level is ``model`` (a MorphableModel of one level).

    The coarse level keeps every landmark. A model that has two levels, or less than WORTH times as
    many vertices of skin as wanted, is returned as it is.

    Args:
        skin: how many vertices of skin the coarse level is to have, about.
    """
    if model.coarse is not None or model.part_vertices("skin").sum() < WORTH * skin:
        return model
    return with_coarse(model, find_coarsening(model, skin))


def find_coarsening(model, skin: int) -> Coarsening:
    """Vertices and triangles for the coarse level of a model, ``skin`` of its skin's vertices."""
    positions, triangles = model.mean_mm.astype(np.float64), model.triangles.astype(np.int64)
    locked = np.zeros(model.vertex_count, dtype=bool)
    locked[np.concatenate(list(model.landmarks.values()))] = True
    counted = model.part_vertices("skin")
    left, survivor = decimate(
        positions,
        triangles,
        model.triangle_part,
        np.bincount(_texture_pairs(model)[:, 0], minlength=model.vertex_count) > 1,
        model.weights.astype(np.float64),
        locked,
        counted,
        skin,
    )
    triangles = triangles[left]
    vertices = np.flatnonzero(np.bincount(triangles.ravel(), minlength=len(positions)) | locked)
    place = np.full(len(positions), -1)
    place[vertices] = np.arange(len(vertices))
    triangles = place[triangles]
    near = _triangles_near(model, triangles, survivor, place, len(vertices))
    corners, weights = _onto(positions, positions[vertices], triangles, near)
    alone = np.flatnonzero(near.getnnz(1) == 0)  # in no triangle: it follows the nearest that is
    corners[alone] = cKDTree(positions[vertices]).query(positions[alone])[1][:, None]
    corners[vertices], weights[vertices] = np.arange(len(vertices))[:, None], [1, 0, 0]
    return Coarsening(
        vertices.astype(np.int32),
        triangles.astype(np.int32),
        np.flatnonzero(left).astype(np.int32),
        corners.astype(np.int32),
        weights.astype(np.float32),
    )


def _triangles_near(model, triangles, survivor, place, count):
    """(V, t) CSR: coarse triangles at the vertices that each fine one and its neighbours became.

    Along the surface, not through it: lips that touch are not near each other.
    """
    size, edges = model.vertex_count, unique_edges(model.triangles)
    own = np.arange(size)
    start = np.concatenate([own, edges[:, 0], edges[:, 1]])
    became = place[survivor[np.concatenate([own, edges[:, 1], edges[:, 0]])]]
    start, became = start[became >= 0], became[became >= 0]
    to_coarse = sp.csr_matrix((np.ones(len(start)), (start, became)), shape=(size, count))
    numbers = np.repeat(np.arange(len(triangles)), 3)
    ones = np.ones(len(numbers))
    around = sp.csr_matrix((ones, (triangles.ravel(), numbers)), shape=(count, len(triangles)))
    near = (to_coarse @ around).tocsr()
    near.sort_indices()
    return near


def _onto(points, coarse, triangles, near):
    """Corners (V, 3) and barycentric coordinates (V, 3) of the nearest candidate triangle."""
    corners, weights = np.zeros((len(points), 3), np.int64), np.zeros((len(points), 3))
    _project(points, coarse, triangles, near.indptr, near.indices, corners, weights)
    return corners, weights


@numba.njit(cache=True, nogil=True)
def _project(points, coarse, triangles, starts, candidates, corners, weights):
    for i in range(len(points)):
        best = np.inf
        weights[i, 0] = 1.0
        for n in range(starts[i], starts[i + 1]):
            t = triangles[candidates[n]]
            share = _nearest(points[i], coarse[t[0]], coarse[t[1]], coarse[t[2]])
            square = 0.0
            for k in range(3):
                there = share[0] * coarse[t[0], k] + share[1] * coarse[t[1], k]
                square += (there + share[2] * coarse[t[2], k] - points[i, k]) ** 2
            if square < best:
                best = square
                for k in range(3):
                    corners[i, k], weights[i, k] = t[k], share[k]


@numba.njit(cache=True, nogil=True)
def _nearest(p, a, b, c):
    """Barycentric coordinates of a triangle's point nearest to p: its foot's, or an edge's."""
    u, v, w = b - a, c - a, p - a
    uu, uv, vv = (u * u).sum(), (u * v).sum(), (v * v).sum()
    wu, wv = (w * u).sum(), (w * v).sum()
    area = uu * vv - uv * uv
    if area > 0:
        y, z = (vv * wu - uv * wv) / area, (uu * wv - uv * wu) / area
        if y >= 0 and z >= 0 and y + z <= 1:
            return 1 - y - z, y, z
    ab, ac = _along(p, a, b), _along(p, a, c)
    bc = _along(p, b, c)
    best, found = ((a + ab * u - p) ** 2).sum(), (1 - ab, ab, 0.0)
    square = ((a + ac * v - p) ** 2).sum()
    if square < best:
        best, found = square, (1 - ac, 0.0, ac)
    if ((b + bc * (c - b) - p) ** 2).sum() < best:
        found = (0.0, 1 - bc, bc)
    return found


@numba.njit(cache=True, nogil=True)
def _along(p, a, b):
    """Where on the edge ab, in [0, 1], the point nearest to p lies."""
    edge = b - a
    square = (edge * edge).sum()
    return min(max(((p - a) * edge).sum() / square, 0.0), 1.0) if square > 0 else 0.0


def with_coarse(model, coarsening: Coarsening):
    """The model with the coarse level that a coarsening of it describes."""
    kept, source = coarsening.vertices, coarsening.source
    nearest = coarsening.nearest
    coarse = replace(  # np.take: indexing leaves the modes' vertices apart in memory
        model,
        mean_mm=model.mean_mm[kept],
        triangles=coarsening.triangles,
        triangle_part=model.triangle_part[source],
        identity_mm=np.take(model.identity_mm, kept, axis=1),
        expression_mm=np.take(model.expression_mm, kept, axis=1),
        albedo_mean=model.albedo_mean[kept],
        albedo_modes=np.take(model.albedo_modes, kept, axis=1),
        triangle_uv=_texture_corners(model, kept[coarsening.triangles], source),
        regions={name: mask[kept] for name, mask in model.regions.items()},
        weights=model.weights[kept],
        landmarks={name: nearest[points] for name, points in model.landmarks.items()},
        contour=nearest[model.contour],
        mirror=nearest[model.mirror[kept]],
    )
    prolongation = _prolongation(coarsening)
    return replace(model, coarse=coarse, prolongation=prolongation, coarsening=coarsening)


def _prolongation(coarsening):
    """(V, C) CSR float32 of the barycentric coordinates."""
    corners, weights = coarsening.corners, coarsening.weights
    entries = (weights.ravel(), (np.repeat(np.arange(len(corners)), 3), corners.ravel()))
    shape = (len(corners), len(coarsening.vertices))
    prolongation = sp.csr_matrix(entries, shape=shape, dtype=np.float32)
    prolongation.sum_duplicates()
    prolongation.eliminate_zeros()
    return prolongation


def _texture_corners(model, triangles: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Texture vertices (t, 3) int32 of coarse triangles (t, 3): on a seam, their source's side."""
    pairs = _texture_pairs(model)
    first = np.searchsorted(pairs[:, 0], triangles)
    count = np.searchsorted(pairs[:, 0], triangles, side="right") - first
    middle = model.uv[model.triangle_uv[source]].mean(1)[:, None]
    best, found = np.full(triangles.shape, np.inf), np.zeros(triangles.shape, dtype=np.int32)
    for k in range(count.max()):
        one = pairs[np.minimum(first + k, len(pairs) - 1), 1]
        gap = np.linalg.norm(model.uv[one] - middle, axis=-1)
        nearer = (k < count) & (gap < best)
        best[nearer], found[nearer] = gap[nearer], one[nearer]
    return found


def _texture_pairs(model) -> np.ndarray:
    """Vertices with their texture vertices (P, 2), sorted; several on a seam of the texture."""
    return np.unique(np.stack([model.triangles.ravel(), model.triangle_uv.ravel()], 1), axis=0)
