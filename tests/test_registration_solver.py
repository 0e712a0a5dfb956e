"""The sparse solvers against SuperLU and against each other."""

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg
import threadpoolctl
import trimesh

from faces.mesh import unique_edges
from registration.blas import one_thread
from registration.pcg import conjugate_gradients, polished
from registration.solver import analyse, nested_dissection


def system(subdivisions=3, length=4.0):
    """(matrix, positions): diagonal + Laplacian + bilaplacian on an icosphere, random weights."""
    sphere = trimesh.creation.icosphere(subdivisions)
    count = len(sphere.vertices)
    edges = unique_edges(np.asarray(sphere.faces))
    both = np.concatenate([edges, edges[:, ::-1]])
    adjacency = sp.csr_matrix((np.ones(len(both)), both.T), shape=(count, count))
    laplacian = sp.diags(adjacency.sum(1).A1) - adjacency
    rng = np.random.default_rng(0)
    matrix = sp.diags(rng.uniform(0.1, 1, count)) + length * laplacian + laplacian @ laplacian
    matrix = matrix.tocsr()
    matrix.sort_indices()
    return matrix, np.asarray(sphere.vertices)


def superlu(matrix):
    options = {"SymmetricMode": True}
    return scipy.sparse.linalg.splu(
        matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options
    )


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


def test_gradients_agree_with_factor_and_profit_from_a_warm_start():
    matrix, positions = system()
    right = np.random.default_rng(2).normal(size=(len(positions), 3))
    expected = analyse(matrix, positions).factorise(matrix).solve(right)
    found, cold = conjugate_gradients(matrix, right, np.zeros_like(right), 1e-10, 2000)
    # Residual 1e-10 times the condition number of about 1e3.
    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()
    _, warm = conjugate_gradients(matrix, right, expected * 1.001, 1e-4)
    assert warm < cold / 2


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
