"""Laplace's equation on a masked grid: conjugate gradients on a multigrid cycle.

A step gains a factor of three to ten, whatever the size, where the coarse grids tell the fine one's
shape; the conjugate gradients mend the few errors of irregular masks that the coarse grids cannot
see. Where the coarse grids are of no use (a maze: its walls are lost at once), that shows in the
spectrum, and the whole is solved directly.
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from imaging.multigrid_kernels import (
    advance,
    dots,
    multiply,
    prolong,
    restrict,
    smooth,
    smooth_zero,
    turn,
)
from imaging.multigrid_levels import make_levels

COARSEST = 8  # cells a side that are solved directly
LIMIT = 24  # cycles; a mask whose shape survives coarsening needs four to nine
# Chebyshev's two steps on [1/2, 2], what a coarse grid cannot see of the five-point stencil
OMEGAS = tuple(np.float32(1 / (1.25 + sign * 0.75 * np.sqrt(0.5))) for sign in (1, -1))


class Multigrid:
    """Laplace's equation on a grid, and its solution.

    Args:
        kind: (h, w) uint8: FREE, HELD or WANTED (imaging.multigrid_levels). Every 4-connected part
            of the wanted touches a held pixel, or the equation has no one solution.
        channels: of the vectors, which are (h + 2, channels, w + 2) float32, border included.
        zeros: where the arrays come from: zeros(shape, dtype), e.g. imaging.scratch.
    """

    def __init__(self, kind: np.ndarray, channels: int, zeros=np.zeros):
        self._levels = make_levels(kind, COARSEST, zeros)
        shapes = [(level.right.shape[0], channels, level.right.shape[1]) for level in self._levels]
        self._right, self._x, self._spare = (
            [zeros(shape, np.float32) for shape in shapes] for _ in range(3)
        )
        self._zeros = zeros
        self._coarsest = _inverse(self._levels[-1])

    @property
    def right(self) -> np.ndarray:
        """A vector of zeros, for the right-hand side."""
        return self._right[0]

    def solve(self, right: np.ndarray, tolerance: float) -> np.ndarray:
        """x with A x = right, to about the tolerance in every cell.

        Args:
            right: a vector.
        """
        fine = self._levels[0]
        x, step, product, residual = (self._zeros(right.shape, np.float32) for _ in range(4))
        residual[:] = right
        steps = _Steps(right.shape[1])
        for _ in range(LIMIT):
            fresh = self._cycle(0, residual)
            # conjugate to the last step whether or not the cycle is symmetric
            ratio = -_quotient(dots(fine, fresh, product), steps.curvature)
            largest = turn(fine, fresh, ratio, step)
            curvature, slope = multiply(fine, step, product, residual)
            length = _quotient(slope, curvature)
            advance(fine, length, step, product, x, residual)
            if steps.error(length, ratio, curvature, largest) <= tolerance:
                return x
        return _solve_directly(fine, right, x)

    def _cycle(self, depth, right):
        """x ≈ A⁻¹ right by one V-cycle of two Chebyshev steps down and two up."""
        level, x, spare = self._levels[depth], self._x[depth], self._spare[depth]
        if depth == len(self._levels) - 1:
            _put(level, self._coarsest @ _taken(level, right), x)
            return x
        smooth_zero(level, right, x, *OMEGAS)
        below = self._right[depth + 1]
        restrict(level, right, x, below)
        prolong(level, self._levels[depth + 1].free, self._cycle(depth + 1, below), x)
        smooth(level, right, x, spare, OMEGAS[1])
        smooth(level, right, spare, x, OMEGAS[0])
        return x


class _Steps:
    """What the steps so far tell about the error.

    They are Lanczos's steps too: the smallest Ritz value of the cycle times A says how much of an
    error a cycle sees at worst. On spectra from 0.05 (mazes) to 1 (discs) the error that was left
    stayed below the last step times 1.5 / that value − 1 (tests/test_imaging_multigrid.py).
    """

    def __init__(self, channels):
        self.curvature = np.zeros(channels)
        self._lengths, self._ratios = [], []

    def error(self, length, ratio, curvature, largest):
        """The largest error of all cells and channels, estimated, after another step."""
        self.curvature = curvature
        self._lengths.append(length)
        self._ratios.append(ratio)
        left = [
            abs(length[c]) * largest[c] * (1.5 / min(self._smallest(c), 1.0) - 1)
            for c in range(len(length))
            if largest[c] > 0
        ]
        return max(left, default=0.0)

    def _smallest(self, channel):
        """The smallest eigenvalue of the tridiagonal matrix of the steps."""
        lengths = np.array(self._lengths)[:, channel]
        ratios = np.maximum(np.array(self._ratios)[:, channel], 0)
        if not (lengths > 0).all():  # solved: the last step is rounding
            return 1.0
        diagonal = 1 / lengths
        diagonal[1:] += ratios[1:] / lengths[:-1]
        beside = np.sqrt(ratios[1:]) / lengths[:-1]
        matrix = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
        return max(np.linalg.eigvalsh(matrix)[0], 1e-6)


def _quotient(a, b):
    """a / b; 0 where b is 0: a channel that is solved stands still."""
    return np.where(b > 0, a / np.where(b > 0, b, 1), 0)


def _entries(level):
    """A as (values, (rows, columns)) float64 over the level's n cells, row by row; and n."""
    cells = level.inverse > 0
    index = np.cumsum(cells.ravel()).reshape(cells.shape) - 1
    rows, columns, values = [index[cells]], [index[cells]], [level.total[cells]]
    for weight, other in (
        (level.right, np.roll(index, -1, 1)),
        (level.down, np.roll(index, -1, 0)),
    ):
        joined = weight > 0
        rows += [index[joined], other[joined]]
        columns += [other[joined], index[joined]]
        values += [-weight[joined]] * 2
    places = (np.concatenate(rows), np.concatenate(columns))
    return (np.concatenate(values).astype(np.float64), places), len(rows[0])


def _inverse(level):
    """A⁻¹ (n, n) float32."""
    (values, places), count = _entries(level)
    matrix = np.zeros((count, count))
    matrix[places] = values
    return np.linalg.inv(matrix).astype(np.float32)


def _taken(level, vector):
    """The cells (n, channels) of a vector, row by row."""
    return vector.transpose(0, 2, 1)[level.inverse > 0]


def _put(level, values, vector):
    vector.transpose(0, 2, 1)[level.inverse > 0] = values


def _solve_directly(level, right, x):
    """x = A⁻¹ right by a sparse LU, without pivoting: A is diagonally dominant."""
    entries, count = _entries(level)
    matrix = sp.csc_matrix(entries, (count, count))
    options = {"SymmetricMode": True}
    factor = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    _put(level, factor.solve(_taken(level, right).astype(np.float64)), x)
    return x
