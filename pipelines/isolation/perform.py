"""A task on a worker: made, in a process that may die of it, and answered for in a small dict."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cloudpickle

from manifests import ledger
from manifests.faults import hopeless
from manifests.ledger import ShardRecord
from manifests.shard import BadShard
from pipelines.config import config_hash
from pipelines.executors import Outcome
from pipelines.isolation.isolate import CallFailed, Death, Limits, call_isolated
from pipelines.isolation.rescue import rescue
from pipelines.plan import ShardTask, inputs_hash
from pipelines.stages.base import commit_failed

log = logging.getLogger(__name__)

_NEWS_S = 2.0  # until the driver surely knows of a full disk

StageFn = Callable[[ShardTask, Any], ShardRecord]


@dataclass
class _News:
    """What stops the run, and will reach this worker soon: it begins nothing more in vain."""

    until: float = 0.0
    answer: Outcome = field(default_factory=dict)

    def note(self, answer: Outcome) -> None:
        if answer.get("fatal"):
            self.until, self.answer = time.monotonic() + _NEWS_S, answer


_news = _News()


def perform_isolated(payload: bytes, limits: Limits) -> Outcome:
    """As perform, in a process of its own, on a worker.

    Args:
        payload: isolate.pack of a call of perform. It stays bytes here unless the process dies:
            the worker then loads none of the stages' modules.
    """
    if time.monotonic() < _news.until:
        return _news.answer
    try:
        limits = limits.here()
        answer = call_isolated(payload, limits)
        if not isinstance(answer, Death):
            _news.note(answer)
            return answer
        function, (stage, task, config) = cloudpickle.loads(payload)
        log.warning("task '%s' died at input '%s': %s", task.name, answer.key, answer.error)
        return rescue(function, stage, task, config, answer, limits)
    except (OSError, BadShard, CallFailed) as error:
        return {"kind": "blocked", "message": in_words(error)}


def perform(stage: StageFn, task: ShardTask, config: Any) -> Outcome:
    """Make one shard; an exception becomes part of the answer.

    A result that was lost on its way back (its worker died) is asked for again: a shard that is
    already there is not made twice.
    """
    try:
        made = ledger.state(task.path, config_hash(config), inputs_hash(task)) == "done"
        if made and not task.again:
            return {"kind": "done", **ledger.read_sidecar(task.path).summary()}
        return {"kind": "done", **stage(task, config).summary()}
    except (OSError, BadShard) as error:
        # The disk, the network, or the shard it reads: no fault of the inputs.
        return {"kind": "blocked", "message": in_words(error), "fatal": hopeless(error)}
    except Exception as error:
        log.warning("task '%s' failed", task.name, exc_info=True)
        if task.again:  # its samples are good: no empty shard in their place
            return {"kind": "blocked", "message": f"{in_words(error)}; the shard stays as it was"}
        return _settle_failed(task, config, error)


def _settle_failed(task: ShardTask, config: Any, error: BaseException) -> Outcome:
    """Record all inputs of a task as failed."""
    try:
        record = commit_failed(task, config, error)
    except (OSError, BadShard) as trouble:
        return {"kind": "blocked", "message": f"{in_words(error)}; then {in_words(trouble)}"}
    return {"kind": "failed", "message": in_words(error), **record.summary()}


def in_words(error: BaseException) -> str:
    """An error as an outcome tells it."""
    return f"{type(error).__name__}: {error}"
