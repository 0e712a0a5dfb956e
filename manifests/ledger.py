"""Sidecars: what a shard holds, what failed, and the mark that it is complete."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import orjson

from manifests import atomic
from manifests.schema import SCHEMA_VERSION, unknown_version
from manifests.shard import BadShard, Entry, ShardIndex, sidecar_path
from manifests.storage import entries, locate, read_bytes, size_of

if TYPE_CHECKING:
    from manifests.storage import Location

log = logging.getLogger(__name__)

State = Literal["done", "stale", "missing"]
Failure = dict[str, str]


@dataclass(frozen=True, slots=True)
class ShardRecord:
    """All that the sidecar says of a shard.

    Attributes:
        name: "STAGE/00000", the tar without its ending, relative to the set's folder.
        sha256, nbytes: of the tar.
        config_hash: of the settings that made it.
        inputs_hash: of the inputs it was made from.
        seconds: wall time of making it; the only thing here that differs from run to run.
        failures: inputs that gave no sample: key, stage, exception, message, config_hash.
        entries: places of the samples, in file order.
        rows: one a sample, columns of manifests.schema.ROW_COLUMNS.
        inputs: what the samples came from, in file order: (key, digest of the input, number of
            samples) of each input that did not fail; empty where the stage does not say.
    """

    name: str
    sha256: str
    nbytes: int
    config_hash: str
    inputs_hash: str
    seconds: float
    failures: tuple[Failure, ...]
    entries: tuple[Entry, ...]
    rows: tuple[dict[str, object], ...]
    inputs: tuple[tuple[str, str, int], ...] = ()

    @property
    def stage(self) -> str:
        """The folder that holds the shard."""
        return self.name.partition("/")[0]

    @property
    def count(self) -> int:
        """Samples in the shard."""
        return len(self.entries)

    def summary(self) -> dict[str, object]:
        """The few figures that travel back to whoever asked for the shard."""
        return {
            "name": self.name,
            "count": self.count,
            "failures": len(self.failures),
            "nbytes": self.nbytes,
            "seconds": self.seconds,
        }


def make_failure(key: str, stage: str, error: BaseException, config_hash: str) -> Failure:
    """The record of one input that gave no sample."""
    return {
        "key": key,
        "stage": stage,
        "exception": type(error).__name__,
        "message": str(error),
        "config_hash": config_hash,
    }


def write_sidecar(tar: "Location", record: ShardRecord) -> None:
    """Mark a committed tar as complete. Atomic; always the last thing written.

    Raises:
        ValueError: a value that JSON does not know.
        WriteError: the disk or the store does not take it.
    """
    body = canonical_json(to_body(record))
    atomic.write_file(sidecar_path(tar), body[:-1] + _seal(body))


def read_sidecar(tar: "Location") -> ShardRecord:
    """The record of a tar, checked against the sidecar's own checksum.

    Args:
        tar: path of the tar (the sidecar lies beside it).

    Raises:
        BadShard: torn, edited, or of another schema version.
        OSError: there is none.
    """
    return _from_json(read_body(tar))


def read_body(tar: "Location") -> dict[str, Any]:
    """The sidecar's JSON as it lies there, by column, checked as read_sidecar does.

    A record has an object a sample; whoever reads a million samples takes this.
    """
    path = sidecar_path(tar)
    what = f"sidecar '{path.parent.name}/{path.name}'"
    body = orjson.loads(unseal(read_bytes(path), what))
    if body["schema"] != SCHEMA_VERSION:
        raise BadShard(f"{what}: {unknown_version(body['schema'])}")
    return body


def state(tar: "Location", config_hash: str, inputs_hash: str) -> State:
    """Whether a shard needs work: "done", "stale" (other settings or inputs) or "missing".

    A torn sidecar, or a tar of another size than the sidecar says, counts as missing. Checksums
    of the data are verify's work; a resuming run does not read every byte again.
    """
    try:
        record = read_sidecar(tar)
        nbytes = size_of(locate(tar))
    except FileNotFoundError:
        return "missing"
    except BadShard as error:
        log.warning("%s", error)
        return "missing"
    if nbytes != record.nbytes:
        log.warning("shard '%s': %d bytes, sidecar says %d", record.name, nbytes, record.nbytes)
        return "missing"
    same = (record.config_hash, record.inputs_hash) == (config_hash, inputs_hash)
    return "done" if same else "stale"


def shard_paths(folder: "Location") -> "list[Location]":
    """Tars that a stage's folder holds or whose sidecar it holds, by number."""
    files = [path for path, _ in entries(folder) if path.suffix in (".tar", ".json")]
    stems = {path.stem for path in files if path.stem.isdigit()}
    return [folder / f"{stem}.tar" for stem in sorted(stems, key=lambda s: (int(s), s))]


