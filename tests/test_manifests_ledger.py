"""Sidecars: the mark of completion, and nothing less than whole."""

import json
import os

import pytest

from manifests.ledger import (
    make_failure,
    make_record,
    read_sidecar,
    shard_paths,
    state,
    write_sidecar,
)
from manifests.schema import check_row
from manifests.shard import BadShard, ShardWriter, sidecar_path

ROW = {"subject": "p", "source": "s", "licence": "CC0-1.0", "consent": "yes"}
HASHES = ("config", "inputs")


@pytest.fixture
def record(tmp_path):
    with ShardWriter(tmp_path / "00000.tar") as writer:
        writer.add("a", {"jpg": b"1", "json": b"2"})
        writer.add("b", {"jpg": b"3"})
    failures = [make_failure("c", "samples", ValueError("no face"), "config")]
    rows = [check_row({**ROW, "yaw_deg": 15.0}), check_row(ROW)]
    record = make_record("samples/00000", writer.index, rows, failures, HASHES, 1.5)
    write_sidecar(tmp_path / "00000.tar", record)
    return record


def test_a_record_comes_back_as_it_was(tmp_path, record):
    assert read_sidecar(tmp_path / "00000.tar") == record
    assert record.failures[0] == {
        "key": "c",
        "stage": "samples",
        "exception": "ValueError",
        "message": "no face",
        "config_hash": "config",
    }


def test_states(tmp_path, record):
    tar = tmp_path / "00000.tar"
    assert state(tar, *HASHES) == "done"
    assert state(tar, "other", "inputs") == "stale"
    assert state(tar, "config", "other") == "stale"
    assert state(tmp_path / "00001.tar", *HASHES) == "missing"
    with open(tar, "ab") as file:
        file.write(b"x")
    assert state(tar, *HASHES) == "missing"
    tar.unlink()
    assert state(tar, *HASHES) == "missing"


def test_a_sidecar_cut_anywhere_is_refused(tmp_path, record):
    path = sidecar_path(tmp_path / "00000.tar")
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 7):  # the last byte is the newline, which says nothing
        path.write_bytes(whole[:length])
        with pytest.raises(BadShard):
            read_sidecar(tmp_path / "00000.tar")
    assert state(tmp_path / "00000.tar", *HASHES) == "missing"


def test_a_sidecar_with_any_bit_flipped_is_refused(tmp_path, record):
    path = sidecar_path(tmp_path / "00000.tar")
    whole = path.read_bytes()
    for i in range(0, len(whole) - 1, 5):
        path.write_bytes(whole[:i] + bytes([whole[i] ^ 1]) + whole[i + 1 :])
        with pytest.raises(BadShard):
            read_sidecar(tmp_path / "00000.tar")


def test_an_edited_sidecar_is_refused(tmp_path, record):
    path = sidecar_path(tmp_path / "00000.tar")
    path.write_text(json.dumps({**json.loads(path.read_text()), "count": 1}))
    with pytest.raises(BadShard, match="checksum"):
        read_sidecar(tmp_path / "00000.tar")


def test_shards_are_listed_by_number_and_other_files_are_not(tmp_path):
    for name in ("00002.tar", "100000.tar", "00001.json", "notes.json", ".00003.tar.partial-1"):
        (tmp_path / name).touch()
    assert [p.name for p in shard_paths(tmp_path)] == ["00001.tar", "00002.tar", "100000.tar"]


def test_rows_must_match_the_samples(tmp_path):
    with ShardWriter(tmp_path / "00000.tar") as writer:
        writer.add("a", {"jpg": b"1"})
    with pytest.raises(ValueError, match="0 rows for 1 samples"):
        make_record("samples/00000", writer.index, [], [], HASHES, 0.0)


def test_writing_where_one_may_not_leaves_no_partial_file(tmp_path, record):
    (tmp_path / "00001.json").mkdir()  # a folder cannot be replaced by a file
    with pytest.raises(OSError, match="00001"):
        write_sidecar(tmp_path / "00001.tar", record)
    assert sorted(os.listdir(tmp_path)) == ["00000.json", "00000.tar", "00001.json"]
