"""Metrics against values known beforehand."""

import numpy as np
import pytest

from faces.errors import BadInput
from faces.metrics import align, nme, nme_parts, scan_to_surface, view_direction
from faces.rotation import matrix_from_euler


def cloud(count=400, seed=0):
    return np.random.default_rng(seed).normal(0, 40, (count, 3))


def test_rigid_motion_costs_nothing_and_size_does():
    truth, region = cloud(), np.ones(400, bool)
    moved = truth @ matrix_from_euler(30, 10, -20).T + [5, 6, 700]
    assert nme(moved, truth, region, 90) < 1e-10
    grown = 1.1 * moved
    # The best rigid fit of a swollen cloud is its centred self: error = 0.1 · distance to centre.
    spread = np.linalg.norm(truth - truth.mean(0), axis=1).mean()
    assert nme(grown, truth, region, 90) == pytest.approx(100 * 0.1 * spread / 90, rel=1e-9)
    assert np.allclose(align(grown, truth, scale=True), truth, atol=1e-9)


def test_only_the_region_counts():
    truth, region = cloud(), np.arange(400) < 300
    wrong = truth.copy()
    wrong[300:] += 50
    assert nme(wrong, truth, region, 90) < 1e-10
    assert nme(wrong, truth, ~region | region, 90) > 1


def test_parts_along_and_across_the_view():
    # Offsets that no rigid motion can take back: opposite pairs about one centre.
    base = np.repeat(cloud(100), 4, axis=0)
    signs = np.tile([1, -1, 1, -1], 100)[:, None]
    view = view_direction(matrix_from_euler(60, 0, 0))
    across = np.cross(view, [0, 1.0, 0])
    offsets = signs * (3 * view + 4 * across / np.linalg.norm(across))
    parts = nme_parts(base + offsets, base, np.ones(400, bool), 50, view)
    # Pairs at one place cancel in the alignment, exactly: 3 along, 4 across, 5 in all.
    assert parts.parallel == pytest.approx(100 * 3 / 50)
    assert parts.orthogonal == pytest.approx(100 * 4 / 50)
    assert parts.total == pytest.approx(100 * 5 / 50)


def test_the_view_of_a_turned_head_is_the_side_that_faces_the_camera():
    # Yaw > 0 turns the nose to image right: the camera then sees the cheek at model x < 0.
    assert view_direction(matrix_from_euler(90))[0] == pytest.approx(-1)


def mesh(seed=1):
    """A bumpy sheet with one long sliver and one triangle without area."""
    rng = np.random.default_rng(seed)
    x, y = (
        axis.ravel() for axis in np.meshgrid(np.linspace(-50, 50, 12), np.linspace(-50, 50, 12))
    )
    vertices = np.stack([x, y, 600 + 8 * np.sin(x / 15) + rng.normal(0, 1, len(x))], 1)
    index = np.arange(144).reshape(12, 12)
    a, b, c, d = (
        p.ravel() for p in (index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1])
    )
    triangles = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    return vertices, np.concatenate([triangles, [[0, 143, 5], [7, 7, 20]]])


def brute_force(points, vertices, triangles, grid=60):
    """Nearest of many points on every triangle: an upper bound, tight to the grid's step."""
    u, v = np.meshgrid(np.linspace(0, 1, grid), np.linspace(0, 1, grid))
    inside = u + v <= 1 + 1e-12
    u, v = u[inside], v[inside]
    weights = np.stack([1 - u - v, u, v], 1)
    best = np.full(len(points), np.inf)
    for corners in vertices[triangles]:
        samples = weights @ corners
        near = ((points[:, None] - samples[None]) ** 2).sum(-1).min(1)
        best = np.minimum(best, np.sqrt(near))
    return best


@pytest.mark.parametrize("backend", ["kdtree", "open3d"])
def test_distance_to_a_surface_equals_brute_force(backend):
    if backend == "open3d":
        pytest.importorskip("open3d")
    vertices, triangles = mesh()
    rng = np.random.default_rng(2)
    points = rng.uniform([-70, -70, 560], [70, 70, 640], (60, 3))
    found = scan_to_surface(points, vertices, triangles, backend)
    expected = brute_force(points, vertices, triangles)
    # The reference lies on a grid: too far by at most step²/(2·distance), the sliver's step 2.4.
    assert (found <= expected + 1e-3).all()
    assert np.abs(found - expected).max() < 0.3
    assert np.median(np.abs(found - expected)) < 5e-3


def test_both_back_ends_agree():
    pytest.importorskip("open3d")
    vertices, triangles = mesh()
    points = np.random.default_rng(3).uniform([-70, -70, 560], [70, 70, 640], (5000, 3))
    fast = scan_to_surface(points, vertices, triangles, "open3d")
    exact = scan_to_surface(points, vertices, triangles, "kdtree")
    assert np.allclose(fast, exact, atol=2e-4)  # float32 at coordinates of 100 mm


def test_distance_to_known_places():
    vertices = np.array([[0.0, 0, 0], [10, 0, 0], [0, 10, 0]])
    points = np.array([[2.0, 2, 3], [-3, 0, 4], [10, 10, 0], [13, 0, 4]])
    found = scan_to_surface(points, vertices, np.array([[0, 1, 2]]), "kdtree")
    assert np.allclose(found, [3, 5, np.sqrt(50), 5])


def test_bad_input_is_named():
    with pytest.raises(BadInput, match="one topology"):
        nme(np.zeros((4, 3)), np.zeros((5, 3)), np.ones(5, bool), 90)
    with pytest.raises(BadInput, match="NaN"):
        scan_to_surface(np.full((1, 3), np.nan), np.eye(3), np.array([[0, 1, 2]]))
