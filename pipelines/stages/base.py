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

from faces.errors import BadInput
from manifests.ledger import Failure, ShardRecord, make_failure, make_record, write_sidecar
from manifests.ledger import read_sidecar as read_record
from manifests.schema import check_row
from manifests.secrets import without_secrets
from manifests.shard import BadShard, ShardWriter, check_members, read_entry
from manifests.storage import Ranges, is_url
from pipelines.config import config_hash, flat, to_dict
from pipelines.isolation.child import announce
from pipelines.plan import ShardTask, inputs_hash
from pipelines.seeds import rng_for
from pipelines.stages.item import Item, StageSample
from pipelines.stages.kept import Kept, input_digest, kept_samples

log = logging.getLogger(__name__)

ProcessOne = Callable[[Item, Any], Iterable[StageSample]]


def process_inputs(task: ShardTask, config: Any, process_one: ProcessOne) -> ShardRecord:
    """Make a shard: each input's samples, or its failure record; then tar and sidecar.

    An input counts whole: where its third sample fails, none of its samples is kept. Samples that
    an earlier shard of this name has of an unchanged input are taken over.

    Args:
        task: which inputs, and where the shard goes.
        config: of the run; has ``seed``.
        process_one: (item, config) -> samples. Any exception in it is that input's failure.

    Raises:
        TrialOver: the task was a trial of some inputs; nothing is written.
        OSError: the shard cannot be written (not an input's fault).
        BadShard: the shard it reads is not complete or damaged.
    """
    if task.only is not None:
        _try_inputs(task, config, process_one)
    started = time.perf_counter()
    hashes = (config_hash(config), inputs_hash(task))
    contents = _Contents(task, config, hashes[0], kept_samples(task, hashes[0]))
    with ShardWriter(task.path) as writer:
        for item in _all_items(task, config.seed):
            for sample in contents.samples(item, process_one, writer):
                writer.add(sample.key, sample.members)
    seconds = time.perf_counter() - started
    record = make_record(
        task.name,
        writer.index,
        contents.rows,
        contents.failures,
        hashes,
        seconds,
        contents.inputs,
    )
    write_sidecar(task.path, record)
    return record


class TrialOver(Exception):
    """The inputs that were to be tried did not kill this process."""


def _try_inputs(task: ShardTask, config: Any, process_one: ProcessOne) -> None:
    """Work on ``task.only`` for nothing but to see whether this process survives it."""
    for item in task_items(task, config.seed):
        announce(item.key)
        try:
            for _ in process_one(item, config):
                pass
        except Exception:
            log.debug("trial of '%s'", item.key, exc_info=True)
    raise TrialOver


@dataclass
class _Contents:
    """What a shard's sidecar will say, input by input."""

    task: ShardTask
    config: Any
    config_hash: str
    kept: Kept
    failures: list[Failure] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    inputs: list[tuple[str, str, int]] = field(default_factory=list)

    def samples(
        self, item: Item, process_one: ProcessOne, writer: ShardWriter
    ) -> list[StageSample]:
        """An input's samples, taken over or made, and noted; none of one that fails."""
        digest = input_digest(item)
        try:
            samples = self.kept.pop((item.key, digest), None)
            if samples is None:
                samples = self._made(item, process_one)
            samples = _checked(samples, writer)
        except Exception as error:
            log.info("input '%s' failed", item.key, exc_info=True)
            failure = make_failure(item.key, self.task.stage, error, self.config_hash)
            message = without_places(words_of(error, item.key), self.config)
            self.failures.append(failure | {"message": message})
            return []
        self.rows += [sample.row for sample in samples]
        self.inputs.append((item.key, digest, len(samples)))
        return samples

    def _made(self, item: Item, process_one: ProcessOne) -> Iterable[StageSample]:
        for key, error in self.task.fatal:
            if key == item.key:
                raise error
        announce(item.key)
        return process_one(item, self.config)


def task_items(task: ShardTask, seed: int) -> Iterator[Item]:
    """The inputs of a task that are to be worked on: its planned ones, or the samples of the
    shard it depends on; without those that killed a process, and in a trial the tried alone."""
    fatal = {key for key, _ in task.fatal}
    for item in _all_items(task, seed):
        if item.key not in fatal and (task.only is None or item.key in task.only):
            yield item


def all_keys(task: ShardTask) -> list[str]:
    """Keys of all inputs of a task.

    Raises:
        OSError, BadShard: the shard it reads is not complete.
    """
    if task.depends:
        return [entry.key for entry in read_record(task.input_path).entries]
    return [str(ref["key"]) for ref in task.inputs]


def _all_items(task: ShardTask, seed: int) -> Iterator[Item]:
    if not task.depends:
        for ref in task.inputs:
            key = str(ref["key"])
            yield Item(key, rng_for(seed, task.stage, key), ref=dict(ref))
        return
    record = read_record(task.input_path)
    with Ranges(task.input_path) as file:
        for entry, row in zip(record.entries, record.rows, strict=True):
            members = read_entry(file, entry)
            rng = rng_for(seed, task.stage, entry.key)
            yield Item(entry.key, rng, members=members, row=dict(row))


def commit_failed(task: ShardTask, config: Any, error: BaseException) -> ShardRecord:
    """An empty shard that says of every input of the task why it gave nothing.

    For the task as a whole: its stage function failed, or its workers died.

    Raises:
        OSError, BadShard: as process_inputs.
    """
    hashes = (config_hash(config), inputs_hash(task))
    extra = {"task": task.name, "message": without_places(str(error), config)}
    failures = [make_failure(key, task.stage, error, hashes[0]) | extra for key in all_keys(task)]
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
    named = [(p, n) for n, p in places.items() if isinstance(p, str) and _is_place(p)]
    for place, name in sorted(named, reverse=True):  # the longer path before its parent
        message = message.replace(place.rstrip("/"), f"<{name}>")
    return message


def _is_place(value: str) -> bool:
    """A URL, or an absolute path that is not the root alone."""
    return is_url(value) or (Path(value).is_absolute() and len(Path(value).parts) > 1)


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
