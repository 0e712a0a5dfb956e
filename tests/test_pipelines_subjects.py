"""`synth subjects`: the same bytes for any cut of the work, and frames that the reader reads."""

import numpy as np
import pytest

from faces.camera import Pose
from faces.morphable import read_model, save_model
from manifests.verify import verify
from pipelines.cli import main
from registration.readers.rgbd import RgbdReader
from tests import terms
from tests.toy import toy_model

CUT = ("--count", "3", "--expressions", "2", "--sensor", "tof", "--per-shard", "1")


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "toy.npz"
    save_model(toy_model(), path)
    return path


def make(out, toy, *words):
    arguments = ["subjects", "--out", str(out), "--model", str(toy), "--scheduler", "inline"]
    arguments += ["--occluder", "none"]  # a toy has no ears to hang things on
    return main([*arguments, *words])


def frames(out):
    root = out / "rgbd"
    return {p.relative_to(root): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def made(toy, tmp_path_factory):
    out = tmp_path_factory.mktemp("subjects") / "set"
    assert make(out, toy, "--count", "3", "--expressions", "2", "--sensor", "tof") == 0
    return out


def test_the_set_verifies_and_is_read_as_rgbd(made, toy):
    assert verify(made) == []
    reader = RgbdReader(made / "rgbd")
    refs = reader.refs()
    assert [ref.key for ref in refs] == [
        f"subject{person:05d}/frame{frame:03d}" for person in range(3) for frame in range(2)
    ]
    model = read_model(toy)
    for ref in refs:
        scan = reader.read(ref)
        truth = scan.truth
        pose = Pose(truth["rotation"], truth["translation_mm"])
        shape = model.shape(truth["identity"], truth["expression"]) + truth["beyond_mm"]
        np.testing.assert_allclose(pose.apply(shape), truth["vertices_mm"], atol=1e-6)
        assert truth["labels"].shape == scan.depth_mm.shape
        assert truth["visible"].shape == (model.vertex_count,)
        depth = scan.depth_mm[scan.depth_mm > 0]
        np.testing.assert_array_equal(depth, np.rint(depth))  # tof: steps of 1 mm


def test_rows_carry_their_models_terms(made):
    assert terms.said(made) == {f"subject{person:05d}": terms.SIMULATED for person in range(3)}


def test_frames_of_one_person_share_the_person(made):
    reader = RgbdReader(made / "rgbd")
    one, two, other = (reader.read(ref).truth for ref in reader.refs()[:3])
    np.testing.assert_array_equal(one["identity"], two["identity"])
    np.testing.assert_array_equal(one["beyond_mm"], two["beyond_mm"])
    assert (one["rotation"] != two["rotation"]).any()
    assert (one["identity"] != other["identity"]).any()


@pytest.fixture(scope="module")
def cut(toy, tmp_path_factory):
    out = tmp_path_factory.mktemp("subjects") / "cut"
    assert make(out, toy, *CUT) == 0
    return out


def test_bytes_do_not_depend_on_how_the_work_is_cut(made, cut):
    assert frames(cut) == frames(made)


def test_workers_do_not_change_the_bytes(cut, toy, tmp_path):
    """Two processes, each with its own caches and its own order of work, against this one."""
    words = ("--scheduler", "local", "--workers", "2", "--dashboard", "127.0.0.1:0")
    assert make(tmp_path / "local", toy, *CUT, *words) == 0
    shards = [sorted((out / "samples").glob("*.tar")) for out in (cut, tmp_path / "local")]
    assert len(shards[0]) == 3
    assert [p.name for p in shards[0]] == [p.name for p in shards[1]]
    for one, other in zip(*shards, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
    assert frames(tmp_path / "local") == frames(cut)


def test_a_sensor_changes_the_depth_alone_of_what_is_true(made, toy, tmp_path):
    assert make(tmp_path / "clean", toy, "--count", "1", "--sensor", "clean") == 0
    clean, tof = (
        RgbdReader(out / "rgbd").read(RgbdReader(out / "rgbd").refs()[0])
        for out in (tmp_path / "clean", made)
    )
    np.testing.assert_array_equal(clean.truth["vertices_mm"], tof.truth["vertices_mm"])
    assert (clean.depth_mm != tof.depth_mm).mean() > 0.2
    assert (clean.depth_mm > 0).sum() > (tof.depth_mm > 0).sum()


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--sensor", "kinetic"), "truedepth"),
        (("--count", "0"), "--count"),
        (("--occluder", "cat"), "scarf"),
    ],
)
def test_bad_words_are_refused(words, named, toy, tmp_path, capsys):
    assert make(tmp_path / "none", toy, *words) == 2
    assert named in capsys.readouterr().err
