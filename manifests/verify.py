"""Does a set hold what it says? Every byte of every shard is read."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.index import (
    FAILURES,
    MANIFEST,
    SAMPLES,
    SHARDS,
    failure_lines,
    manifest_table,
    shard_list,
)
from manifests.ledger import ShardRecord, read_sidecar, shard_paths, stage_folders
from manifests.schema import missing_fields
from manifests.shard import BadShard, file_sha256, read_entry, scan_shard
from manifests.splits import split_of
from manifests.storage import Ranges, locate

REMAKE = "run the same command again"
REMERGE = "run the same command again: it writes the lists anew"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a set.

    Attributes:
        path: the file, relative to the set's folder.
        what: what is wrong with it.
        remedy: what to do.
    """

    path: str
    what: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.what}; {self.remedy}"


def verify(set_dir: Path, expected: Sequence[str] = ()) -> list[Problem]:
    """Everything wrong with a set; an empty list for a sound one.

    Args:
        set_dir: the set's folder.
        expected: names of all planned shards ("STAGE/00000"), where a plan is known.

    Raises:
        OSError: the folder cannot be read.
    """
    set_dir = locate(set_dir)
    problems: list[Problem] = []
    records: list[ShardRecord] = []
    for folder in stage_folders(set_dir):
        for tar in shard_paths(folder):
            problems += _check_shard(tar, records)
    problems += _check_plan(records, expected)
    problems += _check_members(records)
    problems += _check_lists(set_dir, records)
    return list(dict.fromkeys(problems))


def _check_shard(tar: Path, records: list[ShardRecord]) -> Iterator[Problem]:
    """One tar against its sidecar; a readable sidecar's record is appended to ``records``."""
    name = f"{tar.parent.name}/{tar.name}"
    try:
        record = read_sidecar(tar)
    except FileNotFoundError:
        yield Problem(name, "has no sidecar, so it is not complete", REMAKE)
        return
    except (BadShard, KeyError, TypeError) as error:
        yield Problem(f"{tar.parent.name}/{tar.stem}.json", str(error), REMAKE)
        return
    records.append(record)
    if f"{record.name}.tar" != name:
        yield Problem(name, f"its sidecar is that of {record.name}", REMAKE)
    if not tar.exists():
        yield Problem(name, f"is missing; its sidecar lists {record.count} samples", REMAKE)
        return
    yield from _check_bytes(tar, name, record)


def _check_bytes(tar: Path, name: str, record: ShardRecord) -> Iterator[Problem]:
    with tar.open("rb") as file:
        digest, nbytes = file_sha256(file), file.tell()
    if nbytes != record.nbytes:
        yield Problem(name, f"{nbytes:,} bytes; expected {record.nbytes:,}", _remake(tar))
    elif digest != record.sha256:
        yield Problem(name, "its checksum differs from the sidecar's", _remake(tar))
    try:
        found = scan_shard(tar).entries
    except BadShard as error:
        yield Problem(name, str(error), _remake(tar))
        return
    if found != record.entries:
        what = f"holds {len(found)} samples that are not the sidecar's {record.count}"
        yield Problem(name, what, _remake(tar))
    elif record.stage == SAMPLES:
        yield from _check_labels(tar, name, record)


def _check_labels(tar: Path, name: str, record: ShardRecord) -> Iterator[Problem]:
    """The JSON of each sample of a shard, where samples have one."""
    with Ranges(tar) as file:
        for entry, row in zip(record.entries, record.rows, strict=True):
            data = read_entry(file, entry).get("json")
            if data is not None and (what := _label_fault(data, entry.key, row)):
                yield Problem(name, f"sample '{entry.key}': {what}", _remake(tar))


def _label_fault(data: bytes, key: str, row: dict[str, object]) -> str:
    try:
        labels = json.loads(data)
    except ValueError as error:
        return f"its JSON is broken ({error})"
    if not isinstance(labels, dict):
        return "its JSON is not an object"
    missing = missing_fields(labels)
    if missing:
        return f"its JSON lacks {', '.join(missing)}"
    wanted = {"key": key, "subject": row["subject"], "split": split_of(str(row["subject"]))}
    wrong = [name for name, value in wanted.items() if labels[name] != value]
    return f"its JSON has another {', '.join(wrong)} than the manifest" if wrong else ""


