"""What a sidecar says in short, read without its table of samples: for status and dashboards."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from manifests.faults import reaching
from manifests.ledger import Failure, unseal
from manifests.shard import BadShard, sidecar_path
from manifests.storage import files_in, read_bytes

if TYPE_CHECKING:
    from manifests.storage import Location

# A sidecar is canonical JSON: sorted keys, no spaces. These bytes cannot occur inside a text,
# where the quotes would have backslashes, and nothing before the table has objects of this name.
_TABLE, _AFTER = b',"samples":{', b',"schema":'


@dataclass(frozen=True, slots=True)
class ShardSummary:
    """A complete shard in short.

    Attributes:
        name: "STAGE/00000".
        config_hash: of the settings that made it.
        count: samples.
        seconds: of work.
        ended: when it was committed, seconds since 1970, by the clock of the file system.
        failures: inputs that gave no sample, see manifests.ledger.
        poses_deg: (yaw, pitch) of the samples that have both, degrees; empty unless asked for.
    """

    name: str
    config_hash: str
    count: int
    seconds: float
    ended: float
    failures: tuple[Failure, ...]
    poses_deg: tuple[tuple[float, float], ...] = ()

    @property
    def stage(self) -> str:
        """The folder that holds the shard."""
        return self.name.partition("/")[0]


def read_summary(tar: "Location", poses: bool = False) -> ShardSummary:
    """The summary of a tar's sidecar, whose checksum is checked.

    Args:
        tar: path of the tar (the sidecar lies beside it).
        poses: whether to read the samples' poses, which costs a few times the rest.

    Raises:
        BadShard: torn, edited, or not a sidecar.
        OSError: there is none.
    """
    path = sidecar_path(tar)
    text = unseal(read_bytes(path), f"sidecar '{path.parent.name}/{path.name}'")
    start, end = text.find(_TABLE), text.rfind(_AFTER)
    if not 0 < start < end:
        raise BadShard(f"sidecar '{path.parent.name}/{path.name}': has no table of samples")
    body = orjson.loads(text[:start] + text[end:])
    table = orjson.loads(b"{" + text[start + 1 : end] + b"}")["samples"] if poses else {}
    columns = table.get("columns", {})
    pairs = zip(columns.get("yaw_deg", ()), columns.get("pitch_deg", ()), strict=False)
    return ShardSummary(
        body["name"],
        body["config_hash"],
        body["count"],
        body["seconds"],
        _stat(path).st_mtime,
        tuple(body["failures"]),
        tuple((yaw, pitch) for yaw, pitch in pairs if yaw is not None and pitch is not None),
    )


def _stat(path: "Location") -> os.stat_result:
    with reaching(path):
        return path.stat()


class SummaryReader:
    """The summaries of a set that may grow meanwhile; each sidecar is read once a state.

    Args:
        out: the set's folder.
        stages: the folders to read.
        poses_of: the stage whose samples' poses are wanted; None for none.
    """

    def __init__(self, out: "Location", stages: Iterable[str], poses_of: str | None = None):
        self._out, self._stages, self._poses_of = out, tuple(stages), poses_of
        self._states: dict[str, tuple[int, int]] = {}
        self.summaries: dict[str, ShardSummary] = {}

    def refresh(self) -> tuple[list[ShardSummary], bool]:
        """Summaries that are new since the last call, and whether one known before is no more or
        is another. A torn sidecar counts as none."""
        found = self._list()
        gone = [n for n, state in self._states.items() if found.get(n) != state]
        for name in gone:
            del self._states[name]
            self.summaries.pop(name, None)
        new = []
        for name in [name for name in found if name not in self._states]:
            try:
                poses = name.partition("/")[0] == self._poses_of
                summary = read_summary(self._out / f"{name}.tar", poses)
            except (BadShard, FileNotFoundError):
                continue
            self._states[name] = found[name]
            self.summaries[name] = summary
            new.append(summary)
        return new, bool(gone)

    def _list(self) -> dict[str, tuple[int, int]]:
        """Name -> (time in ns, bytes) of each sidecar beside a tar."""
        found = {}
        for stage in self._stages:
            folder = self._out / stage
            paths = {path.name: path for path in files_in(folder)}
            for path in paths.values():
                if path.suffix == ".json" and path.stem.isdigit() and f"{path.stem}.tar" in paths:
                    stat = _stat(path)
                    found[f"{stage}/{path.stem}"] = (int(stat.st_mtime * 1e9), stat.st_size)
        return dict(sorted(found.items()))
