"""The affine energy of optimal-step non-rigid ICP (Amberg, Romdhani and Vetter 2007), exact.

Every vertex i has its own affine map X_i (4, 3), and its displacement is h_iᵀ X_i with h = (y, 1).
With G = diag(1, 1, 1, γ), the node-arc incidence M of the mesh's edges and the rows h_i in D (the
paper's Eq. 6 to 12), a step minimises

    Σ d_i ‖h_iᵀ X_i − r_i / d_i‖² + α ‖(M ⊗ G) X‖²_F

where d and r gather the matches, the landmarks (β) and the pull to the base, as for the
displacement energy. X is the paper's less the identity, of which the stiffness knows nothing. Four
times the unknowns make it slow; it is the reference that the displacement energy is compared with.

The energy depends on the origin and the unit of y. Here y is the base about its centroid in units
of its spread, so that γ = 1 treats a turn and a shift alike, and the camera's place does not count.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sp

from faces.mesh import unique_edges
from faces.solver import Symbolic, analyse
from registration.template import Template

GAMMA = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class AffineSystem:
    """The linear system of one step of the affine energy.

    Attributes:
        template: whose n vertices and edges.
        base_mm: (n, 3), where displacements start.
        diagonal: d, (n,) float64, mm².
        right: r, (n, 3) float64, mm³.
        stiffness: α, mm².
    """

    template: Template
    base_mm: np.ndarray
    diagonal: np.ndarray
    right: np.ndarray
    stiffness: float

    def solve(self) -> np.ndarray:
        """Displacements u = D X (n, 3) float64, mm.

        Raises:
            ValueError: the matrix is not positive definite.
        """
        places = homogeneous(self.base_mm)
        matrix = self._matrix(places)
        right = (places[:, :, None] * self.right[:, None]).reshape(-1, 3)
        maps = _structure(self.template).factorise(matrix).solve(right)
        return np.einsum("ij,ijk->ik", places, maps.reshape(-1, 4, 3))

    def _matrix(self, places):
        """α (MᵀM) ⊗ G² + Dᵀ diag(d) D, (4n, 4n) CSR."""
        blocks = self.diagonal[:, None, None] * places[:, :, None] * places[:, None]
        stiff = sp.kron(self.stiffness * _graph(self.template), _squared_g(), format="coo")
        return _sum(stiff, blocks)


def stiffness_of(length_mm: float) -> float:
    """α, mm², at which a shift is smoothed over ``length_mm``.

    Edges e around a vertex of a regular mesh, three of them its own, make Σ (e · g)² = √3 M |g|²
    of a gradient g, with M the vertex's area. So α ‖(M ⊗ G) X‖² is √3 α ∫ ‖∇X‖², and with data of
    weight 1 an area, √3 α = ℓ².
    """
    return length_mm**2 / np.sqrt(3)


def homogeneous(points_mm: np.ndarray) -> np.ndarray:
    """h (n, 4) of points (n, 3): about their centroid in units of their spread, and 1."""
    centred = points_mm - points_mm.mean(0)
    spread = np.sqrt((centred**2).sum(1).mean())
    return np.column_stack([centred / spread, np.ones(len(centred))])


def _squared_g():
    return sp.diags([1.0, 1.0, 1.0, GAMMA**2])


@lru_cache(maxsize=4)
def _graph(template):
    """MᵀM (n, n): the Laplacian of the mesh's edges, each of weight 1."""
    edges, count = unique_edges(template.triangles), len(template.vertices)
    both = np.concatenate([edges, edges[:, ::-1]])
    adjacency = sp.csr_matrix((np.ones(len(both)), both.T), shape=(count, count))
    return sp.diags(adjacency.sum(1).A1) - adjacency


@lru_cache(maxsize=4)
def _structure(template) -> Symbolic:
    """Of every matrix of the energy; the four unknowns of a vertex lie in one place."""
    stiff = sp.kron(_graph(template), _squared_g(), format="coo")
    matrix = _sum(stiff, np.ones((len(template.vertices), 4, 4)))
    return analyse(matrix, np.repeat(template.positions_mm, 4, axis=0))


def _sum(stiff, blocks):
    """A COO matrix plus (n, 4, 4) diagonal blocks, CSR; zeros stay, for the structure's sake."""
    first = 4 * np.arange(len(blocks))[:, None, None]
    rows = np.broadcast_to(first + np.arange(4)[:, None], blocks.shape)
    columns = np.broadcast_to(first + np.arange(4), blocks.shape)
    values = np.concatenate([stiff.data, blocks.ravel()])
    at = (np.concatenate([stiff.row, rows.ravel()]), np.concatenate([stiff.col, columns.ravel()]))
    matrix = sp.coo_matrix((values, at), shape=stiff.shape).tocsr()
    matrix.sort_indices()
    return matrix
