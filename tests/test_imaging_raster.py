import numpy as np
import pytest
import trimesh

from imaging.raster import covered, depth_span, downsample, rasterise


def reference(screen, triangles, size, perspective):
    """Float64 brute force: (depth, id, pixels exactly on an edge) of vertices on the 1/256 grid."""
    width, height = size
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    depth = np.full((height, width), np.inf)
    identity = np.full((height, width), -1)
    on_edge = np.zeros((height, width), dtype=bool)
    for t, corners in enumerate(triangles):
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = screen[corners]
        weights = np.stack(
            [
                (cx - bx) * (y - by) - (cy - by) * (x - bx),
                (ax - cx) * (y - cy) - (ay - cy) * (x - cx),
                (bx - ax) * (y - ay) - (by - ay) * (x - ax),
            ]
        )
        area = weights.sum(0)[0, 0]
        if area == 0 or not (np.isfinite(screen[corners]).all() and (screen[corners, 2] > 0).all()):
            continue
        weights = weights / area
        inside = (weights >= 0).all(0)
        on_edge |= inside & (weights == 0).any(0)
        z = np.array([az, bz, cz])[:, None, None]
        z = 1 / (weights / z).sum(0) if perspective else (weights * z).sum(0)
        nearer = inside & (z < depth)
        depth[nearer], identity[nearer] = z[nearer], t
    return np.where(identity >= 0, depth, 0), identity, on_edge


def soup(rng, count, spread):
    """Random triangles on the 1/256 px grid around a 40 × 30 image, some with slivers."""
    uv = np.round(rng.uniform(-spread, 40 + spread, (3 * count, 2)) * 256) / 256
    uv[1 : 3 * count : 9] = uv[0 : 3 * count : 9] + 1 / 256  # near-degenerate
    z = rng.uniform(300, 900, (3 * count, 1))
    return np.concatenate([uv, z], 1), np.arange(3 * count, dtype=np.int32).reshape(-1, 3)


@pytest.mark.parametrize("perspective", [True, False])
@pytest.mark.parametrize("spread", [0.0, 30.0, 4000.0])
def test_soup_agrees_with_brute_force(perspective, spread):
    rng = np.random.default_rng(1)
    screen, triangles = soup(rng, 60, spread)
    fragments = rasterise(screen, triangles, (40, 30), perspective)
    depth, identity, on_edge = reference(screen, triangles, (40, 30), perspective)
    free = ~on_edge  # which of two neighbours owns an edge pixel is tested by the square below
    assert free.mean() > 0.9
    np.testing.assert_array_equal(fragments.triangle_id[free], identity[free])
    # float32 output of a depth below 1024 mm: half a unit in the last place is 3e-5 mm
    np.testing.assert_allclose(fragments.depth[free], depth[free], atol=6e-5)


@pytest.mark.parametrize("perspective", [True, False])
def test_mesh_agrees_with_brute_force(perspective):
    ball = trimesh.creation.icosphere(2, 100.0)
    points = ball.vertices + np.array([3.0, -4.0, 600.0])
    factor = 90 / points[:, 2:] if perspective else 0.15
    uv = np.round((points[:, :2] * factor + [20, 15]) * 256) / 256
    screen = np.concatenate([uv, points[:, 2:]], 1)
    fragments = rasterise(screen, ball.faces, (40, 30), perspective)
    depth, identity, on_edge = reference(screen, ball.faces, (40, 30), perspective)
    free = ~on_edge
    np.testing.assert_array_equal(fragments.triangle_id[free], identity[free])
    np.testing.assert_allclose(fragments.depth[free], depth[free], atol=6e-5)
    front = rasterise(screen, ball.faces, (40, 30), perspective, cull=True)
    np.testing.assert_array_equal(front.triangle_id, fragments.triangle_id)  # outside is in front
    back = rasterise(screen, ball.faces[:, ::-1], (40, 30), perspective, cull=True)
    # 12 mm: with the front culled the far side of a 200 mm ball is seen, all but at its rim
    assert (back.depth[10:20, 15:25] > fragments.depth[10:20, 15:25] + 12).all()


def test_depth_span_is_the_nearest_and_the_farthest_of_all_triangles():
    rng = np.random.default_rng(6)
    screen, triangles = soup(rng, 60, 10.0)
    nearest, farthest = depth_span(screen, triangles, 30)
    nearer, _, on_edge = reference(screen, triangles, (30, 30), False)
    mirrored = screen * [1, 1, -1] + [0, 0, 1200]
    farther, _, _ = reference(mirrored, triangles, (30, 30), False)
    free, empty = ~on_edge, nearer == 0
    # float32 of a depth below 1024 mm
    np.testing.assert_allclose(nearest[free & ~empty], nearer[free & ~empty], atol=6e-5)
    np.testing.assert_allclose(farthest[free & ~empty], 1200 - farther[free & ~empty], atol=6e-5)
    assert np.isinf(nearest[free & empty]).all()
    assert np.isinf(farthest[free & empty]).all()


