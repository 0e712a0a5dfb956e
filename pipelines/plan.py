"""The work, fixed before the run: one task a shard, never a function of the number of workers."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faces.errors import BadInput
from manifests import atomic
from manifests.ledger import canonical_json, read_sidecar
from manifests.storage import locate, read_bytes

PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class Part:
    """Every ``of``-th shard of a plan, with all that it is made from: what one of so many machines
    makes that have no scheduler in common.

    Attributes:
        number: from 1.
        of: parts in all.
    """

    number: int = 1
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Part":
        """A part from "K/N"; the whole from "".

        Raises:
            BadInput: another form, or K outside 1 to N.
        """
        number, slash, of = (text or "1/1").partition("/")
        if slash and number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of):
            return cls(int(number), int(of))
        raise BadInput(f"--part {text}", "not K/N", "K from 1 to N", "e.g. --part 1/4 to 4/4")

    def __contains__(self, index: int) -> bool:
        return index % self.of == self.number - 1

    def of_range(self, first: int, count: int) -> range:
        """The numbers of the part among ``count`` from ``first`` on."""
        return range(first + (self.number - 1 - first) % self.of, first + count, self.of)

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


WHOLE = Part()


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
        again: it is to be made for the sake of its failed inputs, though it is complete.
        fatal: (key, what it did) of inputs that killed their process: they are recorded as
            failed and not worked on.
        only: keys of the inputs to be tried, in a trial that writes nothing; None to make it.
    """

    stage: str
    index: int
    name: str
    out: str
    inputs: tuple[dict[str, object], ...] = ()
    depends: str | None = None
    again: bool = False
    fatal: tuple[tuple[str, Exception], ...] = ()
    only: tuple[str, ...] | None = None

    @property
    def path(self) -> Path:
        """The tar to write."""
        return locate(self.out)

    @property
    def input_path(self) -> Path | None:
        """The tar to read, for a task that depends on another."""
        return self.path.parent.parent / f"{self.depends}.tar" if self.depends else None


def chunk(refs: Sequence[dict[str, object]], per_shard: int) -> list[tuple[dict, ...]]:
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
    return [tuple(refs[i : i + per_shard]) for i in groups]


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


def save_plan(
    out: Path, recipe: str, config_hash: str, tasks: Sequence[ShardTask], part: Part = WHOLE
) -> None:
    """Write plan.json: each shard with its number of inputs, for status, verify and retry.

    Like shards in a row are one line, ``[stage, first index, shards, inputs each, stage read]``:
    a plan of a million samples is as small as one of ten.

    Args:
        tasks: the whole plan, whatever the part.
        part: that is made in this folder.
    """
    plan = {"recipe": recipe, "config_hash": config_hash, "part": part, "rows": _rows_of(tasks)}
    write_plan(out, plan)


def write_plan(out: Path, plan: Mapping[str, Any]) -> None:
    """Write plan.json, with the fields of load_plan but "shards"."""
    head = {"recipe": plan["recipe"], "config_hash": plan["config_hash"], "part": str(plan["part"])}
    rows = ",\n  ".join(json.dumps(row) for row in plan["rows"])
    text = json.dumps(head, indent=1)[:-2] + f',\n "rows": [\n  {rows}\n ]\n}}\n'
    atomic.write_file(locate(out) / PLAN, text.encode())


def load_plan(out: Path) -> dict:
    """plan.json of a set: "recipe", "config_hash", "part" (a Part), "rows" as stored, and
    "shards" of that part as [name, inputs, depends].

    Raises:
        BadInput: there is none, or one of another form.
    """
    try:
        plan = json.loads(read_bytes(locate(out) / PLAN))
        part = Part.parse(plan["part"])
        return plan | {"part": part, "shards": _shards_of(plan["rows"], part)}
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BadInput(
            f"set '{out}'", f"no {PLAN}", "the folder that a run wrote (its --out)", "check it"
        ) from error
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput(
            f"set '{out}'", f"{PLAN} of another form", "one of this version", "make the set anew"
        ) from error


def _rows_of(tasks: Sequence[ShardTask]) -> list[list]:
    rows: list[list] = []
    for task in tasks:
        source = task.depends and task.depends.partition("/")[0]
        if task.depends and task.depends != shard_name(source, task.index):
            raise ValueError(f"task '{task.name}': reads '{task.depends}', of another number")
        like = [task.stage, len(task.inputs), source]
        if rows and [rows[-1][i] for i in (0, 3, 4)] == like and sum(rows[-1][1:3]) == task.index:
            rows[-1][2] += 1
        else:
            rows.append([task.stage, task.index, 1, len(task.inputs), source])
    return rows


def _shards_of(rows: Sequence[Sequence], part: Part) -> list[list]:
    return [
        [shard_name(stage, index), inputs, source and shard_name(source, index)]
        for stage, first, count, inputs, source in rows
        for index in part.of_range(first, count)
    ]


def shard_name(stage: str, index: int) -> str:
    """ "STAGE/00000"."""
    return f"{stage}/{index:05d}"


def _task(
    out: Path, stage: str, index: int, inputs: tuple[dict, ...], depends: str | None
) -> ShardTask:
    name = shard_name(stage, index)
    return ShardTask(stage, index, name, f"{out}/{name}.tar", inputs, depends)
