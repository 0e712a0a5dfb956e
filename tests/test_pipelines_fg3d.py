"""The whole way, from a folder of RGB-D scans, some of them bad, to a verified set."""

import io
import json
from dataclasses import replace

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import trimesh

from faces.morphable import save_model
from imaging.codec import decode_image, restore_vertices
from manifests.shard import read_shard
from manifests.verify import verify
from pipelines.cli import main
from synth.rgbd import write_rgbd
from tests import simulate, terms
from tests.toy import toy_model

GOOD = ("anna/a", "ben/a", "carl/a")
VIEWS_A_FACE = 21  # seven yaws, three pitches each (requirements of the paper's plan)


def _truncated(stem):
    path = stem.with_name(stem.name + ".color.png")
    path.write_bytes(path.read_bytes()[:-2000])
    return "truncated"


def _no_depth(stem):
    _write_depth(stem, lambda depth: depth * 0)
    return "all zero"


def _metres_for_millimetres(stem):
    _write_depth(stem, lambda depth: depth // 100)
    return "--depth-scale"


def _no_camera(stem):
    (stem.parent / "camera.json").unlink()
    return "camera"


def _landmarks_gone(stem):
    stem.with_name(stem.name + ".landmarks.json").unlink()
    return "landmark"


def _write_depth(stem, change):
    path = str(stem.with_name(stem.name + ".depth.png"))
    cv2.imwrite(path, change(cv2.imread(path, cv2.IMREAD_UNCHANGED)))


BAD = {
    "truncated/a": _truncated,
    "nodepth/a": _no_depth,
    "metres/a": _metres_for_millimetres,
    "nocamera/a": _no_camera,
    "nomarks/a": _landmarks_gone,
}


def _frontal_scan(seed):
    model, rng = toy_model(), np.random.default_rng(seed)
    pose = simulate.true_pose(rng, yaw_deg=0)
    return simulate.frame(model, simulate.true_shape(model, rng), pose, rng)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The set, the exit status and the words expected of each failure."""
    root = tmp_path_factory.mktemp("fg3d")
    save_model(toy_model(), root / "toy.npz")
    expected = {}
    for seed, key in enumerate([*GOOD, *BAD]):
        subject = key.partition("/")[0]
        scan = replace(_frontal_scan(seed), key=key, subject=subject)
        stem = write_rgbd(scan, root / "scans")
        if key in BAD:
            expected[key] = BAD[key](stem)
    terms.say(root / "scans" / "anna")
    words = ["fg3d", "--scans", str(root / "scans"), "--layout", "rgbd", "--out", str(root / "set")]
    words += ["--model", str(root / "toy.npz"), "--scheduler", "inline", "--detector", "file"]
    status = main(words)
    return root / "set", status, expected


def test_good_scans_give_all_their_views_and_the_set_verifies(made):
    out, _, _ = made
    manifest = pq.read_table(out / "manifest.parquet")
    assert sorted(set(manifest["scan"].to_pylist())) == sorted(GOOD)
    assert manifest.num_rows == VIEWS_A_FACE * len(GOOD)
    assert verify(out) == []


def test_each_bad_input_is_a_record_that_names_it(made):
    out, status, expected = made
    lines = (out / "failures" / "scans.jsonl").read_text().splitlines()
    failures = {row["key"]: row["message"] for row in map(json.loads, lines)}
    assert failures.keys() == expected.keys()
    for key, words in expected.items():
        assert words in failures[key], failures[key]
        assert key.partition("/")[0] in failures[key]
    assert status == 1  # failures, and --max-failed is 0


def test_rows_carry_the_terms_of_each_scan(made):
    silent = {"source": "scans"} | terms.UNKNOWN
    assert terms.said(made[0]) == {"anna": terms.STUDIO, "ben": silent, "carl": silent}


def test_rows_of_simulated_people_carry_their_models_terms(made, tmp_path):
    words = ["fg3d", "--subjects", "1", "--model", str(made[0].parent / "toy.npz")]
    words += ["--people.occluder", "none", "--scheduler", "inline", "--out", str(tmp_path)]
    words += ["--ticp.refits", "0", "--views.step-deg", "90", "--views.pitches-deg", "0"]
    # Of this seed the quality gate accepts the person; the toy has too few modes for most others.
    assert main([*words, "--seed", "2"]) == 0
    assert terms.said(tmp_path) == {"subject00000": terms.SIMULATED}


def test_labels_agree_with_the_image(made):
    """A sample's vertices, pose and camera land on its landmarks, which lie on the face."""
    out, _, _ = made
    model = toy_model()
    for key, members in read_shard(sorted((out / "samples").glob("*.tar"))[0]):
        labels = json.loads(members["json"])
        color, synth = decode_image(members["jpg"]), decode_image(members["synth.png"])
        assert color.shape[:2] == synth.shape == (256, 256)
        quantised = np.load(io.BytesIO(members["vertices.npy"]))
        shape = restore_vertices(quantised, labels["vertices_step_mm"])
        rotation = np.array(labels["rotation"])
        posed = labels["scale"] * shape @ rotation.T * [1, -1, -1] + labels["translation_mm"]
        camera = labels["camera"]
        pixels = posed[:, :2] / posed[:, 2:] * [camera["fx"], camera["fy"]]
        pixels += [camera["cx"], camera["cy"]]
        marks = pixels[model.landmarks["ibug68"]]
        # half a quantisation step of the vertices (about 2 µm) is far below a hundredth of a pixel
        np.testing.assert_allclose(marks, labels["landmarks_px"], atol=0.01, err_msg=key)
        assert (marks[27:] > 0).all()
        assert (marks[27:] < 256).all()


def test_the_report_shows_faces_and_failures(made):
    out, _, expected = made
    page = (out / "report" / "index.html").read_text()
    for key in [*GOOD, *expected]:
        assert key in page
    for picture in ("0000-face.jpg", "0000-views.jpg"):
        assert decode_image((out / "report" / picture).read_bytes()).std() > 10


def test_the_same_command_again_changes_nothing(made, capsys):
    out, _, _ = made
    before = {path: path.read_bytes() for path in sorted((out / "samples").iterdir())}
    assert main(["verify", str(out)]) == 0
    assert main(["status", str(out)]) in (0, 1)
    assert {path: path.read_bytes() for path in sorted((out / "samples").iterdir())} == before


def _bad_meshes(root):
    """A box that is no face, a mesh without colour, and one with a NaN: words of each failure."""
    box = trimesh.creation.box(extents=(150, 220, 150)).subdivide().subdivide().subdivide()
    noise = np.random.default_rng(0).integers(0, 255, (len(box.vertices), 3), dtype=np.uint8)
    colored = trimesh.Trimesh(box.vertices, box.faces, vertex_colors=noise, process=False)
    colored.export(root / "box.ply")
    box.export(root / "plain.obj", include_color=False, include_texture=False)
    text = (root / "plain.obj").read_text()
    (root / "broken.obj").write_text(text.replace("v ", "v nan ", 1))
    return {"box": "no face found", "plain": "colour", "broken": "nan"}


def test_bad_meshes_are_records_and_the_good_scan_is_registered(shared, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    expected = _bad_meshes(folder)
    for suffix in ("obj", "mtl", "jpg"):
        name = f"composite_f18.{suffix}"
        (folder / name).symlink_to(shared / "scans" / "facefuns" / name)
    words = ["fg3d", "--scans", str(folder), "--layout", "mesh", "--out", str(tmp_path / "set")]
    words += ["--face-landmarker", str(shared / "models" / "face_landmarker.task")]
    assert main([*words, "--scheduler", "inline"]) == 1
    lines = (tmp_path / "set" / "failures" / "scans.jsonl").read_text().splitlines()
    failures = {row["key"]: row["message"] for row in map(json.loads, lines)}
    assert failures.keys() == expected.keys()
    for key, words in expected.items():
        assert words in failures[key].lower(), failures[key]
        assert key in failures[key]
    manifest = pq.read_table(tmp_path / "set" / "manifest.parquet")
    assert manifest.num_rows == VIEWS_A_FACE
    assert set(manifest["verdict"].to_pylist()) == {"accept"}
    assert max(manifest["residual_mm"].to_pylist()) < 1.0  # the target for a clean scan
    assert verify(tmp_path / "set") == []
