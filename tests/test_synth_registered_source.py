"""Registered faces at any pose: what a back end is given."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from faces.backdrop import complete_backdrop, show_still
from faces.camera import FLIP
from faces.errors import BadInput
from faces.rotation import matrix_from_euler
from synth.framing import framed_vertices
from synth.registered_source import RegisteredSource, gone_with
from synth.render import renderer
from synth.renderer import PART_LABELS, Rendered
from synth.settings import RenderSettings
from tests.test_synth_unwrap import CAMERA, LIGHT, model, painted, photographed

SMALL = RenderSettings(size_px=64, texture_px=128)


class Recorder:
    """A back end that notes what it was asked for, and draws the background."""

    name = "recorder"

    def render(self, face, pose, camera, lighting, background=None, buffers=()):
        self.asked = face, pose, camera, lighting, background, buffers
        marks = pose.apply(face.vertices_mm[face.topology.landmarks])
        return Rendered(background, camera.project(marks), marks, np.ones(len(marks), bool))


@pytest.fixture(scope="module")
def registered():
    scan, face, share, _ = photographed(painted(1, False), yaw_deg=10.0)
    yx = np.mgrid[:512, :512] / 512
    wall = np.stack([60 + 120 * yx[1], 90 + 0 * yx[1], 180 - 80 * yx[0]], -1)
    color = share[..., None] * scan.color + (1 - share[..., None]) * wall
    return replace(scan, color=np.rint(color).astype(np.uint8)), face, wall


def asked(registered, settings=SMALL, angles=(30.0, 10.0, 0.0), seed=0):
    scan, face, _ = registered
    back_end = Recorder()
    source = RegisteredSource(scan, face, model(), settings, back_end)
    view = source.view(*angles, np.random.default_rng(seed))
    return back_end.asked, view, source


def test_the_pose_is_the_one_asked_for_and_the_head_stays_where_it_was(registered):
    (_, pose, _, _, _, _), view, source = asked(registered)
    np.testing.assert_allclose(pose.rotation, matrix_from_euler(30.0, 10.0), atol=1e-12)
    face = registered[1]
    low, high = source.shape_mm[:, 2].min(), source.shape_mm[:, 2].max()
    moved = view.pose.apply(source.shape_mm).mean(0) - face.vertices_mm.mean(0)
    assert np.linalg.norm(moved) < (high - low) / 4  # about its middle, not about the camera
    assert view.pose.scale == face.pose.scale


def test_the_head_fills_the_picture_but_for_its_margin(registered):
    _, view, source = asked(registered)
    own = view.pose.apply(source.shape_mm[framed_vertices(model(), "head")])
    pixels = view.camera.project(own)
    extent = pixels.max(0) - pixels.min(0)
    assert np.isclose(extent.max(), 64 / 1.25)
    np.testing.assert_allclose((pixels.max(0) + pixels.min(0)) / 2, 32, atol=1e-9)


def test_fitted_light_stays_and_the_heads_turns_along(registered):
    (_, pose, _, still, _, _), _, _ = asked(registered)
    (_, _, _, along, _, _), _, _ = asked(registered, replace(SMALL, light="head"))
    np.testing.assert_allclose(still.direction, LIGHT["light"])
    before = registered[1].pose.rotation.T @ FLIP @ LIGHT["light"]  # in the head's own frame
    np.testing.assert_allclose(pose.rotation.T @ FLIP @ along.direction, before, atol=1e-12)
    for light in (still, along):
        np.testing.assert_allclose(light.environment[0], LIGHT["ambient"])
        assert not light.environment[1:].any()
        assert (light.specular, light.shininess) == (LIGHT["specular"], LIGHT["shininess"])


def test_random_light_is_of_the_views_generator(registered):
    settings = replace(SMALL, light="random")
    lights = [asked(registered, settings, seed=seed)[0][3] for seed in (0, 0, 1)]
    np.testing.assert_array_equal(lights[0].environment, lights[1].environment)
    assert np.abs(lights[0].environment - lights[2].environment).max() > 1e-3
    assert lights[0].linear


@pytest.mark.parametrize("mode", ["flat", "kept"])
def test_light_from_everywhere_leaves_the_texture_as_it_is(registered, mode):
    light = asked(registered, replace(SMALL, light=mode))[0][3]
    assert not light.color.any()
    np.testing.assert_array_equal(light.environment[0], 1)
    assert not light.environment[1:].any()
    assert not light.specular


def test_the_person_is_gone_from_the_own_background(registered):
    """Behind the head the wall's two ramps go on."""
    (_, _, camera, _, behind, _), _, _ = asked(registered)
    zoom = camera.fx / registered[0].camera.fx
    left = registered[0].camera.cx - camera.cx / zoom
    top = registered[0].camera.cy - camera.cy / zoom
    x, y = (
        np.clip(start + (np.arange(64) + 0.5) / zoom, 0, 511).astype(int) for start in (left, top)
    )
    wall = registered[2][np.ix_(y, x)]
    gap = np.abs(behind.astype(float) - wall).max(-1)
    # a membrane between what is left of a ramp, which ends above the chest that is taken out
    assert np.median(gap) < 12
    assert (gap < 40).mean() > 0.9


def test_backgrounds_of_a_folder_and_plain_ones(registered, tmp_path):
    cv2.imwrite(str(tmp_path / "a.png"), np.full((90, 70, 3), (30, 20, 10), np.uint8))
    settings = replace(SMALL, background="folder", background_folder=str(tmp_path))
    behind = asked(registered, settings)[0][4]
    assert behind.shape == (64, 64, 3)
    assert (behind == (10, 20, 30)).all()
    plain = asked(registered, replace(SMALL, background="plain"))[0][4]
    assert (plain == SMALL.background_color).all()
    with pytest.raises(BadInput, match="folder of images"):
        asked(registered, replace(settings, background_folder=str(tmp_path / "none")))


def test_hidden_chests_are_no_background(registered):
    _, face, _ = registered
    gone = gone_with(np.zeros((512, 512), np.float32), face, model())
    chin = face.camera.project(face.vertices_mm[model().landmarks["ibug68"][8]])
    assert gone[-1, int(chin[0])]
    assert not gone[: int(chin[1])].any()


def test_another_models_face_is_refused(registered):
    scan, face, _ = registered
    short = replace(face, vertices_mm=face.vertices_mm[:-1])
    with pytest.raises(BadInput, match="vertices"):
        RegisteredSource(scan, short, model(), SMALL, Recorder())


def test_unturned_under_its_own_light_the_face_is_the_photo(registered):
    scan, face, _ = registered
    settings = replace(SMALL, size_px=128, texture_px=512, buffers=("parts", "normal"))
    source = RegisteredSource(scan, face, model(), settings, renderer("raster"))
    view = source.view(10.0, 0.0, 0.0, np.random.default_rng(0))
    photo = complete_backdrop(
        scan.color / np.float32(255), np.zeros((512, 512), bool), None, CAMERA
    )
    photo = 255 * show_still(photo, view.camera)
    buffers = view.rendered.buffers
    skin = (buffers["parts"] == PART_LABELS.index("skin")) & (buffers["normal"][..., 2] > 0.8)
    assert skin.sum() > 1000
    gap = np.abs(view.rendered.color.astype(float) - photo)[skin]
    # off and on again the light cancels; two resamplings by less than a pixel each remain
    assert np.median(gap) < 3
    assert np.percentile(gap, 95) < 12
