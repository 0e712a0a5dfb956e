"""A line of progress for the terminal; plain lines where it is none."""

import time
from collections import Counter
from collections.abc import Sequence
from typing import TextIO

from pipelines.engine import Event
from pipelines.plan import ShardTask

_EVERY_S = 10.0  # between plain lines


class Progress:
    """Prints how far a run is; give it to run_plan as ``on_event``, and close it.

    Args:
        tasks: the plan.
        stream: e.g. sys.stderr.
        clock: seconds; for tests.
    """

    def __init__(self, tasks: Sequence[ShardTask], stream: TextIO, clock=time.monotonic):
        self._left = Counter(task.stage for task in tasks)
        self._total = len(tasks)
        self._stream, self._clock = stream, clock
        self._started = self._printed = clock()
        self._skipped = self._made = self._samples = self._failures = 0
        self._seconds: Counter[str] = Counter()
        self._shards: Counter[str] = Counter()

    def __call__(self, event: Event) -> None:
        """Take an event; print if it is time, or if something went wrong."""
        self._left[event.stage] -= 1
        self._failures += event.failures
        if event.kind == "skipped":
            self._skipped += 1
            return
        self._made += 1
        self._samples += event.count
        self._seconds[event.stage] += event.seconds
        self._shards[event.stage] += 1
        if event.kind in ("failed", "blocked"):
            self._say(f"{event.task} {event.kind}: {event.message}")
        self._print()

    def close(self) -> None:
        """Print the last state."""
        self._print(last=True)

    def line(self) -> str:
        """The state in words: shards, rate, time left, failures."""
        elapsed = self._clock() - self._started
        parts = [f"{self._skipped + self._made} of {self._total} shards"]
        if self._skipped:
            parts.append(f"{self._skipped} of them done before")
        if elapsed > 0 and self._made:
            parts.append(f"{self._samples / elapsed:.1f} samples/s")
            parts.append(f"{_duration(self._time_left(elapsed))} left")
        parts.append(f"{self._failures} failed inputs")
        return ", ".join(parts)

    def _time_left(self, elapsed: float) -> float:
        """Work left over the speed so far; an unseen stage counts as the mean of the others."""
        work = sum(self._seconds.values())
        mean = work / self._made
        left = sum(
            count * (self._seconds[stage] / self._shards[stage] if self._shards[stage] else mean)
            for stage, count in self._left.items()
        )
        return left * elapsed / work if work else 0.0

    def _print(self, last: bool = False) -> None:
        now = self._clock()
        if self._stream.isatty():
            self._stream.write(f"\r\x1b[K{self.line()}" + ("\n" if last else ""))
        elif last or now - self._printed >= _EVERY_S:
            self._stream.write(self.line() + "\n")
        else:
            return
        self._printed = now
        self._stream.flush()

    def _say(self, text: str) -> None:
        self._stream.write(("\r\x1b[K" if self._stream.isatty() else "") + text + "\n")


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
