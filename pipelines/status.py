"""How far a set is, read from the plan and the sidecars alone, while a run works or after it."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from manifests.shard_summary import ShardSummary, SummaryReader
from manifests.storage import locate
from pipelines.folders.lock import read_owner
from pipelines.folders.owner import STALE_S, Owner
from pipelines.plan import load_plan
from pipelines.reasons import Reason, reason_of

if TYPE_CHECKING:
    from manifests.storage import Location

STATUS_VERSION = 1  # of the JSON that status_json makes
_RECENT_S, _RECENT_SHARDS = 600.0, 10  # what a rate is taken over


@dataclass(frozen=True, slots=True)
class StageStatus:
    """One stage in figures.

    Attributes:
        stage: its name.
        done, total: shards.
        stale: complete shards of other settings than the plan's, not counted as done.
        samples: in the shards that are done.
        failures: inputs that failed in them.
        seconds: of work in them, summed over the workers.
        rate: samples a second of late, over all workers; 0 where nothing was made of late.
    """

    stage: str
    done: int
    total: int
    stale: int
    samples: int
    failures: int
    seconds: float
    rate: float = 0.0


@dataclass(frozen=True, slots=True)
class SetStatus:
    """A set in figures.

    Attributes:
        recipe: that makes it.
        inputs: planned inputs of the first stage.
        stages: in the plan's order.
        reasons: reason -> number of failed inputs.
        examples: reason -> the whole message of one of them.
        runner: who runs, as the lock file says; None for nobody.
        left_s: estimate of the time to the end at the speed of late; None where there is none.
        last: when the last shard was committed, seconds since 1970; 0 for none.
    """

    recipe: str
    inputs: int
    stages: tuple[StageStatus, ...]
    reasons: dict[Reason, int]
    examples: dict[Reason, str]
    runner: Owner | None = None
    left_s: float | None = None
    last: float = 0.0

    @property
    def complete(self) -> bool:
        """Every planned shard is done."""
        return all(stage.done == stage.total for stage in self.stages)

    @property
    def failed_share(self) -> float:
        """Failed inputs of all stages as a share of the planned inputs."""
        return sum(self.reasons.values()) / max(1, self.inputs)


class StatusReader:
    """Reads a set's status again and again; a sidecar that did not change is read once.

    Args:
        out: the set's folder.

    Raises:
        BadInput: the folder has no plan.
    """

    def __init__(self, out: "Location"):
        self._out = locate(out)
        self._plan = load_plan(self._out)
        self._stages = dict.fromkeys(name.partition("/")[0] for name, _, _ in self._plan["shards"])
        self._reader = SummaryReader(self._out, self._stages)

    def read(self, now: float | None = None) -> SetStatus:
        """The status now (seconds since 1970; for tests)."""
        now = time.time() if now is None else now
        self._reader.refresh()
        planned = [name for name, _, _ in self._plan["shards"]]
        present = [s for name in planned if (s := self._reader.summaries.get(name))]
        done = [s for s in present if s.config_hash == self._plan["config_hash"]]
        failures = [failure for summary in present for failure in summary.failures]
        runner, last = find_runner(self._out, now), max((s.ended for s in done), default=0.0)
        recent, span = _recent(done, now if runner else last)
        left = _time_left(planned, done, recent, span)
        return SetStatus(
            self._plan["recipe"],
            sum(inputs for _, inputs, _ in self._plan["shards"]),
            tuple(_stage(stage, planned, present, done, recent, span) for stage in self._stages),
            dict(Counter(map(reason_of, failures))),
            {reason_of(failure): failure["message"] for failure in reversed(failures)},
            runner,
            left if len(done) < len(planned) else 0.0,
            last,
        )


def read_status(out: "Location") -> SetStatus:
    """The status of the set in folder ``out``.

    Raises:
        BadInput: the folder has no plan.
    """
    return StatusReader(out).read()


def find_runner(out: "Location", now: float) -> Owner | None:
    """Who runs: whom the lock file of a run names, unless that is surely dead."""
    owner = read_owner(out)
    if owner is None or owner.alive() is False:
        return None
    return owner if now - owner.beat < STALE_S else None


def status_json(status: SetStatus) -> dict[str, Any]:
    """The status as plain values, see docs/clusters.md."""
    names = ("stage", "done", "total", "stale", "samples", "failures", "seconds", "rate")
    owner = status.runner
    return {
        "version": STATUS_VERSION,
        "recipe": status.recipe,
        "complete": status.complete,
        "inputs": status.inputs,
        "stages": [{name: getattr(stage, name) for name in names} for stage in status.stages],
        "reasons": [
            {**reason._asdict(), "count": count, "example": status.examples[reason]}
            for reason, count in sorted(status.reasons.items(), key=lambda r: (-r[1], r[0]))
        ],
        "failed_share": status.failed_share,
        "seconds_left": status.left_s,
        "last_shard": status.last or None,
        "runner": owner and {k: getattr(owner, k) for k in ("host", "pid", "user", "since")},
    }


def format_status(status: SetStatus) -> list[str]:
    """The status as lines for a terminal: a table of stages, then failures by reason."""
    state = "complete" if status.complete else "not complete"
    owner = status.runner
    runner = [f"running on {owner.host}, process {owner.pid} of {owner.user}"] if owner else []
    if status.left_s:
        state += f"; about {duration(status.left_s)} left at the speed of late"
    head = (
        f"{'stage':<12}{'shards':>15}{'stale':>7}{'samples':>11}{'failed':>8}"
        f"{'worker time':>13}{'samples/s':>11}"
    )
    lines = [f"{status.recipe}: {state}", *runner, head]
    for stage in status.stages:
        cost = f"{stage.seconds / stage.samples:.2f} s each" if stage.samples else "-"
        lines.append(
            f"{stage.stage:<12}{f'{stage.done} of {stage.total}':>15}{stage.stale:>7}"
            f"{stage.samples:>11,}{stage.failures:>8}{cost:>13}{stage.rate:>11.1f}"
        )
    for reason, count in sorted(status.reasons.items(), key=lambda r: (-r[1], r[0])):
        message = status.examples[reason] if count == 1 else reason.message
        lines.append(f"failed {count} x in {reason.stage}: {reason.exception}: {message}")
    return lines


def duration(seconds: float) -> str:
    """H:MM:SS or M:SS; with days above one."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    text = f"{hours}:{minutes:02d}:{seconds:02d}" if hours or days else f"{minutes}:{seconds:02d}"
    return f"{days} d {text}" if days else text


