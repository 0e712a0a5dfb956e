from dataclasses import replace

import numpy as np
import pytest

from faces.camera import Camera, Pose
from faces.models import load_model
from faces.rotation import matrix_from_euler
from faces.visibility import visible_vertices
from registration.readers.rgbd import RgbdReader
from synth.capture import CaptureSettings, capture, jaw_aware_landmarks, person_pieces
from synth.head import shine, vertex_albedo
from synth.rgbd import write_rgbd
from synth.scene import LABELS
from synth.sensors.presets import STRUCTURED_LIGHT
from synth.subjects import SubjectSettings, next_frame, sample_subject
from tests.toy import toy_model

MODEL = toy_model()
SETTINGS = CaptureSettings(camera=Camera(320, 240, 450.0, 450.0, 160.0, 120.0))


def scan_of(seed, **changes):
    rng = np.random.default_rng(seed)
    subject = sample_subject(MODEL, rng, key="s0003/f001")
    return capture(subject, MODEL, rng, replace(SETTINGS, **changes))


def test_the_same_generator_gives_the_same_scan():
    a, b, c = scan_of(1), scan_of(1), scan_of(2)
    np.testing.assert_array_equal(a.color, b.color)
    np.testing.assert_array_equal(a.depth_mm, b.depth_mm)
    np.testing.assert_array_equal(a.landmarks.points_px, b.landmarks.points_px)
    assert (a.depth_mm != c.depth_mm).any()


def test_depth_lies_on_the_true_surface():
    scan = scan_of(3, sensor=replace(STRUCTURED_LIGHT, misaligned_px=0.0))
    truth, camera = scan.truth["vertices_mm"], scan.camera
    assert scan.depth_mm.dtype == np.float32
    assert scan.color.dtype == np.uint8
    front = scan.truth["landmark_vertices"][scan.truth["landmarks_visible"]]
    errors = []
    for vertex in truth[front]:
        u, v = camera.project(vertex)
        if scan.depth_mm[int(v), int(u)] > 0:
            errors.append(scan.depth_mm[int(v), int(u)] - vertex[2])
    assert len(errors) > 30
    # half a pixel is 0.8 mm sideways, the noise at 0.75 m is 0.8 mm: the median is far below both
    assert abs(np.median(errors)) < 0.6
    assert np.percentile(np.abs(errors), 80) < 3


def test_the_light_in_the_truth_is_the_one_that_is_rendered():
    rng = np.random.default_rng(8)
    subject = sample_subject(MODEL, rng, key="s0003/f001")
    truth = capture(subject, MODEL, rng, SETTINGS).truth
    light, skin = subject.light, person_pieces(subject, MODEL)[0]
    np.testing.assert_array_equal(truth["environment"], light.environment)
    np.testing.assert_array_equal(truth["directional"], light.color)
    strength, power = truth["gloss"]
    assert skin.shininess == power
    # the shader's k_s is the piece's gloss times the light's; 1 is the factor of plain cheeks
    np.testing.assert_allclose(skin.gloss / shine(MODEL) * light.specular, strength, rtol=1e-6)


def test_truth_is_consistent():
    scan = scan_of(4, landmark_noise_px=0.0)
    truth = scan.truth
    pose = Pose(truth["rotation"], truth["translation_mm"])
    shape = MODEL.shape(truth["identity"], truth["expression"]) + truth["beyond_mm"]
    np.testing.assert_allclose(pose.apply(shape), truth["vertices_mm"], atol=1e-9)
    at = scan.camera.project(truth["vertices_mm"][truth["landmark_vertices"]])
    np.testing.assert_array_equal(at, truth["landmarks_px"])
    np.testing.assert_array_equal(scan.landmarks.points_px, truth["landmarks_px"])
    assert all(np.isfinite(value).all() for value in truth.values())


def test_landmark_noise_is_what_was_asked_for():
    errors = [
        scan.landmarks.points_px - scan.truth["landmarks_px"]
        for scan in (scan_of(seed, landmark_noise_px=2.0) for seed in range(3))
    ]
    assert abs(np.std(errors) - 2.0) < 0.3  # 408 draws know it to 3.5 %


