"""``synth audit``: known poses from sets, tables, tars and photos, and the status it ends with."""

import argparse
import io
import json
import logging
import tarfile
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from faces.errors import BadInput
from faces.landmarks import write_landmarks
from faces.morphable import save_model
from faces.rotation import matrix_from_euler
from manifests.audit import Audit, paper_audit
from manifests.pose_mix import views_to_reach
from manifests.pose_tables import Fault
from manifests.shard import ShardWriter
from pipelines.auditing.picture import draw_audits, heat_colors
from pipelines.auditing.pose_paths import audit_path, kind_of
from pipelines.auditing.pose_photos import PoseOptions, fit_pose, head_angles
from pipelines.auditing.pose_tars import expand, tar_files
from pipelines.auditing.text import mix_lines, render_command, ways_of
from pipelines.cli import main
from pipelines.flags import from_arguments
from pipelines.recipes.render import RECIPE
from pipelines.verbs import render
from tests import simulate
from tests.toy import toy_model

NO_PHOTOS = PoseOptions()


@pytest.fixture(autouse=True)
def _own_logging():
    """The command sets up logging for its process; put back what pytest had."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def jpeg(color):
    data = io.BytesIO()
    Image.fromarray(color).save(data, "JPEG")
    return data.getvalue()


def table(path, yaws, **others):
    pq.write_table(pa.table({"yaw_deg": np.array(yaws, float), **others}), path)
    return str(path)


# --- tars


@pytest.fixture
def tars(tmp_path):
    """Two shards: angles, a rotation, a requested pose; and what gives none."""
    turned = matrix_from_euler(-70, 10, 20)
    first = {
        "a": {"yaw_deg": 10.0, "pitch_deg": -5.0, "split": "train", "subject": "x"},
        "b": {"rotation": turned.tolist(), "requested": [-72.0, 10.0]},
        "c": {"yaw_deg": "far"},
        "d": {"rotation": (2 * turned).tolist()},
    }
    with ShardWriter(tmp_path / "set" / "00000.tar") as writer:
        for key, labels in first.items():
            writer.add(key, {"json": json.dumps(labels).encode(), "jpg": b"never read"})
    with ShardWriter(tmp_path / "set" / "00001.tar") as writer:
        writer.add("e", {"json": b"{broken"})
        writer.add("f", {"txt": b"a caption"})
        writer.add("g", {"json": json.dumps({"yaw_deg": 50}).encode()})
    return tmp_path / "set"


def test_tars_tell_poses_and_what_lacks_them(tars):
    audit = audit_path(str(tars), NO_PHOTOS)
    assert audit.kind == "tars"
    assert audit.counts.bins.tolist() == [1, 0, 0, 1, 1, 0, 0]
    assert audit.requested.bins.tolist() == [0, 0, 0, 0, 1, 0, 0]
    assert audit.groups["subject"] == {"x": [1, 0]}
    found = {fault.name: fault.kind for fault in audit.named}
    assert found == {
        "00000.tar/c": "damaged",
        "00000.tar/d": "damaged",
        "00001.tar/e": "damaged",
        "00001.tar/f": "no pose",
    }
    assert audit.rows == 7
    row, column = 18 + 2, 18 - 14  # pitch 10°, yaw -70°: cells of 5°
    assert audit.counts.grid[row, column] == 1


def test_tars_by_pattern_and_by_name(tars):
    everything = audit_path(str(tars), NO_PHOTOS).to_dict()
    for pattern in ("{00000..00001}.tar", "0000{0,1}.tar", "*.tar"):
        found = audit_path(f"{tars}/{pattern}", NO_PHOTOS).to_dict()
        assert found == {**everything, "name": f"{tars}/{pattern}"}
    assert audit_path(f"{tars}/00001.tar", NO_PHOTOS).rows == 3
    with pytest.raises(BadInput, match=r"no '00002.tar'"):
        audit_path(f"{tars}/{{00000..00002}}.tar", NO_PHOTOS)


def test_braces_keep_their_width():
    assert expand("a{08..11}b{x,y}") == [
        f"a{n}b{w}" for n in ("08", "09", "10", "11") for w in "xy"
    ]
    assert expand("plain") == ["plain"]
    assert tar_files("none/{1..2}.tar")[1].name == "2.tar"


def test_a_tar_that_is_cut_off_gives_what_it_holds(tars):
    whole = (tars / "00000.tar").read_bytes()
    (tars / "00000.tar").write_bytes(whole[: whole.index(b"c.jpg") + 700])
    audit = audit_path(str(tars / "00000.tar"), NO_PHOTOS)
    assert audit.counts.total == 2
    assert "the tar ends here" in audit.named[-1].what
    (tars / "00000.tar").write_bytes(b"no tar at all")
    audit = audit_path(str(tars / "00000.tar"), NO_PHOTOS)
    assert (audit.counts.total, audit.faults) == (0, {"damaged": 1})


def test_compressed_tars_are_read_too(tmp_path):
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as tar:
        for key in "ab":
            data = json.dumps({"yaw_deg": 80}).encode()
            member = tarfile.TarInfo(f"./deep/{key}.json")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    assert audit_path(str(tmp_path / "x.tar.gz"), NO_PHOTOS).counts.large == 2


# --- photos


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """(folder, options, yaw and pitch by name): a toy head at known poses, and odd files."""
    root, model = tmp_path_factory.mktemp("photos"), toy_model()
    save_model(model, root / "toy.npz")
    (root / "in" / "deep").mkdir(parents=True)
    poses = {}
    for seed, yaw in enumerate((0.0, 25.0, -40.0)):
        rng = np.random.default_rng(seed)
        pose = simulate.true_pose(rng, yaw_deg=yaw)
        scan = simulate.frame(model, simulate.true_shape(model, rng), pose, rng)
        stem = root / "in" / "deep" / f"p{seed}"
        stem.with_suffix(".jpg").write_bytes(jpeg(scan.color))
        write_landmarks(scan.landmarks, f"{stem}.landmarks.json")
        poses[f"deep/p{seed}.jpg"] = head_angles(pose.rotation)
    torn = root / "in" / "torn.jpg"
    torn.write_bytes((root / "in" / "deep" / "p0.jpg").read_bytes()[:2000])
    Image.new("RGB", (80, 80)).save(root / "in" / "odd.webp")
    return root / "in", PoseOptions(model=str(root / "toy.npz")), poses


def test_photos_give_their_poses_and_the_others_are_named(photos):
    """Landmarks 1 px off on a head 250 px wide: the fit's yaw is within 4° on these shapes, which
    are off the model by 2 mm; the bins are chosen to have more room than that."""
    folder, options, poses = photos
    audit = audit_path(str(folder), options)
    assert (audit.kind, audit.counts.total, audit.rows) == ("photos", len(poses), 5)
    assert {f.name: f.kind for f in audit.named} == {"odd.webp": "left out", "torn.jpg": "damaged"}
    assert audit.counts.bins.tolist() == [1, 1, 1, 0, 0, 0, 0]
    assert audit.counts.grid[:, 18 - 10 : 18].sum() >= 1  # to image left
    assert audit.counts.grid[:, 18 + 3 : 18 + 8].sum() == 1  # to image right


def test_the_fit_finds_the_turn(photos):
    """The same tolerance, on the angles themselves."""
    folder, options, poses = photos
    from pipelines.auditing.pose_photos import photo_jobs, poses_of

    rows = [row for row in poses_of(photo_jobs(folder), options) if not isinstance(row, Fault)]
    assert [row["key"] for row in rows] == sorted(poses)
    for row in rows:
        assert row["yaw_deg"] == pytest.approx(poses[row["key"]][0], abs=4)


def test_photos_come_out_the_same_for_two_processes(photos):
    folder, options, _ = photos
    more = PoseOptions(options.landmarker, options.model, workers=2)
    assert audit_path(str(folder), more).to_dict() == audit_path(str(folder), options).to_dict()


def test_landmarks_that_are_no_face_are_no_pose():
    model = toy_model()
    rng = np.random.default_rng(1)
    scan = simulate.frame(model, model.mean_mm, simulate.true_pose(rng, 0.0), rng)
    shuffled = scan.landmarks.points_px[rng.permutation(68)]
    scan.landmarks.points_px[:] = shuffled
    with pytest.raises(BadInput, match="mm from the fit"):
        fit_pose(scan, model)


def test_a_photo_without_a_detector_is_refused_at_once(tmp_path, monkeypatch):
    """Not a fault of each photo: the run stops and says what to download."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "none"))
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_bytes(jpeg(np.zeros((99, 99, 3), np.uint8)))
    with pytest.raises(BadInput, match="landmark detector: none available"):
        audit_path(str(tmp_path / "in"), NO_PHOTOS)