def _recent(done: list[ShardSummary], now: float) -> tuple[list[ShardSummary], float]:
    """The last shards, and the seconds of wall time that they and what runs now fill."""
    ordered = sorted(done, key=lambda s: -s.ended)
    recent = [s for i, s in enumerate(ordered) if i < _RECENT_SHARDS or now - s.ended < _RECENT_S]
    begin = min((s.ended - s.seconds for s in recent), default=now)
    return recent, max(now - begin, 1e-3)


def _time_left(
    planned: list[str], done: list[ShardSummary], recent: list[ShardSummary], span: float
) -> float | None:
    """Work left over the work done a second of late; an unseen stage costs as the others do."""
    pace = sum(s.seconds for s in recent) / span
    if not pace:
        return None
    cost: dict[str, list[float]] = {}
    for summary in done:
        cost.setdefault(summary.stage, []).append(summary.seconds)
    mean = {stage: sum(seconds) / len(seconds) for stage, seconds in cost.items()}
    other = sum(mean.values()) / len(mean)
    missing = set(planned) - {s.name for s in done}
    return sum(mean.get(name.partition("/")[0], other) for name in missing) / pace


def _stage(
    stage: str,
    planned: Iterable[str],
    present: Iterable[ShardSummary],
    done: Iterable[ShardSummary],
    recent: Iterable[ShardSummary],
    span: float,
) -> StageStatus:
    mine = [s for s in done if s.stage == stage]
    return StageStatus(
        stage,
        len(mine),
        sum(name.partition("/")[0] == stage for name in planned),
        sum(s.stage == stage for s in present) - len(mine),
        sum(s.count for s in mine),
        sum(len(s.failures) for s in mine),
        sum(s.seconds for s in mine),
        sum(s.count for s in recent if s.stage == stage) / span,
    )