@pytest.mark.parametrize("yaw_deg", [-40.0, 0.0, 40.0])
def test_jaw_points_slide_on_the_side_that_turns_away(yaw_deg):
    pose = Pose(matrix_from_euler(yaw_deg), np.array([0, 0, 700.0]))
    vertices = pose.apply(MODEL.mean_mm.astype(np.float64))
    visible = visible_vertices(vertices, MODEL.triangles, SETTINGS.camera)
    plain, points = MODEL.landmarks["ibug68"], jaw_aware_landmarks(MODEL, visible)
    np.testing.assert_array_equal(points[17:], plain[17:])
    moved = points[:17] != plain[:17]
    assert visible[points[:17]].all()
    # yaw > 0 turns the nose to image right: the right half of the jaw (points 9-16) turns away
    away, near = (slice(9, 17), slice(0, 8)) if yaw_deg > 0 else (slice(0, 8), slice(9, 17))
    if yaw_deg:
        assert moved[away].any()
        assert not moved[near].any()
        depth = vertices[points[away], 2] - vertices[plain[away], 2]
        assert (depth[moved[away]] < 0).all()  # towards the camera


def test_what_is_written_is_read_again(tmp_path):
    scan = scan_of(5)
    write_rgbd(scan, tmp_path)
    reader = RgbdReader(tmp_path)
    (ref,) = reader.refs()
    back = reader.read(ref)
    assert (back.key, back.subject, back.camera) == (scan.key, scan.subject, scan.camera)
    np.testing.assert_array_equal(back.color, scan.color)
    np.testing.assert_array_equal(back.depth_mm == 0, scan.depth_mm == 0)
    assert np.abs(back.depth_mm - scan.depth_mm).max() <= 0.5  # whole millimetres
    np.testing.assert_allclose(back.landmarks.points_px, scan.landmarks.points_px)
    np.testing.assert_array_equal(back.truth["vertices_mm"], scan.truth["vertices_mm"])
    again = tmp_path / "again"
    write_rgbd(scan, again)
    for path in sorted((again / "s0003").iterdir()):
        assert path.read_bytes() == (tmp_path / "s0003" / path.name).read_bytes(), path.name


def test_a_second_camera_and_odd_keys_are_refused(tmp_path):
    scan = scan_of(6)
    write_rgbd(scan, tmp_path)
    other = replace(scan, camera=replace(scan.camera, fx=1.0))
    with pytest.raises(ValueError, match="one camera a subject"):
        write_rgbd(other, tmp_path)
    with pytest.raises(ValueError, match="expected SUBJECT/FRAME"):
        write_rgbd(replace(scan, key="../../x"), tmp_path)


def test_labels_and_visibility_agree_with_the_depth():
    rng = np.random.default_rng(7)
    bald = sample_subject(MODEL, rng, SubjectSettings(occluder="none"))
    scan = capture(bald, MODEL, rng, SETTINGS)
    truth, camera = scan.truth, scan.camera
    assert truth["labels"].shape == (camera.height, camera.width)
    assert {"skin", "clothes", "room"} <= {LABELS[i] for i in np.unique(truth["labels"])}
    at = camera.project(truth["vertices_mm"][truth["visible"]]).astype(int)
    seen = truth["labels"][at[:, 1], at[:, 0]]
    # half a pixel beside the outline, and 2 mm below a collar, something else is seen
    assert (seen == LABELS.index("skin")).mean() > 0.88
    assert truth["visible"][truth["landmark_vertices"]].sum() == truth["landmarks_visible"].sum()


def test_a_person_stays_the_same_from_frame_to_frame():
    rng = np.random.default_rng(8)
    first = sample_subject(MODEL, rng, key="s0003/f000")
    second = next_frame(first, MODEL, rng, SubjectSettings(), "s0003/f001")
    assert second.subject == first.subject
    assert not np.array_equal(first.pose.rotation, second.pose.rotation)
    still = replace(second, expression=first.expression, pose=first.pose, light=first.light)
    for a, b in zip(person_pieces(first, MODEL), person_pieces(still, MODEL), strict=True):
        np.testing.assert_array_equal(a.vertices_mm, b.vertices_mm)
        np.testing.assert_array_equal(a.albedo, b.albedo)


def test_the_albedo_map_is_what_the_vertices_wear():
    model = load_model("default")
    rng = np.random.default_rng(5)
    subject = sample_subject(model, rng, SubjectSettings(occluder="none"), key="s0005/f000")
    truth = capture(subject, model, rng, replace(SETTINGS, albedo_map=True)).truth
    assert truth["albedo_map"].dtype == np.uint8
    at_vertices = vertex_albedo(model, truth["albedo_map"].astype(np.float32) / 255)
    # half a step of 8 bits, and float32's rounding
    np.testing.assert_allclose(at_vertices, truth["albedo"], atol=0.5 / 255 + 1e-6)
    assert "albedo_map" not in scan_of(5).truth
