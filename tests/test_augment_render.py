"""The fused kernels of a view beside plain numpy, and what they must keep whatever the scene."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from augment import turn_kernels as kernels
from augment.labels import head_centre
from augment.render import draw_scene, render_textures
from augment.rotate import crop_camera, make_view, turned_pose
from augment.settings import RotateSettings
from augment.source import prepare
from augment.symmetric import GAIN as GAINS
from augment.trust_kernels import NO_DEPTH
from augment.view_mesh import view_mesh
from augment.view_plan import PlannedView
from augment.visibility import REASONS
from faces.backdrop import show_still
from faces.rotation import euler_from_matrix
from imaging.raster import rasterise
from tests.staged import WALL_MM, stage
from tests.view_reference import by_numpy

SETTINGS = RotateSettings()
GAIN = 1.1  # of the second photo
AGAINST = np.uint8(255 - NO_DEPTH)  # the bits that cost trust
FACTOR = SETTINGS.supersample


def shouldered(depth_mm):
    """The depth with something wide below and beside the head, which the image's grid shows."""
    rows, columns = np.mgrid[:240, :320]
    beside = (depth_mm == WALL_MM) & (rows > 150) & (columns > 60) & (columns < 250)
    return np.where(beside, 660 + 0.1 * np.abs(columns - 160), depth_mm).astype(np.float32)


@pytest.fixture(scope="module")
def staged():
    plain = stage()
    scan = replace(plain.scan, depth_mm=shouldered(plain.scan.depth_mm))
    return replace(plain, scan=scan)


@pytest.fixture(scope="module")
def source(staged):
    return prepare(staged.scan, staged.face, staged.model, SETTINGS)


def at(staged, yaw, pitch=0.0):
    """Pose and camera of a view."""
    planned = PlannedView(yaw, pitch)
    pose = turned_pose(staged.face.pose, planned, head_centre(staged.face.shape_mm, staged.model))
    face = pose.apply(staged.face.shape_mm)[staged.model.regions["face"]]
    pixels = staged.face.camera.project(face)
    return pose, crop_camera(staged.face.camera, (*pixels.min(0), *pixels.max(0)), SETTINGS)


def rendered(staged, source, pose, camera, gain=None):
    return render_textures(source, staged.face, pose, camera, SETTINGS, gain)


def with_second(source):
    """The source with a second photo for the head's left half."""
    rng = np.random.default_rng(0)
    scene, count = source.scene, len(source.scene.vertices_mm)
    half = (scene.vertices_mm[:, 0] > 0) & (scene.is_head > 0)
    scene = replace(
        scene,
        second_px=np.float32([30, 20]) + rng.uniform(-1, 1, (count, 2)).astype(np.float32),
        second_weight=0.7 * half.astype(np.float32),
        second_gain=np.full((count, 3), GAIN, np.float32),
    )
    return replace(source, scene=scene, mesh=view_mesh(scene, source.backdrop.camera))


@pytest.mark.parametrize(("yaw", "pitch"), [(4.0, 0.0), (35.0, -12.0), (-80.0, 20.0)])
def test_the_kernel_agrees_with_numpy_where_it_takes_every_sample(
    staged, source, yaw, pitch, monkeypatch
):
    assert (source.scene.second_weight > 0.1).sum() > 300
    pose, camera = at(staged, yaw, pitch)
    monkeypatch.setattr("augment.render._pixel_edge", lambda camera: 0.0)
    monkeypatch.setattr("augment.render.without_islands", lambda trust, smallest: trust)
    got = rendered(staged, source, pose, camera)
    photo, donor, trust, alpha = by_numpy(staged, source, pose, camera, SETTINGS)
    np.testing.assert_allclose(got.alpha, alpha, atol=1e-5)
    shown = alpha > 0.01
    # a sample on the border of two source pixels may fall to either, in float32 or float64
    assert np.mean(np.abs(got.trust - trust)[shown] > 1e-3) < 1e-3
    # OpenCV looks up at whole 1/32 px: half of that on the steepest edge of the image, 0.5 a pixel
    look_up = 0.5 / 64 * 2 + 1e-3
    assert np.abs(got.donor - donor)[shown].max() < GAINS[1] * look_up
    assert np.median(np.abs(got.donor - donor)[shown]) < 1e-4
    same = shown & (np.abs(got.trust - trust) < 1e-4) & ((trust > 0.01) | (trust == 0))
    assert np.abs(got.photo - photo)[same].max() < look_up


def test_the_stage_has_a_fringe_before_and_beside_the_head(staged, source):
    pose, camera = at(staged, 35.0, -12.0)
    drawn = draw_scene(source, staged.face, pose, camera, SETTINGS)
    fringe = drawn.fringe.triangle_id >= 0
    assert (fringe & (drawn.firm.triangle_id < 0)).sum() > 1000
    assert (fringe & (drawn.firm.triangle_id >= 0)).sum() > 100
    thin = source.scene.solid[source.scene.is_head == 0]
    assert thin.min() < 0.1
    assert thin.max() == 1


def test_one_sample_does_inside_of_a_surface(staged, source, monkeypatch):
    pose, camera = at(staged, 40.0, 10.0)
    quick = rendered(staged, source, pose, camera)
    monkeypatch.setattr("augment.render._pixel_edge", lambda camera: 0.0)
    whole = rendered(staged, source, pose, camera)
    np.testing.assert_allclose(quick.alpha, whole.alpha, atol=1e-6)
    sure = (quick.trust > 0.99) & (whole.trust > 0.99) & (whole.alpha == 1)
    error = (quick.photo - whole.photo)[sure]
    # bilinear at the centre, and its mean over the pixel: they part by what is curved in it
    assert -10 * np.log10((error**2).mean()) > 45
    assert np.abs(quick.trust - whole.trust).mean() < 2e-3


