from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from PIL import Image
from scipy.spatial.transform import Rotation

from faces.appearance import render_texture
from faces.errors import BadInput
from faces.landmark_tables import TO_IBUG68
from faces.landmarks import to_ibug68, write_landmarks
from faces.mesh import vertex_normals
from faces.metrics import nme
from faces.models import load_model
from faces.rotation import euler_from_matrix, matrix_from_euler
from faces.types import Appearance, Landmarks
from faces.visibility import visible_vertices
from registration.photo_fit import PhotoSettings, fit_photo, register_photo, with_dark_side
from registration.readers.photo import PhotoReader
from synth.beyond import fitting_model
from synth.capture import capture
from synth.subjects import SubjectSettings, sample_subject
from tests import simulate
from tests.toy import toy_model


@pytest.fixture(scope="module")
def photographed(tmp_path_factory):
    """Three simulated people: what was captured, what the photo reader reads, and the fit."""
    root, model = tmp_path_factory.mktemp("photos"), load_model("default")
    found = {}
    for number in range(3):
        rng = np.random.default_rng([11, number])
        subject = sample_subject(model, rng, SubjectSettings(occluder="hair"))
        scan = capture(subject, model, rng)
        stem = root / f"p{number}"
        Image.fromarray(scan.color).save(f"{stem}.jpg", quality=90)
        write_landmarks(scan.landmarks, f"{stem}.landmarks.json")
        found[stem.name] = scan
    reader = PhotoReader(root)
    scans = {ref.key: reader.read(ref) for ref in reader.refs()}
    fitted = fitting_model(model)
    return [(found[key], scan, register_photo(scan, fitted)) for key, scan in scans.items()]


def turn_deg(a, b):
    return np.degrees(np.arccos(np.clip((np.trace(a.T @ b) - 1) / 2, -1, 1)))


def test_the_pose_is_found_without_the_camera(photographed):
    """Landmarks are 2.5 mm off each, and the reader's default lens is not the camera's: over the
    24 people of benchmarks.photo_fit the faces are turned by 4.0° on average, 9.4° at worst.
    """
    model = load_model("default")
    region = model.regions["narrow_face"] & model.part_vertices("skin")
    for truth, _, face in photographed:
        wanted, found = truth.truth["vertices_mm"][region], face.vertices_mm[region]
        between, _ = Rotation.align_vectors(wanted - wanted.mean(0), found - found.mean(0))
        assert np.degrees(between.magnitude()) < 9.5


def test_the_face_is_nearer_than_the_mean_face(photographed):
    model = load_model("default")
    region = model.regions["narrow_face"] & model.part_vertices("skin")
    errors = []
    for truth, _, face in photographed:
        wanted = truth.truth["vertices_mm"]
        corners = wanted[model.landmarks["ibug68"][[36, 45]]]
        iod_mm = np.linalg.norm(corners[0] - corners[1])
        fitted = nme(face.vertices_mm, wanted, region, iod_mm)
        mean = nme(face.pose.apply(model.mean_mm), wanted, region, iod_mm)
        assert fitted < 10.5  # the worst of 24 is 10.4, and the mean shape's 11.6
        errors.append((fitted, mean))
    fitted, mean = np.mean(errors, axis=0)
    assert fitted < mean


def test_the_record_is_whole_and_claims_no_depth(photographed):
    for _, scan, face in photographed:
        np.testing.assert_allclose(face.pose.apply(face.shape_mm), face.vertices_mm, atol=1e-6)
        assert np.isnan(face.residual_mm).all()
        assert np.isnan([face.quality.residual_mm, face.quality.coverage]).all()
        assert face.quality.verdict == "accept"
        assert face.camera == scan.camera
        # skin within a tenth of the photo's: Eq. 3 to 5 explain the rest
        assert face.quality.color_residual < 0.12


def test_noiseless_landmarks_of_a_model_face_give_it_back():
    model, rng = toy_model(), np.random.default_rng(5)
    pose = simulate.true_pose(rng, yaw_deg=10)
    scan = simulate.frame(model, model.mean_mm.astype(float), pose, rng)
    exact = simulate.CAMERA.project(pose.apply(model.mean_mm)[model.landmarks["ibug68"]])
    landmarks = replace(scan.landmarks, points_px=exact)
    bare = replace(scan, landmarks=landmarks, depth_mm=scan.depth_mm * 0)
    face = register_photo(bare, model)
    assert turn_deg(face.pose.rotation, pose.rotation) < 0.5  # what sliding jaw points leave
    pixels = face.camera.project(face.vertices_mm)[model.regions["face"]]
    wanted = face.camera.project(scan.truth["vertices_mm"])[model.regions["face"]]
    assert np.abs(pixels - wanted).max() < 2


