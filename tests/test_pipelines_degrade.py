"""Profiles, buffers and degradation from the command line to a verified set."""

import json
from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest

from augment.degrade import Degradation, encode_degraded
from augment.view_plan import PROFILES
from faces.errors import BadInput
from faces.morphable import save_model
from imaging.codec import decode_depth, decode_image, decode_normals
from manifests.shard import read_shard
from manifests.verify import verify
from pipelines.cli import main
from pipelines.config import parse_toml, to_dict
from pipelines.recipes.fg3d import complete
from synth.rgbd import write_rgbd
from tests import simulate
from tests.toy import toy_model

BUFFERS = {"depth.png", "normal.png", "pncc.png", "mask.png"}
PLAIN = {"jpg", "json", "synth.png", "vertices.npy"}
FEW = ("--profile", "custom", "--views.max-yaw-deg", "30", "--views.pitches-per-yaw", "1")


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    """Folders of one set made plainly and degraded, with buffers."""
    root = tmp_path_factory.mktemp("degrade")
    model = toy_model()
    save_model(model, root / "toy.npz")
    for number, key in enumerate(("anna/a", "ben/a")):
        rng = np.random.default_rng(number)
        pose = simulate.true_pose(rng, yaw_deg=0)
        scan = simulate.frame(model, simulate.true_shape(model, rng), pose, rng)
        write_rgbd(replace(scan, key=key, subject=key.partition("/")[0]), root / "scans")
    words = ["fg3d", "--scans", str(root / "scans"), "--layout", "rgbd", "--detector", "file"]
    words += ["--model", str(root / "toy.npz"), "--scheduler", "inline", *FEW]
    words += ["--rotate.buffers", "depth_mm,normal,pncc,mask"]
    faults = ["--degrade.enabled", "--degrade.keep-clean"]
    for name, more in (("plain", []), ("degraded", faults)):
        assert main([*words, *more, "--out", str(root / name)]) == 0
    return root / "plain", root / "degraded"


def samples_of(folder, stage="samples"):
    tars = sorted((folder / stage).glob("*.tar"))
    return {key: members for tar in tars for key, members in read_shard(tar)}


def test_both_sets_are_whole(sets):
    for folder in sets:
        assert verify(folder) == []
        assert len(samples_of(folder)) == 2 * 3


def test_every_sample_has_the_same_members(sets):
    plain, degraded = (samples_of(folder) for folder in sets)
    assert {frozenset(members) for members in plain.values()} == {frozenset(PLAIN | BUFFERS)}
    kept = frozenset(PLAIN | BUFFERS | {"clean.jpg"})
    assert {frozenset(members) for members in degraded.values()} == {kept}


def test_degradation_changes_the_image_and_nothing_else(sets):
    plain, degraded = (samples_of(folder) for folder in sets)
    assert samples_of(sets[1], "views") == plain
    for key, members in plain.items():
        other = degraded[key]
        assert other["clean.jpg"] == members["jpg"]
        for name in members.keys() - {"jpg", "json"}:
            assert other[name] == members[name], name
        labels = json.loads(other["json"])
        how = labels.pop("degradation")
        assert labels == json.loads(members["json"])
        how = Degradation(**how | {"gain": tuple(how["gain"])})
        again = encode_degraded(decode_image(members["jpg"]), how)
        assert other["jpg"] == (again if how.any else members["jpg"])
    assert any(degraded[key]["jpg"] != plain[key]["jpg"] for key in plain)


def test_the_manifest_tells_which_samples_are_degraded(sets):
    plain, degraded = (pq.read_table(folder / "manifest.parquet") for folder in sets)
    assert set(plain["degraded"].to_pylist()) == {False}
    found = dict(zip(degraded["key"].to_pylist(), degraded["degraded"].to_pylist(), strict=True))
    changed = {
        key: members["jpg"] != members["clean.jpg"] for key, members in samples_of(sets[1]).items()
    }
    assert found == changed


def test_buffers_are_what_they_say(sets):
    for members in samples_of(sets[0]).values():
        depth, mask = decode_depth(members["depth.png"]), decode_image(members["mask.png"])
        normal, code = decode_normals(members["normal.png"]), decode_image(members["pncc.png"])
        assert {depth.shape, mask.shape, code.shape[:2], normal.shape[:2]} == {(256, 256)}
        face = mask == 255
        assert face.sum() > 5000
        distance = json.loads(members["json"])["translation_mm"][2]
        assert np.abs(depth[face] - distance).max() < 200  # a head's own extent
        np.testing.assert_allclose(np.linalg.norm(normal[face], axis=1), 1, atol=1e-5)
        assert code[face].max() > 100


def test_what_the_profile_says_is_stored_with_the_set(sets):
    stored = parse_toml((sets[0] / "config.toml").read_text())
    assert stored["profile"] == "custom"
    wanted = to_dict(PROFILES["custom"]) | {"max_yaw_deg": 30.0, "pitches_per_yaw": 1}
    assert stored["views"] == wanted


def test_single_settings_override_a_profile():
    given = complete({"profile": "dense", "views": {"step_deg": 10.0}})
    assert given["views"] == to_dict(replace(PROFILES["dense"], step_deg=10.0))
    assert complete({})["views"] == to_dict(PROFILES["fg3d"])


def test_an_unknown_profile_is_refused_with_the_names():
    with pytest.raises(BadInput, match="florence"):
        complete({"profile": "florenz"})
