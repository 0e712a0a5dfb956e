"""One pass over the sidecars: manifest.parquet, shards.json and failures/STAGE.jsonl."""

import hashlib
import io
import json
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from manifests import atomic
from manifests.ledger import ShardRecord, canonical_json, read_stage, stage_folders
from manifests.schema import PLACE_COLUMNS, ROW_COLUMNS, SCHEMA_VERSION
from manifests.shard import BadShard
from manifests.splits import split_of
from manifests.storage import entries, locate, make_folder

if TYPE_CHECKING:
    from manifests.storage import Location

SAMPLES = "samples"
MANIFEST = "manifest.parquet"
SHARDS = "shards.json"
FAILURES = "failures"


def merge(set_dir: "Location") -> pa.Table:
    """Write the set's manifest, shard list and failure lists from its sidecars; no tar is opened.

    Equal sidecars (but for their seconds) give equal bytes. Only the folder ``samples`` goes to
    the manifest; shards and failures of all stages are listed.

    Args:
        set_dir: the set's folder.

    Returns:
        The manifest.

    Raises:
        BadShard: a torn sidecar, or one key in two shards.
        OSError: as the disk says.
    """
    set_dir = locate(set_dir)
    records = read_records(set_dir)
    table = manifest_table(records)
    data = _parquet_bytes(table)
    atomic.write_file(set_dir / MANIFEST, data)
    listing = shard_list(records, hashlib.sha256(data).hexdigest(), table.num_rows)
    atomic.write_file(set_dir / SHARDS, json.dumps(listing, indent=1).encode() + b"\n")
    _write_failures(set_dir, records)
    return table


def read_records(set_dir: "Location") -> list[ShardRecord]:
    """Records of all complete shards of a set, by stage and number."""
    return [record for folder in stage_folders(set_dir) for record in read_stage(folder)]


def manifest_table(records: Sequence[ShardRecord]) -> pa.Table:
    """The manifest of the sample shards among ``records``: a row a sample, in shard order.

    Besides the columns of manifests.schema there are two int64 columns a member, ``SUFFIX/offset``
    and ``SUFFIX/size``: the place of its bytes in the tar.

    Raises:
        BadShard: one key in two shards.
    """
    records = [record for record in records if record.stage == SAMPLES]
    _check_unique(records)
    suffixes = sorted({s for record in records for e in record.entries for s in e.members})
    schema = manifest_schema(suffixes)
    batches = [pa.RecordBatch.from_arrays(_columns(r, schema), schema=schema) for r in records]
    table = pa.Table.from_batches(batches, schema).combine_chunks()
    if poses := pose_summary(records):
        said = schema.metadata | {b"facesynth_poses": json.dumps(poses).encode()}
        table = table.replace_schema_metadata(said)
    return table


def manifest_schema(suffixes: Sequence[str]) -> pa.Schema:
    """Types of the manifest's columns, with the schema's version in the metadata."""
    fields = [
        pa.field(c.name, pa.type_for_alias(c.dtype), metadata={"about": c.about})
        for c in PLACE_COLUMNS + ROW_COLUMNS
    ]
    for suffix in suffixes:
        fields += [pa.field(f"{suffix}/{part}", pa.int64()) for part in ("offset", "size")]
    return pa.schema(fields, metadata={"facesynth_schema": str(SCHEMA_VERSION)})


def shard_list(records: Sequence[ShardRecord], manifest_sha256: str, rows: int) -> dict:
    """What shards.json says: every shard with its checksum, the manifest's, and "poses" where
    the set was rendered."""
    poses = pose_summary(records)
    return {
        "schema": SCHEMA_VERSION,
        "manifest": {"name": MANIFEST, "sha256": manifest_sha256, "rows": rows},
        **({"poses": poses} if poses else {}),
        "shards": [
            {
                "name": f"{record.name}.tar",
                "sha256": record.sha256,
                "bytes": record.nbytes,
                "count": record.count,
                "config_hash": record.config_hash,
            }
            for record in records
        ],
    }


def pose_summary(records: Sequence[ShardRecord]) -> dict:
    """The poses of a rendered set; {} for others.

    Returns:
        "plan"; "requested_large_share" and "achieved_large_share" of |yaw| > 45°, the former
        None where the plan asks for none; the counts "views", "large", "inputs" and
        "failed_inputs", in any stage. An input counts whole: one that failed leaves the share as
        it was, and stands in FAILURES.
    """
    failed = sum(len(record.failures) for record in records)
    records = [record for record in records if record.stage == SAMPLES]
    rows = [row for record in records for row in record.rows if row.get("plan") is not None]
    if not rows:
        return {}
    # |yaw| > 45° of each view, as many as the views' own inputs say
    shares = [row["achieved_large_share"] for row in rows]
    large = round(sum(shares))
    keys = {entry.key.rpartition("_pose")[0] for record in records for entry in record.entries}
    return {
        "plan": rows[0]["plan"],
        "requested_large_share": rows[0].get("requested_large_share"),
        "achieved_large_share": large / len(rows),
        "views": len(rows),
        "large": large,
        "inputs": len(keys),
        "failed_inputs": failed,
    }


def failure_lines(records: Sequence[ShardRecord]) -> dict[str, bytes]:
    """Contents of failures/STAGE.jsonl by stage, for the stages that have failures."""
    lines: dict[str, bytes] = {}
    for record in records:
        for failure in record.failures:
            line = canonical_json({**failure, "shard": record.name}) + b"\n"
            lines[record.stage] = lines.get(record.stage, b"") + line
    return lines


def _columns(record: ShardRecord, schema: pa.Schema) -> list[pa.Array]:
    """The manifest's columns of one shard; by column, since a million dicts take their time."""
    entries, rows = record.entries, record.rows
    columns: dict[str, list] = {
        "key": [entry.key for entry in entries],
        "shard": [f"{record.name}.tar"] * len(entries),
        "offset": [entry.offset for entry in entries],
        "nbytes": [entry.nbytes for entry in entries],
        "split": [split_of(str(row["subject"])) for row in rows],
    }
    for column in ROW_COLUMNS:
        columns[column.name] = [row.get(column.name) for row in rows]
    for name in schema.names[len(columns) :: 2]:
        suffix = name.removesuffix("/offset")
        places = [entry.members.get(suffix, (None, None)) for entry in entries]
        columns[name] = [offset for offset, _ in places]
        columns[f"{suffix}/size"] = [size for _, size in places]
    return [pa.array(columns[field.name], field.type) for field in schema]


def _check_unique(records: Sequence[ShardRecord]) -> None:
    counts = Counter(entry.key for record in records for entry in record.entries)
    for key, count in counts.most_common(1):
        if count > 1:
            raise BadShard(f"sample {key!r}: lies in {count} shards; keys must be unique in a set")


def _parquet_bytes(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def failure_files(set_dir: "Location") -> "list[Location]":
    """The failure lists that a set has, by stage."""
    try:
        found = entries(set_dir / FAILURES)
    except FileNotFoundError:  # a store without such a file has no such folder either
        return []
    return sorted(path for path, _ in found if path.suffix == ".jsonl")


def _write_failures(set_dir: "Location", records: Sequence[ShardRecord]) -> None:
    make_folder(set_dir / FAILURES)
    lines = failure_lines(records)
    for path in failure_files(set_dir):
        if path.stem not in lines:
            atomic.remove(path)
    for stage, data in lines.items():
        atomic.write_file(set_dir / FAILURES / f"{stage}.jsonl", data)
