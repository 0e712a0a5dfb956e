"""What a model's skin gives every registration: areas, Laplacians, and the symbolic factor."""

import hashlib
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import scipy.sparse as sp

from faces.mesh import triangle_normals
from faces.morphable import MorphableModel
from faces.solver import Symbolic, analyse

MAX_COTANGENT = 5.0  # slivers would otherwise glue their ends together
_made: dict[str, "Template"] = {}


@dataclass(frozen=True, eq=False)
class Template:
    """The skin of a model at one level: n vertices of the model's V.

    Attributes:
        vertices: (n,) int64 into the model's vertices.
        triangles: (t, 3) int32 into ``vertices``.
        area_mm2: (n,) float64, M: a third of the triangles around each vertex.
        membrane: (n, n) CSR, L, the cotangent Laplacian (no unit).
        bending: (n, n) CSR, L M⁻¹ L, 1/mm².
        pattern: (n, n) CSR, bending's sparsity with membrane's values on it.
        data_share: (n,) float64 in [0, 1], how much a match counts: 1 on the face, less where the
            scan shows hair or clothes, 0 on the scalp.
        positions_mm: (n, 3) float64, the mean.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    area_mm2: np.ndarray
    membrane: sp.csr_matrix
    bending: sp.csr_matrix
    pattern: sp.csr_matrix
    data_share: np.ndarray
    positions_mm: np.ndarray

    @cached_property
    def symbolic(self) -> Symbolic:
        """The factor's structure for every matrix ``system`` makes."""
        return analyse(self.bending, self.positions_mm)

    @cached_property
    def _diagonal(self) -> np.ndarray:
        """Where the diagonal lies in the CSR data."""
        rows = np.repeat(np.arange(len(self.vertices)), np.diff(self.bending.indptr))
        return np.flatnonzero(rows == self.bending.indices)

    def system(self, diagonal: np.ndarray, membrane: float, bending: float) -> sp.csr_matrix:
        """diag(diagonal) + membrane · L + bending · L M⁻¹ L, always with the same sparsity."""
        data = membrane * self.pattern.data + bending * self.bending.data
        data[self._diagonal] += diagonal
        return sp.csr_matrix((data, self.bending.indices, self.bending.indptr), self.bending.shape)


@lru_cache(maxsize=8)
def template_of(model: MorphableModel) -> Template:
    """The model's template, made at the first call and kept as long as the process lives.

    Equal models share it, whether or not they are the same object.
    """
    digest = hashlib.sha256(model.triangles.tobytes() + model.mean_mm.tobytes()).hexdigest()
    if digest not in _made:
        _made[digest] = make_template(model)
    return _made[digest]


def make_template(model: MorphableModel) -> Template:
    """Areas and operators of the model's skin, measured on its mean."""
    skin = model.part_triangles("skin")
    vertices = np.unique(skin)
    local = np.zeros(model.vertex_count, dtype=np.int32)
    local[vertices] = np.arange(len(vertices))
    triangles = local[skin]
    positions = model.mean_mm[vertices].astype(np.float64)
    area = _areas(positions, triangles)
    membrane = _laplacian(positions, triangles)
    bending = (membrane @ sp.diags(1 / area) @ membrane).tocsr()
    bending.sort_indices()
    return Template(
        vertices,
        triangles,
        area,
        membrane,
        bending,
        _on_pattern(membrane, bending),
        _data_share(model)[vertices],
        positions,
    )


def _areas(positions, triangles):
    """A third of each triangle to its corners; never less than a hundredth of the median."""
    area = np.linalg.norm(triangle_normals(positions, triangles), axis=1) / 2
    total = np.bincount(triangles.ravel(), np.repeat(area / 3, 3), minlength=len(positions))
    return np.maximum(total, np.median(total) / 100)


def _laplacian(positions, triangles):
    """Cotangent Laplacian (n, n), positive semi-definite; cotangents kept in [0, MAX]."""
    count = len(positions)
    rows, columns, values = [], [], []
    for a, b, c in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        p, q = (positions[triangles[:, k]] - positions[triangles[:, c]] for k in (a, b))
        twice_area = np.maximum(np.linalg.norm(np.cross(p, q), axis=1), 1e-9)
        cotangent = np.clip((p * q).sum(1) / twice_area, 0.0, MAX_COTANGENT) / 2
        rows += [triangles[:, a], triangles[:, b]]
        columns += [triangles[:, b], triangles[:, a]]
        values += [cotangent, cotangent]
    indices = (np.concatenate(rows), np.concatenate(columns))
    adjacency = sp.csr_matrix((np.concatenate(values), indices), shape=(count, count))
    # A vertex whose angles are all obtuse still hangs on its neighbours by a thread.
    adjacency.data = np.maximum(adjacency.data, 1e-3)
    return (sp.diags(adjacency.sum(1).A1) - adjacency).tocsr()


def _on_pattern(matrix, pattern):
    """``matrix`` stored with the sparsity of ``pattern``, which contains its own."""
    rows = np.repeat(np.arange(pattern.shape[0]), np.diff(pattern.indptr))
    data = np.asarray(matrix[rows, pattern.indices]).ravel()
    return sp.csr_matrix((data, pattern.indices, pattern.indptr), pattern.shape)


def _data_share(model):
    """How much to believe a match: skin of the face wholly, ears and neck a little, scalp not."""
    share = np.ones(model.vertex_count)
    for region, most in (("ears", 0.2), ("neck", 0.2), ("scalp", 0.0)):
        if region in model.regions:
            inside = model.regions[region] & ~model.regions["face"]
            share[inside] = np.minimum(share[inside], most)
    return share
