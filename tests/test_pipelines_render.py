"""`synth render`: the poses asked for, in every label, from people, meshes, photos and sets."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import trimesh
from PIL import Image

from faces.landmarks import write_landmarks
from faces.mesh import similarity
from faces.morphable import read_model, save_model
from faces.rotation import euler_from_matrix, matrix_from_euler
from imaging import codec
from manifests.shard import read_shard
from manifests.verify import verify
from pipelines.cli import main
from synth.pose_plan import PosePlan
from synth.renderer import PART_LABELS
from tests import simulate, terms
from tests.toy import toy_model

ALL_BUFFERS = "depth,normal,pncc,uv,mask,parts,ids"
PICTURE = ("--size-px", "48", "--scheduler", "inline")


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """The toy model, three faces of it as meshes, and two photos."""
    root, model = tmp_path_factory.mktemp("render"), toy_model()
    save_model(model, root / "toy.npz")
    for seed, name in enumerate(("anna/a", "anna/b", "ben/a")):
        rng = np.random.default_rng(seed)
        write_mesh(root / "meshes" / f"{name}.ply", simulate.true_shape(model, rng), model)
        if name.endswith("a"):
            shape = simulate.true_shape(model, rng)
            photo = simulate.frame(model, shape, simulate.true_pose(rng, yaw_deg=0), rng)
            stem = root / "photos" / name
            stem.parent.mkdir(parents=True)
            Image.fromarray(photo.color).save(f"{stem}.jpg", quality=95)
            write_landmarks(photo.landmarks, f"{stem}.landmarks.json")
    terms.say(root / "photos" / "anna")
    return root


def write_mesh(path, shape, model, **more):
    path.parent.mkdir(parents=True, exist_ok=True)
    # elsewhere, turned and in metres: a mesh of one's own has any frame
    turned = shape @ matrix_from_euler(20, -10, 5).T / 1000 + [0.1, 0.2, 0.3]
    trimesh.Trimesh(turned, model.triangles, process=False, **more).export(path)


def render(root, out, *words):
    fixed = ["render", "--out", str(out), "--model", str(root / "toy.npz"), *PICTURE]
    return main([*fixed, *words])


def no_torch_or_cuda():
    if find_spec("torch") is None:
        return "torch is not installed"
    import torch

    return "a CUDA device is there" if torch.cuda.is_available() else ""


def samples(out):
    return {
        key: members
        for shard in sorted((Path(out) / "samples").glob("*.tar"))
        for key, members in read_shard(shard)
    }


def labels_of(out):
    return {key: json.loads(members["json"]) for key, members in samples(out).items()}


@pytest.fixture(scope="module")
def meshes(root):
    """A set of the three meshes, half of the views large, with every buffer."""
    words = ("--yaw-range", "60,90", "--ratio", "0.5", "--views", "4", "--pitch-range", "-20,20")
    faces = ("--faces", str(root / "meshes"), "--buffers", ALL_BUFFERS)
    assert render(root, root / "set", *faces, *words, "--per-shard", "2") == 0
    return root / "set"


def test_a_set_of_meshes_verifies(meshes):
    assert verify(meshes) == []
    keys = [f"{face}_pose{n:03d}" for face in ("anna/a", "anna/b", "ben/a") for n in range(4)]
    rows = pq.read_table(meshes / "manifest.parquet")
    assert rows["key"].to_pylist() == keys
    assert rows["subject"].to_pylist() == ["anna"] * 8 + ["ben"] * 4
    assert set(rows["plan"].to_pylist()) == {"yaw 60,90"}
    assert set(rows["renderer"].to_pylist()) == {"raster"}
    assert rows["requested_yaw_deg"].to_pylist() == [-75, -22.5, 22.5, 75] * 3


def test_the_pose_is_exactly_the_plans(meshes):
    """1e-9: the matrix is made of the plan's angles in float64 and written with all digits."""
    labels = labels_of(meshes)
    assert len(labels) == 12
    for about in labels.values():
        expected = matrix_from_euler(*about["requested"])
        np.testing.assert_allclose(about["rotation"], expected, atol=1e-9)
        angles = [about["yaw_deg"], about["pitch_deg"], about["roll_deg"]]
        np.testing.assert_allclose(angles, [*about["requested"], 0], atol=1e-8)


