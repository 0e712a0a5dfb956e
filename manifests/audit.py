"""The audit of a set's poses: how many fall where, and of what the set is composed.

Made batch by batch: memory holds counts, and a number for each subject, never the rows.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from manifests.pose_counts import BINS, PoseCounts, is_large
from manifests.pose_tables import Fault

# The paper's Table 3: CelebA, VGGFace2, BUPT-Balancedface and VoxCeleb2 together, up to 90°.
PAPER_NAME = "four datasets (paper)"
PAPER_BINS = (2_608_103, 1_139_634, 456_953, 192_535, 78_318, 13_848, 0)

GROUPS = ("split", "source", "subject", "plan")
LOST = ("no face", "no fit")  # kinds of faults behind which a pose may hide
SHARE_DIGITS = 6
NAMED_FAULTS = 1000  # faults kept by name; the others are counted


@dataclass(slots=True)
class Plan:
    """What the rows of one plan say, and what they are.

    Attributes:
        rows, large: counted, with a yaw.
        requested, achieved: how many rows have which value in the columns of shares.
    """

    rows: int = 0
    large: int = 0
    requested: Counter = field(default_factory=Counter)
    achieved: Counter = field(default_factory=Counter)

    def to_dict(self) -> dict[str, float | int | None]:
        """Shares in [0, 1]: requested and achieved as the rows say, counted from their yaws."""
        return {
            "rows": self.rows,
            "requested": _mean(self.requested),
            "achieved": _mean(self.achieved),
            "counted": self.large / self.rows,
        }


@dataclass(slots=True)
class Audit:
    """Attributes:
    name: of the set in tables.
    kind: "manifest", "table", "tars", "photos" or "paper".
    counts: of the poses.
    requested: of the requested yaws, where rows have them.
    groups: column -> value -> [images, large ones], for split, source and subject.
    plans: name -> Plan; a row with a requested share and no plan counts as plan "".
    faults: how many by kind; named: the first NAMED_FAULTS of them.
    """

    name: str
    kind: str
    counts: PoseCounts = field(default_factory=PoseCounts)
    requested: PoseCounts = field(default_factory=PoseCounts)
    groups: dict[str, dict[str, list[int]]] = field(
        default_factory=lambda: {name: {} for name in GROUPS if name != "plan"}
    )
    plans: dict[str, Plan] = field(default_factory=dict)
    faults: Counter = field(default_factory=Counter)
    named: list[Fault] = field(default_factory=list)
    rows: int = 0

    def add(self, pieces: Iterable[pa.RecordBatch | Fault]) -> "Audit":
        """Count batches of manifests.pose_tables.SCHEMA; itself."""
        for piece in pieces:
            if isinstance(piece, Fault):
                self.rows += 1
                self.fault(piece)
            else:
                self._batch(piece)
        return self

    def fault(self, fault: Fault) -> None:
        """Note something that gave no pose."""
        self.faults[fault.kind] += 1
        if len(self.named) < NAMED_FAULTS:
            self.named.append(fault)

    @property
    def large_share_bounds(self) -> tuple[float, float]:
        """The share if none, and if all, of the faces that were not found are large poses.

        Detectors lose profiles first: the truth lies nearer to the second.
        """
        lost = sum(self.faults[kind] for kind in LOST)
        whole = max(self.counts.total + lost, 1)
        return self.counts.large / whole, (self.counts.large + lost) / whole

    def _batch(self, batch: pa.RecordBatch) -> None:
        yaw = _numbers(batch, "yaw_deg")
        known = np.isfinite(yaw)
        for row in np.flatnonzero(~known):
            key = batch.column("key")[row].as_py() or f"row {self.rows + row + 1}"
            self.fault(Fault("no pose", key, "its yaw is empty or not finite"))
        self.rows += batch.num_rows
        if not known.all():
            batch, yaw = batch.filter(pa.array(known)), yaw[known]
        self.counts.add(yaw, _numbers(batch, "pitch_deg"))
        asked = _numbers(batch, "requested_yaw_deg")
        self.requested.add(asked[np.isfinite(asked)])
        large = is_large(yaw)
        for name, group in self.groups.items():
            for value, count, much in _grouped(batch.column(name), large):
                pair = group.setdefault(value, [0, 0])
                pair[0], pair[1] = pair[0] + count, pair[1] + much
        self._plans(batch, large)

    def _plans(self, batch: pa.RecordBatch, large: np.ndarray) -> None:
        shares = [_numbers(batch, f"{said}_large_share") for said in ("requested", "achieved")]
        said = np.isfinite(shares[0]) | np.isfinite(shares[1])
        names = batch.column("plan")
        said |= ~np.asarray(names.is_null())
        codes = names.fill_null("").dictionary_encode()
        index = np.asarray(codes.indices)
        for code, name in enumerate(codes.dictionary.to_pylist()):
            here = said & (index == code)
            if here.any():
                plan = self.plans.setdefault(name, Plan())
                plan.rows += int(here.sum())
                plan.large += int(large[here].sum())
                for values, share in zip((plan.requested, plan.achieved), shares, strict=True):
                    distinct, counts = np.unique(_rounded(share[here]), return_counts=True)
                    values.update(dict(zip(distinct.tolist(), counts.tolist(), strict=True)))

    def to_dict(self) -> dict[str, object]:
        """Everything as plain values, for JSON; the grid as rows of pitch from -90° up."""
        subjects = self.groups["subject"]
        composition = {n: _parts(g) for n, g in self.groups.items() if n != "subject" and g}
        return {
            "name": self.name,
            "kind": self.kind,
            "images": self.rows,
            **counts_dict(self.counts),
            "requested": counts_dict(self.requested) if self.requested.total else None,
            "composition": composition,
            "subjects": _subjects(subjects) if subjects else None,
            "plans": {name: plan.to_dict() for name, plan in sorted(self.plans.items())},
            "large_share_bounds": list(self.large_share_bounds),
            "faults": dict(sorted(self.faults.items())),
            "named_faults": [[f.kind, f.name, f.what] for f in self.named],
            "grid": self.counts.grid.tolist(),
        }


def paper_audit() -> Audit:
    """The paper's four datasets as an audit; their pitches nobody knows."""
    audit = Audit(PAPER_NAME, "paper")
    audit.counts.bins += np.array(PAPER_BINS)
    audit.rows = audit.counts.total
    return audit