def test_the_second_photo_stands_in_for_the_models_colour(staged, source):
    source = with_second(source)
    pose, camera = at(staged, 30.0)
    plain = replace(source, mesh=replace(source.mesh, static=without_second(source.mesh.static)))
    weighed = replace(source, mesh=replace(source.mesh, static=weight_shown(source.mesh.static)))
    weight = rendered(staged, weighed, pose, camera).donor[..., :1]
    before = rendered(staged, plain, pose, camera).donor
    after = rendered(staged, source, pose, camera).donor
    # the photo is sampled within a pixel of one place on the even wall
    around = source.color[17:23, 27:33].reshape(-1, 3)
    expected = before + weight * (GAIN * around.mean(0) - before)
    slack = GAIN * np.ptp(around, axis=0).max() + 1e-5
    assert slack < 0.05
    even = np.abs(weight[..., 0] - 0.7) < 1e-5  # a product's mean over a pixel is the means' there
    assert even.mean() > 0.1
    np.testing.assert_allclose(after[even], expected[even], atol=slack)
    np.testing.assert_allclose(after[weight[..., 0] == 0], before[weight[..., 0] == 0], atol=1e-6)


def without_second(static):
    out = static.copy()
    out[:, kernels.SECOND_WEIGHT] = 0
    return out


def weight_shown(static):
    """The mesh painted with its second photo's weight, and without that photo."""
    out = without_second(static)
    out[:, kernels.COLOR : kernels.COLOR + 3] = static[:, [kernels.SECOND_WEIGHT]]
    return out


def test_a_gain_multiplies_photo_and_donor(staged, source):
    pose, camera = at(staged, 25.0)
    plain = rendered(staged, source, pose, camera)
    gain = np.tile(np.float32([0.5, 1.0, 1.5]), (len(source.scene.vertices_mm), 1))
    lit = rendered(staged, source, pose, camera, gain)
    np.testing.assert_allclose(lit.photo, plain.photo * gain[0], atol=1e-6)
    np.testing.assert_allclose(lit.donor, plain.donor * gain[0], atol=1e-6)
    np.testing.assert_array_equal(lit.trust, plain.trust)


def test_unturned_the_mesh_shows_the_photo_itself(staged, source):
    base = euler_from_matrix(staged.face.pose.rotation)
    pose, camera = at(staged, base[0], base[1])
    picture = rendered(staged, source, pose, camera)
    resized = show_still(replace(source.backdrop, color=source.photo), camera)
    shown = picture.alpha == 1
    assert shown.mean() > 0.2
    assert picture.trust[shown].min() == 1
    error = (picture.photo - resized)[shown]
    # the same bilinear look-up; what is left are OpenCV's 1/32 px and the vertices' 1/256 px
    assert -10 * np.log10((error**2).mean()) > 45
    assert not (picture.reasons & AGAINST).any()


def test_the_base_view_is_a_resized_photo_and_nothing_of_it_is_synthesised(staged, source):
    planned = PlannedView(*euler_from_matrix(staged.face.pose.rotation)[:2])
    view = make_view(source, staged.face, staged.model, planned, SETTINGS)
    resized = show_still(replace(source.backdrop, color=source.photo), view.camera)
    np.testing.assert_allclose(view.color, 255 * resized, atol=0.5 + 1e-3)  # rounded once
    assert not view.synthesised.any()


def test_a_sensors_noise_hides_no_photographed_pixel(staged, source):
    rng = np.random.default_rng(3)
    depth = staged.scan.depth_mm
    noisy = depth + rng.normal(0, 1.5, depth.shape)
    noisy[rng.random(depth.shape) < 0.08] = 0
    scan = replace(staged.scan, depth_mm=noisy.astype(np.float32))
    rough = prepare(scan, staged.face, staged.model, SETTINGS)
    pose, camera = at(staged, 30.0)
    clean = rendered(staged, source, pose, camera)
    shown = rendered(staged, rough, pose, camera)
    sure = cv2.erode((clean.trust > 0.99).astype(np.uint8), np.ones((5, 5))) > 0
    sure &= head_alone(staged, pose, camera)
    assert sure.sum() > 5000
    # but for a few at the crown, where the outline itself is found a pixel elsewhere
    assert (shown.trust[sure] > 0.9).mean() > 0.999


def head_alone(staged, pose, camera):
    """(h, w) bool: 6 px inside of the head's outline; there the hull may follow the noise."""
    screen = camera.screen(pose.apply(staged.face.shape_mm))
    mask = rasterise(screen, staged.model.triangles, (camera.width, camera.height)).mask
    return cv2.erode(mask.astype(np.uint8), np.ones((13, 13))) > 0


def test_a_trusted_pixel_has_no_reason_against_it(staged, source):
    for yaw in (20.0, 60.0, 90.0):
        pose, camera = at(staged, yaw)
        picture = rendered(staged, source, pose, camera)
        against = picture.reasons & AGAINST
        whole = picture.alpha == 1
        assert not against[whole & (picture.trust == 1)].any()
        named = whole & (picture.trust == 0) & (raw_trust(staged, source, pose, camera) == 0)
        assert named.sum() > 500
        assert (against[named] > 0).all()


def raw_trust(staged, source, pose, camera):
    """Trust before islands go, which have no reason of their own."""
    settings = replace(SETTINGS, visibility=replace(SETTINGS.visibility, island_share=0.0))
    return render_textures(source, staged.face, pose, camera, settings).trust


def test_reasons_have_distinct_bits():
    assert sorted(REASONS.values()) == [1, 2, 4, 8, 16]