def test_pitches_are_the_inputs_own_and_lie_in_the_range(meshes):
    rows = pq.read_table(meshes / "manifest.parquet")
    pitches = np.reshape(rows["pitch_deg"].to_pylist(), (3, 4))
    assert (np.abs(pitches) <= 20).all()
    assert len(np.unique(pitches)) == 12
    strata = np.sort(pitches, axis=1) // 10  # four of 10°, one pitch in each
    np.testing.assert_array_equal(strata, [[-2, -1, 0, 1]] * 3)


def test_the_rotation_is_in_the_landmarks(meshes, root):
    """From the model frame to the labelled 3D landmarks: what a trainer would find.

    0.1°: landmarks are rounded to 1 µm and vertices to a step of some µm, on a face of 100 mm,
    so that the true figure is below 0.01°.
    """
    indices = read_model(root / "toy.npz").landmarks["ibug68"]
    for key, members in samples(meshes).items():
        about = json.loads(members["json"])
        vertices = codec.restore_vertices(read_npy(members), about["vertices_step_mm"])
        found = similarity(vertices[indices], np.array(about["landmarks_mm"]) * [1, -1, -1])
        angles = euler_from_matrix(found[1])
        np.testing.assert_allclose(angles, [*about["requested"], 0], atol=0.1, err_msg=key)


def test_the_camera_sees_the_3d_landmarks_where_the_2d_ones_are(meshes):
    from pipelines.members import _camera

    for about in labels_of(meshes).values():
        seen = _camera(about["camera"]).project(np.array(about["landmarks_mm"]))
        # both are rounded to 0.001, in mm and px; a pixel here is some mm
        np.testing.assert_allclose(seen, about["landmarks_px"], atol=0.002)


def test_shape_and_frame_are_the_models(meshes, root):
    """The mesh lay elsewhere in metres; its labels are in the model frame in mm."""
    model = read_model(root / "toy.npz")
    shape = simulate.true_shape(model, np.random.default_rng(0))
    members = samples(meshes)["anna/a_pose000"]
    about = json.loads(members["json"])
    vertices = codec.restore_vertices(read_npy(members), about["vertices_step_mm"])
    scale, rotation, translation = similarity(shape, model.mean_mm.astype(float))
    expected = scale * shape @ rotation.T + translation
    # PLY has float32 metres, of which 1e-7 is 0.1 µm; the step is some µm
    np.testing.assert_allclose(vertices, expected, atol=about["vertices_step_mm"])


def test_every_buffer_is_a_label_of_the_same_pixels(meshes):
    for members in samples(meshes).values():
        seen = codec.decode_image(members["mask.png"]) > 0
        assert seen.any()
        np.testing.assert_array_equal(codec.decode_depth(members["depth.png"]) > 0, seen)
        parts = codec.decode_image(members["parts.png"])
        np.testing.assert_array_equal(parts > 0, seen)
        own = codec.decode_ids(members["ids.png"]) >= 0
        assert (parts[seen & ~own] == PART_LABELS.index("neck")).all()  # what carries it on
        assert not own[~seen].any()
        np.testing.assert_array_equal(codec.decode_uv(members["uv.png"])[1], own)
        normals = codec.decode_normals(members["normal.png"])
        np.testing.assert_array_equal((normals != 0).any(2), seen)
        assert not codec.decode_image(members["pncc.png"])[~own].any()


def test_buffers_alone_that_are_asked_for(root, tmp_path):
    words = ("--faces", str(root / "meshes"), "--preset", "small")
    assert render(root, tmp_path / "uv", *words, "--buffers", "uv") == 0
    assert {frozenset(m) for m in samples(tmp_path / "uv").values()} == {
        frozenset({"jpg", "json", "vertices.npy", "uv.png"})
    }


def test_requested_and_achieved_share_are_in_set_and_rows(meshes):
    said = json.loads((meshes / "shards.json").read_text())["poses"]
    assert said == {
        "plan": "yaw 60,90",
        "requested_large_share": 0.5,
        "achieved_large_share": 0.5,
        "views": 12,
        "large": 6,
        "inputs": 3,
        "failed_inputs": 0,
    }
    table = pq.read_table(meshes / "manifest.parquet")
    about = pq.read_metadata(meshes / "manifest.parquet").metadata
    assert json.loads(about[b"facesynth_poses"]) == said
    assert set(table["requested_large_share"].to_pylist()) == {0.5}
    assert set(table["achieved_large_share"].to_pylist()) == {0.5}