def counts_dict(counts: PoseCounts) -> dict[str, object]:
    """Counts as plain values; the share is None where there is no pose."""
    return {
        "poses": counts.total,
        "bins": dict(zip(BINS, counts.bins.tolist(), strict=True)),
        "large": counts.large,
        "large_share": counts.large_share if counts.total else None,
    }


def _numbers(batch: pa.RecordBatch, name: str) -> np.ndarray:
    """A column (N,) float64, NaN where null."""
    return batch.column(name).to_numpy(zero_copy_only=False).astype(np.float64)


def _rounded(shares: np.ndarray) -> np.ndarray:
    """The finite ones of shares (N,), so that only so many distinct ones can be."""
    return np.round(shares[np.isfinite(shares)], SHARE_DIGITS)


def _mean(values: Counter) -> float | None:
    """The mean of counted values; of a single one that very value, None of none."""
    if len(values) < 2:
        return next(iter(values), None)
    return math.fsum(value * count for value, count in values.items()) / values.total()


def _grouped(column: pa.Array, large: np.ndarray) -> Iterable[tuple[str, int, int]]:
    """(value, rows, large ones) of a column of words; rows without a word are left out."""
    codes = column.drop_null().dictionary_encode()
    index, large = np.asarray(codes.indices), large[~np.asarray(column.is_null())]
    size = len(codes.dictionary)
    counts = np.bincount(index, minlength=size).tolist()
    much = np.bincount(index[large], minlength=size).tolist()
    return zip(codes.dictionary.to_pylist(), counts, much, strict=True)


def _parts(group: Mapping[str, list[int]]) -> dict[str, dict[str, float | int]]:
    return {
        value: {"images": count, "large": large, "large_share": large / count}
        for value, (count, large) in sorted(group.items())
    }


def _subjects(group: Mapping[str, list[int]]) -> dict[str, float | int]:
    """How many people, how many images each has, and how their shares differ."""
    count, large = np.array(list(group.values())).T
    share = large / count
    return {
        "count": len(count),
        "images_least": int(count.min()),
        "images_median": float(np.median(count)),
        "images_most": int(count.max()),
        "large_share_least": float(share.min()),
        "large_share_most": float(share.max()),
        "without_large": int((large == 0).sum()),
    }
