import numpy as np
import pytest
import scipy.sparse as sp
import trimesh
from scipy.sparse.linalg import splu

from faces.harmonic import harmonic
from faces.mesh import unique_edges


def reference(wanted, hold, triangles):
    """The normal equations by a general sparse LU."""
    i, j = unique_edges(triangles).T
    count = len(hold)
    links = sp.coo_matrix((np.ones(2 * len(i)), (np.r_[i, j], np.r_[j, i])), (count, count))
    matrix = sp.diags(links.sum(1).A1 + hold) - links
    return splu(matrix.tocsc()).solve(hold[:, None] * wanted)


def parts():
    """Two spheres and a patch, shuffled, with vertices of no triangle among theirs."""
    triangles, count = [], 5
    for mesh in (trimesh.creation.icosphere(k) for k in (4, 3, 2)):
        inside = mesh.triangles_center[:, 2] > (0.2 if len(mesh.vertices) == 642 else -1)
        triangles.append(mesh.faces[inside] + count)
        count += len(mesh.vertices) + 3
    rng = np.random.default_rng(0)
    return rng.permutation(count)[np.concatenate(triangles)], count


@pytest.mark.parametrize("columns", [1, 3])
def test_agrees_with_a_general_solve_for_holds_of_nine_decades(columns):
    triangles, count = parts()
    rng = np.random.default_rng(columns)
    for _ in range(3):  # the structure is cached after the first
        wanted = rng.normal(size=(count, columns))
        hold = 10 ** rng.uniform(-6, 3, count)
        expected = reference(wanted, hold, triangles)
        # held by 1e-6 alone a part has a condition number of 1e7: 1e-8 is ten times its rounding
        np.testing.assert_allclose(harmonic(wanted, hold, triangles), expected, rtol=0, atol=1e-8)


def test_agrees_with_a_general_solve_where_every_vertex_is_held_firmly():
    triangles, count = parts()
    rng = np.random.default_rng(4)
    wanted, hold = rng.normal(size=(count, 3)), 10 ** rng.uniform(0, 3, count)
    expected = reference(wanted, hold, triangles)
    # iterated until 1e-8 of the right side, whose norm over 3000 holds up to 1e3 is some 1e4
    np.testing.assert_allclose(harmonic(wanted, hold, triangles), expected, rtol=0, atol=1e-4)


def test_two_held_ends_leave_a_ramp_between():
    rows = np.arange(40)
    a, b = rows[:-1], rows[1:]  # a strip of two columns: vertex 2r and 2r + 1 in row r
    triangles = np.concatenate(
        [np.stack([2 * a, 2 * b, 2 * a + 1], 1), np.stack([2 * a + 1, 2 * b, 2 * b + 1], 1)]
    )
    ramp = np.repeat(np.linspace(0, 1, 40), 2)[:, None]
    hold = np.full(80, 1e-9)
    hold[[0, 1, 78, 79]] = 1e6
    got = harmonic(np.where(hold[:, None] > 1, ramp, 5.0), hold, triangles)
    # the diagonals tilt the levels by 1 in 200; the held ends give way by 1e-6
    np.testing.assert_allclose(got, ramp, atol=0.01)


def test_a_vertex_of_no_triangle_takes_what_it_wants():
    triangles, count = parts()
    wanted = np.random.default_rng(1).normal(size=(count, 2))
    alone = np.setdiff1d(np.arange(count), triangles)
    assert len(alone)
    got = harmonic(wanted, np.full(count, 0.1), triangles)
    np.testing.assert_array_equal(got[alone], wanted[alone])


def test_another_topology_of_as_many_vertices_is_not_taken_for_the_first():
    triangles, count = parts()
    other = (triangles + 1) % count
    wanted, hold = np.random.default_rng(2).normal(size=(count, 1)), np.full(count, 0.5)
    for mesh in (triangles, other, triangles):
        expected = reference(wanted, hold, mesh)
        np.testing.assert_allclose(harmonic(wanted, hold, mesh), expected, atol=1e-10)
