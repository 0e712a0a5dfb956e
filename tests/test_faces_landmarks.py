"""Landmark files and the tables to 68 points, against points written or projected here."""

import json

import numpy as np
import pytest

from faces.errors import BadInput
from faces.landmark_tables import TO_IBUG68
from faces.landmarks import (
    SCHEMES,
    read_landmarks,
    read_landmarks_3d,
    to_ibug68,
    write_landmarks,
)
from faces.types import Landmarks

# Left and right in the image exchanged, by the scheme's own drawing.
MIRROR = np.r_[
    16:-1:-1, 26:16:-1, 27:31, 35:30:-1, 45:41:-1, 47, 46, 39:35:-1, 41, 40,
    54:47:-1, 59:54:-1, 64:59:-1, 67:64:-1,
]  # fmt: skip


@pytest.fixture
def points():
    return np.random.default_rng(0).uniform(0, 200, (68, 2)).round(3)


def landmarks_of(points, scheme="ibug68"):
    return Landmarks(points, scheme, np.ones(len(points)))


def test_pts_first_pixel_centre_is_a_half(tmp_path, points):
    lines = "\n".join(f"{u} {v}" for u, v in points + 0.5)  # 1-based: the first centre is 1
    (tmp_path / "a.pts").write_text(f"version: 1\nn_points: 68\n{{\n{lines}\n}}\n")
    found = read_landmarks(tmp_path / "a.pts")
    assert found.scheme == "ibug68"
    np.testing.assert_allclose(found.points_px, points, atol=1e-9)


def test_json_keeps_missing_points(tmp_path, points):
    points[5] = np.nan
    given = Landmarks(points, "ibug68", np.linspace(0, 1, 68))
    write_landmarks(given, tmp_path / "a.json")
    found = read_landmarks(tmp_path / "a.json")
    np.testing.assert_array_equal(found.points_px, points)
    np.testing.assert_array_equal(found.confidence, given.confidence)


def test_npy_is_taken_as_it_is(tmp_path, points):
    np.save(tmp_path / "a.npy", points)
    found = read_landmarks(tmp_path / "a.npy")
    np.testing.assert_array_equal(found.points_px, points)


def test_ljson_has_y_first_and_labels_in_any_order(tmp_path, points):
    groups = {"mouth": 20, "chin": 17, "leye": 6, "reye": 6, "nose": 9}
    groups |= {"leyebrow": 5, "reyebrow": 5}
    start = {"chin": 0, "leyebrow": 17, "reyebrow": 22, "nose": 27, "leye": 36, "reye": 42}
    start["mouth"] = 48
    stored, labels = [], []
    for label, count in groups.items():
        labels.append({"label": label, "mask": [*range(len(stored), len(stored) + count)]})
        stored += (points[start[label] : start[label] + count, ::-1] - 0.5).tolist()
    group = {"landmarks": {"points": stored}, "labels": labels}
    (tmp_path / "a.ljson").write_text(json.dumps({"version": 3, "groups": {"any": group}}))
    found = read_landmarks(tmp_path / "a.ljson")
    np.testing.assert_allclose(found.points_px, points, atol=1e-12)


def test_tem_reads_points_and_ignores_lines(tmp_path):
    points = np.random.default_rng(1).uniform(0, 900, (189, 2)).round(2)
    lines = "\n".join(f"{u} {v}" for u, v in points)
    (tmp_path / "a.tem").write_text(f"189\n{lines}\n1\n0\n2\n0 0\n")
    found = read_landmarks(tmp_path / "a.tem")
    assert found.scheme == "webmorph189"
    np.testing.assert_array_equal(found.points_px, points)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.pts", "n_points: 3\n{\n1 2\n", "no points between"),
        ("a.pts", "n_points: 3\n{\n1 2\n3 4\n}\n", "header says 3"),
        ("a.pts", "n_points: 2\n{\n1 2\n3 4\n}\n", "known count"),
        ("a.json", '{"scheme": "ibug68"}', "points_px"),
        ("a.json", '{"scheme": "none", "points_px": ' + str([[0, 0]] * 68) + "}", "none"),
        ("a.tem", "189\n1 2\n", "header says 189"),
        ("a.txt", "", "suffix"),
    ],
)
def test_bad_files_are_named(tmp_path, name, text, says):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadInput, match=says) as caught:
        read_landmarks(tmp_path / name)
    assert name in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(BadInput, match="no such file"):
        read_landmarks(tmp_path / "a.pts")


