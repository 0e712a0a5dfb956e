"""Does a set hold what it says? Every byte of every shard is read."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.index import (
    FAILURES,
    MANIFEST,
    SAMPLES,
    SHARDS,
    failure_files,
    failure_lines,
    manifest_table,
    shard_list,
    shards_json,
)
from manifests.ledger import ShardRecord, read_sidecar, shard_paths, stage_folders
from manifests.schema import missing_fields
from manifests.shard import BadShard, Entry, member_header, padded
from manifests.splits import split_of
from manifests.storage import entries, locate, read_bytes

if TYPE_CHECKING:
    from manifests.storage import Location

HEADER_BYTES, NAME_BYTES = 512, 100  # of a plain tar header; longer names take more blocks
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


def verify(
    set_dir: "str | Location", expected: Sequence[str] = (), threads: int = 0
) -> list[Problem]:
    """Everything wrong with a set; an empty list for a sound one.

    Args:
        set_dir: the set's folder or URL.
        expected: names of all planned shards ("STAGE/00000"), where a plan is known.
        threads: that read shards beside each other; 0: one a core.

    Raises:
        OSError: the folder cannot be read.
    """
    set_dir = locate(set_dir)
    folders = stage_folders(set_dir)
    problems = [problem for folder in folders for problem in _check_names(folder)]
    records: list[ShardRecord] = []
    with ThreadPoolExecutor(threads or len(os.sched_getaffinity(0))) as pool:
        for found, record in pool.map(_check_shard, chain.from_iterable(map(shard_paths, folders))):
            problems += found
            records += [record] if record else []
    problems += _check_plan(records, expected)
    problems += _check_members(records)
    problems += _check_lists(set_dir, records)
    return list(dict.fromkeys(problems))


def _check_names(folder: "Location") -> Iterator[Problem]:
    """Tars that no number names: whoever reads the folder by a pattern takes them for shards."""
    for path, _ in entries(folder):
        if path.suffix == ".tar" and not path.stem.isdigit() and not path.name.startswith("."):
            what = "is no shard of this set, and would be read with them"
            yield Problem(f"{folder.name}/{path.name}", what, "move it away")


def _check_shard(tar: "Location") -> tuple[list[Problem], ShardRecord | None]:
    """What is wrong with one tar and its sidecar; the sidecar's record where it can be read."""
    name = f"{tar.parent.name}/{tar.name}"
    try:
        record = read_sidecar(tar)
    except FileNotFoundError:
        return [Problem(name, "has no sidecar, so it is not complete", REMAKE)], None
    except (BadShard, KeyError, TypeError) as error:
        return [Problem(f"{tar.parent.name}/{tar.stem}.json", str(error), REMAKE)], None
    problems = []
    if f"{record.name}.tar" != name:
        problems.append(Problem(name, f"its sidecar is that of {record.name}", REMAKE))
    try:
        problems += [Problem(name, what, _remake(tar)) for what in _read_through(tar, record)]
    except FileNotFoundError:
        what = f"is missing; its sidecar lists {record.count} samples"
        problems.append(Problem(name, what, REMAKE))
    return problems, record


def _read_through(tar: "Location", record: ShardRecord) -> list[str]:
    """What is wrong with a tar's bytes, each of which is read once.

    Of a damaged tar the first sample whose headers are not where they should be is named too.
    """
    digest, faults, first_bad = hashlib.sha256(), [], ""
    with tar.open("rb") as file:
        for entry, row in zip(record.entries, record.rows, strict=True):
            aligned = file.tell() == entry.offset
            block = file.read(entry.nbytes)
            digest.update(block)
            if not aligned or not _holds(block, entry):
                first_bad = first_bad or f"sample '{entry.key}' is not where the sidecar says"
            elif record.stage == SAMPLES:
                faults += _label_faults(block, entry, row)
        while rest := file.read(1 << 20):
            digest.update(rest)
        nbytes = file.tell()
    damage = [first_bad] if first_bad else []
    if nbytes != record.nbytes:
        return [f"{nbytes:,} bytes; expected {record.nbytes:,}", *damage]
    if digest.hexdigest() != record.sha256:
        return ["its checksum differs from the sidecar's", *damage]
    return damage or faults