def test_what_fails_is_said_and_leaves_the_share(root, tmp_path):
    model = read_model(root / "toy.npz")
    shape = model.mean_mm.astype(float)
    write_mesh(tmp_path / "in" / "good.ply", shape, model)
    (tmp_path / "in" / "torn.ply").write_bytes((tmp_path / "in" / "good.ply").read_bytes()[:900])
    words = ("--faces", str(tmp_path / "in"), "--layout", "model", "--preset", "yaw")
    assert render(root, tmp_path / "out", *words) == 1
    said = json.loads((tmp_path / "out" / "shards.json").read_text())["poses"]
    assert (said["achieved_large_share"], said["inputs"], said["failed_inputs"]) == (4 / 9, 1, 1)
    assert "1 inputs failed" in (tmp_path / "out" / "report" / "index.html").read_text()
    failure = (tmp_path / "out" / "failures" / "samples.jsonl").read_text()
    assert "torn" in failure


def test_45_degrees_stay_45_degrees(root, tmp_path):
    """Through a matrix and back, or set Y would have six large views of nine."""
    words = ("--faces", str(root / "meshes"), "--preset", "yaw")
    assert render(root, tmp_path / "out", *words) == 0
    table = pq.read_table(tmp_path / "out" / "manifest.parquet")
    assert table["yaw_deg"].to_pylist() == [pose.yaw_deg for pose in PosePlan.yaw()] * 3


def test_workers_do_not_change_the_bytes(meshes, root, tmp_path):
    words = ["--yaw-range", "60", "90", "--ratio", "0.5", "--views", "4"]
    words += [
        "--pitch-range",
        "-20",
        "20",
        "--per-shard",
        "2",
        "--buffers",
        *ALL_BUFFERS.split(","),
    ]
    words += ["--faces", str(root / "meshes"), "--dashboard", "127.0.0.1:0"]
    words += ["--scheduler", "local", "--workers", "2"]
    assert render(root, tmp_path / "two", *words) == 0
    for name in ("samples/00000.tar", "samples/00001.tar", "manifest.parquet", "shards.json"):
        assert (tmp_path / "two" / name).read_bytes() == (meshes / name).read_bytes(), name


def test_virtual_people(root, tmp_path):
    words = ("--subjects", "2", "--preset", "large", "--people.occluder", "none")
    assert render(root, tmp_path / "out", *words) == 0
    assert verify(tmp_path / "out") == []
    rows = pq.read_table(tmp_path / "out" / "manifest.parquet")
    assert rows["key"].to_pylist()[7:9] == ["subject00000_pose007", "subject00001_pose000"]
    assert set(rows["consent"].to_pylist()) == {"not a person"}
    assert rows["achieved_large_share"].to_pylist() == [0.75] * 16
    one, other = (samples(tmp_path / "out")[f"subject0000{n}_pose000"] for n in (0, 1))
    assert one["vertices.npy"] != other["vertices.npy"]


@pytest.fixture(scope="module")
def photos(root):
    """Registered and rendered in one go."""
    words = ("--faces", str(root / "photos"), "--preset", "small", "--detector", "file")
    assert render(root, root / "photoset", *words) == 0
    return root / "photoset"


def test_photos_are_registered_first(photos):
    assert verify(photos) == []
    assert [p.name for p in sorted((photos / "registered").glob("*.tar"))] == ["00000.tar"]
    rows = pq.read_table(photos / "manifest.parquet")
    assert rows.num_rows == 16
    assert set(rows["scan"].to_pylist()) == {"anna/a", "ben/a"}
    assert set(rows["verdict"].to_pylist()) <= {"accept", "review"}
    about = labels_of(photos)["anna/a_pose000"]
    assert {"identity", "expression", "initial", "quality"} <= set(about)


