"""What goes into a stage and what comes out of it."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Item:
    """One input.

    Attributes:
        key: unique in the run.
        rng: its generator, made from the run's seed, the stage and the key alone.
        ref: the planned input, for a stage that reads the outside world; else empty.
        members: suffix -> bytes, for a stage that reads the shard of another; else empty.
        row: manifest columns of the sample read (subject, source, ...); else empty.
    """

    key: str
    rng: np.random.Generator
    ref: dict[str, Any] = field(default_factory=dict)
    members: dict[str, bytes] = field(default_factory=dict)
    row: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageSample:
    """One result.

    Attributes:
        key: unique in the set; "/" parts folders, no dot in the last part.
        members: suffix -> bytes, e.g. {"jpg": ..., "vertices.npy": ..., "json": ...}.
        row: manifest columns (manifests.schema.ROW_COLUMNS).
    """

    key: str
    members: dict[str, bytes]
    row: dict[str, Any]