def stage_folders(set_dir: "Location") -> "list[Location]":
    """The folders of a set that hold shards, by name."""
    found = entries(locate(set_dir))
    folders = [path for path, is_folder in found if is_folder and not path.name.startswith(".")]
    return sorted(path for path in folders if shard_paths(path))


def read_stage(folder: "Location") -> Iterator[ShardRecord]:
    """Records of a stage's complete shards, by number.

    Raises:
        BadShard: a torn sidecar.
    """
    yield from map(read_sidecar, complete_tars(folder))


def complete_tars(folder: "Location") -> "list[Location]":
    """Tars of a stage's folder that have a sidecar, by number; no file is opened."""
    files = {path.name for path, _ in entries(folder)}
    return [tar for tar in shard_paths(folder) if sidecar_path(tar).name in files]


def make_record(
    name: str,
    index: ShardIndex,
    rows: Sequence[Mapping[str, object]],
    failures: Sequence[Failure],
    hashes: tuple[str, str],
    seconds: float,
    inputs: Sequence[tuple[str, str, int]] = (),
) -> ShardRecord:
    """The record of a tar just written.

    Args:
        name: "STAGE/00000".
        index: of the writer.
        rows: one a sample, in file order, already through schema.check_row.
        failures: of make_failure.
        hashes: (config_hash, inputs_hash).
        seconds: wall time.
        inputs: see ShardRecord.
    """
    if len(rows) != len(index.entries):
        raise ValueError(f"shard '{name}': {len(rows)} rows for {len(index.entries)} samples")
    return ShardRecord(
        name,
        index.sha256,
        index.nbytes,
        *hashes,
        round(seconds, 3),
        tuple(failures),
        index.entries,
        tuple(dict(row) for row in rows),
        tuple(inputs),
    )


def canonical_json(value: object) -> bytes:
    """JSON with one spelling a value: sorted keys, no spaces, UTF-8, no NaN."""
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return text.encode()


def unseal(data: bytes, what: str) -> bytes:
    """The JSON of a sidecar without its last field, the checksum, which is found right.

    Args:
        what: the sidecar, for the error message.

    Raises:
        BadShard: torn or edited.
    """
    text = data[: -len(_seal(b""))] + b"}"
    if data != text[:-1] + _seal(text):
        raise BadShard(f"{what}: torn or edited, its checksum is wrong; run the same command again")
    return text


def _seal(body: bytes) -> bytes:
    """The end of a sidecar: a last field with the checksum of the object without it."""
    return b',"checksum":"%s"}\n' % hashlib.sha256(body).hexdigest().encode()


def to_body(record: ShardRecord) -> dict[str, Any]:
    """What read_body gives of a record's sidecar. Samples go by column: a third of the size of a
    list of objects, and faster to merge."""
    names = sorted({name for row in record.rows for name in row})
    suffixes = sorted({suffix for entry in record.entries for suffix in entry.members})
    return {
        "schema": SCHEMA_VERSION,
        "name": record.name,
        "sha256": record.sha256,
        "bytes": record.nbytes,
        "count": record.count,
        "config_hash": record.config_hash,
        "inputs_hash": record.inputs_hash,
        "seconds": record.seconds,
        "failures": list(record.failures),
        "inputs": [list(one) for one in record.inputs],
        "samples": {
            "key": [entry.key for entry in record.entries],
            "offset": [entry.offset for entry in record.entries],
            "nbytes": [entry.nbytes for entry in record.entries],
            "members": {s: [e.members.get(s) for e in record.entries] for s in suffixes},
            "columns": {n: [row.get(n) for row in record.rows] for n in names},
        },
    }


def _from_json(body: Mapping[str, object]) -> ShardRecord:
    samples = body["samples"]
    keys, columns = samples["key"], samples["columns"]
    places = tuple(
        Entry(key, offset, nbytes, _members(samples["members"], i))
        for i, (key, offset, nbytes) in enumerate(
            zip(keys, samples["offset"], samples["nbytes"], strict=True)
        )
    )
    rows = tuple(
        {name: values[i] for name, values in columns.items() if values[i] is not None}
        for i in range(len(keys))
    )
    return ShardRecord(
        name=body["name"],
        sha256=body["sha256"],
        nbytes=body["bytes"],
        config_hash=body["config_hash"],
        inputs_hash=body["inputs_hash"],
        seconds=body["seconds"],
        failures=tuple(body["failures"]),
        entries=places,
        rows=rows,
        inputs=tuple((key, digest, count) for key, digest, count in body.get("inputs", ())),
    )


def _members(table: Mapping[str, list], i: int) -> dict[str, tuple[int, int]]:
    return {suffix: tuple(places[i]) for suffix, places in table.items() if places[i] is not None}
