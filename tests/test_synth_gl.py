"""The rasteriser against OpenGL: triangle by triangle, and against pyrender's own image."""

import os
import sys

import numpy as np
import pytest
import trimesh
from gl_process import GlProcess

from faces.camera import Camera
from faces.errors import BadInput, MissingExtra
from imaging.raster import rasterise
from synth import gl, gl_context
from synth.gl_context import PLATFORMS
from synth.gl_ids import triangle_ids

CAMERA = Camera(200, 180, 620.0, 600.0, 104.0, 83.0)  # nothing centred, nothing square
FLAT = Camera(200, 180, 1.0, 1.0, 104.0, 83.0, mm_per_px=0.9)
NEAR_MM = 10.0


@pytest.fixture(scope="module", params=PLATFORMS)
def elsewhere(request):
    process = GlProcess(request.param)
    yield process
    process.close()


def scene():
    """A ball with a smaller one before it, so that depths are discontinuous inside, too."""
    far, near = trimesh.creation.icosphere(4, 70.0), trimesh.creation.icosphere(3, 25.0)
    offset = np.array([6.0, -4, 600]), np.array([30.0, 12, 480])
    vertices = np.concatenate([far.vertices + offset[0], near.vertices + offset[1]])
    triangles = np.concatenate([far.faces, near.faces + len(far.vertices)]).astype(np.int32)
    colors = np.concatenate([far.vertices / 140 + 0.5, near.vertices / 50 + 0.5])
    return vertices, triangles, colors


@pytest.mark.parametrize("camera", [CAMERA, FLAT])
def test_triangles_are_the_rasterisers(elsewhere, camera):
    vertices, triangles, _ = scene()
    ids = elsewhere(triangle_ids, vertices, triangles, camera, NEAR_MM)
    size = (camera.width, camera.height)
    expected = rasterise(camera.screen(vertices), triangles, size, camera.is_perspective)
    assert (expected.mask).mean() > 0.1
    # GL rounds its positions to float32 first: a corner may snap to the next 1/256 px
    assert (ids != expected.triangle_id).mean() < 1e-3
    assert ((ids >= 0) != expected.mask).sum() <= 2


def test_a_triangles_number_is_read_back_exactly(elsewhere):
    """A triangle a pixel, 90,000 of them: more than two bytes hold, each with its own number."""
    size = 300
    row, column = np.divmod(np.arange(size * size), size)
    left, top = column + 0.1, row + 0.1
    corners = [(left, top), (left + 0.8, top), (left + 0.4, top + 0.8)]
    vertices = np.concatenate([np.stack([u, v, np.full(len(u), 50.0)], 1) for u, v in corners])
    triangles = np.arange(3 * size * size, dtype=np.int32).reshape(3, -1).T
    camera = Camera(size, size, 1.0, 1.0, 0.0, 0.0, mm_per_px=1.0)
    ids = elsewhere(triangle_ids, vertices, triangles, camera, NEAR_MM)
    np.testing.assert_array_equal(ids, np.arange(size * size).reshape(size, size))


def test_of_equally_near_triangles_the_first_is_seen(elsewhere):
    vertices, triangles, _ = scene()
    twice = np.concatenate([triangles, triangles[::-1]])
    ids = elsewhere(triangle_ids, vertices, twice, CAMERA, NEAR_MM)
    once = elsewhere(triangle_ids, vertices, triangles, CAMERA, NEAR_MM)
    np.testing.assert_array_equal(ids, once)


def test_a_floor_that_runs_below_the_camera_is_cut_at_the_near_plane(elsewhere):
    """Two triangles from behind the camera to before it, 100 mm under it, seen with 90° of view."""
    camera = Camera(100, 100, 50.0, 50.0, 50.0, 50.0)
    wide = 1e5
    vertices = np.array([[-wide, 100, -wide], [wide, 100, -wide], [wide, 100, 900]])
    vertices = np.concatenate([vertices, [[-wide, 100, 900]]])
    triangles = np.array([[0, 1, 2], [0, 2, 3]])
    ids = elsewhere(triangle_ids, vertices, triangles, camera, 125.0)
    rows = np.arange(100) + 0.5 - camera.cy
    with np.errstate(divide="ignore"):
        depth = camera.fy * 100 / rows  # of the floor along each row
    seen = (rows > 0) & (depth > 125) & (depth < 900)  # no row lies on either end of it
    assert 0 < seen.sum() < 45
    np.testing.assert_array_equal((ids >= 0).any(1), seen)
    np.testing.assert_array_equal((ids >= 0).all(1), seen)


def test_nothing_before_the_camera_is_background(elsewhere):
    vertices, triangles, _ = scene()
    ids = elsewhere(triangle_ids, vertices * [1, 1, -1], triangles, CAMERA, NEAR_MM)
    assert (ids == -1).all()


def test_pyrenders_silhouette_depth_and_color_agree(elsewhere):
    vertices, triangles, colors = scene()
    color, depth = elsewhere(gl.render_gl, vertices, triangles, colors, CAMERA)
    size = (CAMERA.width, CAMERA.height)
    fragments = rasterise(CAMERA.screen(vertices), triangles, size)
    both, either = fragments.mask & (depth > 0), fragments.mask | (depth > 0)
    assert both.sum() / either.sum() >= 0.999
    difference = np.abs(depth - fragments.depth)[both]
    # where a pixel centre lies within 1/256 px of an edge, either triangle may own it
    assert (difference > 1).mean() < 1e-3
    assert np.median(difference) < 0.01
    own = fragments.interpolate(colors, triangles)
    # 8 bits hold half a step of 1/255
    assert np.percentile(np.abs(color / 255 - own)[both], 99.9) < 0.005


def test_ids_are_drawn_between_pyrenders_images(elsewhere):
    """Two contexts in one process: neither keeps the other's state."""
    vertices, triangles, colors = scene()
    before = elsewhere(triangle_ids, vertices, triangles, CAMERA, NEAR_MM)
    elsewhere(gl.render_gl, vertices, triangles, colors, CAMERA)
    after = elsewhere(triangle_ids, vertices, triangles, CAMERA, NEAR_MM)
    np.testing.assert_array_equal(before, after)


def test_a_process_has_one_platform(elsewhere):
    mine = elsewhere(os.getenv, "PYOPENGL_PLATFORM")
    (other,) = set(PLATFORMS) - {mine}
    with pytest.raises(RuntimeError, match=f"'{other}'.*'{mine}'"):
        elsewhere(triangle_ids, *scene()[:2], CAMERA, NEAR_MM, other)


def test_an_unknown_platform_is_refused():
    with pytest.raises(BadInput, match=r"glx.*egl, osmesa"):
        gl_context.pyrender_on("glx")


def test_without_pyrender_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyrender", None)
    monkeypatch.setenv("PYOPENGL_PLATFORM", "egl")
    with pytest.raises(MissingExtra, match=r"facesynth\[gl\]"):
        gl.render_gl(*scene(), CAMERA)
