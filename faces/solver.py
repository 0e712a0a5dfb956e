"""The direct sparse solver: a multifrontal Cholesky whose order and structure are made once.

The systems on one topology (of the registration's iterations, of fields over the head) have the
same sparsity. The fill-reducing order (nested dissection by planes through the positions) and the
structure of the factor depend on it alone; each system pays for the numeric factor only. Each piece
of the dissection is one small dense front, so that the work is done by LAPACK on blocks that fit
the cache; a simplicial LDLᵀ in numba takes three times as long on an 11k-vertex bilaplacian. The
method is Duff and Reid's (1983), as in Davis, Direct Methods for Sparse Linear Systems (2006).
"""

from dataclasses import dataclass
from functools import cached_property

import numba
import numpy as np
import scipy.sparse as sp

from faces.fronts import Layout, factor_fronts, layout_of, solve_fronts

LEAF_SIZE = 64  # below this many vertices a separator costs more than it saves


@dataclass(frozen=True, slots=True, eq=False)
class Front:
    """One piece of the dissection: p unknowns eliminated together, b later ones they touch.

    Attributes:
        begin: position of the first of the p unknowns in the elimination order; the rest follow.
        size: p.
        border: (b,) int64 positions of the later unknowns, ascending.
        take: (m,) int64 entries of the CSR data that belong to this front.
        put: (m,) int64 where they go in the flat (Fortran-ordered) front.
        children: fronts whose remainder is added to this one.
        places: for each child (b_child,) int64, its border within this front.
    """

    begin: int
    size: int
    border: np.ndarray
    take: np.ndarray
    put: np.ndarray
    children: tuple[int, ...]
    places: tuple[np.ndarray, ...]


