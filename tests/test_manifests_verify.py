"""verify finds every way in which a set can be damaged; merge depends on the sidecars alone."""

import json
import os
import random

import pyarrow.parquet as pq
import pytest
from engine_toy import RECIPE, toy_config

from manifests.index import manifest_table, merge, read_records
from manifests.ledger import make_record, read_sidecar, write_sidecar
from manifests.schema import SAMPLE_FIELDS
from manifests.shard import ShardWriter, read_entry, scan_shard
from manifests.splits import split_of
from manifests.storage import Ranges
from manifests.verify import verify
from pipelines.plan import load_plan
from pipelines.run import run_recipe


@pytest.fixture
def toy_set(tmp_path):
    config = toy_config(tmp_path / "set", inputs=7, bad=["s003"], max_failed=1.0)
    assert run_recipe(RECIPE, config) == 0
    return tmp_path / "set"


def found(toy_set):
    """Paths with problems."""
    names = [name for name, _, _ in load_plan(toy_set)["shards"]]
    return {problem.path for problem in verify(toy_set, names)}


def test_a_sound_set_has_no_problems(toy_set):
    assert found(toy_set) == set()


@pytest.mark.parametrize("stage", ["scans", "samples"])
def test_any_flipped_byte_is_found(toy_set, stage):
    tar = toy_set / stage / "00001.tar"
    whole = tar.read_bytes()
    for position in random.Random(0).sample(range(len(whole)), 20):
        tar.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        assert f"{stage}/00001.tar" in found(toy_set)


def test_a_tar_cut_between_samples_is_found(toy_set):
    tar = toy_set / "samples" / "00001.tar"
    entry = scan_shard(tar).entries[-1]
    os.truncate(tar, entry.offset)
    assert len(scan_shard(tar).entries) == entry_count(toy_set) - 1  # tar itself sees no error
    assert "samples/00001.tar" in found(toy_set)


def entry_count(toy_set):
    return read_sidecar(toy_set / "samples" / "00001.tar").count


def test_a_deleted_shard_is_found(toy_set):
    (toy_set / "samples" / "00002.tar").unlink()
    assert "samples/00002.tar" in found(toy_set)


def test_a_deleted_sidecar_is_found(toy_set):
    (toy_set / "samples" / "00002.json").unlink()
    assert "samples/00002.tar" in found(toy_set)


def test_a_shard_deleted_with_its_sidecar_is_found(toy_set):
    for ending in ("tar", "json"):
        (toy_set / "scans" / f"00002.{ending}").unlink()
    assert "scans/00002.tar" in found(toy_set)


def test_a_torn_sidecar_is_found(toy_set):
    path = toy_set / "samples" / "00000.json"
    path.write_bytes(path.read_bytes()[:-30])
    assert "samples/00000.json" in found(toy_set)


def test_an_edited_manifest_is_found(toy_set):
    table = pq.read_table(toy_set / "manifest.parquet")
    names = ["someone else", *table["subject"].to_pylist()[1:]]
    index = table.column_names.index("subject")
    pq.write_table(
        table.set_column(index, table.schema.field(index), [names]), toy_set / "manifest.parquet"
    )
    assert found(toy_set) == {"manifest.parquet"}


def test_a_shorter_manifest_is_found(toy_set):
    table = pq.read_table(toy_set / "manifest.parquet")
    pq.write_table(table.slice(1), toy_set / "manifest.parquet")
    assert "manifest.parquet" in found(toy_set)


def test_an_edited_shard_list_is_found(toy_set):
    listing = json.loads((toy_set / "shards.json").read_text())
    listing["shards"].pop()
    (toy_set / "shards.json").write_text(json.dumps(listing))
    assert found(toy_set) == {"shards.json"}


def test_an_edited_failure_list_is_found(toy_set):
    (toy_set / "failures" / "scans.jsonl").unlink()
    assert found(toy_set) == {"failures/scans.jsonl"}


