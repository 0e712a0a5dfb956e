"""Conjugate gradients for several right-hand sides at once.

Jacobi-preconditioned: the fine level's matrix is close to its diagonal (the smoothing length is
about an edge), and the last solution is a good start. Preconditioned by a factor in single
precision: what rounding left of a direct solution, gone in a step or two.
"""

from collections.abc import Callable

import numba
import numpy as np
import scipy.sparse as sp


def conjugate_gradients(
    matrix: sp.csr_matrix,
    right: np.ndarray,
    start: np.ndarray,
    tolerance: float = 1e-4,
    max_iterations: int = 200,
) -> tuple[np.ndarray, int]:
    """Jacobi-preconditioned conjugate gradients on three right-hand sides at once.

    Args:
        matrix: (n, n) CSR, symmetric positive definite.
        right: (n, k); start: (n, k), the previous solution.
        tolerance: residual norm over right-hand-side norm, the worst of the k columns.
        max_iterations: where to stop regardless.

    Returns:
        (n, k) float64 solution and the iterations made.
    """
    x = np.array(start, dtype=np.float64, order="C")
    right = np.ascontiguousarray(right, dtype=np.float64)
    data = matrix.data.astype(np.float64)
    inverse = 1 / matrix.diagonal()
    count = _conjugate_gradients(
        matrix.indptr, matrix.indices, data, inverse, right, x, tolerance, max_iterations
    )
    return x, count


def polished(
    matrix: sp.csr_matrix,
    right: np.ndarray,
    solve: Callable[[np.ndarray], np.ndarray],
    tolerance: float = 1e-4,
    max_iterations: int = 30,
) -> np.ndarray:
    """A rough direct solution made exact, by conjugate gradients that it preconditions.

    Args:
        matrix: (n, n) CSR, symmetric positive definite.
        right: (n, k).
        solve: x (n, k) ≈ A⁻¹ r of r (n, k), e.g. by a factor in single precision. It need not be
            quite symmetric: steps are conjugate by Polak and Ribière's formula.
        tolerance: residual norm over right-hand-side norm, the worst of the k columns.
        max_iterations: where to stop regardless.

    Returns:
        (n, k) float64.
    """
    starts, columns, data = matrix.indptr, matrix.indices, matrix.data
    right = np.ascontiguousarray(right, dtype=np.float64)
    x, product, step = np.zeros(right.shape), np.zeros(right.shape), np.zeros(right.shape)
    residual, last, energy = right, right, np.ones(right.shape[1])
    goal = np.maximum(_dots(right, right) * tolerance**2, 1e-300)
    for _ in range(max_iterations):
        fresh = solve(residual).astype(np.float64)
        step = fresh + step * (_dots(fresh, residual - last) / np.maximum(energy, 1e-300))
        energy, last = _dots(step, residual), residual
        _multiply(starts, columns, data, step, product)
        length = energy / np.maximum(_dots(step, product), 1e-300)
        x += length * step
        residual = residual - length * product
        if (_dots(residual, residual) <= goal).all():
            break
    return x


@numba.njit(cache=True, nogil=True)
def _multiply(starts, columns, data, x, out):
    if x.shape[1] == 3:
        _multiply_three(starts, columns, data, x, out)
        return
    for i in range(len(starts) - 1):
        for c in range(x.shape[1]):
            out[i, c] = 0.0
        for p in range(starts[i], starts[i + 1]):
            for c in range(x.shape[1]):
                out[i, c] += data[p] * x[columns[p], c]


@numba.njit(cache=True, nogil=True)
def _multiply_three(starts, columns, data, x, out):
    """The usual case, x, y and z, with the sums in registers."""
    for i in range(len(starts) - 1):
        a, b, c = 0.0, 0.0, 0.0
        for p in range(starts[i], starts[i + 1]):
            value, k = data[p], columns[p]
            a += value * x[k, 0]
            b += value * x[k, 1]
            c += value * x[k, 2]
        out[i, 0], out[i, 1], out[i, 2] = a, b, c


@numba.njit(cache=True, nogil=True)
def _dots(a, b):
    total = np.zeros(a.shape[1])
    for i in range(a.shape[0]):
        for c in range(a.shape[1]):
            total[c] += a[i, c] * b[i, c]
    return total


@numba.njit(cache=True, nogil=True)
def _conjugate_gradients(starts, columns, data, inverse, right, x, tolerance, max_iterations):
    """The classical recurrence, a step length a column; a converged column stands still."""
    n, k = x.shape
    product = np.zeros((n, k))
    _multiply(starts, columns, data, x, product)
    residual = right - product
    step = residual * inverse.reshape(n, 1)
    energy = _dots(residual, step)
    goal = np.maximum(_dots(right, right) * tolerance**2, 1e-300)
    for iteration in range(max_iterations):
        if (_dots(residual, residual) <= goal).all():
            return iteration
        _multiply(starts, columns, data, step, product)
        curvature = _dots(step, product)
        length = np.where(curvature > 0, energy / np.maximum(curvature, 1e-300), 0.0)
        for i in range(n):
            for c in range(k):
                x[i, c] += length[c] * step[i, c]
                residual[i, c] -= length[c] * product[i, c]
        fresh = np.zeros(k)
        for i in range(n):
            for c in range(k):
                fresh[c] += residual[i, c] ** 2 * inverse[i]
        ratio = np.where(energy > 0, fresh / np.maximum(energy, 1e-300), 0.0)
        for i in range(n):
            for c in range(k):
                step[i, c] = inverse[i] * residual[i, c] + ratio[c] * step[i, c]
        energy = fresh
    return max_iterations
