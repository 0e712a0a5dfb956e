"""imaging.conjugate against a dense solver, and on a chain whose solution is known."""

import numpy as np

from imaging.conjugate import relaxed


def laplacian(edges, weights, hold):
    """The dense matrix that relaxed never makes."""
    matrix = np.diag(hold).astype(float)
    for (i, j), w in zip(edges, weights, strict=True):
        matrix[[i, j], [i, j]] += w
        matrix[[i, j], [j, i]] -= w
    return matrix


def test_agrees_with_a_dense_solver():
    rng = np.random.default_rng(5)
    tree = np.stack([np.arange(1, 60), rng.integers(0, np.arange(1, 60))], 1)
    more = rng.permuted(np.tile(np.arange(60), (40, 1)), axis=1)[:, :2]
    edges = np.unique(np.sort(np.concatenate([tree, more]), axis=1), axis=0)
    weights, hold = rng.uniform(0.1, 2, len(edges)), rng.uniform(0, 1, 60)
    right, start = rng.normal(size=(2, 60, 3))
    expected = np.linalg.solve(laplacian(edges, weights, hold), right)
    got = relaxed(edges, weights, hold, right, start, 1e-12)
    # the condition number is below 1e3: a residual of 1e-12 leaves 1e-9 of the solution
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-8)


def test_a_chain_held_at_its_ends_is_straight():
    count = 50
    edges = np.stack([np.arange(count - 1), np.arange(1, count)], 1)
    hold = np.zeros(count)
    hold[[0, -1]] = 1e6
    right = np.zeros((count, 1))
    right[-1] = 1e6
    got = relaxed(edges, np.ones(count - 1), hold, right, np.zeros((count, 1)), 1e-12)
    # the ends give way by a slope of 1/49 over a hold of 1e6
    np.testing.assert_allclose(got[:, 0], np.linspace(0, 1, count), rtol=0, atol=1e-6)


def test_goes_no_further_than_asked():
    edges, hold = np.array([[0, 1], [1, 2], [2, 3]]), np.array([1.0, 0, 0, 0])
    right = np.array([[1.0], [0], [0], [0]])
    start = np.full((4, 1), 5.0)
    stopped = relaxed(edges, np.ones(3), hold, right, start, 1e-12, most=0)
    np.testing.assert_array_equal(stopped, start)
    settled = relaxed(edges, np.ones(3), hold, right, np.ones((4, 1)), 1e-3)
    np.testing.assert_array_equal(settled, np.ones((4, 1)))  # the solution needs no step
