"""What stderr shows of a run: bars on a terminal, plain lines elsewhere, JSON for machines."""

import json
import logging
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

from manifests.brief import read_summary
from manifests.shard import BadShard
from pipelines.engine import Event
from pipelines.plan import ShardTask
from pipelines.reasons import Reason, reason_of
from pipelines.status import duration

PROGRESS_VERSION = 1  # of the JSON lines, see docs/clusters.md
_EVERY_S = {"bars": 0.2, "plain": 10.0, "json": 2.0}
_REASONS = 3  # shown on a terminal


class Tally:
    """How far a run is: shards, samples and failures by stage, rate and time left.

    Args:
        tasks: the plan.
        clock: seconds; for tests.
    """

    def __init__(self, tasks: Sequence[ShardTask], clock: Callable[[], float] = time.monotonic):
        self.total = Counter(task.stage for task in tasks)
        self.done: Counter[str] = Counter()  # shards by stage, those done before included
        self.samples: Counter[str] = Counter()  # made by this run
        self.reasons: Counter[Reason] = Counter()
        self.skipped = self.made = self.failures = self.blocked = 0
        self._paths = {task.name: task.path for task in tasks}
        self._seconds: Counter[str] = Counter()
        self._shards: Counter[str] = Counter()
        self._clock, self._started = clock, clock()

    def take(self, event: Event) -> None:
        """Count what became of a task."""
        self.done[event.stage] += event.kind != "blocked"
        self.blocked += event.kind == "blocked"
        self.failures += event.failures
        if event.failures:
            self._count_reasons(event.task)
        if event.kind == "skipped":
            self.skipped += 1
            return
        self.made += 1
        self.samples[event.stage] += event.count
        self._seconds[event.stage] += event.seconds
        self._shards[event.stage] += 1

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    def rate(self, stage: str | None = None) -> float:
        """Samples a second that this run made, of a stage or of all."""
        samples = self.samples[stage] if stage else self.samples.total()
        return samples / self.elapsed if self.elapsed > 0 else 0.0

    def time_left(self) -> float | None:
        """Work left over the speed so far; an unseen stage counts as the mean of the others."""
        work = self._seconds.total()
        if not work or not self.made:
            return None
        mean = work / self.made
        left = sum(
            (total - self.done[stage])
            * (self._seconds[stage] / self._shards[stage] if self._shards[stage] else mean)
            for stage, total in self.total.items()
        )
        return left * self.elapsed / work

    def line(self) -> str:
        """The state in words: shards, rate, time left, failures."""
        parts = [f"{self.skipped + self.made} of {self.total.total()} shards"]
        if self.skipped:
            parts.append(f"{self.skipped} of them done before")
        if self.elapsed > 0 and self.made:
            parts.append(f"{self.rate():.1f} samples/s")
            left = self.time_left()
            parts.append(f"{duration(left or 0.0)} left")
        parts.append(f"{self.failures} failed inputs")
        return ", ".join(parts)

    def as_json(self, kind: str) -> dict[str, Any]:
        """The state as plain values."""
        return {
            "version": PROGRESS_VERSION,
            "event": kind,
            "elapsed": round(self.elapsed, 3),
            "shards": self.skipped + self.made - self.blocked,
            "shards_total": self.total.total(),
            "shards_before": self.skipped,
            "shards_blocked": self.blocked,
            "samples": self.samples.total(),
            "rate": round(self.rate(), 3),
            "seconds_left": None if (left := self.time_left()) is None else round(left, 1),
            "failures": self.failures,
            "stages": [
                {
                    "stage": stage,
                    "shards": self.done[stage],
                    "shards_total": total,
                    "samples": self.samples[stage],
                    "rate": round(self.rate(stage), 3),
                }
                for stage, total in self.total.items()
            ],
            "reasons": [{**r._asdict(), "count": n} for r, n in self.reasons.most_common(20)],
        }

    def _count_reasons(self, task: str) -> None:
        try:
            self.reasons.update(map(reason_of, read_summary(self._paths[task]).failures))
        except (OSError, BadShard, KeyError):
            return  # the number of failures is counted all the same


