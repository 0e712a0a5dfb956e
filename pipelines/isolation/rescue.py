"""Poison inputs: which input of a shard kills its process, found by trials in processes of their
own; it becomes a failure record, and the shard is made without it."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pipelines.isolation.isolate import Death, InputDeath, Limits, call_once, pack
from pipelines.plan import ShardTask
from pipelines.stages.base import all_keys

log = logging.getLogger(__name__)

_CHANCE = 1  # deaths under a task that may have come from elsewhere


def rescue(
    function: Any, stage: Any, task: ShardTask, config: Any, death: Death, limits: Limits
) -> dict[str, Any]:
    """The outcome of a task whose process died, made in spite of it.

    The input in hand is tried alone. If it dies again, the fault is its own. If not, the death
    was chance (or what leaked before it), and the task is made once more; should that die as
    well, the inputs are halved until one is found that dies alone. Every round takes an input
    away or the chance, so this ends.

    Args:
        function: (stage, task, config) -> outcome.
        stage: of the task.
        task: that died.
        config: of the run.
        death: how.
        limits: of the processes.
    """
    said, chances, left = [], _CHANCE, all_keys(task)
    while left:
        culprit = _tried_alone(stage, task, config, death.key, limits)
        if culprit is None and chances:
            chances -= 1
            said.append(f"died once ({death.error})")
        else:
            keys, error = culprit or _found(stage, task, config, left, limits) or _all(left, death)
            said.append(f"left out: {', '.join(keys)} ({error})")
            task = replace(task, fatal=(*task.fatal, *((key, error) for key in keys)))
            left = [key for key in left if key not in keys]
        answer = call_once(pack(function, (stage, task, config)), limits)
        if not isinstance(answer, Death):
            return answer | {"note": "; ".join(said)}
        death = answer
    return {"kind": "blocked", "message": f"dies without any input: {death.error}"}


Culprits = tuple[list[str], InputDeath]


def _all(keys: Sequence[str], death: Death) -> Culprits:
    return [death.key] if death.key in keys else [*keys], death.error


def _tried_alone(stage, task: ShardTask, config, key: str, limits: Limits) -> Culprits | None:
    """An input that dies alone; None where it lives, or where none was in hand. By SIGKILL it must
    die twice: that comes from outside, and hits a second process by chance, too."""
    death = _trial(stage, task, config, (key,), limits) if key else None
    if death and death.error.killed:
        death = _trial(stage, task, config, (key,), limits)
    return ([key], death.error) if death else None


def _found(stage, task: ShardTask, config, keys: Sequence[str], limits: Limits) -> Culprits | None:
    """The first input that dies alone; all of them where it takes none to die."""
    if death := _trial(stage, task, config, (), limits):
        return [*keys], death.error
    return _bisected(stage, task, config, keys, limits)


def _bisected(
    stage, task: ShardTask, config, keys: Sequence[str], limits: Limits
) -> Culprits | None:
    """The first input that dies alone, of those that died together."""
    if len(keys) == 1:
        return _tried_alone(stage, task, config, keys[0], limits)
    middle = len(keys) // 2
    for half in (keys[:middle], keys[middle:]):
        if half and _trial(stage, task, config, half, limits):
            return _bisected(stage, task, config, half, limits)
    return None


def _trial(stage, task: ShardTask, config, keys: Sequence[str], limits: Limits) -> Death | None:
    answer = call_once(pack(try_inputs, (stage, replace(task, only=tuple(keys)), config)), limits)
    return answer if isinstance(answer, Death) else None


def try_inputs(stage, task: ShardTask, config) -> dict:
    """Work on the inputs ``task.only`` and write nothing; that it returns is the answer."""
    try:
        stage(task, config)
    except Exception:  # an input that raises is no poison: the stage records it
        log.debug("trial of %s", task.only, exc_info=True)
    return {}
