"""Whatever fails in a commit, and wherever a process dies in it: never half a shard counts."""

import errno
import hashlib
import os
import random
import subprocess

import pytest
from engine_toy import RECIPE, toy_config
from faulty_storage import DISK_FULL, Died, Dropped, Faults, FlakyStore, faulty_disk

from manifests import faults as told
from manifests.faults import WriteError, hopeless
from manifests.ledger import make_record, state, write_sidecar
from manifests.shard import ShardWriter, sidecar_path
from manifests.storage import locate, read_bytes
from manifests.verify import verify
from pipelines.plan import load_plan
from pipelines.run import run_recipe

ROW = {"subject": "p", "source": "s", "licence": "CC0-1.0", "consent": "yes"}
OLD, NEW = ("old settings", "inputs"), ("new settings", "inputs")
pytestmark = pytest.mark.filterwarnings("ignore:UPath 'flaky'")  # says it is not known
SIZE = 30_000  # several writes a member


def commit(tar, hashes):
    """A shard and its sidecar; two of them have the same size and other bytes. The checksum."""
    with ShardWriter(tar) as writer:
        writer.add("a", {"jpg": random.Random(hashes[0]).randbytes(SIZE), "json": b"{}"})
    record = make_record("samples/00000", writer.index, [ROW], [], hashes, 0.0)
    write_sidecar(tar, record)
    return record.sha256


def check(tar, checksums):
    """No sidecar vouches for other bytes than its own."""
    for hashes, sha256 in checksums.items():
        if state(tar, *hashes) == "done":
            assert hashlib.sha256(read_bytes(tar)).hexdigest() == sha256


@pytest.fixture(scope="module")
def checksums(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    return {hashes: commit(folder / f"{hashes[0]}.tar", hashes) for hashes in (OLD, NEW)}


def number_of_calls(tmp_path, monkeypatch):
    faults = Faults()
    commit(tmp_path / "00000.tar", OLD)
    with faulty_disk(faults, monkeypatch):
        commit(tmp_path / "00000.tar", NEW)
    return faults.log


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, errno.EACCES, errno.EROFS, None])
def test_a_fault_at_any_system_call_of_a_commit(tmp_path, monkeypatch, checksums, fault):
    calls = number_of_calls(tmp_path / "count", monkeypatch)
    assert {"open", "write", "fsync", "replace", "unlink"} == set(calls)
    for at in range(len(calls)):
        tar = tmp_path / str(at) / "00000.tar"
        commit(tar, OLD)
        faults = Faults(at, None if fault is None else OSError(fault, os.strerror(fault)))
        expected = Died if fault is None else WriteError
        with pytest.raises(expected) as caught, faulty_disk(faults, monkeypatch):
            commit(tar, NEW)
        assert faults.happened
        if fault is not None:
            assert str(tar.parent) in str(caught.value)
            assert hopeless(caught.value) == (fault != errno.EIO)
            assert {p.suffix for p in tar.parent.iterdir()} <= {".tar", ".json"}
            assert not [p for p in tar.parent.iterdir() if p.name.startswith(".")]
        check(tar, checksums)
        commit(tar, NEW)
        assert state(tar, *NEW) == "done"
        check(tar, checksums)


@pytest.fixture
def flaky():
    FlakyStore.store.clear()
    FlakyStore.pseudo_dirs[:] = [""]
    FlakyStore.faults = Faults()
    yield locate("flaky://bucket/set")
    FlakyStore.faults = Faults()


@pytest.mark.parametrize("fault", [Dropped("gone"), ConnectionResetError("reset"), None])
def test_a_connection_lost_at_any_request_of_a_commit(flaky, checksums, fault):
    tar = flaky / "samples" / "00000.tar"
    commit(tar, OLD)
    FlakyStore.faults = counting = Faults()
    commit(tar, NEW)
    assert {"put", "head", "delete"} <= set(counting.log)
    for at in range(counting.count):
        FlakyStore.faults = Faults()
        commit(tar, OLD)
        FlakyStore.faults = Faults(at, fault)
        with pytest.raises(Died if fault is None else WriteError):
            commit(tar, NEW)
        assert FlakyStore.faults.happened
        FlakyStore.faults = Faults()
        check(tar, checksums)
        commit(tar, NEW)
        assert state(tar, *NEW) == "done"
        check(tar, checksums)


def test_a_whole_run_over_a_connection_that_keeps_dropping(flaky, tmp_path):
    """Its tars are those of a local run, and no input is blamed for the connection."""
    options = {"inputs": 7, "bad": ["s003"], "max_failed": 1.0}
    assert run_recipe(RECIPE, toy_config(tmp_path, **options)) == 0
    rng = random.Random(2)
    FlakyStore.faults = Faults(fault=Dropped("gone"), every=lambda: rng.random() < 0.03)
    codes = []
    while 0 not in codes:
        assert len(codes) < 200
        try:
            codes.append(run_recipe(RECIPE, toy_config(flaky, **options)))
        except OSError as error:
            codes.append(type(error))
    FlakyStore.faults = Faults()
    assert len(codes) > 3  # or the connection was too good to say anything
    assert verify(flaky, [name for name, _, _ in load_plan(flaky)["shards"]]) == []
    tars = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.tar"))
    for name in [*tars, "manifest.parquet", "shards.json", "failures/scans.jsonl", "config.toml"]:
        assert read_bytes(flaky / str(name)) == (tmp_path / name).read_bytes(), name


def test_what_a_full_disk_says(tmp_path, monkeypatch):
    tar = tmp_path / "00000.tar"
    with pytest.raises(WriteError) as caught, faulty_disk(Faults(1, DISK_FULL), monkeypatch):
        commit(tar, NEW)
    words = str(caught.value)
    assert caught.value.errno == errno.ENOSPC
    for part in ("00000.tar", "could not write", "No space left", "bytes free", "same command"):
        assert part in words


def test_every_refusal_says_what_to_do():
    for number in (*told._FULL, *told._FORBIDDEN):
        assert "same command" in told._REMEDIES[number]


def mounted(folder, options):
    folder.mkdir()
    found = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], capture_output=True
    )
    if found.returncode:
        pytest.skip(f"no tmpfs can be mounted here: {found.stderr.decode().strip()}")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting needs root")
def test_a_disk_that_fills_up(tmp_path):
    """A real one of 256 KiB: the run stops with its name, and goes on where there is room."""
    disk = tmp_path / "disk"
    mounted(disk, "size=256k")
    try:
        config = toy_config(disk / "set", inputs=8, nbytes=20_000)
        with pytest.raises(OSError, match=r"(?s)could not write .* No space left .*0 bytes free"):
            run_recipe(RECIPE, config)
        assert not [path for path in disk.rglob(".*partial*")]
        for tar in disk.rglob("*.tar"):
            assert sidecar_path(tar).exists()
        subprocess.run(["mount", "-o", "remount,size=4m", str(disk)], check=True)
        assert run_recipe(RECIPE, config) == 0
        assert verify(disk / "set") == []
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="mounting needs root")
def test_a_disk_that_is_read_only(tmp_path):
    disk = tmp_path / "disk"
    mounted(disk, "size=1m")
    try:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(WriteError, match=r"Read-only.*give another --out"):
            run_recipe(RECIPE, toy_config(disk / "set"))
    finally:
        subprocess.run(["umount", str(disk)], check=True)
