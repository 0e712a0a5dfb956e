"""A set lies in a folder or at a URL; nothing but one function tells them apart."""

import pickle
from pathlib import Path

import pytest
from engine_toy import RECIPE, toy_config
from fsspec.implementations.memory import MemoryFileSystem
from upath import UPath

from faces.errors import BadInput
from manifests import atomic
from manifests.storage import BadLocation, Ranges, entries, exists, is_url, locate, put
from pipelines.cli import main
from pipelines.plan import first_tasks
from pipelines.run import run_recipe
from pipelines.stages.base import without_places


@pytest.fixture
def memory():
    MemoryFileSystem.store.clear()
    MemoryFileSystem.pseudo_dirs[:] = [""]
    return locate("memory://bucket/set")


@pytest.mark.parametrize(
    ("words", "path"),
    [("out", "out"), ("/a/b c", "/a/b c"), ("file:///a/b", "/a/b"), ("local:///a", "/a")],
)
def test_a_local_place_is_a_plain_path(words, path):
    assert type(locate(words)) is type(Path(path))
    assert locate(words) == Path(path)
    assert not is_url(words)
    assert locate(locate(words)) is not None


def test_a_url_is_a_location_that_other_processes_can_have(memory):
    tar = locate(f"{memory}/") / "samples" / "00000.tar"
    assert isinstance(tar, UPath)
    assert str(tar) == "memory://bucket/set/samples/00000.tar"
    assert pickle.loads(pickle.dumps(tar)) == tar == locate(str(tar))
    task = first_tasks(memory, "samples", [({"key": "a"},)])[0]
    assert (task.out, pickle.loads(pickle.dumps(task)).path) == (str(tar), tar)


def test_what_cannot_be_used_is_refused_with_what_to_do(monkeypatch):
    with pytest.raises(BadLocation, match=r"nope.*expected a folder, or a URL"):
        locate("nope://bucket/set")
    monkeypatch.setitem(__import__("sys").modules, "adlfs", None)  # as where it is not installed
    with pytest.raises(BadLocation, match=r"adlfs.*pip install"):
        locate("abfs://bucket/set")


def test_files_of_a_store(memory):
    path = memory / "a" / "x.bin"
    assert not exists(path)
    with pytest.raises(FileNotFoundError):
        entries(memory)
    atomic.write_file(path, b"12345")
    atomic.write_file(path, b"abcdefgh")
    assert exists(path)
    assert entries(memory) == [(memory / "a", True)]
    assert entries(memory / "a") == [(path, False)]
    with Ranges(path) as file:
        assert (file.nbytes, file.read(3, 2), file.read(9, 6)) == (8, b"cde", b"gh")
    atomic.remove(path)
    atomic.remove(path)
    assert not exists(path)


def test_a_transfer_that_arrives_short_leaves_nothing(memory, monkeypatch):
    monkeypatch.setattr(
        MemoryFileSystem, "pipe_file", lambda self, path, value: self.store.update({path: "x"})
    )
    monkeypatch.setattr(MemoryFileSystem, "info", lambda self, path: {"size": 3})
    with pytest.raises(OSError, match="3 bytes arrived"):
        put(memory / "x", b"12345", 5)
    assert not MemoryFileSystem.store


def test_a_whole_set_in_a_store_and_the_verbs_on_it(memory, tmp_path, capsys):
    options = {"inputs": 7, "bad": ["s003"], "max_failed": 1.0}
    for out in (memory, tmp_path):
        assert run_recipe(RECIPE, toy_config(out, **options)) == 0
    for name in ("manifest.parquet", "shards.json", "README.md", "failures/scans.jsonl"):
        assert (memory / name).read_bytes() == (tmp_path / name).read_bytes()
    assert main(["verify", str(memory)]) == 0
    assert main(["status", str(memory)]) == 1  # an input failed
    assert main(["audit", str(memory)]) == 0
    assert "toy: complete" in capsys.readouterr().out
    assert main(["retry", str(memory)]) == 0
    with pytest.raises(BadInput, match=r"other settings .*nbytes: 700 -> 5"):
        run_recipe(RECIPE, toy_config(memory, nbytes=5, **options))
    (memory / "samples" / "00001.tar").write_bytes(b"x")
    assert main(["verify", str(memory)]) == 1
    assert main(["verify", "memory://bucket/none"]) == 2
    assert main(["verify", "nope://bucket/none"]) == 2


def test_memory_is_refused_where_other_processes_work(memory):
    with pytest.raises(BadInput, match=r"memory of this process.*--scheduler inline"):
        run_recipe(RECIPE, toy_config(memory, scheduler="local"))


def test_failure_records_name_no_bucket():
    config = toy_config("s3://private-bucket/set", flag_dir="gs://other/place")
    told = without_places("'s3://private-bucket/set/x.tar': gs://other/place/a", config)
    assert "bucket" not in told
    assert "other" not in told
