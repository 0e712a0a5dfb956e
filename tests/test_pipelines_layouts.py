"""The first stage on layouts of others: plan, options and shard, down to the scan that is kept."""

import numpy as np
import pytest
from PIL import Image

from faces.errors import BadInput
from faces.landmarks import write_landmarks
from manifests.shard import read_shard
from pipelines.members import scan_from_members
from pipelines.recipes.fg3d import RECIPE, Fg3dConfig
from pipelines.stages import scans
from tests import simulate
from tests.test_registration_readers_organised import write_abs
from tests.test_registration_readers_realsense import realsense, write
from tests.toy import toy_model


@pytest.fixture(scope="module")
def frame():
    return simulate.subject(toy_model(), 5)


def kept(root, out, **options):
    """The scans of the first stage's shards, and its failures' messages."""
    config = Fg3dConfig(scans=str(root), detector="file", **options)
    found, messages = {}, []
    for task in RECIPE.plan(config, out):
        if task.stage == "scans":
            record = scans.run(task, config)
            messages += [failure["message"] for failure in record.failures]
            found |= {
                key: scan_from_members(key, members) for key, members in read_shard(task.path)
            }
    return found, messages


def points_of(scan):
    v, u = np.mgrid[: scan.camera.height, : scan.camera.width] + 0.5
    points = scan.camera.unproject(np.stack([u, v], -1), scan.depth_mm.astype(np.float64))
    points[scan.depth_mm <= 0] = np.nan
    return points


def test_frgc_by_auto_down_to_the_shard(tmp_path, frame):
    home = tmp_path / "scans"
    write_abs(home / "04201d302.abs.gz", points_of(frame))
    Image.fromarray(frame.color).save(home / "04201d303.ppm")
    write_landmarks(frame.landmarks, home / "04201d302.landmarks.json")
    write_abs(home / "04202d400.abs.gz", points_of(frame))  # its image is missing
    found, messages = kept(home, tmp_path / "out", consent="research")
    assert list(found) == ["04201/d302"]
    scan = found["04201/d302"]
    assert (scan.subject, scan.provenance.source) == ("04201", "FRGC v2")
    assert scan.provenance.consent == "research"
    np.testing.assert_array_equal(scan.color, frame.color)
    np.testing.assert_allclose(scan.depth_mm, frame.depth_mm, atol=0.06)  # kept in tenths of mm
    assert scan.camera.fx == pytest.approx(frame.camera.fx, rel=1e-6)
    (message,) = messages
    assert "04202d400" in message
    assert "no colour image" in message


def test_options_reach_the_layout_that_has_them(tmp_path):
    home = tmp_path / "scans"
    write(home / "alice", realsense(5))
    config = Fg3dConfig(scans=str(home), frames="every:2")
    tasks = [task for task in RECIPE.plan(config, tmp_path / "out") if task.stage == "scans"]
    keys = [ref["key"] for task in tasks for ref in task.inputs]
    assert keys == [f"alice/head/f00000{i}" for i in (0, 2, 4)]
    assert all(ref["bytes"]["recording"] > 0 for task in tasks for ref in task.inputs)
    with pytest.raises(BadInput, match="intrinsics"):
        RECIPE.plan(Fg3dConfig(scans=str(home), intrinsics="freiburg1"), tmp_path / "out")