def test_pickles_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(BadInput, match="allow_pickle"):
        read_landmarks(tmp_path / "a.npy")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tables_are_means_of_existing_points(scheme):
    assert len(TO_IBUG68[scheme]) == 68
    for entry in TO_IBUG68[scheme]:
        assert all(0 <= index < SCHEMES[scheme] for index, _ in entry)
        assert not entry or sum(weight for _, weight in entry) == pytest.approx(1)


def test_dense240_and_ibug68_keep_the_first_points(points):
    dense = np.vstack([points, np.zeros((172, 2))])
    np.testing.assert_array_equal(to_ibug68(landmarks_of(dense, "dense240")).points_px, points)
    np.testing.assert_array_equal(to_ibug68(landmarks_of(points)).points_px, points)


def test_ibug51_lacks_the_jaw(points):
    found = to_ibug68(landmarks_of(points[17:], "ibug51"))
    assert np.isnan(found.points_px[:17]).all()
    assert not found.confidence[:17].any()
    np.testing.assert_array_equal(found.points_px[17:], points[17:])


def test_a_missing_source_point_is_missing_in_those_that_use_it_only():
    source = np.random.default_rng(2).uniform(0, 100, (478, 2))
    source[0] = np.nan  # the upper lip's middle; index 0 must not leak through zero weights
    found = to_ibug68(landmarks_of(source, "mediapipe478"))
    assert np.flatnonzero(np.isnan(found.points_px[:, 0])).tolist() == [51]
    assert found.confidence[51] == 0


def test_wrong_count_is_refused(points):
    with pytest.raises(BadInput, match="478"):
        to_ibug68(landmarks_of(points, "mediapipe478"))


def test_templates_of_real_faces_are_mirror_symmetric(shared):
    """A wrong index shows as asymmetry of the mean face of many templates."""
    faces = []
    for path in sorted((shared / "photos" / "london" / "neutral").glob("*.tem")):
        points = to_ibug68(read_landmarks(path)).points_px
        left, right = points[36], points[45]
        axis = (right - left) / np.linalg.norm(right - left)
        turned = (points - (left + right) / 2) @ np.stack([axis, [-axis[1], axis[0]]], 1)
        faces.append(turned / np.linalg.norm(right - left))
    mean = np.mean(faces, axis=0)
    off = np.abs(mean[MIRROR] * [-1, 1] - mean)
    # In the mean, people's asymmetry is under 2.5 % of the eye distance, and under 5 % on the jaw,
    # which a turn of the head by a degree shifts; neighbouring points are 5–25 % apart.
    assert off[17:].max() < 0.025
    assert off[:17].max() < 0.05


def test_3d_landmarks_of_a_scan_are_in_ibug_order(shared):
    points = read_landmarks_3d(shared / "scans" / "james" / "james.ljson")
    assert points.shape == (68, 3)
    # The scan looks along z, image right is x: eyes from left to right, brows above, chin below.
    assert (np.diff(points[[0, 17, 36, 39, 42, 45, 26], 0]) > 0).all()
    assert points[17:27, 1].min() > points[36:48, 1].max() > points[30, 1] > points[57, 1]
    assert points[8, 1] == points[:, 1].min()
    with pytest.raises(BadInput, match="3D points"):
        read_landmarks(shared / "scans" / "james" / "james.ljson")
