"""A finished set in a few figures: what its card and its croissant.json tell."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from manifests.index import SHARDS, failure_files
from manifests.lists import MANIFEST, SAMPLES
from manifests.pose_counts import PoseCounts
from manifests.schema import NOT_A_PERSON, UNKNOWN
from manifests.storage import read_bytes

if TYPE_CHECKING:
    from manifests.storage import Location

_COLUMNS = ("subject", "split", "yaw_deg", "model", "model_licence")
_TERMS = ("source", "licence", "consent")


@dataclass(frozen=True, slots=True, order=True)
class Terms:
    """What one source allows, and how much of the set is from it."""

    source: str
    licence: str
    consent: str
    subjects: int
    samples: int

    @property
    def unknown(self) -> tuple[str, ...]:
        """Which of "licence" and "consent" nobody said."""
        return tuple(n for n in ("licence", "consent") if getattr(self, n) == UNKNOWN)


@dataclass(frozen=True, slots=True, eq=False)
class SetSummary:
    """Attributes:
    samples: rows of the manifest.
    subjects: different ones among them.
    splits: name -> (samples, subjects).
    terms: one for each different (source, licence, consent), sorted.
    models: (face model, its licence, samples), sorted.
    schema: of the manifest: its columns.
    poses: counts of the yaws; None where no row has one.
    failures: (stage, exception) -> inputs that gave nothing.
    shards: what shards.json says of the shards of samples that hold any.
    first_shard_empty: the first shard of samples holds none.
    manifest_sha256: of manifest.parquet.
    """

    samples: int
    subjects: int
    splits: dict[str, tuple[int, int]]
    terms: tuple[Terms, ...]
    models: tuple[tuple[str, str, int], ...]
    schema: pa.Schema
    poses: PoseCounts | None
    failures: dict[tuple[str, str], int]
    shards: tuple[dict[str, Any], ...]
    first_shard_empty: bool
    manifest_sha256: str

    @property
    def members(self) -> list[str]:
        """Suffixes of a sample's members."""
        return [n.removesuffix("/size") for n in self.schema.names if n.endswith("/size")]

    @property
    def simulated(self) -> int:
        """Samples that show no real person."""
        return sum(terms.samples for terms in self.terms if terms.consent == NOT_A_PERSON)

    @property
    def unknown_terms(self) -> list[Terms]:
        """Sources of which nobody said the licence or the consent."""
        return [terms for terms in self.terms if terms.unknown]


def summarise(set_dir: "Location") -> SetSummary:
    """The summary of a set whose lists manifests.index.merge has written.

    Raises:
        OSError: they are not there.
    """
    parquet = pq.ParquetFile(pa.BufferReader(read_bytes(set_dir / MANIFEST)))
    rows = parquet.read([*_COLUMNS, *_TERMS], use_threads=False)
    schema = parquet.schema_arrow
    listing = json.loads(read_bytes(set_dir / SHARDS))
    shards = [s for s in listing["shards"] if s["name"].startswith(f"{SAMPLES}/")]
    return SetSummary(
        rows.num_rows,
        len(rows["subject"].unique()),
        {row[0]: row[1:] for row in _counted(rows, ["split"])},
        tuple(Terms(*row[:3], row[4], row[3]) for row in _counted(rows, _TERMS)),
        _models(rows),
        schema,
        _poses(rows["yaw_deg"].drop_null()),
        _failures(set_dir),
        tuple(shard for shard in shards if shard["count"]),
        bool(shards) and not shards[0]["count"],
        listing["manifest"]["sha256"],
    )


def _counted(rows: pa.Table, names: Sequence[str]) -> list[tuple]:
    """(value of each name …, samples, subjects), sorted; "unknown" for null."""
    asked = [("subject", "count"), ("subject", "count_distinct")]
    table = rows.group_by(list(names), use_threads=False).aggregate(asked)
    columns = (*names, "subject_count", "subject_count_distinct")
    return sorted(zip(*(_known(table[name]) for name in columns), strict=True))


def _known(column: pa.ChunkedArray) -> list:
    return [UNKNOWN if value is None else value for value in column.to_pylist()]


def _models(rows: pa.Table) -> tuple[tuple[str, str, int], ...]:
    counted = _counted(rows, ["model", "model_licence"])
    return tuple((model, licence, n) for model, licence, n, _ in counted if model != UNKNOWN)


def _poses(yaws: pa.ChunkedArray) -> PoseCounts | None:
    if not len(yaws):
        return None
    counts = PoseCounts()
    counts.add(yaws.to_numpy())
    return counts


def _failures(set_dir: "Location") -> dict[tuple[str, str], int]:
    reasons: Counter[tuple[str, str]] = Counter()
    for path in failure_files(set_dir):
        for line in read_bytes(path).splitlines():
            reasons[path.stem, json.loads(line)["exception"]] += 1
    return dict(sorted(reasons.items()))
