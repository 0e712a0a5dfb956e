"""From a folder of photos to a verified set with a report."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from faces.landmarks import write_landmarks
from faces.morphable import save_model
from manifests.shard import read_shard
from manifests.verify import verify
from pipelines.cli import main
from pipelines.members import face_from_members
from tests import simulate, terms
from tests.toy import toy_model

NAMES = ("anna/a", "ben/a")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The set, made of two photos and a torn one, and the exit status."""
    root, model = tmp_path_factory.mktemp("photos"), toy_model()
    save_model(model, root / "toy.npz")
    for seed, name in enumerate([*NAMES, "torn/a"]):
        rng = np.random.default_rng(seed)
        shape = simulate.true_shape(model, rng)
        scan = simulate.frame(model, shape, simulate.true_pose(rng, yaw_deg=0), rng)
        stem = root / "photos" / name
        stem.parent.mkdir(parents=True)
        Image.fromarray(scan.color).save(f"{stem}.jpg", quality=95)
        write_landmarks(scan.landmarks, f"{stem}.landmarks.json")
    terms.say(root / "photos" / "anna")
    torn = root / "photos" / "torn" / "a.jpg"
    torn.write_bytes(torn.read_bytes()[:3000])
    words = ["fg3d", "--scans", str(root / "photos"), "--layout", "photo"]
    words += ["--model", str(root / "toy.npz"), "--scheduler", "inline", "--detector", "file"]
    return root, main([*words, "--out", str(root / "set"), "--max-failed", "0.5"])


def test_photos_become_a_set_that_verifies(made):
    root, status = made
    assert status == 0
    assert verify(root / "set") == []
    rows = pq.read_table(root / "set" / "manifest.parquet")
    assert sorted(set(rows["scan"].to_pylist())) == list(NAMES)
    assert set(rows["residual_mm"].to_pylist()) == {None}  # nothing was measured
    assert set(rows["verdict"].to_pylist()) <= {"accept", "review"}


def test_rows_carry_the_terms_of_each_photo(made):
    silent = {"source": "photos"} | terms.UNKNOWN
    assert terms.said(made[0] / "set") == {"anna": terms.STUDIO, "ben": silent}


def test_what_is_unknown_is_null_in_json_and_nan_in_memory(made):
    root, _ = made
    shard = sorted((root / "set" / "registered").glob("*.tar"))[0]
    key, members = next(iter(read_shard(shard)))
    assert json.loads(members["face.json"])["quality"]["residual_mm"] is None
    face = face_from_members(key, members, toy_model())
    assert np.isnan(face.quality.residual_mm)
    assert np.isnan(face.residual_mm).all()


def test_the_torn_photo_is_a_record(made):
    root, _ = made
    (line,) = (root / "set" / "failures" / "scans.jsonl").read_text().splitlines()
    assert json.loads(line)["key"] == "torn/a"
    assert "truncated" in json.loads(line)["message"]


def test_the_report_says_that_there_is_no_depth(made):
    root, _ = made
    page = (root / "set" / "report" / "index.html").read_text()
    assert "no depth: the fitted model alone" in page
    assert "nan" not in page
    assert len(list((root / "set" / "report").glob("*-face.jpg"))) == 2
