"""The work, fixed before the run: one task a shard, never a function of the number of workers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from faces.errors import BadInput
from manifests import atomic
from manifests.ledger import canonical_json, read_sidecar
from manifests.storage import locate, read_bytes

PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class ShardTask:
    """One shard to make.

    Attributes:
        stage: the folder it goes to, e.g. "samples".
        index: its number in the stage.
        name: "STAGE/00000".
        out: path or URL of the tar.
        inputs: JSON-able dicts, each with a unique "key"; empty where the inputs are the samples
            of another shard. Paths in them are relative to a root that the config names, so that
            the same data in another place are the same inputs.
        depends: name of the shard whose samples are the inputs, or None.
    """

    stage: str
    index: int
    name: str
    out: str
    inputs: tuple[dict[str, object], ...] = ()
    depends: str | None = None

    @property
    def path(self) -> Path:
        """The tar to write."""
        return locate(self.out)

    @property
    def input_path(self) -> Path | None:
        """The tar to read, for a task that depends on another."""
        return self.path.parent.parent / f"{self.depends}.tar" if self.depends else None


def chunk(refs: Sequence[Mapping[str, object]], per_shard: int) -> list[tuple[dict, ...]]:
    """Inputs in groups of ``per_shard``, in their order.

    Raises:
        BadInput: two inputs with one key, or per_shard < 1.
    """
    if per_shard < 1:
        raise BadInput("--per-shard", str(per_shard), "at least 1", "leave it out for the default")
    seen: set[object] = set()
    for ref in refs:
        if ref["key"] in seen:
            raise BadInput(
                f"input '{ref['key']}'", "the key occurs twice", "unique keys", "rename one"
            )
        seen.add(ref["key"])
    groups = range(0, len(refs), per_shard)
    return [tuple(dict(ref) for ref in refs[i : i + per_shard]) for i in groups]


def first_tasks(out: Path, stage: str, groups: Sequence[tuple[dict, ...]]) -> list[ShardTask]:
    """Tasks of a stage that reads the outside world; ``groups`` come from ``chunk``."""
    return [_task(out, stage, i, inputs, None) for i, inputs in enumerate(groups)]


def next_tasks(out: Path, stage: str, before: Sequence[ShardTask]) -> list[ShardTask]:
    """Tasks of a stage that reads the shards of an earlier one, shard by shard."""
    return [_task(out, stage, task.index, (), task.name) for task in before]


def inputs_hash(task: ShardTask) -> str:
    """SHA-256 of what a task reads: its inputs, or the checksum of the shard it depends on.

    Raises:
        BadShard, OSError: the shard it depends on is not complete.
    """
    source = read_sidecar(task.input_path).sha256 if task.depends else list(task.inputs)
    return hashlib.sha256(canonical_json([task.name, source])).hexdigest()


def save_plan(out: Path, recipe: str, config_hash: str, tasks: Sequence[ShardTask]) -> None:
    """Write plan.json: each shard with its number of inputs, for status, verify and retry."""
    body = {
        "recipe": recipe,
        "config_hash": config_hash,
        "shards": [[task.name, len(task.inputs), task.depends] for task in tasks],
    }
    atomic.write_file(locate(out) / PLAN, json.dumps(body, indent=1).encode() + b"\n")


def load_plan(out: Path) -> dict:
    """plan.json of a set: "recipe", "config_hash", "shards" as [name, inputs, depends].

    Raises:
        BadInput: there is none.
    """
    try:
        return json.loads(read_bytes(locate(out) / PLAN))
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadInput(
            f"set '{out}'", f"no {PLAN}", "the folder that a run wrote (its --out)", "check it"
        ) from error


def _task(
    out: Path, stage: str, index: int, inputs: tuple[dict, ...], depends: str | None
) -> ShardTask:
    name = f"{stage}/{index:05d}"
    return ShardTask(stage, index, name, str(locate(out) / f"{name}.tar"), inputs, depends)
