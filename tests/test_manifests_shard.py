"""Shards: bytes that depend on the samples alone, and places that can be trusted."""

import os
import re
import tarfile

import numpy as np
import pytest

from manifests.shard import (
    BadShard,
    ShardWriter,
    check_key,
    read_entry,
    read_shard,
    scan_shard,
    sidecar_path,
)
from manifests.storage import Ranges

LONG = "folder/" + "n" * 150  # beyond the 100 bytes of a plain tar header


def samples(rng):
    sizes = (0, 1, 511, 512, 513, 3000)
    keys = ("a", "b/c", "b/d", "ü/名", LONG, "z")
    return [
        (key, {"vertices.npy": rng.bytes(size), "jpg": rng.bytes(size + 7)})
        for key, size in zip(keys, sizes, strict=True)
    ]


def write(path, items):
    with ShardWriter(path) as writer:
        for key, members in items:
            writer.add(key, members)
    return writer.index


@pytest.fixture
def items():
    return samples(np.random.default_rng(1))


def test_what_is_written_is_read(tmp_path, items):
    write(tmp_path / "00000.tar", items)
    assert list(read_shard(tmp_path / "00000.tar")) == [
        (key, dict(sorted(members.items()))) for key, members in items
    ]


def test_index_of_the_writer_is_what_a_scan_finds(tmp_path, items):
    index = write(tmp_path / "00000.tar", items)
    assert scan_shard(tmp_path / "00000.tar") == index
    assert index.nbytes == (tmp_path / "00000.tar").stat().st_size


def test_random_access_needs_the_entry_alone(tmp_path, items):
    index = write(tmp_path / "00000.tar", items)
    with Ranges(tmp_path / "00000.tar") as file:
        for entry, (key, members) in reversed(list(zip(index.entries, items, strict=True))):
            assert entry.key == key
            assert read_entry(file, entry) == members


def test_bytes_do_not_depend_on_time_or_member_order(tmp_path, items):
    write(tmp_path / "a.tar", items)
    os.utime(tmp_path / "a.tar", (1, 1))
    write(tmp_path / "b.tar", [(key, dict(reversed(m.items()))) for key, m in items])
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()


def test_headers_hold_no_owner_and_no_time(tmp_path, items):
    write(tmp_path / "00000.tar", items)
    with tarfile.open(tmp_path / "00000.tar") as tar:
        found = {(h.mtime, h.uid, h.gid, h.uname, h.gname, h.mode) for h in tar}
    assert found == {(0, 0, 0, "", "", 0o644)}


def test_readers_that_cut_at_the_first_dot_see_contiguous_samples(tmp_path, items):
    """The rule of WebDataset and of Hugging Face datasets, spelled out here as they apply it."""
    write(tmp_path / "00000.tar", items)
    with tarfile.open(tmp_path / "00000.tar") as tar:
        parts = [re.match(r"^((?:.*/|)[^.]+)[.]([^/]*)$", name).groups() for name in tar.getnames()]
    runs = [key for i, (key, _) in enumerate(parts) if i == 0 or parts[i - 1][0] != key]
    assert runs == [key for key, _ in items]
    assert {suffix for _, suffix in parts} == {"jpg", "vertices.npy"}


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/..", "a.b", "a\nb", "a\\b"])
def test_unsafe_keys_are_refused(key):
    with pytest.raises(BadShard, match="key"):
        check_key(key)


def test_a_dot_in_a_folder_is_fine():
    check_key("v1.2/a")


@pytest.mark.parametrize(
    "members", [{}, {".jpg": b""}, {"a/b": b""}, {"jpg": "text"}, {"jpg.": b""}]
)
def test_bad_members_are_refused_and_nothing_is_written(tmp_path, members):
    with ShardWriter(tmp_path / "00000.tar") as writer:
        with pytest.raises(BadShard):
            writer.add("a", members)
        writer.add("a", {"jpg": b"1"})
    assert [key for key, _ in read_shard(tmp_path / "00000.tar")] == ["a"]


def test_a_repeated_key_is_refused(tmp_path):
    with ShardWriter(tmp_path / "00000.tar") as writer:
        writer.add("a", {"jpg": b"1"})
        with pytest.raises(BadShard, match="twice"):
            writer.add("a", {"png": b"1"})


def test_an_error_leaves_the_old_shard_and_no_partial_file(tmp_path, items):
    write(tmp_path / "00000.tar", items)
    before = (tmp_path / "00000.tar").read_bytes()
    with pytest.raises(BadShard):
        write(tmp_path / "00000.tar", [("new", {"jpg": b"1"}), ("bad.key", {"jpg": b"1"})])
    assert (tmp_path / "00000.tar").read_bytes() == before
    assert os.listdir(tmp_path) == ["00000.tar"]


def test_a_new_tar_never_stands_beside_the_old_sidecar(tmp_path, items):
    sidecar_path(tmp_path / "00000.tar").write_text("of the old tar")
    write(tmp_path / "00000.tar", items)
    assert os.listdir(tmp_path) == ["00000.tar"]


def write_raw(path, names, kind=tarfile.REGTYPE):
    with tarfile.open(path, "w") as tar:
        for name in names:
            header = tarfile.TarInfo(name)
            header.type = kind
            tar.addfile(header)


@pytest.mark.parametrize(
    ("names", "kind", "words"),
    [
        (["a.jpg", "b.jpg", "a.png"], tarfile.REGTYPE, "lie apart"),
        (["a.jpg", "a.jpg"], tarfile.REGTYPE, "occurs twice"),
        (["../a.jpg"], tarfile.REGTYPE, "part"),
        (["/etc/a.jpg"], tarfile.REGTYPE, "part"),
        (["a"], tarfile.REGTYPE, "suffix"),
        (["a.jpg"], tarfile.SYMTYPE, "not a plain file"),
    ],
)
def test_foreign_tars_that_break_the_rules_are_refused(tmp_path, names, kind, words):
    write_raw(tmp_path / "x.tar", names, kind)
    with pytest.raises(BadShard, match=words):
        scan_shard(tmp_path / "x.tar")


def test_what_is_no_tar_is_refused(tmp_path):
    (tmp_path / "x.tar").write_bytes(b"no tar" * 1000)
    with pytest.raises(BadShard, match="expected an uncompressed tar"):
        scan_shard(tmp_path / "x.tar")
