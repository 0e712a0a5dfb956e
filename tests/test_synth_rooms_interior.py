import numpy as np
import pytest

from faces.camera import Camera
from synth.rooms.furniture import FURNISH, Frame, Wall
from synth.rooms.interior import CLEAR_MM, backcloth, furnished
from synth.rooms.panels import panel_depth

CAMERA = Camera(120, 90, 165.0, 165.0, 60.0, 45.0)
HEAD = np.array([40.0, -30.0, 750.0])
ROOMS = [
    furnished(HEAD, 900.0 + 80 * seed, CAMERA, np.random.default_rng(seed)) for seed in range(24)
]


def test_rooms_enclose_camera_and_head():
    for panels, around in ROOMS:
        for place in (HEAD, np.zeros(3)):
            assert (around.walls[:, :3] @ place + around.walls[:, 3] > 100).all()
        depth = panel_depth(panels, CAMERA)
        assert (depth >= HEAD[2] + CLEAR_MM - 1e-2).all()


def test_depth_of_an_empty_room_is_the_nearest_plane_along_each_ray():
    x, y = np.meshgrid(np.arange(120) + 0.5, np.arange(90) + 0.5)
    rays = np.stack([(x - 60) / 165, (y - 45) / 165, np.ones_like(x)], axis=-1)
    for panels, around in ROOMS[:8]:
        towards = -(rays @ around.walls[:, :3].T)  # a room is convex: 1/z is the largest of all
        expected = 1 / (towards / around.walls[:, 3]).max(axis=-1)
        # float32 resolves 4 m to 0.25 µm; the solving of 3 × 3 systems loses a few digits
        np.testing.assert_allclose(panel_depth(panels[:5], CAMERA), expected, rtol=1e-5)


def test_furniture_stands_between_the_walls():
    stood = 0
    for panels, around in ROOMS:
        for panel in panels[5:]:
            gap = panel.corners @ around.walls[:, :3].T + around.walls[:, 3]
            sideways = gap[:, :3]  # curtains and shadows may reach the floor and beyond it
            assert sideways.min() > (-1e-6 if panel.solid else -131)  # a shadow fades that far out
            assert panel.corners[:, 2].min() > HEAD[2] + CLEAR_MM
            stood += 1
    assert stood > 40


@pytest.mark.parametrize("kind", FURNISH)
def test_furniture_keeps_to_its_width_and_lies_on_or_before_the_wall(kind):
    frame = Frame(np.array([0.0, 0, 2000]), np.diag([1.0, 1, -1]))
    wall = Wall(frame, 1200.0, -3000.0, 3000.0)
    for seed in range(8):
        item, width = FURNISH[kind](wall, 100.0, np.random.default_rng(seed))
        again, _ = FURNISH[kind](wall, 100.0, np.random.default_rng(seed))
        assert width > 0
        for panel, same in zip(item, again, strict=True):
            np.testing.assert_array_equal(panel.texture, same.texture)
            np.testing.assert_array_equal(panel.corner, same.corner)
            if panel.solid:
                assert panel.corners[:, 0].min() >= 100 - 1e-6
                assert panel.corners[:, 0].max() <= 100 + 1.5 * width
                assert panel.corners[:, 2].min() >= 2000 - 450
                assert panel.corners[:, 2].max() <= 2000


def test_a_backcloth_is_one_plane_where_it_should_be():
    for seed in range(6):
        panels, around = backcloth(HEAD, 500.0, np.random.default_rng(seed))
        assert len(panels) == 1
        np.testing.assert_allclose(around.walls[0, :3] @ HEAD + around.walls[0, 3], 500.0)
        assert (panel_depth(panels, CAMERA) > HEAD[2] + 250).all()
