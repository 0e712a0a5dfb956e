import numpy as np
import pytest
import trimesh

from faces.camera import Camera
from faces.visibility import seen_vertices, unhidden_vertices, visible_vertices
from imaging.raster import rasterise

PINHOLE = Camera(320, 240, 400.0, 400.0, 160.0, 120.0)


def ball(radius_mm, centre_mm, level=4):
    mesh = trimesh.creation.icosphere(level, radius_mm)
    return np.asarray(mesh.vertices) + np.array(centre_mm), np.asarray(mesh.faces, dtype=np.int32)


@pytest.mark.parametrize("orthographic", [False, True])
def test_the_near_cap_of_a_ball_is_visible(orthographic):
    camera = Camera(320, 240, 0, 0, 160.0, 120.0, mm_per_px=1.5) if orthographic else PINHOLE
    centre = np.array([20.0, -10, 600])
    vertices, triangles = ball(100.0, centre)
    normals = (vertices - centre) / 100
    view = np.array([0, 0, -1.0]) if orthographic else -vertices
    view = view / np.linalg.norm(view, axis=-1, keepdims=True)
    cosine = (normals * view).sum(-1)
    seen = visible_vertices(vertices, triangles, camera)
    # the mesh normals of a 6 mm grid differ from the ball's by a degree: leave ±0.05 undecided
    assert seen[cosine > 0.05].all()
    assert not seen[cosine < -0.05].any()
    steep = visible_vertices(vertices, triangles, camera, cos_min=0.5)
    assert steep[cosine > 0.55].all()
    assert not steep[cosine < 0.45].any()


def test_what_lies_behind_another_surface_is_hidden():
    near, triangles = ball(40.0, (0, 0, 500))
    far, far_triangles = ball(100.0, (0, 0, 800), level=5)
    vertices = np.concatenate([near, far])
    both = np.concatenate([triangles, far_triangles + len(near)])
    seen = visible_vertices(vertices, both, PINHOLE)[len(near) :]
    alone = visible_vertices(far, far_triangles, PINHOLE)
    pixels = PINHOLE.project(far) - 160 * np.array([1, 0.75])
    radius = np.linalg.norm(pixels, axis=1)
    outline = 400 * 40 / np.sqrt(500**2 - 40**2)  # of the near ball, px
    # one pixel on either side of the outline is undecided, and the ball's polygon is 0.1 px inside
    assert not seen[radius < outline - 1.6].any()
    np.testing.assert_array_equal(seen[radius > outline + 1.6], alone[radius > outline + 1.6])
    assert alone[(radius < outline - 1.6) & (far[:, 2] < 790)].any()


def test_outside_the_image_and_behind_the_camera_nothing_is_visible():
    for centre in [(900, 0, 600), (0, 0, -600)]:
        vertices, triangles = ball(50.0, centre, level=2)
        assert not visible_vertices(vertices, triangles, PINHOLE).any()


def test_unused_vertices_are_not_visible():
    vertices, triangles = ball(50.0, (0, 0, 600), level=2)
    more = np.concatenate([vertices, [[0, 0, 400.0]]])
    assert not visible_vertices(more, triangles, PINHOLE)[-1]


@pytest.mark.parametrize("orthographic", [False, True])
@pytest.mark.parametrize("x_mm", [0.0, 215.0])
def test_drawing_the_mesh_s_box_alone_changes_nothing(orthographic, x_mm):
    camera = Camera(320, 240, 0, 0, 160.0, 120.0, mm_per_px=1.5) if orthographic else PINHOLE
    near, triangles = ball(30.0, (x_mm + 15, 5, 520))  # partly before the other, partly beside it
    far, _ = ball(70.0, (x_mm, 0, 640))
    vertices, both = np.concatenate([near, far]), np.concatenate([triangles, triangles + len(near)])
    size = (camera.width, camera.height)
    whole = rasterise(camera.screen(vertices), both, size, camera.is_perspective).depth
    expected = unhidden_vertices(vertices, both, camera, whole)
    found = visible_vertices(vertices, both, camera)
    np.testing.assert_array_equal(found, expected)
    assert expected.any()
    assert (found <= seen_vertices(vertices, both, camera)).all()
