"""Conjugate gradients on a multigrid cycle, compiled as a whole."""

from typing import NamedTuple

import numba
import numpy as np

from imaging.multigrid_band import factorize, solve_band
from imaging.multigrid_kernels import (
    add,
    advance,
    ascend,
    descend,
    multiply,
    scale,
    subtract_product,
    sum_blocks,
)
from imaging.multigrid_levels import level_at, vector_at

LIMIT = 24  # cycles; a mask whose shape survives coarsening needs two to nine
_compiled = numba.njit(cache=True, nogil=True)


class Vectors(NamedTuple):
    """What the solver works in, float32: (cells · C,) of all levels, or of the finest.

    Attributes:
        right, x: of the equation, all levels.
        cycle_right, cycle_x: of a cycle, which solves for a residual, all levels.
        step, product, image: of the conjugate gradients.
    """

    right: np.ndarray
    x: np.ndarray
    cycle_right: np.ndarray
    cycle_x: np.ndarray
    step: np.ndarray
    product: np.ndarray
    image: np.ndarray


@_compiled
def solve(levels, vectors, channels, tolerance):
    """Write x with A x = right; whether it took less than LIMIT cycles."""
    fine, factor = level_at(levels, 0), factorize(level_at(levels, len(levels.shape) - 1))
    x = _start(levels, vectors, channels, factor)
    residual, image, step, product = (
        vector_at(levels, vectors.cycle_right, 0, channels),
        vector_at(levels, vectors.image, 0, channels),
        vector_at(levels, vectors.step, 0, channels),
        vector_at(levels, vectors.product, 0, channels),
    )
    lengths, ratios = np.zeros((channels, LIMIT)), np.zeros((channels, LIMIT))
    curvature = np.zeros(channels)
    for k in range(LIMIT):
        fresh = _cycle(levels, vectors, 0, channels, factor)
        dots = multiply(fine, fresh, image, product, residual)
        for c in range(channels):
            # conjugate to the last step whether or not the cycle is symmetric
            ratios[c, k] = -_quotient(dots[1, c], curvature[c])
            curvature[c] = dots[0, c] + ratios[c, k] * dots[1, c]
            lengths[c, k] = _quotient(dots[2, c], curvature[c])
        largest = advance(
            fine, ratios[:, k], lengths[:, k], fresh, image, step, product, x, residual
        )
        if _error(lengths[:, : k + 1], ratios[:, : k + 1], largest) <= tolerance:
            return True
    return False


@_compiled
def _start(levels, vectors, channels, factor):
    """x by the solutions of the coarse levels, each the start of the next (full multigrid).

    What pulls is mostly what is held. A coarse cell is nearer to it than the distance that its
    pixels' joints add up to, so that its right-hand side is scaled as its conductance was, and the
    solution, which need not vanish there as a correction does, is continued level to the outside.
    """
    last = len(levels.shape) - 1
    for depth in range(last):
        level, right = level_at(levels, depth), vector_at(levels, vectors.right, depth, channels)
        sum_blocks(level, right, vector_at(levels, vectors.right, depth + 1, channels))
    for depth in range(1, last + 1):
        scale(level_at(levels, depth), vector_at(levels, vectors.right, depth, channels))
    right, x = (
        vector_at(levels, vectors.right, last, channels),
        vector_at(levels, vectors.x, last, channels),
    )
    solve_band(factor[0], factor[1], right, x)
    for depth in range(last - 1, -1, -1):
        level, coarse, below = level_at(levels, depth), level_at(levels, depth + 1), x
        right, x, residual = (
            vector_at(levels, vectors.right, depth, channels),
            vector_at(levels, vectors.x, depth, channels),
            vector_at(levels, vectors.cycle_right, depth, channels),
        )
        ascend(level, coarse.outside, below, right, x)
        subtract_product(level, x, right, residual)
        if depth > 0:
            add(level, _cycle(levels, vectors, depth, channels, factor), x)
    return x


@_compiled
def _cycle(levels, vectors, depth, channels, factor):
    """x ≈ A⁻¹ right of the cycle by one V-cycle of two Chebyshev steps down and two up."""
    last = len(levels.shape) - 1
    for d in range(depth, last):
        right, below = (
            vector_at(levels, vectors.cycle_right, d, channels),
            vector_at(levels, vectors.cycle_right, d + 1, channels),
        )
        descend(level_at(levels, d), right, vector_at(levels, vectors.cycle_x, d, channels), below)
    right, x = (
        vector_at(levels, vectors.cycle_right, last, channels),
        vector_at(levels, vectors.cycle_x, last, channels),
    )
    solve_band(factor[0], factor[1], right, x)
    for d in range(last - 1, depth - 1, -1):
        error = x
        right, x = (
            vector_at(levels, vectors.cycle_right, d, channels),
            vector_at(levels, vectors.cycle_x, d, channels),
        )
        ascend(level_at(levels, d), level_at(levels, d + 1).free, error, right, x)
    return x


@_compiled
def _quotient(a, b):
    """a / b; 0 where b is 0: a channel that is solved stands still."""
    return a / b if b > 0 else 0.0


@_compiled
def _error(lengths, ratios, largest):
    """The largest error of all cells and channels, estimated from the steps (C, k) so far.

    They are Lanczos's steps too: the smallest Ritz value of the cycle times A says how much of an
    error a cycle sees at worst. On spectra from 0.05 (mazes) to 1 (discs) the error that was left
    stayed below the last step times 1.5 / that value − 1 (tests/test_imaging_multigrid.py).
    """
    most = 0.0
    for c in range(len(largest)):
        if largest[c] > 0:
            seen = min(_smallest(lengths[c], ratios[c]), 1.0)
            most = max(most, abs(lengths[c, -1]) * largest[c] * (1.5 / seen - 1))
    return most


@_compiled
def _smallest(lengths, ratios):
    """The smallest eigenvalue of the tridiagonal matrix of the steps."""
    count = len(lengths)
    matrix = np.zeros((count, count))
    for k in range(count):
        if lengths[k] <= 0:  # solved: the last step is rounding
            return 1.0
        matrix[k, k] = 1 / lengths[k]
        if k > 0:
            ratio = max(ratios[k], 0.0)
            matrix[k, k] += ratio / lengths[k - 1]
            matrix[k, k - 1] = matrix[k - 1, k] = np.sqrt(ratio) / lengths[k - 1]
    return max(np.linalg.eigvalsh(matrix)[0], 1e-6)