@dataclass(frozen=True, eq=False)
class Symbolic:
    """What the factor of every matrix with one sparsity shares.

    Attributes:
        order: (n,) int64, order[k] is the unknown eliminated k-th.
        fronts: in the order of elimination; children before parents.
    """

    order: np.ndarray
    fronts: tuple[Front, ...]

    @property
    def fill(self) -> int:
        """Entries of the factor below the diagonal."""
        return sum(f.size * (f.size - 1) // 2 + f.size * len(f.border) for f in self.fronts)

    @cached_property
    def layout(self) -> Layout:
        """The fronts as the compiled loops read them."""
        return layout_of(self.fronts)

    def factorise(self, matrix: sp.csr_matrix, dtype: type = np.float64) -> "Factor":
        """Cholesky factor of a symmetric positive definite matrix (n, n) of the analysed sparsity.

        Args:
            dtype: of the factor. float32 takes half the time and is good to about 1e-7 times the
                condition number: enough as a preconditioner.

        Raises:
            ValueError: the matrix is not positive definite, or too near to singular for float32.
        """
        store = np.zeros(self.layout.at[-1], dtype=dtype)
        bad = factor_fronts(self.layout, matrix.data, store)
        if bad:
            raise ValueError(
                f"matrix ({len(self.order)}²): pivot {bad - 1} is not positive; "
                "expected a positive definite matrix; give every unknown a weight"
            )
        return Factor(self, store)


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """P A Pᵀ = L Lᵀ: L's columns by fronts, (p + b, p) each, as Layout says."""

    symbolic: Symbolic
    store: np.ndarray

    def solve(self, right: np.ndarray) -> np.ndarray:
        """x (n, k), of the factor's dtype, with A x = right (n, k)."""
        order = self.symbolic.order
        x = np.ascontiguousarray(right[order].T, dtype=self.store.dtype)
        solve_fronts(self.symbolic.layout, self.store, x)
        solution = np.zeros((len(order), len(x)), dtype=x.dtype)
        solution[order] = x.T
        return solution


def analyse(matrix: sp.csr_matrix, coordinates: np.ndarray, leaf_size: int = LEAF_SIZE) -> Symbolic:
    """Order and structure of the factor of a symmetric matrix.

    Args:
        matrix: (n, n) CSR with a full diagonal and symmetric structure.
        coordinates: (n, d) positions of the unknowns, by which separators are chosen.
        leaf_size: pieces of no more unknowns are not cut further.
    """
    pieces = nested_dissection(matrix, coordinates, leaf_size)
    order = np.concatenate(pieces)
    position = np.zeros(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    ends = np.cumsum([len(piece) for piece in pieces])
    fronts: list[Front] = []
    waiting: dict[int, list[int]] = {}  # children by the piece that eliminates their border first
    for number, piece in enumerate(pieces):
        children = waiting.pop(number, [])
        front = _make_front(matrix, piece, position, ends[number], children, fronts)
        fronts.append(front)
        if len(front.border):
            parent = int(np.searchsorted(ends, front.border[0], side="right"))
            waiting.setdefault(parent, []).append(number)
    return Symbolic(order, tuple(fronts))


def _make_front(matrix, piece, position, end, children, fronts):
    """The front of a piece whose unknowns take the positions up to ``end``."""
    size, begin = len(piece), end - len(piece)
    spans = [np.arange(matrix.indptr[i], matrix.indptr[i + 1]) for i in piece]
    take = np.concatenate(spans)
    columns = np.repeat(np.arange(size), [len(span) for span in spans])
    rows = position[matrix.indices[take]]
    touched = [rows[rows >= end], *(fronts[c].border for c in children)]
    border = np.unique(np.concatenate(touched))
    border = border[border >= end]
    unknowns = np.concatenate([np.arange(begin, end), border])
    lower = rows >= begin + columns  # the symmetric matrix's row is read as a column
    local = np.searchsorted(unknowns, rows[lower])
    put = local + columns[lower] * len(unknowns)
    places = tuple(np.searchsorted(unknowns, fronts[c].border) for c in children)
    return Front(int(begin), size, border, take[lower], put, tuple(children), places)


def nested_dissection(
    matrix: sp.csr_matrix, coordinates: np.ndarray, leaf_size: int = LEAF_SIZE
) -> list[np.ndarray]:
    """Pieces of unknowns in the order of elimination: halves first, what separates them last."""
    label = np.zeros(len(coordinates), dtype=np.int64)
    pieces: list[np.ndarray] = []
    stack = [np.arange(len(coordinates))]
    while stack:  # pieces are collected from the last eliminated to the first
        nodes = stack.pop()
        if len(nodes) <= leaf_size:
            pieces.append(nodes)
            continue
        below, above, separator = _best_cut(matrix, coordinates, nodes, label)
        if len(below) and len(above) and len(separator):
            pieces.append(separator)
            stack += [below, above]
        elif len(below) and len(above):  # already apart
            stack += [below, above]
        else:
            pieces.append(nodes)
    return [piece for piece in pieces[::-1] if len(piece)]


def _best_cut(matrix, coordinates, nodes, label):
    """The halves and separator of the median plane that needs the smallest separator."""
    centred = coordinates[nodes] - coordinates[nodes].mean(0)
    axes = np.linalg.svd(centred, full_matrices=False)[2]
    diagonals = np.array([axes[0] + axes[1], axes[0] - axes[1]])
    cuts = []
    for axis in np.concatenate([axes[:2], diagonals]):
        height = centred @ axis
        label[nodes] = np.where(height > np.median(height), 2, 1)
        cuts.append((*_separator(matrix, nodes, label),))
        label[nodes] = 0
    return min(cuts, key=lambda cut: len(cut[2]) + 0.2 * abs(len(cut[0]) - len(cut[1])))


def _separator(matrix, nodes, label):
    """Split labelled nodes: the smaller of the two rims along the cut becomes the separator."""
    rims = []
    for side, other in ((1, 2), (2, 1)):
        mine = nodes[label[nodes] == side]
        touches = _any_neighbour(matrix.indptr, matrix.indices, mine, label, other)
        rims.append((mine[~touches], mine[touches]))
    (below, rim_below), (above, rim_above) = rims
    if len(rim_below) <= len(rim_above):
        return below, nodes[label[nodes] == 2], rim_below
    return nodes[label[nodes] == 1], above, rim_above


@numba.njit(cache=True, nogil=True)
def _any_neighbour(starts, columns, nodes, label, wanted):
    found = np.zeros(len(nodes), dtype=np.bool_)
    for i in range(len(nodes)):
        for p in range(starts[nodes[i]], starts[nodes[i] + 1]):
            if label[columns[p]] == wanted:
                found[i] = True
                break
    return found
