"""LDLᵀ of small sparse matrices of one structure: ordered once, factored in a fraction of that.

The up-looking method of Davis (2005, Algorithm 849: A concise sparse Cholesky factorization
package). For some thousands of unknowns; faces.solver is the one for tens of thousands, whose order
takes longer to find than these take to solve.
"""

import numba
import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu


class GraphSystem:
    """(diag(d) + Laplacian of weighted edges) x = b, for any d, weights and b.

    Args:
        edges: (E, 2) int, each once.
        count: of the unknowns.
    """

    def __init__(self, edges: np.ndarray, count: int):
        self._edges, self._count = edges, count
        order = _minimum_degree(edges, count)
        place = np.zeros(count, dtype=np.int64)
        place[order] = np.arange(count)
        ends = np.sort(place[edges], axis=1)
        by_column = np.lexsort((ends[:, 0], ends[:, 1]))
        self._order, self._by_column = order, by_column
        self._rows = ends[by_column, 0]
        self._starts = np.searchsorted(ends[by_column, 1], np.arange(count + 1))
        self._parents, lengths = _tree(self._rows, self._starts)
        self._columns = np.concatenate([[0], np.cumsum(lengths)])

    def solve(self, diagonal: np.ndarray, weights: np.ndarray, right: np.ndarray) -> np.ndarray:
        """x (n,) float64 for d (n,) and weights (E,), all above 0, and b (n,)."""
        i, j = self._edges.T
        total = np.bincount(i, weights, self._count) + np.bincount(j, weights, self._count)
        total = (total + diagonal)[self._order]
        structure = (self._rows, self._starts, self._parents, self._columns)
        solved = _factor_and_solve(*structure, weights[self._by_column], total, right[self._order])
        out = np.zeros(self._count)
        out[self._order] = solved
        return out


def _minimum_degree(edges, count):
    """The order (n,) in which SuperLU's minimum degree would eliminate."""
    i, j = edges.T
    ones = np.ones(len(i))
    links = sp.coo_matrix((np.r_[ones, ones], (np.r_[i, j], np.r_[j, i])), (count, count))
    matrix = (sp.diags(np.bincount(edges.ravel(), minlength=count) + 1.0) - links).tocsc()
    options = {"SymmetricMode": True}
    factor = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    return np.argsort(factor.perm_c)


@numba.njit(cache=True, nogil=True)
def _tree(rows, starts):
    """The elimination tree (n,), −1 at roots, and the entries (n,) of L's columns."""
    count = len(starts) - 1
    parent, seen = np.full(count, -1), np.full(count, -1)
    lengths = np.zeros(count, np.int64)
    for k in range(count):
        seen[k] = k
        for p in range(starts[k], starts[k + 1]):
            i = rows[p]
            while seen[i] != k:
                if parent[i] < 0:
                    parent[i] = k
                lengths[i] += 1
                seen[i] = k
                i = parent[i]
    return parent, lengths


@numba.njit(cache=True, nogil=True)
def _factor_and_solve(rows, starts, parents, columns, weights, total, right):
    """Row after row of L, and with it of the forward substitution; then the backward one."""
    count = len(total)
    below, values = np.zeros(columns[-1], np.int64), np.zeros(columns[-1])
    filled, pivots, work = np.zeros(count, np.int64), total.copy(), np.zeros(count)
    pattern, seen = np.zeros(count, np.int64), np.full(count, -1)
    x = right.copy()
    for k in range(count):
        top = _reach(k, rows, starts, parents, weights, seen, pattern, work)
        for i in pattern[top:]:
            value, first = work[i], columns[i]
            work[i] = 0
            for p in range(first, first + filled[i]):
                work[below[p]] -= values[p] * value
            scaled = value / pivots[i]
            pivots[k] -= scaled * value
            below[first + filled[i]], values[first + filled[i]] = k, scaled
            filled[i] += 1
            x[k] -= scaled * x[i]
    x /= pivots
    for k in range(count - 1, -1, -1):
        for p in range(columns[k], columns[k + 1]):
            x[k] -= values[p] * x[below[p]]
    return x


@numba.njit(cache=True, nogil=True)
def _reach(k, rows, starts, parents, weights, seen, pattern, work):
    """L's row k: its columns at pattern[top:] in the order of elimination, A's row in ``work``."""
    top = len(pattern)
    seen[k] = k
    for p in range(starts[k], starts[k + 1]):
        i, length = rows[p], 0
        work[i] -= weights[p]
        while seen[i] != k:
            pattern[length] = i
            seen[i] = k
            length += 1
            i = parents[i]
        while length > 0:
            length -= 1
            top -= 1
            pattern[top] = pattern[length]
    return top
