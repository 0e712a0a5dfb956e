"""What every stage does: loop over the inputs of a shard, keep what fails, commit the rest.

A stage is a module-level function ``run(task: ShardTask, config) -> ShardRecord``, most often::

    def run(task, config):
        return process_inputs(task, config, register_one)
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from faces.errors import BadInput
from manifests.ledger import Failure, ShardRecord, make_failure, make_record, write_sidecar
from manifests.ledger import read_sidecar as read_record
from manifests.schema import check_row
from manifests.secrets import without_secrets
from manifests.shard import BadShard, ShardWriter, check_members, read_entry
from pipelines.config import config_hash, flat, to_dict
from pipelines.plan import ShardTask, inputs_hash
from pipelines.seeds import rng_for

log = logging.getLogger(__name__)


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


ProcessOne = Callable[[Item, Any], Iterable[StageSample]]


def process_inputs(task: ShardTask, config: Any, process_one: ProcessOne) -> ShardRecord:
    """Make a shard: each input's samples, or its failure record; then tar and sidecar.

    An input counts whole: where its third sample fails, none of its samples is kept.

    Args:
        task: which inputs, and where the shard goes.
        config: of the run; has ``seed``.
        process_one: (item, config) -> samples. Any exception in it is that input's failure.

    Raises:
        OSError: the shard cannot be written (not an input's fault).
        BadShard: the shard it reads is not complete or damaged.
    """
    started = time.perf_counter()
    hashes = (config_hash(config), inputs_hash(task))
    failures: list[Failure] = []
    rows: list[dict[str, Any]] = []
    with ShardWriter(task.path) as writer:
        for item in task_items(task, config.seed):
            try:
                samples = _checked(process_one(item, config), writer)
            except Exception as error:
                log.info("input '%s' failed", item.key, exc_info=True)
                failure = make_failure(item.key, task.stage, error, hashes[0])
                failures.append(
                    failure | {"message": without_places(words_of(error, item.key), config)}
                )
                continue
            for sample in samples:
                writer.add(sample.key, sample.members)
                rows.append(sample.row)
    seconds = time.perf_counter() - started
    record = make_record(task.name, writer.index, rows, failures, hashes, seconds)
    write_sidecar(task.path, record)
    return record


def task_items(task: ShardTask, seed: int) -> Iterator[Item]:
    """The inputs of a task: its planned ones, or the samples of the shard it depends on."""
    if not task.depends:
        for ref in task.inputs:
            key = str(ref["key"])
            yield Item(key, rng_for(seed, task.stage, key), ref=dict(ref))
        return
    record = read_record(task.input_path)
    with open(task.input_path, "rb") as file:
        for entry, row in zip(record.entries, record.rows, strict=True):
            members = read_entry(file.fileno(), entry)
            rng = rng_for(seed, task.stage, entry.key)
            yield Item(entry.key, rng, members=members, row=dict(row))


def commit_failed(task: ShardTask, config: Any, error: BaseException) -> ShardRecord:
    """An empty shard that says of every input of the task why it gave nothing.

    For the task as a whole: its stage function failed, or its workers died.

    Raises:
        OSError, BadShard: as process_inputs.
    """
    hashes = (config_hash(config), inputs_hash(task))
    keys = [str(ref["key"]) for ref in task.inputs]
    if task.depends:
        keys = [entry.key for entry in read_record(task.input_path).entries]
    extra = {"task": task.name, "message": without_places(str(error), config)}
    failures = [make_failure(key, task.stage, error, hashes[0]) | extra for key in keys]
    with ShardWriter(task.path) as writer:
        pass
    record = make_record(task.name, writer.index, [], failures, hashes, 0.0)
    write_sidecar(task.path, record)
    return record


def words_of(error: BaseException, key: str) -> str:
    """An error's message, with the input's name where it names nothing, and for what no stage
    foresaw with what to do about it."""
    message = str(error)
    if "'" in message.partition(": ")[0]:
        return message
    if isinstance(error, BadInput):
        return f"input '{key}': {message}"
    return (
        f"input '{key}': {type(error).__name__}: {message or 'no more words'}; expected an input "
        "that this stage can work with; look at it, leave it out, or report it with --debug's log"
    )


def without_places(message: str, config: Any) -> str:
    """A message in which the folders that local settings name read ``<setting>``, and in which
    secrets of URLs are left out and bytes of damaged files do not reach a terminal.

    A set is given away with its failure records: they tell nothing of the machine, and are the
    same wherever the data lie.
    """
    message = without_secrets("".join(c if c.isprintable() else "\ufffd" for c in message))
    places = dict(flat(to_dict(config, ("local",))))
    absolute = [(p, n) for n, p in places.items() if isinstance(p, str) and Path(p).is_absolute()]
    for place, name in sorted(absolute, reverse=True):  # the longer path before its parent
        if len(Path(place).parts) > 1:
            message = message.replace(place.rstrip("/"), f"<{name}>")
    return message


def _checked(samples: Iterable[StageSample], writer: ShardWriter) -> list[StageSample]:
    """An input's samples, all of them fit to be written."""
    checked: list[StageSample] = []
    keys: set[str] = set()
    for sample in samples:
        check_members(sample.key, sample.members)
        if sample.key in keys or sample.key in writer:
            raise BadShard(f"sample '{sample.key}': occurs twice; keys must be unique in a set")
        keys.add(sample.key)
        checked.append(StageSample(sample.key, sample.members, check_row(sample.row)))
    return checked
