"""Runs a plan: skips what is done, keeps a bounded window in flight, loses nothing."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from manifests import atomic, ledger
from manifests.faults import hopeless
from manifests.ledger import ShardRecord
from manifests.shard import BadShard
from manifests.storage import make_folder
from pipelines.config import config_hash
from pipelines.executors import Executor, Inline, Outcome
from pipelines.plan import ShardTask, inputs_hash
from pipelines.stages.base import commit_failed

log = logging.getLogger(__name__)

StageFn = Callable[[ShardTask, Any], ShardRecord]


@dataclass(frozen=True, slots=True)
class Event:
    """What became of one task.

    Attributes:
        kind: "skipped" (was done before), "done" (perhaps with failed inputs), "failed" (all its
            inputs are recorded as failed), "blocked" (nothing was written: the disk or the
            network is at fault, or a shard it needs is missing; the same command tries again).
        task: its name.
        stage: its stage.
        count: samples in the shard.
        failures: inputs that failed.
        seconds: that it took.
        message: of a failed or blocked task.
    """

    kind: Literal["skipped", "done", "failed", "blocked"]
    task: str
    stage: str
    count: int = 0
    failures: int = 0
    seconds: float = 0.0
    message: str = ""


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run in figures: tasks by what became of them, samples and failed inputs in all shards."""

    skipped: int
    done: int
    failed: int
    blocked: int
    samples: int
    failures: int


def run_plan(
    tasks: Sequence[ShardTask],
    stages: Mapping[str, StageFn],
    config: Any,
    client: Any = None,
    on_event: Callable[[Event], None] = lambda event: None,
) -> RunSummary:
    """Make every shard of a plan that is not done yet.

    A task that depends on a shard starts as soon as that shard is committed. The results lie in
    the shards; equal plans and configs give equal bytes, whatever the client, the number of
    workers, the order in which they finish, and the interruptions before.

    Args:
        tasks: the plan; a task stands after the one it depends on.
        stages: stage name -> function; importable by name on the workers.
        config: settings of the run; has ``seed``.
        client: distributed.Client; None runs everything in this process.
        on_event: called for each task as its fate is known, in this thread.

    Raises:
        ValueError: a task without a stage function, or that depends on a later or unknown one.
        ConnectionError: the scheduler is gone. What is committed stays.
        OSError: the disk is full, read-only or forbidden. What is committed stays.
        KeyboardInterrupt: passed on after the tasks in flight are cancelled.
    """
    run = _Run(tasks, stages, config, on_event)
    for folder in {task.path.parent for task in tasks}:
        make_folder(folder)
        atomic.sweep(folder)
    with _executor(client, tasks, config) as executor:
        run.start()
        while run.ready or run.suspects or executor.pending:
            for task in run.take(executor.window() - executor.pending, executor.pending == 0):
                executor.submit(task, perform, (stages[task.stage], task, config))
            run.settle(*executor.next())
    return run.summary()


def perform(stage: StageFn, task: ShardTask, config: Any) -> Outcome:
    """Make one shard, on a worker; an exception becomes part of the answer.

    A result that was lost on its way back (its worker died) is asked for again: a shard that is
    already there is not made twice.
    """
    try:
        if ledger.state(task.path, config_hash(config), inputs_hash(task)) == "done":
            return {"kind": "done", **ledger.read_sidecar(task.path).summary()}
        return {"kind": "done", **stage(task, config).summary()}
    except (OSError, BadShard) as error:
        # The disk, the network, or the shard it reads: no fault of the inputs.
        return {"kind": "blocked", "message": _words(error), "fatal": hopeless(error)}
    except Exception as error:
        log.warning("task '%s' failed", task.name, exc_info=True)
        return settle_failed(task, config, error)


def settle_failed(task: ShardTask, config: Any, error: BaseException) -> Outcome:
    """Record all inputs of a task as failed."""
    try:
        record = commit_failed(task, config, error)
    except (OSError, BadShard) as trouble:
        return {"kind": "blocked", "message": f"{_words(error)}; then {_words(trouble)}"}
    return {"kind": "failed", "message": _words(error), **record.summary()}