def test_the_detector_finds_frontal_people_frontal(shared):
    """Eight studio portraits, all taken from the front; pictures in tars go the same way."""
    landmarker = shared / "models" / "face_landmarker.task"
    folder = shared / "photos" / "canada"
    if not landmarker.is_file() or not folder.is_dir():
        pytest.skip("no landmarker or photos")
    pytest.importorskip("mediapipe")
    audit = audit_path(str(folder), PoseOptions(str(landmarker)))
    assert audit.counts.bins.tolist() == [8, 0, 0, 0, 0, 0, 0]


def test_pictures_in_tars_are_fitted(shared, tmp_path):
    """A portrait, a picture of nothing and a damaged one, none with a pose in its JSON."""
    landmarker = shared / "models" / "face_landmarker.task"
    photo = shared / "photos" / "canada" / "003f.jpg"
    if not landmarker.is_file() or not photo.is_file():
        pytest.skip("no landmarker or photos")
    pytest.importorskip("mediapipe")
    with ShardWriter(tmp_path / "x.tar") as writer:
        writer.add("face", {"jpg": photo.read_bytes(), "json": b'{"subject": "003"}'})
        writer.add("grey", {"jpg": jpeg(np.full((200, 200, 3), 127, np.uint8))})
        writer.add("torn", {"jpg": photo.read_bytes()[:5000]})
        writer.add("text", {"jpg": b"not a picture"})
    audit = audit_path(str(tmp_path / "x.tar"), PoseOptions(str(landmarker)))
    assert audit.counts.bins.tolist() == [1, 0, 0, 0, 0, 0, 0]
    assert audit.groups["subject"] == {"003": [1, 0]}
    kinds = [(f.name, f.kind) for f in audit.named]
    assert kinds == [
        ("x.tar/grey", "no face"),
        ("x.tar/torn", "damaged"),
        ("x.tar/text", "damaged"),
    ]


