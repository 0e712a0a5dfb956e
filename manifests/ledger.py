"""Sidecars: what a shard holds, what failed, and the mark that it is complete."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from manifests import atomic
from manifests.schema import SCHEMA_VERSION
from manifests.shard import BadShard, Entry, ShardIndex, sidecar_path

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


def write_sidecar(tar: Path, record: ShardRecord) -> None:
    """Mark a committed tar as complete. Atomic; always the last thing written.

    Raises:
        ValueError: a value that JSON does not know.
        OSError: as the disk says.
    """
    body = canonical_json(_to_json(record))
    atomic.write_file(sidecar_path(tar), body[:-1] + _seal(body))


def read_sidecar(tar: Path) -> ShardRecord:
    """The record of a tar, checked against the sidecar's own checksum.

    Args:
        tar: path of the tar (the sidecar lies beside it).

    Raises:
        BadShard: torn, edited, or of another schema version.
        OSError: there is none.
    """
    path = sidecar_path(tar)
    what = f"sidecar '{path.parent.name}/{path.name}'"
    data = path.read_bytes()
    body = json.loads(unseal(data, what))
    if body["schema"] != SCHEMA_VERSION:
        raise BadShard(
            f"{what}: schema version {body['schema']}; expected {SCHEMA_VERSION}; make the set anew"
        )
    return _from_json(body)


def state(tar: Path, config_hash: str, inputs_hash: str) -> State:
    """Whether a shard needs work: "done", "stale" (other settings or inputs) or "missing".

    A torn sidecar, or a tar of another size than the sidecar says, counts as missing. Checksums
    of the data are verify's work; a resuming run does not read every byte again.
    """
    try:
        record = read_sidecar(tar)
        nbytes = Path(tar).stat().st_size
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


def shard_paths(folder: Path) -> list[Path]:
    """Tars that a stage's folder holds or whose sidecar it holds, by number."""
    stems = {p.stem for p in folder.iterdir() if p.suffix in (".tar", ".json") and p.stem.isdigit()}
    return [folder / f"{stem}.tar" for stem in sorted(stems, key=lambda s: (int(s), s))]


def stage_folders(set_dir: Path) -> list[Path]:
    """The folders of a set that hold shards, by name."""
    folders = (p for p in Path(set_dir).iterdir() if p.is_dir() and not p.name.startswith("."))
    return sorted(p for p in folders if shard_paths(p))


def read_stage(folder: Path) -> Iterator[ShardRecord]:
    """Records of a stage's complete shards, by number.

    Raises:
        BadShard: a torn sidecar.
    """
    for tar in shard_paths(folder):
        if sidecar_path(tar).exists():
            yield read_sidecar(tar)


def make_record(
    name: str,
    index: ShardIndex,
    rows: Sequence[Mapping[str, object]],
    failures: Sequence[Failure],
    hashes: tuple[str, str],
    seconds: float,
) -> ShardRecord:
    """The record of a tar just written.

    Args:
        name: "STAGE/00000".
        index: of the writer.
        rows: one a sample, in file order, already through schema.check_row.
        failures: of make_failure.
        hashes: (config_hash, inputs_hash).
        seconds: wall time.
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


def _to_json(record: ShardRecord) -> dict[str, object]:
    """Samples go by column: a third of the size of a list of objects, and faster to merge."""
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
    entries = tuple(
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
        entries=entries,
        rows=rows,
    )


def _members(table: Mapping[str, list], i: int) -> dict[str, tuple[int, int]]:
    return {suffix: tuple(places[i]) for suffix, places in table.items() if places[i] is not None}
