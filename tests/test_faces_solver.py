"""The direct solver against SuperLU."""

import numpy as np
import pytest
import scipy.sparse as sp
import threadpoolctl

from faces.blas import one_thread
from faces.solver import analyse, nested_dissection
from tests.systems import superlu, system


def test_factor_solves_like_superlu():
    matrix, positions = system()
    right = np.random.default_rng(1).normal(size=(len(positions), 3))
    expected = superlu(matrix).solve(right)
    found = analyse(matrix, positions).factorise(matrix).solve(right)
    # The condition number is about 1e3: both are good to 1e-12.
    assert np.abs(found - expected).max() < 1e-9 * np.abs(expected).max()


@pytest.mark.parametrize("columns", [1, 2, 3, 4])
def test_columns_are_solved_alike_one_by_one_and_together(columns):
    matrix, positions = system()
    right = np.random.default_rng(1).normal(size=(len(positions), columns))
    factor = analyse(matrix, positions).factorise(matrix)
    alone = np.hstack([factor.solve(right[:, [c]]) for c in range(columns)])
    # The same sums, grouped otherwise: rounding times the condition number of about 1e3.
    np.testing.assert_allclose(factor.solve(right), alone, rtol=0, atol=1e-12)


def test_single_precision_says_where_it_is_not_enough():
    matrix, positions = system(2)
    graph = matrix - sp.diags(matrix.sum(1).A1) + 1e-9 * sp.eye(len(positions))
    graph = graph.tocsr()
    graph.sort_indices()
    symbolic = analyse(graph, positions)
    with pytest.raises(ValueError, match="not positive"):
        symbolic.factorise(graph, np.float32)
    # One constant costs 1e-9 alone; double precision still tells it from nothing.
    assert symbolic.factorise(graph).solve(np.ones((len(positions), 1))) == pytest.approx(
        1e9, rel=1e-3
    )


def test_symbolic_serves_every_matrix_of_its_sparsity():
    matrix, positions = system()
    symbolic = analyse(matrix, positions)
    other, _ = system(length=0.1)
    right = np.ones((len(positions), 3))
    np.testing.assert_allclose(other @ symbolic.factorise(other).solve(right), right, rtol=1e-9)


def test_dissection_is_a_permutation_with_little_fill():
    matrix, positions = system(4)
    order = np.concatenate(nested_dissection(matrix, positions))
    np.testing.assert_array_equal(np.sort(order), np.arange(len(order)))
    # Minimum degree is the usual yardstick on surfaces.
    assert analyse(matrix, positions).fill < 1.1 * superlu(matrix).L.nnz


def test_indefinite_matrix_is_refused():
    matrix, positions = system(2)
    symbolic = analyse(matrix, positions)
    broken = matrix.copy()
    broken.data = -broken.data
    with pytest.raises(ValueError, match="not positive"):
        symbolic.factorise(broken)


def test_a_decorated_function_runs_on_one_thread_and_leaves_the_others_as_they_were():
    def threads():
        pools = threadpoolctl.threadpool_info()
        return {
            pool["filepath"]: pool["num_threads"] for pool in pools if "blas" in pool["user_api"]
        }

    with threadpoolctl.threadpool_limits(limits=2, user_api="blas"):
        before = threads()
        assert before
        assert set(one_thread(threads)().values()) == {1}
        assert threads() == before