def test_shards_that_changed_places_are_found(toy_set):
    folder = toy_set / "samples"
    for ending in ("tar", "json"):
        os.rename(folder / f"00000.{ending}", folder / f"x.{ending}")
        os.rename(folder / f"00002.{ending}", folder / f"00000.{ending}")
        os.rename(folder / f"x.{ending}", folder / f"00002.{ending}")
    assert {"samples/00000.tar", "samples/00002.tar"} <= found(toy_set)


def rewrite(toy_set, change):
    """Write samples/00000.tar anew with changed members, and its sidecar and lists with it."""
    tar = toy_set / "samples" / "00000.tar"
    old = read_sidecar(tar)
    with Ranges(tar) as file:
        members = [(e.key, read_entry(file, e)) for e in old.entries]
    with ShardWriter(tar) as writer:
        for i, (key, parts) in enumerate(members):
            writer.add(key, change(i, key, parts))
    hashes = (old.config_hash, old.inputs_hash)
    write_sidecar(tar, make_record(old.name, writer.index, old.rows, old.failures, hashes, 0.0))
    merge(toy_set)


def test_a_sample_that_lacks_a_member_is_found(toy_set):
    rewrite(toy_set, lambda i, key, m: {"jpg": m["jpg"]} if i == 2 else m)
    problems = verify(toy_set)
    assert [p.path for p in problems] == ["samples/00000.tar"]
    assert "vertices.npy" in problems[0].what


def test_labels_that_lack_a_field_are_found(toy_set):
    rewrite(toy_set, lambda i, key, m: {**m, "json": json.dumps({"key": key}).encode()})
    assert any("lacks schema, subject" in problem.what for problem in verify(toy_set))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, ""),
        ({"subject": "someone else"}, "another subject"),
        ({"split": "test"}, "another split"),
    ],
)
def test_labels_that_contradict_the_manifest_are_found(toy_set, change, words):
    tar = toy_set / "samples" / "00000.tar"
    subject = read_sidecar(tar).rows[0]["subject"]
    whole = {field.name: 0 for field in SAMPLE_FIELDS if field.required}
    whole |= {"subject": subject, "split": "train", **change}
    rewrite(toy_set, lambda i, key, m: {**m, "json": json.dumps({**whole, "key": key}).encode()})
    found_words = [p.what for p in verify(toy_set) if "JSON has" in p.what]
    assert len(found_words) == (read_sidecar(tar).count if change else 0)
    assert all(words in what for what in found_words)


def test_a_stale_shard_is_found(toy_set):
    tar = toy_set / "samples" / "00000.tar"
    old = read_sidecar(tar)
    write_sidecar(tar, type(old)(**{**fields(old), "config_hash": "other"}))
    assert "." in found(toy_set)


def fields(record):
    return {name: getattr(record, name) for name in record.__slots__}


def test_manifest_rows_lead_to_the_bytes(toy_set):
    table = pq.read_table(toy_set / "manifest.parquet").to_pylist()
    assert len(table) == 12
    for row in table:
        data = (toy_set / row["shard"]).read_bytes()
        start, size = row["jpg/offset"], row["jpg/size"]
        entry = next(e for e in scan_shard(toy_set / row["shard"]).entries if e.key == row["key"])
        assert entry.members["jpg"] == (start, size)
        assert row["offset"] <= start < start + size <= row["offset"] + row["nbytes"] <= len(data)
        assert row["split"] == split_of(row["subject"])


def test_splits_are_disjoint_and_stable_when_subjects_are_added(tmp_path):
    tables = []
    for inputs in (40, 60):
        config = toy_config(tmp_path / "set", inputs=inputs, nbytes=3, per_shard=20)
        run_recipe(RECIPE, config)
        tables.append(pq.read_table(tmp_path / "set" / "manifest.parquet").to_pylist())
    before, after = ({(r["subject"], r["split"]) for r in table} for table in tables)
    assert before < after
    assert len(after) == len({subject for subject, _ in after}) == 30
    assert {split for _, split in after} == {"train", "test"}


def test_a_key_in_two_shards_is_refused(toy_set):
    records = read_records(toy_set)
    twice = [*records, records[0]]
    twice = [r for r in twice if r.stage == "samples"] * 2
    with pytest.raises(ValueError, match="keys must be unique"):
        manifest_table(twice)