def test_a_set_is_rendered_without_a_second_registration(photos, root, tmp_path):
    assert render(root, tmp_path / "again", "--faces", str(photos), "--preset", "small") == 0
    assert not (tmp_path / "again" / "registered").exists()
    first, again = samples(photos), samples(tmp_path / "again")
    assert first.keys() == again.keys()
    for key in first:
        assert first[key]["jpg"] == again[key]["jpg"], key
        assert first[key]["json"] == again[key]["json"], key
    silent = {"source": "photos"} | terms.UNKNOWN
    for out in (photos, tmp_path / "again"):
        assert terms.said(out) == {"anna": terms.STUDIO, "ben": silent}


def test_the_ladder_is_eleven_sets_that_share_the_registration(root, tmp_path):
    words = ("--faces", str(root / "photos"), "--preset", "ladder", "--detector", "file")
    assert render(root, tmp_path, *words) == 0
    assert (tmp_path / "faces" / "registered" / "00000.tar").exists()
    rungs = sorted(path.name for path in tmp_path.iterdir() if path.name != "faces")
    assert rungs == [f"{share:03d}" for share in range(0, 101, 10)]
    for plan, rung in zip(PosePlan.ladder(10), rungs, strict=True):
        assert verify(tmp_path / rung) == []
        rows = pq.read_table(tmp_path / rung / "manifest.parquet")
        yaws = np.array(rows["yaw_deg"].to_pylist())
        assert (np.abs(yaws) > 45).mean() == plan.achieved_share == int(rung) / 100
        said = json.loads((tmp_path / rung / "shards.json").read_text())["poses"]
        assert said["requested_large_share"] == said["achieved_large_share"] == int(rung) / 100


def test_verbs_of_a_set_know_it(meshes, capsys):
    assert main(["status", str(meshes)]) == 0
    assert "12" in capsys.readouterr().out
    assert main(["verify", str(meshes)]) == 0
    (meshes / "report" / "index.html").unlink()
    assert main(["report", str(meshes), "--faces", "1"]) == 0
    page = (meshes / "report" / "index.html").read_text()
    assert "6 of 12 views" in page
    assert page.count("views.jpg") == 1


REFUSED = {
    "nothing": ((), "--subjects"),
    "both": (("--faces", ".", "--subjects", "1", "--preset", "small"), "both"),
    "no poses": (("--subjects", "1"), "--yaw-range"),
    "no such preset": (("--subjects", "1", "--preset", "chen"), "chen20"),
    "preset and range": (("--subjects", "1", "--preset", "yaw", "--ratio", "1"), "--ratio"),
    "people by another back end": (
        ("--subjects", "1", "--preset", "yaw", "--renderer", "cuda"),
        "virtual people",
    ),
    "no such share": (
        ("--subjects", "1", "--yaw-range", "60,90", "--ratio", "0.1", "--views", "26"),
        "nearest: --ratio 0.115385 or --views 30",
    ),
    "no such rung": (
        ("--subjects", "1", "--preset", "ladder", "--rung", "33"),
        "nearest: --rung 30",
    ),
    "no such buffer": (("--subjects", "1", "--preset", "yaw", "--buffers", "dept"), "depth"),
    "no such folder": (("--faces", "/nowhere", "--preset", "yaw"), "no such folder"),
    "no backgrounds": (("--subjects", "1", "--preset", "yaw", "--background", "folder"), "image"),
    "pitches of its own": (
        ("--subjects", "1", "--preset", "pitch", "--pitch-range", "0,5"),
        "of its own",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_before_work(name, root, tmp_path, capsys):
    words, said = REFUSED[name]
    assert render(root, tmp_path / "out", *words) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(bool(no_torch_or_cuda()), reason=no_torch_or_cuda() or "-")
def test_a_back_end_without_its_device_is_refused_before_work(root, tmp_path, capsys):
    faces = ("--faces", str(root / "meshes"), "--preset", "small", "--renderer", "cuda")
    assert render(root, tmp_path / "set", *faces) == 2
    assert "no CUDA device" in capsys.readouterr().err
    assert not (tmp_path / "set").exists()


def test_another_model_than_the_sets_is_refused(photos, root, tmp_path, capsys):
    save_model(toy_model(grid=21), root / "other.npz")
    words = ["--faces", str(photos), "--preset", "yaw", "--model", str(root / "other.npz")]
    assert render(root, tmp_path / "out", *words) == 2
    assert "registered with" in capsys.readouterr().err


def read_npy(members):
    import io

    return np.load(io.BytesIO(members["vertices.npy"]))
