import numpy as np
import pytest

from faces.camera import Camera
from synth.render import render_face
from tests.toy import toy_model

MODEL = toy_model()
CAMERA = Camera(96, 80, 180.0, 180.0, 48.0, 40.0)


def placed():
    return MODEL.mean_mm * np.array([1.0, -1, -1]) + np.array([4.0, -3, 700])


def test_color_is_supersampled_and_labels_are_not():
    """A white face on a blue ground: grey only on the outline, depth only what a ray meets."""
    vertices = placed()
    ground = np.zeros((80, 96, 3), dtype=np.uint8)
    ground[..., 2] = 200
    white = np.ones((MODEL.vertex_count, 3))
    plain, fine = (render_face(MODEL, vertices, white, CAMERA, ground, n) for n in (1, 4))
    np.testing.assert_array_equal(plain.depth_mm, fine.depth_mm)
    np.testing.assert_array_equal(plain.mask, fine.mask)
    assert set(np.unique(plain.color[..., 0])) == {0, 255}
    mixed = (fine.color[..., 0] > 0) & (fine.color[..., 0] < 255)
    assert 50 < mixed.sum() < 600  # a ring one pixel wide
    share = fine.color[mixed, 0] / 255
    # blue = 255·share + 200·(1 − share), rounded once
    assert np.abs(fine.color[mixed, 2] - (255 * share + 200 * (1 - share))).max() <= 1
    assert (plain.depth_mm[~plain.mask] == 0).all()
    assert plain.depth_mm[plain.mask].min() >= vertices[:, 2].min() - 1e-3
    assert plain.depth_mm[plain.mask].max() <= vertices[:, 2].max() + 1e-3


def test_gathered_positions_project_to_their_pixels():
    vertices = placed()
    image = render_face(MODEL, vertices, np.ones_like(vertices), CAMERA)
    seen = image.fragments.interpolate(vertices, MODEL.triangles)[image.mask]
    rows, columns = np.nonzero(image.mask)
    # vertices are snapped to 1/256 px: half of that, and float32's share
    np.testing.assert_allclose(
        CAMERA.project(seen), np.stack([columns, rows], 1) + 0.5, atol=0.5 / 256 + 1e-4
    )


def test_detail_changes_the_face_alone():
    vertices = placed()
    half = np.full((MODEL.vertex_count, 3), 0.5)
    ground = np.full((80, 96, 3), 90, dtype=np.uint8)

    def double(fragments):
        return np.full((*fragments.mask.shape, 1), 1.5, dtype=np.float32)

    image = render_face(MODEL, vertices, half, CAMERA, ground, 1, double)
    assert (image.color[image.mask] == np.rint(0.75 * 255)).all()
    assert (image.color[~image.mask] == 90).all()


@pytest.mark.parametrize("mm_per_px", [None, 2.5])
def test_both_cameras_show_the_head(mm_per_px):
    camera = Camera(96, 80, 180.0, 180.0, 48.0, 40.0, mm_per_px=mm_per_px)
    image = render_face(MODEL, placed(), np.ones((MODEL.vertex_count, 3)), camera)
    rows, columns = np.nonzero(image.mask)
    low, high = camera.project(placed()).min(0), camera.project(placed()).max(0)
    assert abs(columns.min() - low[0]) < 1.5
    assert abs(rows.max() - high[1]) < 1.5
