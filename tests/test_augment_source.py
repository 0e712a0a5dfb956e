"""A whole scan with hair and shoulders made ready: who is person, and what stays behind."""

from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from augment.rotate import RotateSettings, make_view, prepare
from augment.source import shallow_mouth
from augment.view_plan import PlannedView
from faces.backdrop import Backdrop, show_still
from faces.camera import Pose
from faces.models import load_model
from faces.rotation import euler_from_matrix, matrix_from_euler
from tests.staged import CAMERA, DISTANCE_MM, stage

HAIR, SHIRT = (28, 20, 16), (30, 60, 110)


def dressed(depth=True, wall_mm=1400.0):
    """The staged head with dark hair behind it, and a shirt cut by the image; the person's mask."""
    staged = stage(wall_mm=wall_mm)
    color = staged.scan.color.copy()
    head = np.ptp(color.astype(int), axis=2) > 12  # the wall is grey
    head = cv2.morphologyEx(head.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((5, 5))) > 0
    grown = cv2.dilate(head.astype(np.uint8), cv2.getStructuringElement(2, (21, 21))) > 0
    rows, columns = np.nonzero(head)
    v, u = np.mgrid[:240, :320]
    hair = grown & ~head & (v < rows.mean())
    shirt = ~head & (np.abs(u - columns.mean()) < 80) & (v > rows.max() - 12)
    noise = np.random.default_rng(0).integers(-6, 7, color.shape)
    color[hair], color[shirt] = HAIR, SHIRT
    noisy = np.clip(color + noise, 0, 255).astype(np.uint8)
    measured = staged.scan.depth_mm.copy()
    measured[hair], measured[shirt] = 0, DISTANCE_MM + 60  # dark hair gives no depth
    scan = replace(
        staged.scan, color=noisy, depth_mm=measured if depth else np.zeros_like(measured)
    )
    return staged, scan, head | hair | shirt, hair


@pytest.fixture(scope="module")
def ready():
    staged, scan, person, hair = dressed()
    settings = RotateSettings()
    return staged, scan, person, hair, prepare(scan, staged.face, staged.model, settings), settings


def test_unturned_the_view_is_the_photo(ready):
    staged, scan, _, _, source, settings = ready
    settings = replace(settings, margin=0.6)  # hair and collar too
    yaw, pitch, _ = euler_from_matrix(staged.face.pose.rotation)
    view = make_view(source, staged.face, staged.model, PlannedView(yaw, pitch), settings)
    photo = scan.color.astype(np.float32) / 255
    crop = show_still(Backdrop(photo, scan.depth_mm, CAMERA), view.camera) * 255
    u, v = (view.camera.width * np.array([0.02, 0.98])).astype(int)
    apart = np.abs(view.color.astype(float) - crop)[u:v, u:v].max(-1)
    # grain of ±6 is resampled otherwise where a mesh shows it than where the wall does
    assert np.median(apart) <= 2
    assert (apart > 30).mean() < 0.01


def test_hair_that_the_sensor_missed_is_the_person(ready):
    _, _, person, hair, source, _ = ready
    inner = cv2.erode(hair.astype(np.uint8), np.ones((5, 5))) > 0
    assert source.layers.alpha[inner].mean() > 0.95
    found = source.layers.alpha > 0.5
    assert (found & person).sum() / (found | person).sum() > 0.95
    assert (source.layers.surface_mm[source.layers.foreground] > 0).all()


def test_nothing_of_the_person_stays_in_the_background(ready):
    *_, source, _ = ready
    # the wall is grey between 0.4 and 0.7, with a grain of ±6 of 255
    assert source.backdrop.color.min() > 0.4 - 0.06
    assert np.ptp(source.backdrop.color, axis=2).max() < 0.12


def test_the_background_behind_is_as_noisy_as_beside(ready):
    _, _, person, _, source, _ = ready
    fine = source.backdrop.color - cv2.GaussianBlur(source.backdrop.color, (0, 0), 1.5)
    middle = cv2.erode(person.astype(np.uint8), np.ones((15, 15))) > 0
    beside = cv2.dilate(person.astype(np.uint8), np.ones((25, 25))) == 0
    # clipping at 3 sigma and what lies mirrored beyond the image cost a little
    assert 0.6 < fine[middle].std() / fine[beside].std() < 1.2


def test_turned_no_wall_is_carried_along(ready):
    staged, _, _, _, source, _ = ready
    scene = source.scene
    firm = scene.vertices_mm[scene.firm > 0]
    assert len(firm) > staged.model.vertex_count  # shirt and hair have bodies
    bodies = scene.model_color[(scene.firm > 0) & (scene.is_head == 0)]
    # shirt or hair are dark or blue, the wall is light and grey
    grey = (np.ptp(bodies, axis=1) < 0.04) & (bodies.min(1) > 0.38)
    assert grey.mean() < 0.01


def test_without_any_depth_the_person_is_told_by_colour():
    staged, scan, person, _ = dressed(depth=False)
    source = prepare(scan, staged.face, staged.model, RotateSettings())
    found = source.layers.alpha > 0.5
    assert (found & person).sum() / (found | person).sum() > 0.9
    depth = source.layers.surface_mm[source.layers.foreground]
    head = source.layers.head_mm[source.layers.head_mm > 0]
    assert depth.min() > head.min() - 20
    assert depth.max() < head.max() + 20
    assert np.isfinite(source.scene.vertices_mm).all()


def test_a_mouth_is_no_pit():
    model = load_model("default")
    pose = Pose(matrix_from_euler(20.0, -5.0, 3.0), np.array([10.0, -4.0, 600.0]), 1.0)
    face = SimpleNamespace(shape_mm=model.mean_mm, pose=pose)
    shown = pose.invert(shallow_mouth(pose.apply(model.mean_mm), face, model))
    socket = model.part_vertices("mouth_socket")
    lips = model.mean_mm[model.landmarks["ibug68"][48:68], 2]
    # teeth stand within 2 cm of the lips; the model's own mouth is several times as deep
    assert shown[socket, 2].min() > lips.max() - 30
    assert model.mean_mm[socket, 2].min() < lips.max() - 60
    # a cheek lies farther back than the lips: what is beside these would come out of it
    box = model.mean_mm[model.landmarks["ibug68"][48:68], :2]
    assert (shown[socket, :2] >= box.min(0) - 1e-3).all()
    assert (shown[socket, :2] <= box.max(0) + 1e-3).all()
    np.testing.assert_allclose(shown[~socket], model.mean_mm[~socket], atol=1e-9)
