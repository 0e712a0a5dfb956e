"""manifest.parquet, written row group by row group from the sidecars' columns."""

from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from manifests.schema import PLACE_COLUMNS, ROW_COLUMNS, SCHEMA_VERSION
from manifests.shard import BadShard
from manifests.splits import split_of

GROUP_ROWS = 50_000  # of a row group, or a shard more; what lies in memory as Python's objects
_NOWHERE = (None, None)  # of a member that a sample lacks

Body = Mapping[str, Any]  # of manifests.ledger.read_body


class ManifestFile:
    """The manifest's bytes. Add the sidecars of the sample shards in order, then close.

    In memory lie one row group, 8 bytes a key, and the compressed file itself, about 80 bytes a
    row. Equal sidecars in equal order give equal bytes.

    Args:
        suffixes: members of the samples; those of the first sample where not given.
    """

    def __init__(self, suffixes: Iterable[str] = ()):
        self.suffixes = frozenset(suffixes)
        self.unknown: frozenset[str] = frozenset()
        self.rows = 0
        self._hashes = array("q")
        self._sink = pa.BufferOutputStream()
        self._writer: pq.ParquetWriter | None = None
        self._columns: dict[str, _Column] = {}
        self._gathered = 0

    def add(self, body: Body) -> None:
        """The samples of one shard. Members outside ``suffixes`` are left out, and their names
        are kept in ``unknown``.

        Raises:
            BadShard: a sample lacks what every row must have.
        """
        samples = body["samples"]
        if not samples["key"]:
            return
        if self._writer is None:
            self._open(self.suffixes or samples["members"].keys())
        self.unknown |= samples["members"].keys() - self.suffixes
        self._hashes.extend(map(hash, samples["key"]))
        self.rows += len(samples["key"])
        self._gathered += len(samples["key"])
        for name, values in _shard_columns(body, self.suffixes).items():
            self._columns[name].add(values)
        if self._gathered >= GROUP_ROWS:
            self._flush()

    def close(self, metadata: Mapping[str, str]) -> pa.Buffer:
        """The file.

        Args:
            metadata: said of the whole set, beside the schema's version.

        Raises:
            BadShard: one key in two shards, or a sample lacks what every row must have.
        """
        if self._writer is None:
            self._open(self.suffixes)
        self._flush()
        if metadata:
            self._writer.add_key_value_metadata(dict(metadata))
        self._writer.close()
        data = self._sink.getvalue()
        _check_unique(self._hashes, lambda: pq.read_table(data, columns=["key"])["key"])
        return data

    def _open(self, suffixes: Iterable[str]) -> None:
        self.suffixes = frozenset(suffixes)
        schema = manifest_schema(self.suffixes)
        # A dictionary of values that differ, keys and figures, costs time and room for nothing.
        repeated = [field.name for field in schema if field.type == pa.string()]
        repeated.remove("key")
        self._writer = pq.ParquetWriter(
            self._sink, schema, compression="zstd", use_dictionary=repeated
        )
        self._columns = {field.name: _Column(field.type) for field in schema}

    def _flush(self) -> None:
        schema = self._writer.schema
        if not self._gathered:
            return
        arrays = [self._columns[name].close() for name in schema.names]
        _check_required(dict(zip(schema.names, arrays, strict=True)))
        batch = pa.RecordBatch.from_arrays(arrays, schema=schema)
        self._writer.write_batch(batch, row_group_size=batch.num_rows)
        self._gathered = 0


class _Column:
    """The values of a row group. Most columns say the same of a whole shard, and many of all: a
    run of equal values is counted, since a list of them takes most of a merge's time."""

    def __init__(self, kind: pa.DataType):
        self._kind = kind
        self._runs: list[tuple[Any, int] | list] = []

    def add(self, values: Sequence) -> None:
        """The values of a shard, one at least."""
        value, count, runs = values[0], len(values), self._runs
        if value != values[-1] or values.count(value) != count:
            if runs and isinstance(runs[-1], list):
                runs[-1] += values
            else:
                runs.append([*values])
        elif runs and isinstance(runs[-1], tuple) and runs[-1][0] == value:
            runs[-1] = (value, runs[-1][1] + count)
        else:
            runs.append((value, count))

    def close(self) -> pa.Array:
        """All values, which are forgotten here."""
        runs, self._runs = self._runs, []
        return pa.concat_arrays([self._array(run) for run in runs])

    def _array(self, run: tuple[Any, int] | list) -> pa.Array:
        if isinstance(run, list):
            return pa.array(run, self._kind)
        return pa.repeat(pa.scalar(run[0], self._kind), run[1])


def manifest_schema(suffixes: Iterable[str]) -> pa.Schema:
    """Types of the manifest's columns, with the schema's version in the metadata.

    Besides the columns of manifests.schema there are two int64 columns a member, ``SUFFIX/offset``
    and ``SUFFIX/size``: the place of its bytes in the tar.
    """
    fields = [
        pa.field(
            c.name, pa.type_for_alias(c.dtype), nullable=not c.required, metadata={"about": c.about}
        )
        for c in PLACE_COLUMNS + ROW_COLUMNS
    ]
    for suffix in sorted(suffixes):
        for part, about in (("offset", "first byte in the tar"), ("size", "bytes")):
            about = f"of KEY.{suffix}: {about}"
            fields.append(pa.field(f"{suffix}/{part}", pa.int64(), metadata={"about": about}))
    return pa.schema(fields, metadata={"facesynth_schema": str(SCHEMA_VERSION)})


def _shard_columns(body: Body, suffixes: Iterable[str]) -> dict[str, Sequence]:
    """The manifest's columns of one shard; None where the sidecar says nothing."""
    samples, said = body["samples"], body["samples"]["columns"]
    count = len(samples["key"])
    nothing = [None] * count
    subjects = said.get("subject", nothing)
    splits = {subject: split_of(str(subject)) for subject in set(subjects)}
    columns = {
        "key": samples["key"],
        "shard": [f"{body['name']}.tar"] * count,
        "offset": samples["offset"],
        "nbytes": samples["nbytes"],
        "split": [splits[subject] for subject in subjects],
    }
    for column in ROW_COLUMNS:
        columns[column.name] = said.get(column.name, nothing)
    for suffix in suffixes:
        places = [place or _NOWHERE for place in samples["members"].get(suffix, nothing)]
        columns[f"{suffix}/offset"], columns[f"{suffix}/size"] = zip(*places, strict=True)
    return columns


def _check_required(arrays: Mapping[str, pa.Array]) -> None:
    for column in ROW_COLUMNS:
        array = arrays[column.name]
        if column.required and array.null_count:
            row = pc.index(array.is_null(), True).as_py()
            raise BadShard(
                f"sample {arrays['key'][row].as_py()!r} in {arrays['shard'][row].as_py()}: "
                f"has no {column.name}; every sample must say it; make the set anew"
            )


def _check_unique(hashes: array, read_keys: Callable[[], pa.ChunkedArray]) -> None:
    """Keys are compared by Python's 64-bit hash; only where two agree are they read again."""
    ordered = np.sort(np.frombuffer(hashes, np.int64)) if hashes else np.zeros(0, np.int64)
    if (np.diff(ordered) != 0).all():
        return
    counts = pc.value_counts(read_keys())
    often = pc.index(pc.greater(counts.field("counts"), 1), True).as_py()
    if often >= 0:
        key, count = (counts.field(name)[often].as_py() for name in ("values", "counts"))
        raise BadShard(f"sample {key!r}: lies in {count} shards; keys must be unique in a set")