def _holds(block: bytes, entry: Entry) -> bool:
    """Whether a sample's bytes have its members' headers, each before its data."""
    position = 0
    for suffix, (offset, size) in sorted(entry.members.items(), key=lambda m: m[1]):
        at = offset - entry.offset
        if at < position + HEADER_BYTES or not _heads(block[position:at], entry.key, suffix, size):
            return False
        position = at + padded(size)
    return position == len(block) == entry.nbytes


def _heads(header: bytes, key: str, suffix: str, size: int) -> bool:
    """Whether these are the blocks before a member, as far as the checksum of all bytes leaves
    open: its name and size."""
    name = f"{key}.{suffix}".encode()
    if len(header) > HEADER_BYTES or len(name) > NAME_BYTES:
        return header == member_header(key, suffix, size)
    return (
        header[:NAME_BYTES] == name.ljust(NAME_BYTES, b"\0") and header[124:135] == b"%011o" % size
    )


def _label_faults(block: bytes, entry: Entry, row: dict[str, object]) -> list[str]:
    """What is wrong with the JSON of a sample, where it has one."""
    if "json" not in entry.members:
        return []
    offset, size = entry.members["json"]
    start = offset - entry.offset
    fault = _label_fault(block[start : start + size], entry.key, row)
    return [f"sample '{entry.key}': {fault}"] if fault else []


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


def _check_lists(set_dir: "Location", records: Sequence[ShardRecord]) -> Iterator[Problem]:
    """manifest.parquet, shards.json and failures/ against the sidecars."""
    try:
        wanted = manifest_table(records)
    except BadShard as error:
        yield Problem(SAMPLES, str(error), "make the set anew")
        return
    yield from _check_tables(set_dir, records, wanted)
    lines = failure_lines(records)
    stages = lines.keys() | {path.stem for path in failure_files(set_dir)}
    for stage in sorted(stages):
        path = set_dir / FAILURES / f"{stage}.jsonl"
        if _load(path) != lines.get(stage):
            yield Problem(f"{FAILURES}/{path.name}", "differs from the sidecars", REMERGE)


def _check_manifest(path: "Location", wanted: pa.Table) -> Iterator[Problem]:
    try:
        with path.open("rb") as file:
            table = pq.read_table(file)
    except (pa.ArrowException, OSError, ValueError) as error:
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


def _check_tables(
    set_dir: "Location", records: Sequence[ShardRecord], wanted: pa.Table
) -> Iterator[Problem]:
    """shards.json against the sidecars, and the manifest against both.

    A manifest of another checksum than the list's is not parsed: its bytes may be anything.
    """
    listing, manifest = _load(set_dir / SHARDS), _load(set_dir / MANIFEST)
    if manifest is None:
        yield Problem(MANIFEST, "is missing", REMERGE)
    if listing is None:
        yield Problem(SHARDS, "is missing", REMERGE)
        return
    try:
        sha256 = json.loads(listing)["manifest"]["sha256"]
    except (ValueError, KeyError, TypeError) as error:
        yield Problem(SHARDS, f"is not a list of shards ({error!r})", REMERGE)
        return
    if listing != shards_json(shard_list(records, sha256, wanted.num_rows)):
        yield Problem(SHARDS, "differs from the sidecars", REMERGE)
    if manifest is not None and hashlib.sha256(manifest).hexdigest() != sha256:
        yield Problem(MANIFEST, f"its checksum differs from that in {SHARDS}", REMERGE)
    elif manifest is not None:
        yield from _check_manifest(set_dir / MANIFEST, wanted)


def _load(path: "Location") -> bytes | None:
    try:
        return read_bytes(path)
    except FileNotFoundError:
        return None


def _remake(tar: "Location") -> str:
    return f"delete {tar.parent.name}/{tar.stem}.json and {REMAKE}"
