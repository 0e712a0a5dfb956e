"""What all importers share: landmark files, the frame's check, the unwrap, and the commands."""

import json

import numpy as np
import pytest
from scipy.io import savemat

from faces.errors import BadInput
from faces.models import KINDS, import_model, load_model
from faces.models.assemble import check_face, outward
from faces.models.landmark_files import read_model_landmarks
from faces.models.unwrap import SKIN_HEIGHT, unwrap
from faces.rotation import matrix_from_euler
from pipelines.cli import main
from tests.other_models import truth, write_landmarks
from tests.test_faces_models_bfm09 import scanned


def write_ljson(path, points):
    path.write_text(json.dumps({"landmarks": {"points": points.tolist()}}))
    return path


def test_landmark_files_agree(tmp_path):
    true = truth()
    numbers = write_landmarks(tmp_path / "a.txt", true.landmarks)
    np.save(tmp_path / "b.npy", true.landmarks)
    off = true.mean_mm[true.landmarks] / 1e3 + 1e-5  # places in metres, 0.02 mm off
    np.save(tmp_path / "c.npy", off)
    for path in (numbers, tmp_path / "b.npy"):
        np.testing.assert_array_equal(read_model_landmarks(path, true.mean_mm), true.landmarks)
    for path in (tmp_path / "c.npy", write_ljson(tmp_path / "d.ljson", off)):
        found = read_model_landmarks(path, true.mean_mm / 1e3, mm=1e3)
        np.testing.assert_array_equal(found, true.landmarks)


def test_places_off_the_surface_are_refused(tmp_path):
    true = truth()
    places = true.mean_mm[true.landmarks]
    places[30, 2] += 20
    np.save(tmp_path / "points.npy", places)
    with pytest.raises(BadInput, match=r"point 30 .* away from the mean"):
        read_model_landmarks(tmp_path / "points.npy", true.mean_mm)


@pytest.mark.parametrize("text", ["1\n2\n3\n", "one\n" * 68, "1.5\n" * 68])
def test_files_without_68_numbers_are_refused(tmp_path, text):
    path = tmp_path / "points.txt"
    path.write_text(text)
    with pytest.raises(BadInput, match="68 vertex numbers"):
        read_model_landmarks(path, truth().mean_mm)


def test_a_face_is_told_by_its_landmarks():
    points = truth().mean_mm[truth().landmarks]
    check_face("here", points)
    check_face("tilted", points @ matrix_from_euler(0, 15, 0).T + [0, 50, 9])
    for wrong, said in (
        (points / 1e3, "0.088"),
        (points @ matrix_from_euler(90, 0, 0).T, "turned by 90"),
        (points[::-1], "unlike"),
        (points * [-1, 1, 1], "unlike"),
        (points + np.random.default_rng(0).normal(size=(68, 3)) * 30, "unlike"),
    ):
        with pytest.raises(BadInput, match=said):
            check_face("here", wrong)


def test_triangles_are_turned_outwards():
    true = truth()
    same, flipped = outward(true.mean_mm, true.triangles)
    assert not flipped
    turned, flipped = outward(true.mean_mm, true.triangles[:, ::-1])
    assert flipped
    np.testing.assert_array_equal(same, turned)


def test_the_unwrap_keeps_triangles_whole_and_eyes_apart():
    true = truth(with_eyes=True)
    uv, triangle_uv = unwrap(true.mean_mm, true.triangles, true.eyes)
    assert uv.min() >= 0
    assert uv.max() <= 1
    span = np.ptp(uv[triangle_uv], axis=1)
    eye = true.eyes[true.triangles].all(1)
    # None runs across the whole texture: the longest of the skin's are those about the crown.
    assert span[~eye].max() < 0.6
    assert np.quantile(span[~eye], 0.99) < 0.1
    assert (uv[triangle_uv[~eye], 1] <= SKIN_HEIGHT).all()
    assert (uv[triangle_uv[eye], 1] > SKIN_HEIGHT).all()
    nose = true.mean_mm[true.landmarks[30]]
    front = uv[triangle_uv[(true.triangles == true.landmarks[30]).any(1)]].reshape(-1, 2).mean(0)
    assert nose[2] > 60
    assert 0.3 < front[0] < 0.7


def test_unknown_kinds_and_absent_files_are_refused(tmp_path):
    with pytest.raises(BadInput, match="kind 'smpl'"):
        import_model("smpl", tmp_path)
    for kind in KINDS:
        with pytest.raises(BadInput, match="no such file"):
            import_model(kind, tmp_path / "absent")
    with pytest.raises(BadInput, match="a folder without"):
        load_model(str(tmp_path))
    (tmp_path / "model.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(BadInput):
        load_model(str(tmp_path / "model.npz"))


def test_the_command_imports_and_describes(tmp_path, capsys):
    true = truth()
    savemat(tmp_path / "01_MorphableModel.mat", scanned(true))
    points = write_landmarks(tmp_path / "points.txt", true.landmarks)
    out = tmp_path / "bfm.npz"
    options = ["--landmarks", str(points), "--out", str(out)]
    assert (
        main(["model", "import", "bfm09", str(tmp_path / "01_MorphableModel.mat"), *options]) == 0
    )
    capsys.readouterr()
    assert main(["model", "info", str(out)]) == 0
    said = capsys.readouterr().out
    for part in ("4 modes", "2 modes", "ibug68 (68), dense240 (240)", "University of Basel"):
        assert part in said
    # The file's steps: half of 1 µm a mode, four modes of up to 4 σ.
    stored, identity = load_model(str(out)), np.array([1.0, -2.0, 0.5, 1.5])
    np.testing.assert_allclose(
        stored.shape(identity, []), true.shape(identity, [0, 0, 0]), atol=4e-3
    )


def test_the_command_says_what_is_wrong_in_one_line(tmp_path, capsys):
    (tmp_path / "model.pkl").write_bytes(b"cposix\nsystem\n(S'true'\ntR.")
    assert main(["model", "info", str(tmp_path / "model.pkl")]) != 0
    said = capsys.readouterr().err
    assert "asks for 'posix.system'" in said
    assert len(said.strip().splitlines()) == 1