@pytest.mark.parametrize("yaw", [-130, -95, -60, 0, 60, 95, 130])
def test_heads_turned_past_their_profile_keep_their_yaw(yaw):
    found = head_angles(matrix_from_euler(yaw, 12, -7))
    np.testing.assert_allclose(found, (yaw, 12), atol=1e-9)


def test_a_head_that_looks_straight_down_is_not_turned_round():
    """Set P of the paper has pitches of ±90°; a little more must not become a yaw of 180°."""
    for pitch in (90, -90, 90.001, -90.001):
        np.testing.assert_allclose(head_angles(matrix_from_euler(0, pitch)), (0, pitch), atol=1e-9)


# --- the command


def test_the_command_compares_sets_and_writes_files(tmp_path, capsys):
    (tmp_path / "set").mkdir()
    table(tmp_path / "set" / "manifest.parquet", [0, 50, 60, 90], pitch_deg=[0.0, 5.0, -5.0, 0.0])
    other = table(tmp_path / "other.parquet", [10.0] * 9 + [70.0])
    files = ["--json", str(tmp_path / "a.json"), "--png", str(tmp_path / "a.png")]
    words = ["audit", str(tmp_path / "set"), other, "--target-ratio", "0.5", *files]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "75.000%" in out
    assert "284,701   6.342%" in out
    record = json.loads((tmp_path / "a.json").read_text())
    assert [each["kind"] for each in record["sets"]] == ["manifest", "table"]
    assert record["sets"][0]["bins"]["(45,60]"] == 2
    assert record["sets"][0]["to_reach"]["small"] == 2
    assert record["sets"][1]["to_reach"]["large"] == 8
    assert record["paper"]["large"] == 284_701
    assert Image.open(tmp_path / "a.png").width == 1200


def test_the_command_says_what_was_not_read_by_its_status(tmp_path, capsys):
    path = table(tmp_path / "x.parquet", [10, np.nan, 50, 20])
    assert main(["audit", path]) == 1
    assert "row 2: no pose" in capsys.readouterr().out
    assert main(["audit", path, "--max-failed", "0.25"]) == 0
    assert main(["audit", path, "--target-ratio", "1.5"]) == 2


