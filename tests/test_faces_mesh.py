"""Mesh operations against analytic surfaces, known subdivision weights and known transforms."""

import numpy as np
import pytest
import trimesh

from faces.mesh import hull_points, loop_subdivide, similarity, soften, unique_edges, vertex_normals
from faces.rotation import matrix_from_euler


@pytest.fixture(scope="module")
def sphere():
    mesh = trimesh.creation.icosphere(subdivisions=3, radius=50)
    return np.array(mesh.vertices), np.array(mesh.faces, dtype=np.int32)


def grid(n):
    """Triangulated n × n square in z = 0, wound counter-clockwise seen from +z."""
    x, y = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    points = np.stack([x.ravel(), y.ravel(), np.zeros(n * n)], 1).astype(float)
    i = np.arange(n * n).reshape(n, n)
    a, b, c, d = i[:-1, :-1].ravel(), i[1:, :-1].ravel(), i[1:, 1:].ravel(), i[:-1, 1:].ravel()
    return points, np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)


def test_vertex_normals_point_out_of_a_sphere(sphere):
    vertices, triangles = sphere
    normals = vertex_normals(vertices, triangles)
    # Triangles of 642 vertices are 8° wide; area weighting leaves 0.7° where valences differ.
    assert (normals * vertices / 50).sum(1).min() > np.cos(np.radians(1))


def test_vertex_without_area_has_no_normal(sphere):
    vertices, triangles = sphere
    normals = vertex_normals(np.concatenate([vertices, [[0, 0, 0]]]), triangles)
    np.testing.assert_array_equal(normals[-1], 0)


def test_unique_edges_are_the_sorted_set_of_all_sides():
    triangles = np.random.default_rng(0).integers(0, 50, (200, 3))
    sides = {tuple(sorted(t[[k, (k + 1) % 3]].tolist())) for t in triangles for k in range(3)}
    np.testing.assert_array_equal(unique_edges(triangles), sorted(sides))
    assert unique_edges(np.zeros((0, 3), int)).shape == (0, 2)


def test_unique_edges_count_by_euler(sphere):
    vertices, triangles = sphere
    assert len(unique_edges(triangles)) == len(vertices) + len(triangles) - 2


def test_loop_reproduces_affine_functions_inside_a_regular_mesh():
    points, triangles = grid(6)
    _, prolongation = loop_subdivide(triangles, len(points))
    edges = unique_edges(triangles)
    fine = prolongation @ points
    # In the regular interior both rules are averages over point-symmetric stencils, hence exact.
    inner = ((points[:, :2] > 0) & (points[:, :2] < 5)).all(1)
    np.testing.assert_allclose(fine[: len(points)][inner], points[inner], atol=1e-12)
    both = inner[edges].all(1)
    np.testing.assert_allclose(fine[len(points) :][both], points[edges[both]].mean(1), atol=1e-12)


def test_loop_weights_of_a_tetrahedron():
    triangles = np.array([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]], dtype=np.int32)
    _, prolongation = loop_subdivide(triangles, 4)
    # Valence 3: β = 3/16 and 1 − 3β = 7/16; an edge: 3/8 at its ends, 1/8 at both opposite corners.
    expected = np.full((4, 4), 3 / 16) + np.eye(4) * (7 / 16 - 3 / 16)
    np.testing.assert_allclose(prolongation[:4].toarray(), expected)
    assert sorted(prolongation[4].toarray()[0]) == [1 / 8, 1 / 8, 3 / 8, 3 / 8]


def test_loop_boundary_is_a_cubic_spline_of_the_boundary():
    points, triangles = grid(4)
    edges = unique_edges(triangles)
    _, prolongation = loop_subdivide(triangles, len(points))
    rows = prolongation.toarray()
    # Vertex 4 is (1, 0); its neighbours on the rim are 0 and 8.
    np.testing.assert_allclose(rows[4][[0, 4, 8]], [1 / 8, 6 / 8, 1 / 8])
    rim_edge = len(points) + int(np.flatnonzero((edges == [4, 8]).all(1))[0])
    np.testing.assert_allclose(rows[rim_edge][[4, 8]], [1 / 2, 1 / 2])
    np.testing.assert_allclose(rows.sum(1), 1)


def test_loop_triangles_keep_winding_and_area():
    points, triangles = grid(5)
    fine, prolongation = loop_subdivide(triangles, len(points))
    flat = np.concatenate([points, points[unique_edges(triangles)].mean(1)])
    a, b, c = (flat[fine[:, k]] for k in range(3))
    area = np.cross(b - a, c - a)[:, 2] / 2
    np.testing.assert_allclose(area, 1 / 8)
    assert prolongation.shape == (len(flat), len(points))


def test_loop_carries_unused_vertices_over():
    points, triangles = grid(3)
    _, prolongation = loop_subdivide(triangles, len(points) + 2)
    np.testing.assert_array_equal(prolongation[9:11, 9:].toarray(), np.eye(2))


@pytest.mark.parametrize("scale", [True, False])
def test_similarity_recovers_a_random_transform(scale):
    rng = np.random.default_rng(5)
    source = rng.normal(size=(40, 3)) * 50
    s, t = (1.37 if scale else 1.0), rng.normal(size=3) * 100
    r = matrix_from_euler(*rng.uniform(-80, 80, 3))
    weights = rng.uniform(0.1, 1, 40)
    got = similarity(source, s * source @ r.T + t, weights, scale)
    # Noise-free float64 over coordinates of 100 mm.
    assert got[0] == pytest.approx(s, abs=1e-12)
    np.testing.assert_allclose(got[1], r, atol=1e-12)
    np.testing.assert_allclose(got[2], t, atol=1e-9)


def test_similarity_never_reflects():
    rng = np.random.default_rng(6)
    source = rng.normal(size=(20, 3))
    _, rotation, _ = similarity(source, source * [-1, 1, 1])
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_softening_keeps_constants_and_evens_a_border():
    points, triangles = grid(12)
    np.testing.assert_allclose(soften(np.ones(len(points)), triangles, 5), 1, atol=1e-12)
    half = points[:, 0] > 5.5
    jagged = half | ((points[:, 0] == 5) & (points[:, 1] == 6))  # one tooth on a straight border
    away = (points[:, 1] > 1) & (points[:, 1] < 10)  # a degree-weighted mean leans at the rim
    evened = soften(jagged, triangles, 6)
    np.testing.assert_array_equal((evened > 0.5)[away], half[away])
    across = evened[points[:, 1] == 5]
    assert (np.diff(across) > 0).all()


def test_hull_points_have_the_box_of_all_in_any_view():
    rng = np.random.default_rng(8)
    points = rng.normal(size=(500, 3))
    few = hull_points(points)
    assert len(few) < 120
    for _ in range(20):
        view = rng.normal(size=(3, 3))  # any linear view, sheared ones too
        turned, corners = points @ view, few @ view
        np.testing.assert_allclose(corners.min(0), turned.min(0), atol=1e-12)
        np.testing.assert_allclose(corners.max(0), turned.max(0), atol=1e-12)