def test_every_pixel_of_a_square_is_covered_once():
    """A fan and a grid whose inner edges run through pixel centres and arbitrary places."""
    rng = np.random.default_rng(2)
    rim = [(4, 4), (12.5, 4), (28, 4), (28, 17.5), (28, 28), (9.25, 28), (4, 28), (4, 13)]
    for hub in [(16.5, 16.5), (16.0, 16.0), tuple(rng.uniform(6, 26, 2))]:
        screen = np.array([(*p, 500.0) for p in [hub, *rim]])
        fan = np.array([(0, 1 + k, 1 + (k + 1) % 8) for k in range(8)], dtype=np.int32)
        fan[::2] = fan[::2, ::-1]  # either winding
        count = sum(rasterise(screen, t[None], (32, 32)).mask.astype(int) for t in fan)
        expected = np.zeros((32, 32), dtype=int)
        expected[4:28, 4:28] = 1  # pixel centres at +0.5: the square covers 24 × 24 of them
        np.testing.assert_array_equal(count, expected)
        np.testing.assert_array_equal(rasterise(screen, fan, (32, 32)).mask, expected == 1)


def test_pixels_exactly_on_the_outline_follow_the_top_left_rule():
    square = np.array([(4.5, 4.5), (8.5, 4.5), (8.5, 8.5), (4.5, 8.5)])
    screen = np.concatenate([square, np.full((4, 1), 10.0)], 1)
    mask = rasterise(screen, np.array([(0, 1, 2), (0, 2, 3)]), (12, 12)).mask
    expected = np.zeros((12, 12), dtype=bool)
    expected[4:8, 4:8] = True
    np.testing.assert_array_equal(mask, expected)


def test_sphere_depth_and_normals():
    """A fine ball of 80 mm at 600 mm against the analytic intersection of each pixel's ray."""
    ball = trimesh.creation.icosphere(6, 80.0)
    focal, size = 800.0, 256
    points = ball.vertices + np.array([0, 0, 600.0])
    uv = points[:, :2] / points[:, 2:] * focal + size / 2
    fragments = rasterise(np.concatenate([uv, points[:, 2:]], 1), ball.faces, (size, size))
    x, y = np.meshgrid(*[(np.arange(size) + 0.5 - size / 2) / focal] * 2)
    rays = np.stack([x, y, np.ones_like(x)], -1)
    square, along = (rays**2).sum(-1), 600 * rays[..., 2]
    root = along**2 - square * (600.0**2 - 80.0**2)
    hit = root > 0
    assert (hit & fragments.mask).sum() / (hit | fragments.mask).sum() > 0.999
    both = hit & fragments.mask
    z = (along - np.sqrt(np.where(hit, root, 0))) / square
    normal = (rays * z[..., None] - [0, 0, 600]) / 80
    facing = both & (-(normal * rays).sum(-1) / np.sqrt(square) > 0.3)
    # the chord's sag of a 1.4 mm edge on an 80 mm ball is 3 µm; at 73° from the view it shows
    # as 0.01 mm, and the snap of 1/512 px (1.4 µm) adds little
    assert np.abs(fragments.depth - z)[facing].max() < 0.02
    smooth = fragments.interpolate(ball.vertices / 80, ball.faces)
    assert np.abs(smooth - normal)[facing].max() < 1e-3
    assert (smooth[~fragments.mask] == 0).all()


def test_barycentrics_are_perspective_correct():
    """Camera-frame positions, gathered, land on the ray of their own pixel."""
    points = np.array([(-200.0, -150, 400), (300, -100, 900), (0, 250, 650)])
    uv = points[:, :2] / points[:, 2:] * 64 + 32
    screen = np.concatenate([np.round(uv * 256) / 256, points[:, 2:]], 1)
    points[:, :2] = (screen[:, :2] - 32) / 64 * points[:, 2:]
    triangles = np.array([(0, 1, 2)], dtype=np.int32)
    fragments = rasterise(screen, triangles, (64, 64))
    got = fragments.interpolate(points, triangles)
    rows, columns = np.nonzero(fragments.mask)
    assert len(rows) > 200
    seen = got[rows, columns].astype(np.float64)
    centres = np.stack([columns, rows], 1) + 0.5
    # float32 weights and positions below 1000 mm: 1e-4 mm, 1e-5 px
    np.testing.assert_allclose(seen[:, :2] / seen[:, 2:] * 64 + 32, centres, atol=1e-4)
    np.testing.assert_allclose(seen[:, 2], fragments.depth[rows, columns], rtol=1e-6)
    np.testing.assert_allclose(fragments.barycentric[rows, columns].sum(-1), 1, atol=1e-6)