def _check_plan(records: Sequence[ShardRecord], expected: Sequence[str]) -> Iterator[Problem]:
    present = {record.name for record in records}
    for name in expected:
        if name not in present:
            yield Problem(f"{name}.tar", "is planned and not complete", REMAKE)
    for name in sorted(present - set(expected)) if expected else ():
        yield Problem(f"{name}.tar", "is not in the plan", "move it away, or make the set anew")
    hashes = {record.config_hash for record in records}
    if len(hashes) > 1:
        yield Problem(".", f"shards of {len(hashes)} different configurations", REMAKE)


def _check_members(records: Sequence[ShardRecord]) -> Iterator[Problem]:
    """Every sample has the members that the first one has."""
    samples = [(r, entry) for r in records if r.stage == SAMPLES for entry in r.entries]
    for record, entry in samples:
        if entry.members.keys() != samples[0][1].members.keys():
            differing = sorted(entry.members.keys() ^ samples[0][1].members.keys())
            what = f"sample '{entry.key}' differs from the others in {', '.join(differing)}"
            yield Problem(f"{record.name}.tar", what, "make the set anew")


def _check_lists(set_dir: Path, records: Sequence[ShardRecord]) -> Iterator[Problem]:
    """manifest.parquet, shards.json and failures/ against the sidecars."""
    try:
        wanted = manifest_table(records)
    except BadShard as error:
        yield Problem(SAMPLES, str(error), "make the set anew")
        return
    yield from _check_manifest(set_dir / MANIFEST, wanted)
    yield from _check_shard_list(set_dir, records, wanted.num_rows)
    lines = failure_lines(records)
    stages = lines.keys() | {p.stem for p in (set_dir / FAILURES).glob("*.jsonl")}
    for stage in sorted(stages):
        path = set_dir / FAILURES / f"{stage}.jsonl"
        if not path.exists() or path.read_bytes() != lines.get(stage):
            yield Problem(f"{FAILURES}/{path.name}", "differs from the sidecars", REMERGE)


def _check_manifest(path: Path, wanted: pa.Table) -> Iterator[Problem]:
    if not path.exists():
        yield Problem(MANIFEST, "is missing", REMERGE)
        return
    try:
        with path.open("rb") as file:
            table = pq.read_table(file)
    except (pa.ArrowException, OSError) as error:
        yield Problem(MANIFEST, f"cannot be read ({error})", REMERGE)
        return
    if table.num_rows != wanted.num_rows:
        what = f"{table.num_rows} rows; the sidecars list {wanted.num_rows} samples"
        yield Problem(MANIFEST, what, REMERGE)
    elif table.column_names != wanted.column_names:
        yield Problem(MANIFEST, "its columns differ from the schema's", REMERGE)
    elif not table.equals(wanted):
        names = [n for n in wanted.column_names if not table[n].equals(wanted[n])]
        yield Problem(MANIFEST, f"differs from the sidecars in {', '.join(names)}", REMERGE)


def _check_shard_list(
    set_dir: Path, records: Sequence[ShardRecord], rows: int
) -> Iterator[Problem]:
    path, manifest = set_dir / SHARDS, set_dir / MANIFEST
    if not path.exists():
        yield Problem(SHARDS, "is missing", REMERGE)
        return
    if not manifest.exists():
        return
    with manifest.open("rb") as file:
        wanted = shard_list(records, file_sha256(file), rows)
    try:
        said = json.loads(path.read_bytes())
    except ValueError as error:
        yield Problem(SHARDS, f"is not JSON ({error})", REMERGE)
        return
    if said != wanted:
        what = "differs from the sidecars' checksums or from the manifest's"
        yield Problem(SHARDS, what, REMERGE)


def _remake(tar: Path) -> str:
    return f"delete {tar.parent.name}/{tar.stem}.json and {REMAKE}"
