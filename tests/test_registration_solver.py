"""The sparse solvers against SuperLU and against each other."""

import numpy as np
import pytest
import scipy.sparse as sp
import scipy.sparse.linalg
import trimesh

from faces.mesh import unique_edges
from registration.pcg import conjugate_gradients
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