class Progress:
    """Prints how far a run is; give it to run_plan as ``on_event``, and close it.

    Args:
        tasks: the plan.
        stream: e.g. sys.stderr.
        clock: seconds; for tests.
        how: "bars", "plain" or "json".
        width: of the terminal, columns; measured where 0.
    """

    def __init__(
        self,
        tasks: Sequence[ShardTask],
        stream: TextIO,
        clock: Callable[[], float] = time.monotonic,
        how: str = "plain",
        width: int = 0,
    ):
        self.tally = Tally(tasks, clock)
        self._stream, self._clock, self._how, self._width = stream, clock, how, width
        self._printed = clock()
        self._height = 0  # lines of bars on the terminal now

    def __call__(self, event: Event) -> None:
        """Take an event; print if it is time, or if something went wrong."""
        self.tally.take(event)
        if event.kind in ("failed", "blocked"):
            self._tell(event)
        if self._clock() - self._printed >= _EVERY_S[self._how]:
            self._print("progress")

    def line(self) -> str:
        """See Tally.line."""
        return self.tally.line()

    def close(self) -> None:
        """Print the last state."""
        self._print("end")
        self._height = 0  # what comes stands below

    def wipe(self) -> None:
        """Take the bars away, for a line of somebody else."""
        if self._height:
            self._stream.write(f"\x1b[{self._height}A\r\x1b[J")
            self._height = 0

    def _print(self, kind: str) -> None:
        if self._how == "json":
            self._stream.write(json.dumps(self.tally.as_json(kind)) + "\n")
        elif self._how == "bars":
            self.wipe()
            lines = bars(self.tally, self._width or shutil.get_terminal_size().columns)
            self._stream.write("\n".join(lines) + "\n")
            self._height = len(lines)
        else:
            self._stream.write(self.line() + "\n")
        self._printed = self._clock()
        self._stream.flush()

    def _tell(self, event: Event) -> None:
        """A line about a task that went wrong."""
        if self._how == "json":
            body = {"version": PROGRESS_VERSION, "event": event.kind, "task": event.task}
            self._stream.write(json.dumps({**body, "message": event.message}) + "\n")
            return
        self.wipe()
        self._stream.write(f"{event.task} {event.kind}: {event.message}\n")


def bars(tally: Tally, width: int) -> list[str]:
    """A bar a stage, the sum, the most frequent reasons; no line is wider than the terminal."""
    names = max(map(len, tally.total), default=0)
    lines = []
    for stage, total in tally.total.items():
        done = tally.done[stage]
        figures = f"{done}/{total}"
        rate = f" {tally.rate(stage):8.1f}/s" if width >= 60 else ""
        room = max(0, min(40, width - names - len(figures) - len(rate) - 4))
        lines.append(f"{stage:<{names}} {_bar(done / max(1, total), room)} {figures}{rate}")
    left = tally.time_left()
    words = [f"{tally.rate():.1f} samples/s"]
    words += [] if left is None else [f"{duration(left)} left"]
    words += [f"{tally.failures} failed"] if tally.failures else []
    words += [f"{duration(tally.elapsed)} gone"] if width >= 60 else []
    lines.append(", ".join(words))
    lines += [f"{count:>6} x {reason}" for reason, count in tally.reasons.most_common(_REASONS)]
    return [line if len(line) < width else line[: max(1, width - 2)] + "…" for line in lines]


def _bar(share: float, width: int) -> str:
    full = int(share * width)
    return "━" * full + "·" * (width - full)


@contextmanager
def open_progress(
    tasks: Sequence[ShardTask], stream: TextIO, how: str
) -> Iterator[Callable[[Event], None]]:
    """Progress for the length of a run, with the bars out of the way of log lines.

    Args:
        how: --progress: "auto", "plain", "json" or "none".
    """
    if how == "none":
        yield lambda event: None
        return
    kind = how if how != "auto" else "bars" if stream.isatty() else "plain"
    progress = Progress(tasks, stream, how=kind)
    keep_clear = _KeepClear(progress)
    handlers = [h for h in logging.getLogger().handlers if getattr(h, "stream", None) is stream]
    for handler in handlers:
        handler.addFilter(keep_clear)
    try:
        yield progress
    finally:
        for handler in handlers:
            handler.removeFilter(keep_clear)
        progress.close()


class _KeepClear(logging.Filter):
    """Lets every record through, after it has taken the bars away."""

    def __init__(self, progress: Progress):
        super().__init__()
        self._progress = progress

    def filter(self, record: logging.LogRecord) -> bool:
        self._progress.wipe()
        return True
