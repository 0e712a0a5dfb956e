"""How far a set is, read from the plan and the sidecars alone, while a run works or after it."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from manifests.ledger import ShardRecord, read_sidecar
from manifests.shard import BadShard
from manifests.storage import exists, locate
from pipelines.plan import load_plan


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
    """

    stage: str
    done: int
    total: int
    stale: int
    samples: int
    failures: int
    seconds: float


@dataclass(frozen=True, slots=True)
class SetStatus:
    """A set in figures.

    Attributes:
        recipe: that makes it.
        inputs: planned inputs of the first stage.
        stages: in the plan's order.
        reasons: (stage, exception, message) -> number of failed inputs.
    """

    recipe: str
    inputs: int
    stages: tuple[StageStatus, ...]
    reasons: dict[tuple[str, str, str], int]

    @property
    def complete(self) -> bool:
        """Every planned shard is done."""
        return all(stage.done == stage.total for stage in self.stages)

    @property
    def failed_share(self) -> float:
        """Failed inputs of all stages as a share of the planned inputs."""
        return sum(self.reasons.values()) / max(1, self.inputs)


def read_status(out: Path) -> SetStatus:
    """The status of the set in folder ``out``.

    Raises:
        BadInput: the folder has no plan.
    """
    plan = load_plan(out)
    out = locate(out)
    records = {name: _record(out / f"{name}.tar") for name, _, _ in plan["shards"]}
    reasons: Counter[tuple[str, str, str]] = Counter()
    for record in filter(None, records.values()):
        for failure in record.failures:
            reasons[failure["stage"], failure["exception"], failure["message"]] += 1
    stages = dict.fromkeys(name.partition("/")[0] for name in records)
    return SetStatus(
        plan["recipe"],
        sum(inputs for _, inputs, _ in plan["shards"]),
        tuple(_stage(stage, records, plan["config_hash"]) for stage in stages),
        dict(reasons),
    )


def format_status(status: SetStatus) -> list[str]:
    """The status as lines for a terminal: a table of stages, then failures by reason."""
    head = f"{'stage':<12}{'shards':>13}{'stale':>7}{'samples':>11}{'failed':>8}{'worker time':>13}"
    lines = [f"{status.recipe}: {'complete' if status.complete else 'not complete'}", head]
    for stage in status.stages:
        rate = f"{stage.seconds / stage.samples:.2f} s each" if stage.samples else "-"
        lines.append(
            f"{stage.stage:<12}{f'{stage.done} of {stage.total}':>13}{stage.stale:>7}"
            f"{stage.samples:>11,}{stage.failures:>8}{rate:>13}"
        )
    for (stage, exception, message), count in sorted(status.reasons.items(), key=lambda r: -r[1]):
        lines.append(f"failed {count} x in {stage}: {exception}: {message}")
    return lines


def _record(tar: Path) -> ShardRecord | None:
    try:
        return read_sidecar(tar) if exists(tar) else None
    except (FileNotFoundError, BadShard):
        return None


def _stage(stage: str, records: dict[str, ShardRecord | None], config_hash: str) -> StageStatus:
    names = [name for name in records if name.partition("/")[0] == stage]
    present = [record for name in names if (record := records[name]) is not None]
    done = [record for record in present if record.config_hash == config_hash]
    return StageStatus(
        stage,
        len(done),
        len(names),
        len(present) - len(done),
        sum(record.count for record in done),
        sum(len(record.failures) for record in done),
        sum(record.seconds for record in done),
    )
