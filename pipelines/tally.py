"""How far a run is, counted from the engine's events."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from manifests.shard import BadShard
from manifests.shard_summary import read_summary
from pipelines.engine import Event
from pipelines.plan import ShardTask
from pipelines.reasons import Reason, reason_of
from pipelines.status import duration

PROGRESS_VERSION = 1  # of the JSON lines, see docs/clusters.md


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
        self._event_at = 0.0  # elapsed seconds when a shard was last made

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
        self._event_at = self.elapsed
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
        """Work left over the speed so far; an unseen stage counts as the mean of the others.

        Counted down from the last shard on: the work in those that run now is not known.
        """
        work = self._seconds.total()
        if not work or not self.made:
            return None
        mean = work / self.made
        left = sum(
            (total - self.done[stage])
            * (self._seconds[stage] / self._shards[stage] if self._shards[stage] else mean)
            for stage, total in self.total.items()
        )
        return max(0.0, left * self._event_at / work - (self.elapsed - self._event_at))

    def line(self) -> str:
        """The state in words: shards, rate, time left, failures."""
        parts = [f"{self.skipped + self.made} of {self.total.total()} shards"]
        if self.skipped:
            parts.append(f"{self.skipped} of them done before")
        if self.elapsed > 0 and self.made:
            parts.append(f"{self.rate():.1f} samples/s")
            left = self.time_left()
            parts.append(f"{duration(left)} left" if left else f"{duration(self.elapsed)} gone")
        else:
            parts.append(f"{duration(self.elapsed)} gone")
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
