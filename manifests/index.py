"""One pass over the sidecars: manifest.parquet, shards.json and failures/STAGE.jsonl."""

import gc
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests import atomic
from manifests.ledger import (
    ShardRecord,
    complete_tars,
    read_body,
    read_stage,
    stage_folders,
    to_body,
)
from manifests.lists import MANIFEST, SAMPLES, SetLists
from manifests.manifest_file import ManifestFile
from manifests.storage import files_in, locate, make_folder

if TYPE_CHECKING:
    from manifests.storage import Location

SHARDS = "shards.json"
FAILURES = "failures"


def merge(set_dir: "Location") -> int:
    """Write the set's manifest, shard list and failure lists from its sidecars; no tar is opened.

    Equal sidecars (but for their seconds) give equal bytes. Only the folder ``samples`` goes to
    the manifest; shards and failures of all stages are listed.

    Args:
        set_dir: the set's folder.

    Returns:
        The number of samples.

    Raises:
        BadShard: a torn sidecar, one key in two shards, or a sample without what every row says.
        OSError: as the disk says.
    """
    set_dir = locate(set_dir)
    manifest, lists = _gather(_bodies(set_dir))
    if manifest.unknown:  # some samples have more members than the first: once more, with them
        manifest, lists = _gather(_bodies(set_dir), manifest.suffixes | manifest.unknown)
    data = manifest.close(_metadata(lists)).to_pybytes()
    atomic.write_file(set_dir / MANIFEST, data)
    listing = lists.shard_list(hashlib.sha256(data).hexdigest(), manifest.rows)
    atomic.write_file(set_dir / SHARDS, shards_json(listing))
    _write_failures(set_dir, lists.failure_lines())
    return manifest.rows


def read_records(set_dir: "Location") -> list[ShardRecord]:
    """Records of all complete shards of a set, by stage and number."""
    return [record for folder in stage_folders(set_dir) for record in read_stage(folder)]


def manifest_table(records: Sequence[ShardRecord]) -> pa.Table:
    """The manifest of the sample shards among ``records``: a row a sample, in shard order.

    Raises:
        BadShard: one key in two shards.
    """
    samples = [record for record in records if record.stage == SAMPLES]
    suffixes = {s for record in samples for entry in record.entries for s in entry.members}
    manifest, lists = _gather(map(to_body, samples), suffixes)
    return pq.read_table(manifest.close(_metadata(lists)))


def shard_list(records: Sequence[ShardRecord], manifest_sha256: str, rows: int) -> dict[str, Any]:
    """What shards.json says of these shards, see SetLists.shard_list."""
    return _lists(records).shard_list(manifest_sha256, rows)


def shards_json(listing: Mapping[str, Any]) -> bytes:
    """The bytes of shards.json, whose checksum is the set's hash."""
    return json.dumps(listing, indent=1).encode() + b"\n"


def failure_lines(records: Sequence[ShardRecord]) -> dict[str, bytes]:
    """Contents of failures/STAGE.jsonl by stage, for the stages that have failures."""
    return _lists(records).failure_lines()


def _bodies(set_dir: "Location") -> Iterator[dict[str, Any]]:
    for folder in stage_folders(set_dir):
        yield from map(read_body, complete_tars(folder))


def _gather(
    bodies: Iterable[Mapping[str, Any]], suffixes: Iterable[str] = ()
) -> tuple[ManifestFile, SetLists]:
    manifest, lists = ManifestFile(suffixes), SetLists()
    with _no_cycles():
        for body in bodies:
            lists.add(body)
            if body["name"].startswith(f"{SAMPLES}/"):
                manifest.add(body)
    return manifest, lists


@contextmanager
def _no_cycles() -> Iterator[None]:
    """The collector of cycles rests: it would walk through a million values again and again, and
    parsed JSON has no cycles."""
    rested = not gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not rested:
            gc.enable()


def _lists(records: Sequence[ShardRecord]) -> SetLists:
    lists = SetLists()
    for record in records:
        lists.add(to_body(record))
    return lists


def _metadata(lists: SetLists) -> dict[str, str]:
    return {"facesynth_poses": json.dumps(lists.poses)} if lists.poses else {}


def failure_files(set_dir: "Location") -> "list[Location]":
    """The failure lists that a set has, by stage."""
    return sorted(path for path in files_in(set_dir / FAILURES) if path.suffix == ".jsonl")


def _write_failures(set_dir: "Location", lines: Mapping[str, bytes]) -> None:
    make_folder(set_dir / FAILURES)
    for path in failure_files(set_dir):
        if path.stem not in lines:
            atomic.remove(path)
    for stage, data in lines.items():
        atomic.write_file(set_dir / FAILURES / f"{stage}.jsonl", data)