def test_a_lamp_beside_the_lens_leaves_no_side_black():
    model, rng = toy_model(), np.random.default_rng(5)
    pose = simulate.true_pose(rng, yaw_deg=0)
    placed = pose.apply(model.mean_mm)
    normals = vertex_normals(placed, model.triangles)
    visible = visible_vertices(placed, model.triangles, simulate.CAMERA)
    seen = visible & model.regions["face"] & model.part_vertices("skin")
    harsh = Appearance(
        beta=np.zeros(len(model.albedo_modes)),
        ambient=np.full(3, 0.02),
        directional=np.array([0.9, 1.0, 1.1]),
        light=np.array([0.0, 0.0, -1.0]),
        specular=0.0,
        shininess=12.0,
        albedo=model.albedo_mean,
        colors=np.zeros((0, 3), np.float32),
    )
    harsh = replace(harsh, colors=render_texture(harsh, model, placed, normals=normals))
    soft = with_dark_side(harsh, 0.4, model, placed, visible)
    away = normals[:, 2] > 0.1  # turned from the lamp, which shines along z
    full = model.albedo_mean * (soft.ambient + soft.directional)
    np.testing.assert_allclose(soft.colors[away], 0.4 * full[away], atol=1e-6)
    shades = [(a.colors[seen] / model.albedo_mean[seen]).mean(0) for a in (harsh, soft)]
    # the same brightness on the whole; tints mix with ambient light's, white in the one of 2 %
    np.testing.assert_allclose(*shades, rtol=0.02)
    assert with_dark_side(soft, 0.4 - 1e-9, model, placed, visible) is soft


def test_scrambled_landmarks_are_no_face(photographed):
    _, scan, _ = photographed[0]
    order = np.random.default_rng(0).permutation(68)
    wrong = replace(scan.landmarks, points_px=scan.landmarks.points_px[order])
    face = register_photo(replace(scan, landmarks=wrong), fitting_model(load_model("default")))
    assert face.quality.verdict == "reject"
    assert "landmarks" in face.quality.reason


def test_landmarks_of_another_place_are_told_by_the_colours(photographed):
    _, scan, _ = photographed[0]
    moved = replace(scan.landmarks, points_px=scan.landmarks.points_px * 0.6)  # onto the wall
    face = register_photo(replace(scan, landmarks=moved), fitting_model(load_model("default")))
    assert face.quality.verdict != "accept"


def test_a_head_without_its_crown_is_for_review(photographed):
    """A photo cut off above the brows keeps all landmarks."""
    _, scan, _ = photographed[0]
    top = int(scan.landmarks.points_px[17:27, 1].min()) - 10
    camera = replace(scan.camera, height=scan.camera.height - top, cy=scan.camera.cy - top)
    moved = replace(scan.landmarks, points_px=scan.landmarks.points_px - [0, top])
    cut = replace(
        scan,
        color=scan.color[top:],
        depth_mm=scan.depth_mm[top:],
        camera=camera,
        landmarks=moved,
    )
    face = register_photo(cut, fitting_model(load_model("default")))
    assert face.quality.verdict == "review"
    assert face.quality.reason.startswith("the head is cut")


def test_a_photo_without_landmarks_is_refused(photographed):
    _, scan, _ = photographed[0]
    with pytest.raises(BadInput, match="no landmarks"):
        register_photo(replace(scan, landmarks=None), toy_model())


def test_mediapipes_jaw_stays_where_it_is_on_a_turned_head():
    """The mesh's own 68 points at 40° to either side, once as MediaPipe's scheme and once as
    ibug68, whose jaw slides: yaws 0.5° outward on the mean, and 3.0°. Exact points of a shape that
    the model has not leave 1.1° a face, 0.3° on the mean of 16.
    """
    model, outward = load_model("default"), {"ibug68": [], "mediapipe478": []}
    for seed, yaw in product(range(8), (40.0, -40.0)):
        rng = np.random.default_rng(seed)
        shape, pose = simulate.true_shape(model, rng), simulate.true_pose(rng)
        pose = replace(pose, rotation=matrix_from_euler(yaw, 0.0, 0.0))
        scan = simulate.frame(model, shape, pose, rng)
        points = scan.camera.project(pose.apply(shape)[model.landmarks["ibug68"]])
        for marks in (Landmarks(points, "ibug68", np.ones(68)), as_mediapipe(points)):
            np.testing.assert_allclose(to_ibug68(marks).points_px, points, atol=1e-9)
            fit = fit_photo(replace(scan, landmarks=marks), model, PhotoSettings().fit)
            found = euler_from_matrix(fit.pose.rotation)[0]
            outward[marks.scheme].append((found - yaw) * np.sign(yaw))
    assert abs(np.mean(outward["mediapipe478"])) < 1
    assert np.mean(outward["ibug68"]) > 2


def as_mediapipe(points):
    """478 points whose weighted means are these 68; the smallest that are."""
    table = TO_IBUG68["mediapipe478"]
    weights = np.zeros((68, 478))
    for row, entry in enumerate(table):
        for index, weight in entry:
            weights[row, index] += weight
    return Landmarks(np.linalg.pinv(weights) @ points, "mediapipe478", np.ones(478))
