"""Conjugate gradients on a graph's Laplacian that its diagonal governs."""

import numba
import numpy as np


def relaxed(
    edges: np.ndarray,
    weights: np.ndarray,
    hold: np.ndarray,
    right: np.ndarray,
    start: np.ndarray,
    tolerance: float,
    most: int = 1000,
) -> np.ndarray:
    """x (n, C) float64 with hold_i x_i + Σ_j w_ij (x_i − x_j) = right_i, each column on its own.

    The diagonal is the preconditioner (Hestenes and Stiefel 1952; Saad 2003, algorithm 9.1).
    Compiled, for a library's iteration spends four times the products on calls of Python.

    Args:
        edges: (E, 2) int, each once.
        weights: (E,) float64, above 0.
        hold: (n,) float64, not below 0; above 0 somewhere in each connected part.
        right, start: (n, C) float64.
        tolerance: of the residual's length, against that of ``right``.
        most: iterations.
    """
    edges = np.ascontiguousarray(edges, np.int32)
    diagonal = np.asarray(hold, np.float64).copy()
    for end in edges.T:
        diagonal += np.bincount(end, weights, len(diagonal))
    out = np.array(start, np.float64)
    for k in range(out.shape[1]):
        column = np.ascontiguousarray(out[:, k])
        wanted = np.ascontiguousarray(right[:, k], np.float64)
        _iterate(edges, weights, diagonal, wanted, column, tolerance, most)
        out[:, k] = column
    return out


@numba.njit(cache=True, nogil=True)
def _iterate(edges, weights, diagonal, right, x, tolerance, most):
    """x (n,), the start, becomes the solution."""
    product = np.zeros_like(x)
    _multiply(edges, weights, diagonal, x, product)
    residual, limit = right - product, tolerance * np.sqrt(np.dot(right, right))
    inverse, steep, ahead, before = 1 / diagonal, np.zeros_like(x), np.zeros_like(x), np.inf
    for _ in range(most):
        if np.sqrt(np.dot(residual, residual)) <= limit:
            return
        for i in range(len(x)):
            steep[i] = residual[i] * inverse[i]
        along = np.dot(residual, steep)
        kept = along / before
        for i in range(len(x)):
            ahead[i] = steep[i] + kept * ahead[i]
        before = along
        _multiply(edges, weights, diagonal, ahead, product)
        step = along / np.dot(ahead, product)
        for i in range(len(x)):
            x[i] += step * ahead[i]
            residual[i] -= step * product[i]


@numba.njit(cache=True, nogil=True)
def _multiply(edges, weights, diagonal, x, out):
    """The matrix times x (n,) into out."""
    for i in range(len(x)):
        out[i] = diagonal[i] * x[i]
    for e in range(len(edges)):
        i, j, w = edges[e, 0], edges[e, 1], weights[e]
        out[i] -= w * x[j]
        out[j] -= w * x[i]
