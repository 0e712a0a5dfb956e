"""The coarsest level's own solver: a Cholesky factor within the band of a row of cells."""

import numba
import numpy as np

_compiled = numba.njit(cache=True, nogil=True, fastmath={"contract", "arcp", "nsz", "reassoc"})


@_compiled
def factorize(level):
    """A = L Lᵀ over the level's n cells, row by row.

    Returns:
        (n, band + 1) float64, L's row i from column i − band to the diagonal, of which the inverse
        is kept; and (n, 2) int64, the cells' rows and columns.
    """
    cells, index = _numbered(level)
    band = 1
    for i in range(len(cells)):
        y, x = cells[i]
        if level.down[y, x] > 0:
            band = max(band, index[y + 1, x] - i)
    factor = np.zeros((len(cells), band + 1))
    for i in range(len(cells)):
        y, x = cells[i]
        if level.down[y - 1, x] > 0:
            factor[i, band - (i - index[y - 1, x])] = -level.down[y - 1, x]
        if level.right[y, x - 1] > 0:
            factor[i, band - 1] = -level.right[y, x - 1]
        factor[i, band] = level.total[y, x]
        _eliminate(factor, i, band)
    return factor, cells


@_compiled
def _numbered(level):
    """The cells (n, 2), and each one's number (h + 2, w + 2)."""
    index = np.zeros(level.inverse.shape, np.int64)
    cells = np.zeros((level.inverse.size, 2), np.int64)
    count = 0
    for y in range(len(index)):
        for x in range(level.span[y, 0], level.span[y, 1]):
            if level.inverse[y, x] > 0:
                index[y, x] = count
                cells[count] = y, x
                count += 1
    return cells[:count], index


@_compiled
def _eliminate(factor, i, band):
    """Row i of the factor, given those before."""
    row = factor[i]
    for j in range(max(i - band, 0), i):
        at = band - (i - j)
        first = max(band - i, 0)
        before, other = row[first:at], factor[j, first + i - j : band]
        dot = 0.0
        for k in range(len(before)):
            dot += before[k] * other[k]
        row[at] = (row[at] - dot) * factor[j, band]
    dot = 0.0
    for k in range(band):
        dot += row[k] * row[k]
    row[band] = 1 / np.sqrt(row[band] - dot)


@_compiled
def solve_band(factor, cells, right, out):
    """out = A⁻¹ right, both vectors of imaging.multigrid_kernels."""
    count, band = len(factor), factor.shape[1] - 1
    x = np.zeros(count + band)  # what is before the first cell is 0
    for c in range(right.shape[1]):
        for i in range(count):
            row, before, dot = factor[i, :band], x[i : i + band], 0.0
            for k in range(band):
                dot += row[k] * before[k]
            x[i + band] = (right[cells[i, 0], c, cells[i, 1]] - dot) * factor[i, band]
        for i in range(count - 1, -1, -1):
            x[i + band] *= factor[i, band]
            out[cells[i, 0], c, cells[i, 1]] = x[i + band]
            row, before, value = factor[i, :band], x[i : i + band], x[i + band]
            for k in range(band):
                before[k] -= row[k] * value
