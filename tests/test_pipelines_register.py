"""The stage "registered": a shard's scans one by one, or as one batch on a device."""

from dataclasses import replace

import numpy as np
import pytest

from faces.errors import BadInput
from faces.morphable import save_model
from manifests.ledger import make_record, write_sidecar
from manifests.shard import ShardWriter, read_shard
from pipelines.config import config_hash
from pipelines.members import face_from_members, scan_members
from pipelines.plan import first_tasks, inputs_hash, next_tasks
from pipelines.recipes.fg3d import Fg3dConfig, identify
from pipelines.stages import register
from registration.ticp import TicpSettings
from tests.simulate import subject
from tests.toy import toy_model

SHORT = TicpSettings(refits=0, fine=TicpSettings().fine[:1])


def registered(folder, device):
    """The record and the faces by key: two good scans, one without landmarks, one damaged."""
    model = toy_model()
    save_model(model, folder / "toy.npz")
    config = Fg3dConfig(model=str(folder / "toy.npz"), basis="full", ticp=SHORT, device=device)
    scans = [replace(subject(model, seed), key=f"good/{seed}") for seed in (0, 1)]
    members = {scan.key: scan_members(scan) for scan in scans}
    members["bare/a"] = scan_members(replace(scans[0], landmarks=None))
    members["torn/a"] = scan_members(scans[0]) | {"color.png": b"torn"}
    (first,) = first_tasks(folder, "scans", [tuple({"key": key} for key in members)])
    with ShardWriter(first.path) as writer:
        for key, files in members.items():
            writer.add(key, files)
    hashes = (config_hash(config), inputs_hash(first))
    rows = [{"subject": "s", "scan": key} for key in members]
    write_sidecar(first.path, make_record(first.name, writer.index, rows, [], hashes, 0.0))
    (second,) = next_tasks(folder, "registered", [first])
    record = register.run(second, config)
    read = read_shard(second.path)
    return record, {key: face_from_members(key, files, model) for key, files in read}


def test_a_batch_gives_the_faces_and_the_failures_of_single_scans(tmp_path):
    pytest.importorskip("torch")
    for name in ("alone", "batch"):
        (tmp_path / name).mkdir()
    record, faces = registered(tmp_path / "alone", "cpu")
    batch, found = registered(tmp_path / "batch", "cpu-torch")
    assert list(found) == list(faces) == ["good/0", "good/1"]
    for key, face in faces.items():
        np.testing.assert_allclose(found[key].vertices_mm, face.vertices_mm, rtol=0, atol=0.01)
    failures = {row["key"]: (row["exception"], row["message"]) for row in record.failures}
    assert failures.keys() == {"bare/a", "torn/a"}
    assert {row["key"]: (row["exception"], row["message"]) for row in batch.failures} == failures
    assert "no landmarks" in failures["bare/a"][1]


def test_a_device_that_is_not_there_is_refused_before_the_run():
    pytest.importorskip("torch")
    with pytest.raises(BadInput, match="torch finds"):
        identify(Fg3dConfig(device="cuda:99"))
    with pytest.raises(BadInput, match="cuda:N"):
        identify(Fg3dConfig(device="tpu"))


def test_the_gpus_of_another_machine_are_its_own_affair():
    config = Fg3dConfig(device="cuda:99")
    remote = replace(config, run=replace(config.run, scheduler="tcp://scheduler:8786"))
    assert identify(remote).device == "cuda:99"
