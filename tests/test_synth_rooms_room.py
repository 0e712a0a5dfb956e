from dataclasses import replace

import cv2
import numpy as np
import pytest

from faces.camera import Camera
from synth.light import sample_light
from synth.rooms.room import ROOM, RoomSettings, find_photos, make_backdrop

HEAD = np.array([30.0, -20.0, 700.0])
CAMERA = Camera(160, 120, 220.0, 220.0, 80.0, 60.0)
LIGHT = sample_light(np.random.default_rng(0))


@pytest.mark.parametrize("kind", [0, 1, 2])
def test_every_kind_stands_behind_the_head_and_fills_the_image(kind):
    settings = RoomSettings(weights=tuple(float(i == kind) for i in range(3)))
    for seed in range(6):
        rooms = [
            make_backdrop(HEAD, CAMERA, LIGHT, np.random.default_rng(seed), settings)
            for _ in range(2)
        ]
        np.testing.assert_array_equal(rooms[0].color, rooms[1].color)
        np.testing.assert_array_equal(rooms[0].depth_mm, rooms[1].depth_mm)
        depth = rooms[0].depth_mm
        assert depth.min() > 720
        assert depth.max() < 20000
        assert np.isfinite(rooms[0].color).all()
        assert rooms[0].color.min() >= 0
        assert (rooms[0].labels == ROOM).all()


def test_photos_are_used_where_a_folder_is_given(tmp_path):
    photo = np.zeros((50, 300, 3), np.uint8)
    photo[..., 0] = 200  # blue, as OpenCV writes it
    (tmp_path / "sub").mkdir()
    cv2.imwrite(str(tmp_path / "sub" / "a.png"), photo)
    settings = replace(RoomSettings(), backgrounds=str(tmp_path))
    room = make_backdrop(HEAD, CAMERA, LIGHT, np.random.default_rng(0), settings)
    assert room.color.shape == (120, 160, 3)
    assert room.color[..., 2].min() > 0.2
    assert room.color[..., :2].max() < 1e-6


def test_an_empty_folder_of_photos_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no image"):
        find_photos(str(tmp_path))
