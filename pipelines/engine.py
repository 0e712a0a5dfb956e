"""Runs a plan: skips what is done, keeps a bounded window in flight, loses nothing."""

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from manifests import atomic, ledger
from manifests.storage import files_in, make_folder
from pipelines.config import config_hash
from pipelines.executors import Executor, Inline, Outcome
from pipelines.isolation.isolate import Limits, close_isolated, pack
from pipelines.isolation.perform import StageFn, in_words, perform, perform_isolated
from pipelines.plan import ShardTask, inputs_hash

log = logging.getLogger(__name__)

# A worker that dies is the machine's doing: what its inputs do hits a process of their own. So a
# task goes to another worker, but not for ever.
_MOVES = 5


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
        message: of a failed or blocked task, or what a done one went through.
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
    limits: Limits | None = None,
    again: bool = False,
) -> RunSummary:
    """Make every shard of a plan that is not done yet.

    A task that depends on a shard starts as soon as that shard is committed. The results lie in
    the shards; equal plans and configs give equal bytes, whatever the client, the number of
    workers, the order in which they finish, and the interruptions before.

    Args:
        tasks: the plan; a task stands after the one it depends on.
        stages: stage name -> function; importable by name on the workers.
        config: settings of the run; has ``seed``.
        client: distributed.Client; None runs everything from this process.
        on_event: called for each task as its fate is known, in this thread.
        limits: of the process that each worker does its tasks in, so that an input that crashes,
            hangs or fills the memory costs itself alone; None does tasks in the worker itself.
        again: work once more on the failed inputs of shards that are done.

    Raises:
        ValueError: a task without a stage function, or that depends on a later or unknown one.
        ConnectionError: the scheduler is gone. What is committed stays.
        OSError: the disk is full, read-only or forbidden. What is committed stays.
        KeyboardInterrupt: passed on after the tasks in flight are cancelled.
    """
    run = _Run(tasks, stages, config, on_event, again)
    for folder in run.folders.values():
        make_folder(folder)
        atomic.sweep(folder)
    try:
        with _executor(client, tasks, config) as executor:
            run.start()
            while run.ready or executor.pending:
                for task in run.take(executor.window() - executor.pending):
                    executor.submit(task, *_call(stages[task.stage], task, config, limits))
                run.settle(*executor.next())
    finally:
        close_isolated()
    return run.summary()


def _call(stage: StageFn, task: ShardTask, config: Any, limits: Limits | None) -> tuple:
    """Function and arguments that make a shard."""
    if limits is None:
        return perform, (stage, task, config)
    return perform_isolated, (pack(perform, (stage, task, config)), limits)


class _Run:
    """Which tasks are ready, which wait for a shard, and the tally."""

    def __init__(
        self,
        tasks: Sequence[ShardTask],
        stages: Mapping[str, StageFn],
        config: Any,
        on_event: Callable[[Event], None],
        again: bool,
    ):
        _check(tasks, stages)
        self.tasks, self.on_event, self.again = tasks, on_event, again
        self.hash = config_hash(config)
        self.folders = {
            task.stage: task.path.parent for task in {t.stage: t for t in tasks}.values()
        }
        self.ready: deque[ShardTask] = deque()
        self.moves: Counter[str] = Counter()  # of tasks whose worker died
        self.waiting: dict[str, list[ShardTask]] = {}
        self.tally = dict.fromkeys(("skipped", "done", "failed", "blocked"), 0)
        self.samples = self.failures = 0

    def start(self) -> None:
        """Sort every task into done, ready or waiting. One listing a stage tells what is not
        there: most of a million shards need no look of their own."""
        self.there = {
            stage: {path.name for path in files_in(folder)}
            for stage, folder in self.folders.items()
        }
        for task in self.tasks:
            if task.depends:
                self.waiting.setdefault(task.depends, []).append(task)
        self._offer((task for task in self.tasks if not task.depends), self.ready.append)

    def _offer(self, tasks: Iterable[ShardTask], enqueue: Callable[[ShardTask], None]) -> None:
        """Queue tasks whose inputs are there; skip the done ones, and go on to their dependents."""
        pending = deque(tasks)
        while pending:
            task = pending.popleft()
            if not self._done(task):
                enqueue(task)
                continue
            summary = ledger.read_sidecar(task.path).summary()
            if self.again and summary["failures"]:
                enqueue(replace(task, again=True))
                continue
            self._report("skipped", task, summary)
            pending.extend(self.waiting.pop(task.name, ()))

    def _done(self, task: ShardTask) -> bool:
        if f"{task.name.rpartition('/')[2]}.json" not in self.there[task.stage]:
            return False
        return ledger.state(task.path, self.hash, inputs_hash(task)) == "done"

    def take(self, room: int) -> list[ShardTask]:
        """Up to ``room`` ready tasks."""
        return [self.ready.popleft() for _ in range(min(room, len(self.ready)))]

    def settle(self, task: ShardTask, outcome: Outcome | BaseException) -> None:
        """Take the answer for a task; what depends on it goes to the head of the queue."""
        if isinstance(outcome, BaseException):
            self.moves[task.name] += 1
            if self.moves[task.name] <= _MOVES:
                self.ready.append(task)
                return
            outcome = {"kind": "blocked", "message": in_words(outcome)}
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
        seconds = outcome.get("seconds", 0.0)
        message = outcome.get("message") or outcome.get("note", "")
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