def test_the_command_refuses_what_it_does_not_know(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "both").mkdir()
    (tmp_path / "both" / "a.jpg").write_bytes(b"")
    (tmp_path / "both" / "a.tar").write_bytes(b"")
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "plan.json").write_text("{}")
    cases = {
        "empty": "a folder with none of these",
        "both": "tars and loose photos together",
        "missing.tar": "no such file",
        "missing": "no such file",
        "unfinished": "without manifest.parquet",
    }
    for name, words in cases.items():
        assert main(["audit", str(tmp_path / name)]) == 2
        error = capsys.readouterr().err
        assert words in error
        assert error.count("\n") == 1
    table(tmp_path / "none.parquet", [])
    assert main(["audit", str(tmp_path / "none.parquet")]) == 2
    assert "holds nothing" in capsys.readouterr().err


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(BadInput, match="of no known kind"):
        kind_of(str(tmp_path / "notes.txt"))


# --- what to render


def counted(large, small, subjects=()):
    audit = Audit("x", "table")
    audit.counts.bins[[0, 5]] = small, large
    audit.rows = large + small
    audit.groups["subject"] = {name: [1, 0] for name in subjects}
    return audit


def config_of(words):
    parser = argparse.ArgumentParser()
    render.add_arguments(parser)
    return from_arguments(RECIPE.config, parser.parse_args(words), {}, RECIPE.complete)


@pytest.mark.parametrize("target", ["0.1", "0.5", "0.9", "0.063", "1/3"])
def test_rendering_as_told_reaches_the_share(target):
    """Every way offered, its command read as `synth render` reads it, its plan counted again."""
    target = Fraction(target)
    for large, small, people in ((6, 94, 10), (90, 10, 10), (50, 51, 400), (0, 3, 1)):
        audit = counted(large, small, [f"s{k}" for k in range(people)])
        addition = views_to_reach(large, large + small, target)
        for faces, views in ways_of(audit, addition) if addition.views else ():
            after = counted(large, small)
            words = render_command(audit, addition, faces, views).split()[2:]
            plan = config_of(words).pose_plan
            assert len(plan.poses) == views
            after.counts.add(np.array([pose.yaw_deg for pose in plan.poses] * faces))
            share = Fraction(after.counts.large, after.counts.total)
            assert share >= target if addition.large else share <= target
            # Less than one view a face more than the fewest: as near as whole views allow.
            assert addition.views <= faces * views < addition.views + faces


def test_mix_lines_say_command_or_why_not():
    lines = mix_lines(counted(10, 90, "ab"), Fraction(1, 2))
    text = "\n".join(lines)
    assert "at least 80 large views more" in text
    assert "2 faces at 40 views: 50.000%" in text
    assert "--faces FACES --out OUT --yaw-range 60,90 --ratio 1.0 --views 40" in text
    assert "--yaw-range 0,45 --ratio 0.0" in "\n".join(mix_lines(counted(9, 1), Fraction(1, 2)))
    assert "nothing to render" in "\n".join(mix_lines(counted(5, 5), Fraction(1, 2)))
    assert "cannot be had" in "\n".join(mix_lines(counted(5, 5), Fraction(1)))


def test_a_folder_of_photos_is_named_where_all_of_them_are_rendered():
    """62 frontal photos: one large view of each makes half; of three of them, the user picks."""
    audit = counted(0, 62)
    audit.name, audit.kind = "PHOTOS", "photos"
    text = "\n".join(mix_lines(audit, Fraction(1, 2)))
    assert "62 faces at 1 view: 50.000%\n    synth render --faces PHOTOS" in text
    assert "3 faces at 21 views: 50.400%\n    synth render --faces FACES" in text


# --- the picture


def test_the_picture_shows_where_poses_are(tmp_path):
    """A set of one yaw has one coloured cell, at its place; the paper's row has no map."""
    audit = Audit("one", "table")
    audit.counts.add(np.full(50, 40.0), np.full(50, -30.0))
    colors = heat_colors(audit.counts.grid)
    assert ((colors != 255).any(-1) == (audit.counts.grid > 0)).all()
    draw_audits([audit, paper_audit()], tmp_path / "a.png")
    with_map = Image.open(tmp_path / "a.png")
    draw_audits([paper_audit()], tmp_path / "b.png")
    assert with_map.height > Image.open(tmp_path / "b.png").height + 37 * 9
