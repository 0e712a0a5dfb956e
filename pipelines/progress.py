"""What stderr shows of a run: bars on a terminal, plain lines elsewhere, JSON for machines."""

import json
import logging
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import TextIO

from pipelines.engine import Event
from pipelines.plan import ShardTask
from pipelines.status import duration
from pipelines.tally import PROGRESS_VERSION, Tally

_EVERY_S = {"bars": 1.0, "plain": 10.0, "json": 2.0}
_AT_MOST_S = 0.2  # between two drawings of bars, however many shards come
_REASONS = 3  # shown on a terminal


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
        self._lock = threading.RLock()  # events, the ticking thread and log lines write here

    def __call__(self, event: Event) -> None:
        """Take an event; print if it is time, or if something went wrong."""
        with self._lock:
            self.tally.take(event)
            if event.kind in ("failed", "blocked"):
                self._tell(event)
            self.tick(_AT_MOST_S if self._how == "bars" else None)

    def tick(self, every_s: float | None = None) -> None:
        """Print if the last time is so long ago; by default as long as is the custom."""
        every_s = _EVERY_S[self._how] if every_s is None else every_s
        with self._lock:
            if self._clock() - self._printed >= every_s:
                self._print("progress")

    def start(self) -> None:
        """Draw the bars before there is anything to tell."""
        if self._how == "bars":
            self._print("progress")

    def close(self) -> None:
        """Print the last state."""
        with self._lock:
            self._print("end")
            self._height = 0  # what comes stands below

    def write(self, text: str) -> None:
        """Put a line of somebody else above the bars."""
        with self._lock:
            if self._height:
                self._printed = float("-inf")  # the bars come back with the next tick
            self._wipe()
            self._stream.write(text)

    def flush(self) -> None:
        """Of the stream."""
        self._stream.flush()

    def _wipe(self) -> None:
        if self._height:
            self._stream.write(f"\x1b[{self._height}A\r\x1b[J")
            self._height = 0

    def _print(self, kind: str) -> None:
        if self._how == "json":
            self._stream.write(json.dumps(self.tally.as_json(kind)) + "\n")
        elif self._how == "bars":
            self._wipe()
            lines = bars(self.tally, self._width or shutil.get_terminal_size().columns)
            self._stream.write("\n".join(lines) + "\n")
            self._height = len(lines)
        else:
            self._stream.write(self.tally.line() + "\n")
        self._printed = self._clock()
        self._stream.flush()

    def _tell(self, event: Event) -> None:
        """A line about a task that went wrong."""
        if self._how == "json":
            body = {"version": PROGRESS_VERSION, "event": event.kind, "task": event.task}
            self._stream.write(json.dumps({**body, "message": event.message}) + "\n")
        else:
            self.write(f"{event.task} {event.kind}: {event.message}\n")


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
    lines.append(_sum(tally, width))
    lines += [f"{count:>6} x {reason}" for reason, count in tally.reasons.most_common(_REASONS)]
    return [line if len(line) < width else line[: max(1, width - 2)] + "…" for line in lines]


def _sum(tally: Tally, width: int) -> str:
    """Rate, time left and gone, failures; before the first shard only that time passes."""
    gone = f"{duration(tally.elapsed)} gone"
    if not tally.made:
        return f"no new shard yet, {gone}"
    left = tally.time_left()
    words = [f"{tally.rate():.1f} samples/s"]
    words += [f"{duration(left)} left"] if left else []
    words += [f"{tally.failures} failed"] if tally.failures else []
    words += [gone] if width >= 60 or not left else []
    return ", ".join(words)


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
    with ExitStack() as stack:
        stack.callback(progress.close)
        if kind == "bars":
            stack.enter_context(_log_lines_above(progress, stream))
        progress.start()
        stack.enter_context(_ticking(progress))
        yield progress


@contextmanager
def _log_lines_above(progress: Progress, stream: TextIO) -> Iterator[None]:
    """Log lines of this stream go through ``progress``, which keeps its bars below them."""
    handlers = [h for h in logging.getLogger().handlers if getattr(h, "stream", None) is stream]
    for handler in handlers:
        handler.setStream(progress)
    try:
        yield
    finally:
        for handler in handlers:
            handler.setStream(stream)


@contextmanager
def _ticking(progress: Progress) -> Iterator[None]:
    """Time passes on the terminal also while no shard is done."""
    done = threading.Event()

    def tick() -> None:
        while not done.wait(_AT_MOST_S):
            try:
                progress.tick()
            except OSError:
                return  # nobody reads any more; the next event tells the run

    thread = threading.Thread(target=tick, name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
