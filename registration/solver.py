"""The direct sparse solver: LDLᵀ whose order and symbolic factor are made once a template.

Every system of the registration has the same sparsity and three right-hand sides (x, y, z). The
fill-reducing order (nested dissection by planes through the template) and the factor's structure
depend on the topology alone; each iteration pays for the numeric factor only. The textbook is
Davis, Direct Methods for Sparse Linear Systems (2006), chapters 4 and 7.
"""

from dataclasses import dataclass

import numba
import numpy as np
import scipy.sparse as sp

LEAF_SIZE = 24  # below this many vertices a separator costs more fill than it saves


@dataclass(frozen=True, slots=True)
class Symbolic:
    """What the factor of every matrix with one sparsity shares.

    Attributes:
        order: (n,) int64, order[k] is the unknown eliminated k-th.
        take: (m,) int64, where the permuted upper triangle's entries lie in the CSR data.
        starts: (n + 1,) int64 and rows: (m,) int64, the permuted upper triangle by columns.
        parent: (n,) int64, the elimination tree; -1 at a root.
        factor_starts: (n + 1,) int64, column starts of L (without its unit diagonal).
    """

    order: np.ndarray
    take: np.ndarray
    starts: np.ndarray
    rows: np.ndarray
    parent: np.ndarray
    factor_starts: np.ndarray

    @property
    def fill(self) -> int:
        """Entries of L below the diagonal."""
        return int(self.factor_starts[-1])

    def factorise(self, matrix: sp.csr_matrix) -> "Factor":
        """LDLᵀ of a symmetric positive definite matrix (n, n) with the analysed sparsity.

        Raises:
            ValueError: the matrix is not positive definite.
        """
        upper = matrix.data[self.take].astype(np.float64)
        rows, values, diagonal = _factorise(
            self.starts, self.rows, upper, self.parent, self.factor_starts
        )
        if not (diagonal > 0).all():
            raise ValueError(
                f"matrix ({len(diagonal)}²): {(~(diagonal > 0)).sum()} pivots are not positive; "
                "expected a positive definite matrix; give every unknown a weight"
            )
        return Factor(self, rows, values, diagonal)


@dataclass(frozen=True, slots=True)
class Factor:
    """P A Pᵀ = L D Lᵀ: L by columns (unit diagonal left out) and D (n,) float64."""

    symbolic: Symbolic
    rows: np.ndarray
    values: np.ndarray
    diagonal: np.ndarray

    def solve(self, right: np.ndarray) -> np.ndarray:
        """x (n, k) float64 with A x = right (n, k)."""
        order = self.symbolic.order
        x = np.ascontiguousarray(right[order], dtype=np.float64)
        _solve(self.symbolic.factor_starts, self.rows, self.values, self.diagonal, x)
        solution = np.zeros_like(x)
        solution[order] = x
        return solution


def analyse(matrix: sp.csr_matrix, coordinates: np.ndarray) -> Symbolic:
    """Order and symbolic factor of a symmetric matrix.

    Args:
        matrix: (n, n) CSR with sorted indices, a full diagonal and symmetric structure.
        coordinates: (n, 3) positions of the unknowns, by which separators are chosen.
    """
    order = nested_dissection(matrix, coordinates)
    position = np.zeros(len(order), dtype=np.int64)
    position[order] = np.arange(len(order))
    row, column = (
        position[np.repeat(np.arange(len(order)), np.diff(matrix.indptr))],
        position[matrix.indices],
    )
    upper = np.flatnonzero(row <= column)
    take = upper[np.lexsort((row[upper], column[upper]))]
    starts = np.concatenate([[0], np.cumsum(np.bincount(column[take], minlength=len(order)))])
    parent, counts = _elimination_tree(starts, row[take])
    factor_starts = np.concatenate([[0], np.cumsum(counts)])
    return Symbolic(order, take, starts, row[take], parent, factor_starts)


def nested_dissection(matrix: sp.csr_matrix, coordinates: np.ndarray) -> np.ndarray:
    """Elimination order (n,) int64: halves first, the separator between them last, recursively."""
    label = np.zeros(len(coordinates), dtype=np.int64)
    pieces: list[np.ndarray] = []
    stack = [np.arange(len(coordinates))]
    while stack:  # pieces are collected from the last eliminated to the first
        nodes = stack.pop()
        if len(nodes) <= LEAF_SIZE:
            pieces.append(nodes)
            continue
        below, above, separator = _best_cut(matrix, coordinates, nodes, label)
        pieces.append(separator)
        if len(below) and len(above):
            stack += [below, above]
        else:
            pieces.append(np.concatenate([below, above]))
    return np.concatenate(pieces[::-1])


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


@numba.njit(cache=True, nogil=True)
def _elimination_tree(starts, rows):
    """Elimination tree and entries a column of L, by walking each row's path to the root."""
    n = len(starts) - 1
    parent = np.full(n, -1, dtype=np.int64)
    seen_by = np.full(n, -1, dtype=np.int64)
    counts = np.zeros(n, dtype=np.int64)
    for k in range(n):
        seen_by[k] = k
        for p in range(starts[k], starts[k + 1]):
            i = rows[p]
            while seen_by[i] != k:
                if parent[i] == -1:
                    parent[i] = k
                counts[i] += 1
                seen_by[i] = k
                i = parent[i]
    return parent, counts


@numba.njit(cache=True, nogil=True)
def _factorise(starts, rows, upper, parent, factor_starts):
    """Up-looking LDLᵀ: row k of L solves a triangular system over its part of the tree."""
    n = len(starts) - 1
    filled = factor_starts[:-1].copy()  # where column i's next entry goes
    factor_rows = np.zeros(factor_starts[-1], dtype=np.int32)
    values = np.zeros(factor_starts[-1])
    diagonal = np.zeros(n)
    work = np.zeros(n)
    seen_by = np.full(n, -1, dtype=np.int64)
    reach = np.zeros(n, dtype=np.int64)
    path = np.zeros(n, dtype=np.int64)
    for k in range(n):
        top = n
        seen_by[k] = k
        for p in range(starts[k], starts[k + 1]):
            i = rows[p]
            work[i] += upper[p]
            length = 0
            while seen_by[i] != k:  # the path towards the root, stored in topological order
                path[length] = i
                length += 1
                seen_by[i] = k
                i = parent[i]
            while length > 0:
                length -= 1
                top -= 1
                reach[top] = path[length]
        pivot = work[k]
        work[k] = 0.0
        for t in range(top, n):
            i = reach[t]
            y = work[i]
            work[i] = 0.0
            for p in range(factor_starts[i], filled[i]):
                work[factor_rows[p]] -= values[p] * y
            scaled = y / diagonal[i]
            pivot -= scaled * y
            factor_rows[filled[i]] = k
            values[filled[i]] = scaled
            filled[i] += 1
        diagonal[k] = pivot
        if not pivot > 0:
            break
    return factor_rows, values, diagonal


@numba.njit(cache=True, nogil=True)
def _solve(starts, rows, values, diagonal, x):
    """Forward, diagonal and backward substitution on x (n, k), in place."""
    n, k = x.shape
    for j in range(n):
        for p in range(starts[j], starts[j + 1]):
            for c in range(k):
                x[rows[p], c] -= values[p] * x[j, c]
    for j in range(n - 1, -1, -1):
        for c in range(k):
            x[j, c] /= diagonal[j]
        for p in range(starts[j], starts[j + 1]):
            for c in range(k):
                x[j, c] -= values[p] * x[rows[p], c]
