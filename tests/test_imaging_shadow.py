import numpy as np

from imaging.shadow import (
    SPIRALS,
    dodecahedron_axes,
    lit_share,
    openness,
    shadow_map,
    sphere_directions,
)

UP = np.array([0.0, 0.0, 1.0])


def quad(half, height, centre=(0.0, 0.0)):
    """A square facing +z."""
    corners = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * half
    return corners + np.array([*centre, height]), np.array([[0, 1, 2], [0, 2, 3]])


def lid_over_floor():
    floor, triangles = quad(80.0, 0.0)
    lid, _ = quad(20.0, 30.0)
    return np.concatenate([floor, lid]), np.concatenate([triangles, triangles + 4])


def shares(seen, points):
    return np.array(
        [lit_share(seen.depth, seen.matrix, seen.spread, *p, SPIRALS[3]) for p in points]
    )


def test_a_lid_shades_the_floor_under_it_and_not_beside():
    points, triangles = lid_over_floor()
    seen = shadow_map(points, triangles, UP, np.zeros(3), 100.0, 400)
    line = np.array([[x, 0.0, 0.0] for x in (0, 15, 25, 60)])
    np.testing.assert_array_equal(shares(seen, line), [0, 0, 1, 1])
    np.testing.assert_array_equal(
        shares(seen, line + np.array([0, 0, 30.0]))[:2], 1
    )  # the lid itself


def test_a_slanted_lamp_moves_the_shadow():
    points, triangles = lid_over_floor()
    direction = np.array([1.0, 0, 1]) / np.sqrt(2)  # from +x: the shadow falls 30 mm towards −x
    seen = shadow_map(points, triangles, direction, np.zeros(3), 100.0, 400)
    line = np.array([[x, 0.0, 0.0] for x in (-55, -45, -15, -5, 10)])
    np.testing.assert_array_equal(shares(seen, line), [1, 0, 0, 1, 1])


def test_a_wide_lamp_has_a_penumbra_as_wide_as_geometry_says():
    points, triangles = lid_over_floor()
    seen = shadow_map(points, triangles, UP, np.zeros(3), 100.0, 800, spread_deg=6.0)
    x = np.linspace(10, 30, 81)
    lit = shares(seen, np.stack([x, 0 * x, 0 * x], 1))
    partial = x[(lit > 0) & (lit < 1)]
    # 30 mm below the edge at x = 20 the disc of 6° spans ±30·tan 6° = ±3.2 mm; ten taps and the
    # estimate of the blockers' distance know its ends to about a millimetre
    assert abs(partial.min() - 16.8) < 1.5
    assert abs(partial.max() - 23.2) < 1.5
    assert lit[x < 15].max() == 0
    assert lit[x > 25].min() == 1


def test_openness_beside_a_wall_is_a_half():
    """A point on a floor at the foot of a tall wide wall sees half of a uniform sky."""
    grid = np.stack(np.meshgrid(np.arange(1, 60, 6.0), np.arange(-30, 31, 6.0)), -1).reshape(-1, 2)
    floor, triangles = quad(150.0, 0.0)
    wall = np.array([[0, -150, 0], [0, 150, 0], [0, 150, 150], [0, -150, 150]], dtype=float)
    probes = np.concatenate([grid, np.zeros((len(grid), 1))], 1)
    points = np.concatenate([probes, floor, wall])
    corners = np.concatenate([triangles + len(probes), triangles + len(probes) + 4])
    normals = np.tile(UP, (len(points), 1))
    sky = np.ones((200, 2))
    axes = sphere_directions(400)[:200]  # the half with y > 0, nearly evenly with its opposites
    got = openness(points, normals, corners, axes, sky, np.zeros(3), 220.0, 200)
    foot = got[: len(grid)][grid[:, 0] == 7]
    # the wall's top and ends leave some of that half open: 7 mm off a wall 150 mm high, 300 wide,
    # the cosine-weighted share hidden is 0.5·(1 − 7/150) or so; 400 directions know it to 0.03
    assert abs(foot.mean() - 0.52) < 0.05
    alone = openness(points, normals, triangles + len(probes), axes, sky, np.zeros(3), 220.0, 200)
    assert alone[: len(grid)].min() > 0.999


def test_directions_are_even():
    directions = sphere_directions(200)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    np.testing.assert_allclose(directions.T @ directions / 200, np.eye(3) / 3, atol=0.01)


def test_a_dodecahedron_s_corners_are_even_and_opposite():
    axes = dodecahedron_axes()
    np.testing.assert_allclose(np.linalg.norm(axes, axis=1), 1)
    np.testing.assert_allclose(axes.T @ axes / 10, np.eye(3) / 3, atol=1e-12)
    corners = np.concatenate([axes, -axes])
    apart = np.sort(corners @ corners.T, axis=1)[:, -4:-1]
    np.testing.assert_allclose(apart, np.sqrt(5) / 3)  # each has three neighbours at 41.8°


def test_openness_sees_both_ends_of_an_axis():
    """Probes 30 mm below a lid that look up, and 30 mm above it that look down."""
    lid, triangles = quad(20.0, 30.0)
    probes = np.array([[0.0, 0, 0], [60, 0, 0], [0, 0, 60], [60, 0, 60]])
    normals = np.array([UP, UP, -UP, -UP])
    points = np.concatenate([probes, lid])
    ways = np.concatenate([normals, np.tile(UP, (4, 1))])
    got = openness(points, ways, triangles + 4, UP[None], np.ones((1, 2)), np.zeros(3), 100.0, 200)
    np.testing.assert_array_equal(got[:4], [0, 1, 0, 1])
    dark = np.array([[0.0, 1.0]])  # light from below alone, which the upper probes see
    got = openness(points, ways, triangles + 4, UP[None], dark, np.zeros(3), 100.0, 200)
    np.testing.assert_array_equal(got[:4], [0, 0, 0, 1])
    some = openness(
        points, ways, triangles + 4, UP[None], dark, np.zeros(3), 100.0, 200, wanted=ways[:, 2] < 0
    )
    np.testing.assert_array_equal(some, [1, 1, 0, 1, 1, 1, 1, 1])