def test_hopeless_triangles_are_dropped_and_cost_nothing_else():
    good = [(2.0, 2, 50), (14, 2, 50), (2, 14, 50)]
    bad = [(np.nan, 2, 5), (8, np.inf, 5), (8, 8, 0), (8, 8, -1), (1e30, 3, 5), (3, -1e300, 5)]
    screen = np.array(good + bad)
    triangles = np.array([(0, 1, 2)] + [(0, 1, k) for k in range(3, 9)] + [(0, 0, 1)])
    alone = rasterise(screen, triangles[:1], (16, 16))
    with np.errstate(all="raise"):
        fragments = rasterise(screen, triangles, (16, 16))
    np.testing.assert_array_equal(fragments.triangle_id, alone.triangle_id)
    np.testing.assert_array_equal(fragments.depth, alone.depth)


def test_far_vertices_do_not_overflow():
    """A triangle reaching two million px out covers half the image, exactly."""
    far = 2.0**21 - 1
    screen = np.array([(-far, 8.0, 100), (far, 8.0, 100), (0.0, -far, 100)])
    mask = rasterise(screen, np.array([(0, 1, 2)]), (16, 16)).mask
    np.testing.assert_array_equal(mask, np.repeat(np.arange(16) < 8, 16).reshape(16, 16))


def test_the_first_of_equally_near_triangles_wins():
    screen = np.array([(0.0, 0, 70), (16, 0, 70), (0, 16, 70)] * 2)
    fragments = rasterise(screen, np.array([(3, 4, 5), (0, 1, 2)]), (16, 16))
    assert set(np.unique(fragments.triangle_id)) == {-1, 0}


def test_bad_indices_and_shapes_are_named():
    screen = np.ones((3, 3))
    with pytest.raises(ValueError, match=r"triangles: indices 0\.\.3; expected 0\.\.2"):
        rasterise(screen, np.array([(0, 1, 3)]), (4, 4))
    with pytest.raises(ValueError, match="screen: shape"):
        rasterise(screen[:, :2], np.array([(0, 1, 2)]), (4, 4))
    with pytest.raises(ValueError, match="size"):
        rasterise(screen, np.array([(0, 1, 2)]), (0, 4))


def test_an_empty_mesh_is_all_background():
    fragments = rasterise(np.zeros((0, 3)), np.zeros((0, 3), dtype=np.int32), (5, 4))
    assert not fragments.mask.any()
    assert fragments.interpolate(np.zeros((0, 2)), np.zeros((0, 3))).shape == (4, 5, 2)


def test_downsample_averages_and_rounds():
    image = np.arange(16, dtype=np.uint8).reshape(4, 4)
    # blocks of (0, 1, 4, 5) = 2.5 and so on, rounded half up
    np.testing.assert_array_equal(downsample(image, 2), [[3, 5], [11, 13]])
    np.testing.assert_allclose(downsample(image / 10.0, 2), [[0.25, 0.45], [1.05, 1.25]])
    values = np.random.default_rng(4).uniform(size=(9, 6, 5)).astype(np.float32)
    blocks = values.reshape(3, 3, 2, 3, 5).mean((1, 3))
    np.testing.assert_allclose(downsample(values, 3), blocks, rtol=1e-6)
    np.testing.assert_allclose(downsample(values[..., :1], 3), blocks[..., :1], rtol=1e-6)
    with pytest.raises(ValueError, match="multiples of 3"):
        downsample(image, 3)


def test_the_first_triangles_alone_may_be_culled():
    screen = np.array([[0, 0, 5], [8, 0, 5], [0, 8, 5], [8, 8, 5]], float)
    backs = np.array([[0, 1, 2], [1, 3, 2]], np.int32)  # clockwise as seen
    ids = covered(screen, backs, (8, 8), cull=1).triangle_id
    both = covered(screen, backs, (8, 8)).triangle_id
    np.testing.assert_array_equal(ids, np.where(both == 0, -1, both))
    assert set(np.unique(both)) == {0, 1}
