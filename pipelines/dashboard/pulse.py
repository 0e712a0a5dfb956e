"""What the page shows, gathered from shard summaries; small enough to be sent whole."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from manifests.shard_summary import ShardSummary
from pipelines.reasons import Reason, reason_of

BIN_DEG = 5  # of the pose histogram; bins are centred on multiples of it
MAX_REASONS = 20
_MAX_BINS = 360  # of time; the bins double when there are more
_FIRST_BIN_S = 2.0
_PAUSE_S = 900.0  # a gap of this length parts two sessions; the page shows the last


class Pulse:
    """A set's figures, grown shard by shard.

    Args:
        title: of the page, e.g. the folder's name.
        shards: stage -> number of planned shards, in the plan's order.
        clock: seconds since 1970; for tests.
    """

    def __init__(
        self, title: str, shards: Mapping[str, int], clock: Callable[[], float] = time.time
    ):
        self._title, self._shards, self._clock = title, dict(shards), clock
        self._done: Counter[str] = Counter()
        self._samples: Counter[str] = Counter()
        self._failures: Counter[str] = Counter()
        self._seconds: Counter[str] = Counter()
        self._reasons: Counter[Reason] = Counter()
        self._poses: Counter[tuple[int, int]] = Counter()
        self._series = {stage: Series() for stage in self._shards}
        self._last = 0.0
        self.state = "waiting"  # "running", "complete" or "stopped"

    def take(self, summary: ShardSummary) -> None:
        """Add a shard."""
        stage = summary.stage
        if stage not in self._shards:
            return
        self._done[stage] += 1
        self._samples[stage] += summary.count
        self._failures[stage] += len(summary.failures)
        self._seconds[stage] += summary.seconds
        self._reasons.update(map(reason_of, summary.failures))
        self._poses.update(map(_bin, summary.poses_deg))
        self._series[stage].add(summary.ended, summary.seconds, summary.count)
        self._last = max(self._last, summary.ended)

    @property
    def complete(self) -> bool:
        """Every planned shard was taken."""
        return all(self._done[stage] >= total for stage, total in self._shards.items())

    def snapshot(self) -> dict[str, Any]:
        """All figures as plain values: the page's whole input, some ten KB."""
        now = self._clock() if self.state == "running" else self._last
        begin = session_start([series.bins() for series in self._series.values()])
        rows = [self._stage(stage, total, now, begin) for stage, total in self._shards.items()]
        return {
            "title": self._title,
            "state": self.state,
            "at": self._clock(),
            "last": self._last,
            "begin": begin,
            "left_s": self._left(rows, now, begin),
            "stages": rows,
            "series": {stage: series.points(begin, now) for stage, series in self._series.items()},
            "reasons": [[*r, n] for r, n in self._reasons.most_common(MAX_REASONS)],
            "more_reasons": max(0, len(self._reasons) - MAX_REASONS),
            "poses": [[*place, count] for place, count in sorted(self._poses.items())],
        }

    def _stage(self, stage: str, total: int, now: float, begin: float) -> dict[str, Any]:
        series = self._series[stage]
        running = self.state == "running"
        return {
            "stage": stage,
            "done": self._done[stage],
            "total": total,
            "samples": self._samples[stage],
            "failures": self._failures[stage],
            "seconds": self._seconds[stage],
            "rate": series.rate(now) if running else series.mean_rate(begin, now),
        }

    def _left(self, rows: Sequence[Mapping[str, Any]], now: float, begin: float) -> float | None:
        """Seconds to the end, if work goes on at the pace of this session."""
        done = [row for row in rows if row["done"]]
        span = now - begin
        work = sum(series.work_since(begin) for series in self._series.values())
        if self.complete or not done or span <= 0 or not work:
            return 0.0 if self.complete else None
        mean = {row["stage"]: row["seconds"] / row["done"] for row in done}
        other = sum(mean.values()) / len(mean)
        left = sum((r["total"] - r["done"]) * mean.get(r["stage"], other) for r in rows)
        return left * span / work


class Series:
    """Samples over time, in bins that double so that there are never many."""

    def __init__(self) -> None:
        self._bin_s = _FIRST_BIN_S
        self._samples: Counter[int] = Counter()
        self._work: Counter[int] = Counter()

    def add(self, ended: float, seconds: float, count: int) -> None:
        """A shard of ``count`` samples, made evenly over the ``seconds`` before ``ended``."""
        first, last = int((ended - seconds) // self._bin_s), int(ended // self._bin_s)
        for index in range(first, last + 1):
            start = max(index * self._bin_s, ended - seconds)
            share = (min((index + 1) * self._bin_s, ended) - start) / seconds if seconds else 1.0
            self._samples[index] += count * share
            self._work[index] += seconds * share
        while len(self._samples) > _MAX_BINS:
            self._bin_s *= 2
            self._samples, self._work = _halved(self._samples), _halved(self._work)

    def bins(self) -> list[tuple[float, float]]:
        """(start, end) of the bins with work in them, seconds since 1970."""
        return [(i * self._bin_s, (i + 1) * self._bin_s) for i in sorted(self._samples)]

    def points(self, begin: float, now: float) -> list[list[float]]:
        """[time, samples a second] from ``begin`` to ``now``, with zeros in the gaps."""
        if not self._samples:
            return []
        first = int(max(begin, min(self._samples) * self._bin_s) // self._bin_s)
        last = max(first, int(now // self._bin_s) - 1)  # the bin of now is not full yet
        indices = range(max(first, last + 1 - 2 * _MAX_BINS), last + 1)
        return [[(i + 0.5) * self._bin_s, self._samples[i] / self._bin_s] for i in indices]

    def rate(self, now: float, over_s: float = 30.0) -> float:
        """Samples a second of late."""
        bins = max(1, round(over_s / self._bin_s))
        last = int(now // self._bin_s)
        return sum(self._samples[i] for i in range(last - bins, last)) / (bins * self._bin_s)

    def mean_rate(self, begin: float, now: float) -> float:
        """Samples a second since ``begin``."""
        made = sum(count for i, count in self._samples.items() if (i + 1) * self._bin_s > begin)
        return made / max(1.0, now - begin)

    def work_since(self, begin: float) -> float:
        """Seconds of work, summed over the workers."""
        return sum(work for i, work in self._work.items() if (i + 1) * self._bin_s > begin)


def session_start(series: Sequence[Sequence[tuple[float, float]]]) -> float:
    """The start of the last stretch of work without a long pause; 0 where there is no work."""
    bins = sorted(span for spans in series for span in spans)
    begin = end = bins[0][0] if bins else 0.0
    for start, stop in bins:
        if start - end > _PAUSE_S:
            begin = start
        end = max(end, stop)
    return begin


def _halved(bins: Counter[int]) -> Counter[int]:
    halved: Counter[int] = Counter()
    for index, value in bins.items():
        halved[index // 2] += value
    return halved


def _bin(pose_deg: tuple[float, float]) -> tuple[int, int]:
    yaw, pitch = (round(angle / BIN_DEG) * BIN_DEG for angle in pose_deg)
    return yaw, pitch
