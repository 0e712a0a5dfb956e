"""The direct sparse solver: a multifrontal Cholesky whose order and structure are made once.

Every system of the registration has the same sparsity and three right-hand sides (x, y, z). The
fill-reducing order (nested dissection by planes through the template) and the structure of the
factor depend on the topology alone; each iteration pays for the numeric factor only. Each piece of
the dissection is one small dense front, so that the work is done by LAPACK on blocks that fit the
cache; a simplicial LDLᵀ in numba takes three times as long on an 11k-vertex bilaplacian. The
method is Duff and Reid's (1983), as in Davis, Direct Methods for Sparse Linear Systems (2006).
"""

from dataclasses import dataclass

import numba
import numpy as np
import scipy.sparse as sp
from scipy.linalg.blas import dsyrk, dtrsm
from scipy.linalg.lapack import dpotrf

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


@dataclass(frozen=True, slots=True, eq=False)
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

    def factorise(self, matrix: sp.csr_matrix) -> "Factor":
        """Cholesky factor of a symmetric positive definite matrix (n, n) of the analysed sparsity.

        Raises:
            ValueError: the matrix is not positive definite.
        """
        blocks, rests = [], {}
        for number, front in enumerate(self.fronts):
            dense = _assemble(front, matrix.data, rests)
            p = front.size
            diagonal, bad = dpotrf(dense[:p, :p], lower=1, clean=0)
            if bad:
                raise ValueError(
                    f"matrix ({len(self.order)}²): pivot {front.begin + bad - 1} is not positive; "
                    "expected a positive definite matrix; give every unknown a weight"
                )
            below = dtrsm(1.0, diagonal, dense[p:, :p], side=1, lower=1, trans_a=1)
            if len(front.border):
                rests[number] = dsyrk(-1.0, below, beta=1.0, c=dense[p:, p:], lower=1)
            blocks.append((diagonal, below))
        return Factor(self, blocks)


def _assemble(front, data, rests):
    """A front's dense lower triangle: the matrix's own entries and what its children left."""
    count = front.size + len(front.border)
    dense = np.zeros((count, count), order="F")
    dense.ravel(order="K")[front.put] = data[front.take]
    for child, place in zip(front.children, front.places, strict=True):
        _add_lower(dense, place, rests.pop(child))
    return dense


@numba.njit(cache=True, nogil=True)
def _add_lower(dense, place, rest):
    for column in range(len(place)):
        for row in range(column, len(place)):
            dense[place[row], place[column]] += rest[row, column]


@dataclass(frozen=True, slots=True, eq=False)
class Factor:
    """P A Pᵀ = L Lᵀ, by fronts: L's diagonal block (p, p) and the block (b, p) below it."""

    symbolic: Symbolic
    blocks: list[tuple[np.ndarray, np.ndarray]]

    def solve(self, right: np.ndarray) -> np.ndarray:
        """x (n, k) float64 with A x = right (n, k)."""
        x = np.array(right[self.symbolic.order], dtype=np.float64)
        steps = list(zip(self.symbolic.fronts, self.blocks, strict=True))
        for front, (diagonal, below) in steps:
            own = slice(front.begin, front.begin + front.size)
            x[own] = dtrsm(1.0, diagonal, x[own], lower=1)
            x[front.border] -= below @ x[own]
        for front, (diagonal, below) in reversed(steps):
            own = slice(front.begin, front.begin + front.size)
            rest = x[own] - below.T @ x[front.border]
            x[own] = dtrsm(1.0, diagonal, rest, lower=1, trans_a=1)
        solution = np.zeros_like(x)
        solution[self.symbolic.order] = x
        return solution


def analyse(matrix: sp.csr_matrix, coordinates: np.ndarray) -> Symbolic:
    """Order and structure of the factor of a symmetric matrix.

    Args:
        matrix: (n, n) CSR with a full diagonal and symmetric structure.
        coordinates: (n, 3) positions of the unknowns, by which separators are chosen.
    """
    pieces = nested_dissection(matrix, coordinates)
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


def nested_dissection(matrix: sp.csr_matrix, coordinates: np.ndarray) -> list[np.ndarray]:
    """Pieces of unknowns in the order of elimination: halves first, what separates them last."""
    label = np.zeros(len(coordinates), dtype=np.int64)
    pieces: list[np.ndarray] = []
    stack = [np.arange(len(coordinates))]
    while stack:  # pieces are collected from the last eliminated to the first
        nodes = stack.pop()
        if len(nodes) <= LEAF_SIZE:
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
