"""Pose tables in batches of bounded size: Parquet, CSV and JSON lines."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.storage import locate

BATCH_ROWS = 65_536
# What an audit reads, with other names that tables have for it.
NUMBERS = {
    "yaw_deg": ("yaw_deg", "yaw"),
    "pitch_deg": ("pitch_deg", "pitch"),
    "requested_yaw_deg": ("requested_yaw_deg",),
    "requested_large_share": ("requested_large_share",),
    "achieved_large_share": ("achieved_large_share",),
}
WORDS = {
    "key": ("key", "image", "name", "file", "path"),
    "subject": ("subject",),
    "split": ("split",),
    "source": ("source",),
    "plan": ("plan",),
}
SCHEMA = pa.schema(
    [pa.field(n, pa.float64()) for n in NUMBERS] + [pa.field(n, pa.string()) for n in WORDS]
)
SUFFIXES = (".parquet", ".csv", ".jsonl", ".ndjson")


class BadTable(ValueError):
    """A file that is not a pose table."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that gave no pose.

    Attributes:
        kind: in a word or two, the same for all of its kind: "no face", "damaged", "no pose".
        name: of the image, sample or line.
        what: what is wrong with it.
    """

    kind: str
    name: str
    what: str


def read_pose_table(path: Path) -> Iterator[pa.RecordBatch | Fault]:
    """Batches of SCHEMA, and the lines that cannot be read.

    A column that the table lacks is null throughout, as is a cell that is empty.

    Args:
        path: a table with a column yaw_deg (or yaw), degrees; by suffix .parquet, .csv, .jsonl.

    Raises:
        BadTable: another suffix, an unreadable file, or no column of yaws.
        OSError: it cannot be read.
    """
    path = locate(path)
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        yield from _parquet(path)
    elif suffix in SUFFIXES:
        lines = _csv_lines(path) if suffix == ".csv" else _json_lines(path)
        yield from batches(_row(path, *line) for line in lines)
    else:
        raise BadTable(f"table '{path}': expected one of {' '.join(SUFFIXES)}")


def batches(rows: Iterable[Mapping[str, object] | Fault]) -> Iterator[pa.RecordBatch | Fault]:
    """Rows by SCHEMA's names, missing ones null, as batches; faults are handed through."""
    pending: list[Mapping[str, object]] = []
    for row in rows:
        if isinstance(row, Fault):
            yield row
            continue
        pending.append(row)
        if len(pending) == BATCH_ROWS:
            yield pa.RecordBatch.from_pylist(pending, SCHEMA)
            pending = []
    if pending:
        yield pa.RecordBatch.from_pylist(pending, SCHEMA)


def row_of(record: Mapping[str, object]) -> dict[str, object]:
    """A row of SCHEMA from a record with any names known for it.

    Raises:
        ValueError: a number that is none; which, and what it is.
    """
    row: dict[str, object] = {}
    for name, known in NUMBERS.items():
        value = _first(record, known)
        if isinstance(value, bool) or not _is_number(value):
            raise ValueError(f"{name} is {value!r}, not a number")
        row[name] = None if value is None else float(value)
    for name, known in WORDS.items():
        value = _first(record, known)
        row[name] = None if value is None else str(value)
    return row


def _first(record: Mapping[str, object], names: tuple[str, ...]) -> object:
    """The first of these fields that says something, else None."""
    return next((v for n in names if (v := record.get(n)) not in (None, "")), None)


def _is_number(value: object) -> bool:
    try:
        return value is None or float(value) is not None
    except (TypeError, ValueError):
        return False


def _parquet(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        with path.open("rb") as source, pq.ParquetFile(source) as file:
            columns = _columns(path, file.schema_arrow.names)
            for batch in file.iter_batches(BATCH_ROWS, columns=list(columns.values())):
                yield _in_schema(batch, columns)
    except pa.ArrowException as error:
        raise BadTable(f"table '{path}': {error}; expected a Parquet file of poses") from error


def _in_schema(batch: pa.RecordBatch, columns: Mapping[str, str]) -> pa.RecordBatch:
    """A batch with the columns of SCHEMA, in its types."""
    arrays = []
    for field in SCHEMA:
        if field.name in columns:
            arrays.append(batch.column(columns[field.name]).cast(field.type))
        else:
            arrays.append(pa.nulls(batch.num_rows, field.type))
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


def _columns(path: Path, names: Iterable[str]) -> dict[str, str]:
    """SCHEMA's name -> the table's, of what the table has."""
    present = set(names)
    known = {**NUMBERS, **WORDS}
    found = {n: next((o for o in others if o in present), None) for n, others in known.items()}
    if found["yaw_deg"] is None:
        raise BadTable(
            f"table '{path}': columns {', '.join(sorted(present)[:12]) or 'none'}; "
            "expected one called yaw_deg (or yaw), in degrees; rename yours"
        )
    return {name: other for name, other in found.items() if other is not None}


def _csv_lines(path: Path) -> Iterator[tuple[int, object]]:
    """(line number, record) of a CSV table with a header."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            _columns(path, reader.fieldnames or ())
            for record in reader:
                yield reader.line_num, record
    except (UnicodeDecodeError, csv.Error) as error:
        raise BadTable(f"table '{path}': {error}; expected CSV in UTF-8 with a header") from error


def _json_lines(path: Path) -> Iterator[tuple[int, object]]:
    """(line number, record or the error's text) of a file of JSON objects, one a line."""
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except ValueError as error:  # JSONDecodeError and UnicodeDecodeError
                record = str(error)
            yield number, record


def _row(path: Path, number: int, record: object) -> dict[str, object] | Fault:
    name = f"{path.name} line {number}"
    if not isinstance(record, Mapping):
        return Fault("damaged", name, f"not a JSON object ({record})")
    if record.get(None):
        return Fault("damaged", name, "more cells than the header has columns")
    try:
        row = row_of(record)
    except ValueError as error:
        return Fault("damaged", name, str(error))
    return {**row, "key": row["key"] or name}
