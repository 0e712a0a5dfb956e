"""Laplace's equation on a masked grid: conjugate gradients on a multigrid cycle.

The coarse levels' solutions give the start. A step then gains a factor of three to ten, whatever
the size, where the coarse grids tell the fine one's shape; the conjugate gradients mend the few
errors of irregular masks that the coarse grids cannot see. Where the coarse grids are of no use
(a maze: its walls are lost at once), that shows in the spectrum, and the whole is solved directly.
"""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from imaging.multigrid_levels import level_at, make_levels, vector_at
from imaging.multigrid_steps import Vectors, solve

COARSEST = 32  # cells a side that are solved directly


class Multigrid:
    """Laplace's equation on a grid, and its solution.

    Args:
        kind: (h, w) uint8: FREE, HELD or WANTED (imaging.multigrid_levels). Every 4-connected part
            of the wanted touches a held pixel, or the equation has no one solution.
        channels: of the vectors, which are (h + 2, channels, w + 2) float32, border included.
        zeros: where the arrays come from: zeros(shape, dtype), e.g. imaging.scratch.

    Attributes:
        right: a vector of zeros, for the right-hand side.
    """

    def __init__(self, kind: np.ndarray, channels: int, zeros=np.zeros):
        self._levels, self._channels = make_levels(kind, COARSEST, zeros), channels
        fine, cells = self._levels.start[1, 0] * channels, self._levels.start[-1, 0] * channels
        self._vectors = Vectors(*(zeros((n,), np.float32) for n in 4 * [cells] + 3 * [fine]))
        self.right = vector_at(self._levels, self._vectors.right, 0, channels)

    def solve(self, tolerance: float) -> np.ndarray:
        """x with A x = ``right``, to about the tolerance in every cell; once."""
        done = solve(self._levels, self._vectors, self._channels, tolerance)
        x = vector_at(self._levels, self._vectors.x, 0, self._channels)
        return x if done else _solve_directly(level_at(self._levels, 0), self.right, x)


def _solve_directly(level, right, x):
    """x = A⁻¹ right by a sparse LU, without pivoting: A is diagonally dominant."""
    cells = level.inverse > 0
    entries, count = _entries(level, cells)
    matrix = sp.csc_matrix(entries, (count, count))
    options = {"SymmetricMode": True}
    factor = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    values = right.transpose(0, 2, 1)[cells].astype(np.float64)
    x.transpose(0, 2, 1)[cells] = factor.solve(values)
    return x


def _entries(level, cells):
    """A as (values, (rows, columns)) float64 over the level's n cells, row by row; and n."""
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
