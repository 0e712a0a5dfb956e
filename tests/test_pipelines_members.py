"""Records survive the way through a shard."""

import io
import json
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from faces.types import Appearance, FaceFit, Landmarks, Quality, RegisteredFace, View
from imaging.codec import (
    DEPTH_STEP_MM,
    decode_depth,
    decode_image,
    decode_normals,
    restore_vertices,
)
from pipelines.members import (
    face_from_members,
    face_members,
    scan_from_members,
    scan_members,
    vertex_member,
    view_members,
)
from tests import simulate
from tests.toy import toy_model


@pytest.fixture(scope="module")
def face_and_scan():
    model, rng = toy_model(), np.random.default_rng(0)
    scan = simulate.subject(model, 0)
    pose = simulate.random_similarity(rng)
    identity, expression = rng.normal(size=8), rng.uniform(size=5)
    shape = model.shape(identity, expression).astype(np.float32).astype(np.float64)
    beta = rng.normal(size=4)
    face = RegisteredFace(
        key=scan.key,
        subject=scan.subject,
        provenance=scan.provenance,
        model=model.name,
        vertices_mm=pose.apply(shape),
        shape_mm=shape,
        pose=pose,
        initial=FaceFit(pose, identity, expression, pose.apply(model.shape(identity, expression))),
        appearance=Appearance(
            beta,
            np.array([0.5, 0.6, 0.7]),
            np.array([0.4, 0.3, 0.2]),
            np.array([0.0, 0.6, -0.8]),
            0.1,
            20.0,
            model.albedo(beta),
            rng.random((model.vertex_count, 3), dtype=np.float32),
        ),
        visible=rng.random(model.vertex_count) < 0.5,
        residual_mm=np.where(np.arange(model.vertex_count) % 3, 1.5, np.nan).astype(np.float32),
        camera=scan.camera,
        quality=Quality("review", "coverage 40%", 0.7, 0.4, 0.01, 0.05, {"distance": 3}),
    )
    return face, scan


def assert_same(got, want, where="record", tolerance=0.0):
    if is_dataclass(want):
        assert type(got) is type(want), where
        for item in fields(want):
            assert_same(getattr(got, item.name), getattr(want, item.name), f"{where}.{item.name}")
    elif isinstance(want, np.ndarray):
        # Colours travel as halves (11 bits), depth in steps; everything else exactly.
        tolerance = {"colors": 2**-11, "depth_mm": DEPTH_STEP_MM / 2}.get(where.split(".")[-1], 0.0)
        np.testing.assert_allclose(got, want, rtol=0, atol=tolerance + 1e-4 * (tolerance > 0))
    elif isinstance(want, dict):
        assert got.keys() == want.keys(), where
        for name in want:
            assert_same(got[name], want[name], f"{where}[{name}]")
    else:
        assert got == want, where


def test_a_scan_comes_back(face_and_scan):
    _, scan = face_and_scan
    members = scan_members(scan)
    assert_same(scan_from_members(scan.key, members), scan)
    assert members == scan_members(scan)  # the same bytes each time


def test_missing_landmarks_come_back_as_missing(face_and_scan):
    _, scan = face_and_scan
    points = scan.landmarks.points_px.copy()
    points[5] = np.nan
    scan = replace(scan, landmarks=Landmarks(points, "ibug68", np.ones(68)))
    assert_same(scan_from_members(scan.key, scan_members(scan)), scan)


def test_a_registered_face_comes_back(face_and_scan):
    face, _ = face_and_scan
    members = face_members(face)
    assert_same(face_from_members(face.key, members, toy_model()), face)
    assert members == face_members(face)


def test_another_model_is_refused(face_and_scan):
    face, _ = face_and_scan
    other = replace(toy_model(), name="another")
    with pytest.raises(ValueError, match=r"made with model .* expected 'another'"):
        face_from_members(face.key, face_members(face), other)


@pytest.fixture
def view(face_and_scan):
    face, _ = face_and_scan
    rng = np.random.default_rng(1)
    normals = rng.normal(size=(48, 64, 3))
    buffers = {
        "depth_mm": rng.uniform(500, 900, (48, 64)).astype(np.float32),
        "normal": normals / np.linalg.norm(normals, axis=2, keepdims=True),
        "pncc": rng.random((48, 64, 3), dtype=np.float32),
        "mask": np.where(rng.random((48, 64)) < 0.5, 255, 0).astype(np.uint8),
        "reasons": rng.integers(0, 32, (48, 64), dtype=np.uint8),
    }
    return View(
        color=rng.integers(0, 256, (48, 64, 3), dtype=np.uint8),
        camera=face.camera,
        pose=face.pose,
        yaw_deg=1.0,
        pitch_deg=2.0,
        roll_deg=3.0,
        requested=(1.0, 2.0),
        synthesised=rng.integers(0, 256, (48, 64), dtype=np.uint8),
        landmarks_px=rng.uniform(0, 64, (68, 2)),
        landmarks_visible=rng.random(68) < 0.5,
        box_px=(1.0, 2.0, 30.0, 40.0),
        buffers=buffers,
    )


def test_every_buffer_of_a_view_comes_back(face_and_scan, view):
    face, _ = face_and_scan
    members = view_members("s/v", view, face, vertex_member(face), {})
    assert members == view_members("s/v", view, face, vertex_member(face), {})
    suffixes = ["jpg", "vertices.npy", "synth.png", "json", "depth.png", "normal.png", "pncc.png"]
    assert list(members) == [*suffixes, "mask.png", "reasons.png"]
    made = view.buffers
    depth = decode_depth(members["depth.png"])
    np.testing.assert_allclose(depth, made["depth_mm"], atol=DEPTH_STEP_MM / 2 + 1e-4)
    # half of a 127.5th in each of three axes, and as much again by their length
    normals = decode_normals(members["normal.png"])
    np.testing.assert_allclose(normals, made["normal"], atol=3**0.5 / 127.5)
    code = decode_image(members["pncc.png"]) / 255
    np.testing.assert_allclose(code, made["pncc"], atol=0.5 / 255 + 1e-6)
    np.testing.assert_array_equal(decode_image(members["mask.png"]), made["mask"])
    np.testing.assert_array_equal(decode_image(members["reasons.png"]), made["reasons"])
    np.testing.assert_array_equal(decode_image(members["synth.png"]), view.synthesised)


def test_vertices_of_a_view_are_the_faces(face_and_scan, view):
    face, _ = face_and_scan
    members = view_members("s/v", view, face, vertex_member(face), {})
    step = json.loads(members["json"])["vertices_step_mm"]
    stored = restore_vertices(np.load(io.BytesIO(members["vertices.npy"])), step)
    np.testing.assert_allclose(stored, face.shape_mm, atol=step / 2 + 1e-9)
