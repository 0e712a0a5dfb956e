"""The reader gives the bytes that were written, whatever is asked for, by whom and from where."""

import json
import multiprocessing
import os
import pickle
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from engine_toy import RECIPE, toy_config
from fsspec.implementations.memory import MemoryFileSystem

from manifests.index import merge
from manifests.ledger import make_record, write_sidecar
from manifests.reader import SetReader
from manifests.shard import BadShard, ShardWriter, read_shard
from manifests.storage import Ranges, locate
from pipelines.run import run_recipe


@pytest.fixture(scope="module")
def toy_set(tmp_path_factory):
    out = tmp_path_factory.mktemp("reader") / "set"
    assert run_recipe(RECIPE, toy_config(out, inputs=9)) == 0
    return out


@pytest.fixture(scope="module")
def truth(toy_set):
    """(key, members) of all samples, from the tars themselves."""
    tars = sorted((toy_set / "samples").glob("*.tar"))
    return [sample for tar in tars for sample in read_shard(tar)]


def copied(toy_set, tmp_path):
    shutil.copytree(toy_set, tmp_path / "set")
    return tmp_path / "set"


def test_every_sample_by_number_and_by_key(toy_set, truth):
    reader = SetReader(toy_set, check="sidecar")
    assert len(reader) == len(truth) == 18
    for i, (key, members) in enumerate(truth):
        assert reader.key(i) == key
        assert reader[i] == reader[key] == reader[i - len(truth)] == members
    assert reader.members == ("jpg", "vertices.npy")


@pytest.mark.parametrize("sort", [True, False])
def test_batches_come_in_the_order_asked_for(toy_set, truth, sort):
    reader = SetReader(toy_set)
    which = np.random.default_rng(0).integers(0, len(truth), 60)  # with repetitions
    assert reader.read(which, sort=sort) == [truth[i][1] for i in which]
    keys = [truth[i][0] for i in which]
    only = [{"vertices.npy": truth[i][1]["vertices.npy"]} for i in which]
    assert reader.read(keys, ["vertices.npy"], sort=sort) == only
    assert reader.read([]) == []


def test_only_what_is_asked_for_is_read(toy_set, truth, monkeypatch):
    asked = []
    read = Ranges.read
    monkeypatch.setattr(Ranges, "read", lambda s, n, at: asked.append(n) or read(s, n, at))
    SetReader(toy_set, members=["jpg"]).read(range(len(truth)))
    assert sum(asked) == sum(len(members["jpg"]) for _, members in truth)


def test_members_that_only_some_samples_have_and_empty_ones(tmp_path):
    row = {"subject": "p", "source": "s", "licence": "CC0-1.0", "consent": "yes"}
    items = {"a": {"jpg": b"1", "txt": b""}, "b": {"jpg": b"2"}}
    with ShardWriter(tmp_path / "samples" / "00000.tar") as writer:
        for key, members in items.items():
            writer.add(key, members)
    record = make_record("samples/00000", writer.index, [row, row], [], ("c", "i"), 0.0)
    write_sidecar(tmp_path / "samples" / "00000.tar", record)
    merge(tmp_path)
    assert SetReader(tmp_path).read(["b", "a"]) == [items["b"], items["a"]]


def test_a_set_in_a_store(truth, monkeypatch):
    MemoryFileSystem.store.clear()
    assert run_recipe(RECIPE, toy_config("memory://bucket/set", inputs=9)) == 0
    reader = SetReader("memory://bucket/set", check="sidecar")
    order = random.Random(0).choices(range(len(truth)), k=40)
    for gap in (0, 600, 1 << 20):  # what lies between is read too, and gets into no member
        monkeypatch.setattr("manifests.reader.GAP_BYTES", gap)
        assert reader.read(order) == [truth[i][1] for i in order]
    assert pickle.loads(pickle.dumps(reader))[3] == truth[3][1]


def test_few_shards_stay_open(toy_set, truth):
    reader = SetReader(toy_set, open_shards=2)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else None
    for i in [*range(0, 18, 4)] * 5:
        assert reader[i] == truth[i][1]
    assert len(reader._handles) == 2
    if before is not None:
        assert len(os.listdir("/proc/self/fd")) == before + 2


def test_threads_share_a_reader_whose_files_keep_closing(toy_set, truth):
    reader = SetReader(toy_set, open_shards=1)

    def work(seed):
        order = np.random.default_rng(seed).permutation(len(truth))
        return all(reader[i] == truth[i][1] for _ in range(20) for i in order)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


def read_in_child(reader, order, answer):
    answer.put([reader[i] for i in order])


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_read_what_their_parent_reads(toy_set, truth, method):
    reader = SetReader(toy_set)
    assert reader[0] == truth[0][1]  # its files are open as the child begins
    context = multiprocessing.get_context(method)
    answer = context.Queue()
    child = context.Process(target=read_in_child, args=(reader, range(18), answer))
    child.start()
    assert answer.get(timeout=60) == [members for _, members in truth]
    child.join()
    assert reader[17] == truth[17][1]


@pytest.mark.parametrize("which", [18, -19, [0, 18], "no such key", ["s000/v0", "nobody"]])
def test_what_there_is_not_is_refused(toy_set, which):
    reader = SetReader(toy_set)
    with pytest.raises((IndexError, KeyError), match=r"set '.*'"):
        reader.read(which) if isinstance(which, list) else reader[which]


def test_a_member_that_no_sample_has_is_refused_with_those_that_there_are(toy_set):
    with pytest.raises(BadShard, match=r"no member 'png'; its samples have jpg, vertices\.npy"):
        SetReader(toy_set, members=["png"])


def test_a_shard_of_another_size_is_refused(toy_set, tmp_path):
    out = copied(toy_set, tmp_path)
    os.truncate(out / "samples" / "00001.tar", 2000)
    with pytest.raises(BadShard, match=r"samples/00001\.tar': bytes 2000; shards\.json says"):
        SetReader(out)[4]
    with pytest.raises(BadShard, match=r"ends .* bytes too early.*synth verify"):
        SetReader(out, check="none")[4]


def test_a_shard_of_other_settings_is_refused(toy_set, tmp_path):
    out = copied(toy_set, tmp_path)
    listing = json.loads((out / "shards.json").read_text())
    for shard in listing["shards"]:
        shard["config_hash"] = "other"
    (out / "shards.json").write_text(json.dumps(listing))
    assert len(SetReader(out)[4]) == 2
    with pytest.raises(BadShard, match=r"config_hash .* says other"):
        SetReader(out, check="sidecar")[4]


def test_lists_that_do_not_belong_together_are_refused(toy_set, tmp_path):
    out = copied(toy_set, tmp_path)
    pq.write_table(pq.read_table(out / "manifest.parquet").slice(1), out / "manifest.parquet")
    with pytest.raises(BadShard, match=r"manifest\.parquet is not the one"):
        SetReader(out)


def test_a_folder_without_a_set(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"manifest\.parquet"):
        SetReader(locate(str(tmp_path)))
