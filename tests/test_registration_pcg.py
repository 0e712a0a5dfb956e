"""Conjugate gradients against the direct solver."""

import numpy as np

from faces.solver import analyse
from registration.pcg import conjugate_gradients, polished
from tests.systems import superlu, system


def test_polish_makes_a_single_precision_factor_exact():
    matrix, positions = system(length=400.0)
    right = np.random.default_rng(1).normal(size=(len(positions), 3))
    factor = analyse(matrix, positions).factorise(matrix, np.float32)
    rough, fine = factor.solve(right), polished(matrix, right, factor.solve, 1e-12)
    assert rough.dtype == np.float32
    expected = superlu(matrix).solve(right)
    # Rounding 6e-8 times the condition number of about 1e5 leaves 1e-3 at worst; then 1e-12 · 1e5.
    assert 1e-7 < np.abs(rough - expected).max() / np.abs(expected).max() < 1e-2
    assert np.abs(fine - expected).max() < 1e-7 * np.abs(expected).max()


def test_gradients_agree_with_factor_and_profit_from_a_warm_start():
    matrix, positions = system()
    right = np.random.default_rng(2).normal(size=(len(positions), 3))
    expected = analyse(matrix, positions).factorise(matrix).solve(right)
    found, cold = conjugate_gradients(matrix, right, np.zeros_like(right), 1e-10, 2000)
    # Residual 1e-10 times the condition number of about 1e3.
    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()
    _, warm = conjugate_gradients(matrix, right, expected * 1.001, 1e-4)
    assert warm < cold / 2