class _Run:
    """Which tasks are ready, which wait for a shard, which are suspect, and the tally.

    Where a worker dies, all tasks that it had taken are under suspicion, also those that only
    waited there. So a task that fails by the death of its workers runs once more at the end, alone.
    """

    def __init__(
        self,
        tasks: Sequence[ShardTask],
        stages: Mapping[str, StageFn],
        config: Any,
        on_event: Callable[[Event], None],
    ):
        _check(tasks, stages)
        self.tasks, self.config, self.on_event = tasks, config, on_event
        self.hash = config_hash(config)
        self.ready: deque[ShardTask] = deque()
        self.suspects: deque[ShardTask] = deque()
        self.tried: set[str] = set()  # names of all suspects so far
        self.waiting: dict[str, list[ShardTask]] = {}
        self.tally = dict.fromkeys(("skipped", "done", "failed", "blocked"), 0)
        self.samples = self.failures = 0

    def start(self) -> None:
        """Sort every task into done, ready or waiting."""
        for task in self.tasks:
            if task.depends:
                self.waiting.setdefault(task.depends, []).append(task)
        self._offer((task for task in self.tasks if not task.depends), self.ready.append)

    def _offer(self, tasks: Iterable[ShardTask], enqueue: Callable[[ShardTask], None]) -> None:
        """Queue tasks whose inputs are there; skip the done ones, and go on to their dependents."""
        pending = deque(tasks)
        while pending:
            task = pending.popleft()
            if ledger.state(task.path, self.hash, inputs_hash(task)) == "done":
                self._report("skipped", task, ledger.read_sidecar(task.path).summary())
                pending.extend(self.waiting.pop(task.name, ()))
            else:
                enqueue(task)

    def take(self, room: int, idle: bool) -> list[ShardTask]:
        """Up to ``room`` ready tasks; one suspect when all is idle and nothing is ready."""
        if idle and not self.ready:
            return [self.suspects.popleft()]
        return [self.ready.popleft() for _ in range(min(room, len(self.ready)))]

    def settle(self, task: ShardTask, outcome: Outcome | BaseException) -> None:
        """Take the answer for a task; what depends on it goes to the head of the queue."""
        if isinstance(outcome, BaseException):
            if task.name not in self.tried:
                self.tried.add(task.name)
                self.suspects.append(task)
                return
            outcome = settle_failed(task, self.config, outcome)
        self._report(outcome["kind"], task, outcome)
        if outcome.get("fatal"):
            raise OSError(
                f"task '{task.name}': {outcome['message']}; what is committed stays: the same "
                "command goes on from there"
            )
        dependents = self.waiting.pop(task.name, ())
        if outcome["kind"] == "blocked":
            for dependent in dependents:
                self.settle(
                    dependent, {"kind": "blocked", "message": f"shard '{task.name}' is missing"}
                )
        else:
            self._offer(dependents, self.ready.appendleft)

    def _report(self, kind: str, task: ShardTask, outcome: Outcome) -> None:
        self.tally[kind] += 1
        count, failures = outcome.get("count", 0), outcome.get("failures", 0)
        self.samples += count
        self.failures += failures
        seconds, message = outcome.get("seconds", 0.0), outcome.get("message", "")
        self.on_event(Event(kind, task.name, task.stage, count, failures, seconds, message))

    def summary(self) -> RunSummary:
        return RunSummary(**self.tally, samples=self.samples, failures=self.failures)


def _check(tasks: Sequence[ShardTask], stages: Mapping[str, StageFn]) -> None:
    seen: set[str] = set()
    for task in tasks:
        if task.stage not in stages:
            raise ValueError(f"task '{task.name}': no function for stage '{task.stage}'")
        if task.name in seen:
            raise ValueError(f"task '{task.name}': occurs twice in the plan")
        if task.depends is not None and task.depends not in seen:
            raise ValueError(f"task '{task.name}': depends on '{task.depends}', not planned before")
        seen.add(task.name)


def _executor(client: Any, tasks: Sequence[ShardTask], config: Any) -> Executor:
    if client is None:
        return Inline()
    from pipelines.cluster import Cluster

    stages = [*dict.fromkeys(task.stage for task in tasks)]
    return Cluster(client, getattr(config, "run", None), stages)


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
