"""The merge: the same bytes from the same sidecars, every row whole, any number of row groups."""

import hashlib
from array import array

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests import manifest_file
from manifests.index import merge
from manifests.ledger import (
    ShardRecord,
    canonical_json,
    read_body,
    read_sidecar,
    to_body,
    write_sidecar,
)
from manifests.manifest_file import ManifestFile, _check_unique, manifest_schema
from manifests.schema import PLACE_COLUMNS, ROW_COLUMNS, check_row
from manifests.shard import BadShard, Entry
from manifests.verify import verify

REQUIRED = {"subject": "p", "source": "s", "licence": "CC0-1.0", "consent": "yes"}


def sidecar(folder, number, rows, suffixes=("jpg", "json")):
    """A shard without a tar: the merge opens none."""
    entries = tuple(
        Entry(
            f"s{number}v{i}",
            2048 * i,
            2048,
            {s: (2048 * i + 512 * j, 7) for j, s in enumerate(suffixes)},
        )
        for i in range(len(rows))
    )
    folder.mkdir(parents=True, exist_ok=True)
    name = f"samples/{number:05d}"
    record = ShardRecord(name, "0" * 64, 4096, "c", "i", 1.0, (), entries, tuple(map(dict, rows)))
    write_sidecar(folder / f"{number:05d}.tar", record)
    return record


def rows_of(number, count=3):
    return [check_row({**REQUIRED, "subject": f"p{number}", "yaw_deg": i}) for i in range(count)]


def test_row_groups_change_where_bytes_lie_and_no_value(tmp_path, monkeypatch):
    for number in range(7):
        sidecar(tmp_path / "samples", number, rows_of(number))
    assert merge(tmp_path) == 21
    whole = pq.read_table(tmp_path / "manifest.parquet")
    monkeypatch.setattr(manifest_file, "GROUP_ROWS", 5)
    merge(tmp_path)
    file = pq.ParquetFile(tmp_path / "manifest.parquet")
    assert file.metadata.num_row_groups == 4  # 6, 6, 6 and 3 rows: a shard is never parted
    assert file.read().equals(whole)
    assert whole["key"].to_pylist() == [f"s{n}v{i}" for n in range(7) for i in range(3)]
    assert whole["yaw_deg"].to_pylist() == [0.0, 1.0, 2.0] * 7


def test_equal_sidecars_give_equal_bytes_for_any_threads(tmp_path):
    for number in range(3):
        sidecar(tmp_path / "samples", number, rows_of(number))
    digests, before = set(), pa.cpu_count()
    for threads in (1, 4):
        pa.set_cpu_count(threads)
        merge(tmp_path)
        digests.add(hashlib.sha256((tmp_path / "manifest.parquet").read_bytes()).hexdigest())
    pa.set_cpu_count(before)
    assert len(digests) == 1


def test_members_that_only_later_samples_have_get_their_columns(tmp_path):
    sidecar(tmp_path / "samples", 0, rows_of(0, 1))
    sidecar(tmp_path / "samples", 1, rows_of(1, 1), ("jpg", "json", "mask.png"))
    merge(tmp_path)
    table = pq.read_table(tmp_path / "manifest.parquet")
    assert table["mask.png/size"].to_pylist() == [None, 7]
    assert table["jpg/size"].to_pylist() == [7, 7]


def test_a_set_without_samples_has_a_manifest_without_rows(tmp_path):
    sidecar(tmp_path / "samples", 0, [])
    assert merge(tmp_path) == 0
    assert pq.read_table(tmp_path / "manifest.parquet").schema.names == manifest_schema(()).names


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_no_row_goes_without_its_terms(tmp_path, name):
    """check_row refuses such a row; a sidecar written by other hands must not smuggle it in."""
    rows = rows_of(0)
    del rows[1][name]
    sidecar(tmp_path / "samples", 0, rows)
    with pytest.raises(BadShard, match=f"'s0v1' in samples/00000.tar: has no {name}"):
        merge(tmp_path)
    assert not (tmp_path / "manifest.parquet").exists()


def test_a_key_in_two_shards_is_refused_by_name(tmp_path):
    body = to_body(sidecar(tmp_path / "samples", 0, rows_of(0)))
    file = ManifestFile()
    file.add(body)
    file.add({**body, "name": "samples/00001"})
    with pytest.raises(BadShard, match="sample 's0v0': lies in 2 shards"):
        file.close({})


def test_keys_that_only_share_their_hash_are_told_apart():
    keys = pa.chunked_array([["a", "b"], ["c"]])
    _check_unique(array("q", [5, 6, 5]), lambda: keys)


def test_a_sidecars_bytes_are_one_spelling_of_its_body(tmp_path):
    """What reads it (orjson) gives back what wrote it (json): the canonical form stays."""
    values = [0.1 + 0.2, 1e-320, 1.7976931348623157e308, -0.0, 1e22]
    rows = [check_row({**REQUIRED, "subject": "Zoë 👩", "yaw_deg": value}) for value in values]
    record = sidecar(tmp_path / "samples", 0, rows)
    tar = tmp_path / "samples" / "00000.tar"
    assert read_sidecar(tar) == record
    body = canonical_json({k: v for k, v in read_body(tar).items() if k != "checksum"})
    assert (tmp_path / "samples" / "00000.json").read_bytes().startswith(body[:-1])


def test_types_and_documentation_lie_in_the_file(tmp_path):
    sidecar(tmp_path / "samples", 0, rows_of(0))
    merge(tmp_path)
    schema = pq.read_schema(tmp_path / "manifest.parquet")
    for column in PLACE_COLUMNS + ROW_COLUMNS:
        field = schema.field(column.name)
        assert str(field.type).replace("double", "float64") == column.dtype
        assert field.nullable is not column.required
        assert field.metadata[b"about"].decode() == column.about
    assert schema.metadata[b"facesynth_schema"] == b"1"


def test_verify_reads_a_manifest_of_many_row_groups(tmp_path, monkeypatch):
    for number in range(4):
        sidecar(tmp_path / "samples", number, rows_of(number))
    monkeypatch.setattr(manifest_file, "GROUP_ROWS", 5)
    merge(tmp_path)
    assert {p.path for p in verify(tmp_path)} == {f"samples/{n:05d}.tar" for n in range(4)}
