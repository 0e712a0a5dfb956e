import numpy as np
import pytest

from faces.camera import Camera
from synth.light import Light, sample_light
from synth.rooms.furnishings import plain
from synth.rooms.panels import Panel, Surroundings, panel_color, panel_depth

CAMERA = Camera(96, 72, 130.0, 125.0, 47.0, 36.5)
NOTHING = np.zeros((0, 4))
EVEN = Surroundings(NOTHING, np.zeros(3), np.zeros(3), 1e7, NOTHING)


def rays():
    x, y = np.meshgrid(np.arange(CAMERA.width) + 0.5, np.arange(CAMERA.height) + 0.5)
    points = [(x - CAMERA.cx) / CAMERA.fx, (y - CAMERA.cy) / CAMERA.fy, np.ones_like(x)]
    return np.stack(points, axis=-1)


def tilted(yaw_deg, distance, size=300.0, tone=0.5, **changes):
    """A square that faces the camera, turned about the vertical through its middle."""
    c, s = np.cos(np.radians(yaw_deg)), np.sin(np.radians(yaw_deg))
    across, down = size * np.array([c, 0, s]), np.array([0, size, 0.0])
    corner = np.array([0, 0, distance]) - (across + down) / 2
    return Panel(corner, across, down, plain(np.full(3, tone)), **changes)


def lit(ambient=0.4, lamp=0.0, direction=(0.0, 0, -1)):
    environment = np.zeros((9, 3))
    environment[0] = ambient / 0.282095
    direction = np.array(direction, dtype=float) / np.linalg.norm(direction)
    return Light(environment, direction, np.full(3, lamp))


def struck(panel):
    """Depth (H, W) by meeting every ray with the plane, 0 beside the rectangle."""
    depth = (panel.normal @ panel.corner) / (rays() @ panel.normal)
    inside = depth > 0
    for side in (panel.across, panel.down):
        along = (rays() * depth[..., None] - panel.corner) @ side / (side @ side)
        inside &= (along >= 0) & (along < 1)
    return np.where(inside, depth, 0)


@pytest.mark.parametrize("yaw_deg", [0, 25, -60])
def test_depth_is_where_rays_meet_the_rectangle(yaw_deg):
    panel = tilted(yaw_deg, 800.0)
    # float32 at 800 mm resolves 6e-5 mm
    np.testing.assert_allclose(panel_depth([panel], CAMERA), struck(panel), atol=2e-3)


def test_a_wall_that_reaches_behind_the_camera_is_seen_where_it_is_before_it():
    wall = Panel(
        np.array([400.0, -500, 2000]),
        np.array([0, 0, -4000.0]),
        np.array([0, 1000.0, 0]),
        plain(np.ones(3)),
    )
    got = panel_depth([wall], CAMERA)
    np.testing.assert_allclose(got, struck(wall), rtol=1e-6)
    assert (got > 0).any()
    top, bottom, left, right = wall.window(CAMERA)
    rows, columns = np.nonzero(got)
    assert top <= rows.min()
    assert rows.max() < bottom
    assert left <= columns.min()
    assert columns.max() < right


def test_the_nearest_solid_rectangle_decides():
    far, near = tilted(0, 900, 900.0), tilted(30, 700, 150.0)
    ghost = tilted(0, 400, 900.0, solid=False)
    hole = tilted(0, 300, 900.0)
    hole.texture[..., 3] = 0
    depth = panel_depth([far, ghost, near, hole], CAMERA)
    expected = np.where(struck(near) > 0, struck(near), struck(far))
    np.testing.assert_allclose(depth, expected, atol=2e-3)


def test_a_rectangle_is_its_reflectance_times_the_irradiance():
    light = sample_light(np.random.default_rng(4))
    panel = tilted(20, 800, 4000.0, tone=0.3)
    color = panel_color([panel], CAMERA, light, EVEN)
    expected = 0.3 * light.at(panel.normal[None])[0]
    # the lamp is 10 km away: as good as parallel
    np.testing.assert_allclose(color, np.broadcast_to(expected, color.shape), rtol=2e-3)


def test_a_lamp_falls_off_with_the_distance_squared():
    around = Surroundings(NOTHING, np.zeros(3), np.zeros(3), 1000.0, NOTHING)
    panel = tilted(0, 500, 4000.0, tone=0.5)
    color = panel_color([panel], CAMERA, lit(0.0, 0.8), around)
    # the lamp stands 1000 mm before the centre, the wall 500 mm behind it
    np.testing.assert_allclose(color[36, 47], 0.5 * 0.8 * (1000 / 1500) ** 2, rtol=1e-3)


def test_a_ball_throws_a_shadow_away_from_the_lamp():
    ball = np.array([[0.0, 0, 500, 60]])
    around = Surroundings(NOTHING, np.array([0.0, 0, 500]), np.zeros(3), 3000.0, ball)
    panel = tilted(0, 700, 4000.0)
    color = panel_color([panel], CAMERA, lit(0.1, 0.8, (0.7, 0, -1)), around)[..., 0]
    dark = np.argmin(color[36])
    # through the ball's centre to 200 mm behind it: x = −0.7 · 200 mm = 26 px at 700 mm
    assert abs(dark - (47 - 26)) <= 5  # light is reckoned every 8 px
    np.testing.assert_allclose(color[36, dark], 0.5 * 0.1, rtol=0.02)


def test_corners_of_a_room_are_darker_and_the_light_leans():
    panel = tilted(0, 800, 4000.0)
    beside = np.array([[-1.0, 0, 0, 230]])  # a wall at x = 230 mm, 84 px
    corner = Surroundings(beside, np.zeros(3), np.zeros(3), 1e7, NOTHING)
    row = panel_color([panel], CAMERA, lit(), corner)[36, :, 0]
    assert (np.diff(row[:80]) < 1e-6).all()
    leaning = Surroundings(NOTHING, np.zeros(3), np.array([0.001, 0, 0]), 1e7, NOTHING)
    row = panel_color([panel], CAMERA, lit(), leaning)[36, :, 0]
    x = 800 * (np.arange(96) + 0.5 - CAMERA.cx) / CAMERA.fx
    np.testing.assert_allclose(row, 0.5 * 0.4 * (1 + 0.001 * x), rtol=1e-3)


def test_later_rectangles_cover_and_glow():
    back, front = tilted(0, 900, 4000.0, tone=0.2), tilted(0, 500, 100.0, tone=0.6, glow=2.5)
    color = panel_color([back, front], CAMERA, lit(), EVEN)
    np.testing.assert_allclose(color[36, 47], 0.6 * 2.5, rtol=1e-5)
    np.testing.assert_allclose(color[5, 5], 0.2 * 0.4, rtol=1e-5)
    share = (color[..., 0] - 0.08) / (1.5 - 0.08)
    # 100 mm at 500 mm are 26 × 25 px, whatever pixels their edges cut
    np.testing.assert_allclose(share.sum(), 26 * 25, rtol=0.02)
