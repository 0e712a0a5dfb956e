"""What the scheduler of two hundred workers costs: ``python -m benchmarks.engine wide``.

The scheduler has a process of its own, and so has the driver. Workers are what ``dask worker``
starts, but a hundred share a process, as their stages only sleep: two hundred processes would
measure how one machine switches between them.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dask
import psutil

from benchmarks.sleeping import STAGES, SleepConfig, plan
from pipelines.cluster import open_client
from pipelines.config import RunOptions
from pipelines.engine import Event, run_plan

ROOT = Path(__file__).parents[1]
WORKERS, CREWS, BATCH = 200, 2, 10
# What each worker asks of the kernel about its whole process (open files, disks, stacks of all
# threads) grows with the square of the workers that share one. Heartbeats stay as they are.
SHARED_PROCESS = {
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.disk": False,
    "distributed.worker.profile.enabled": False,
}


def wide(shard_s: float, rounds: int) -> dict[str, float]:
    """Make ``rounds`` shards a worker; shares of a core while all workers are busy.

    Args:
        shard_s: seconds that a shard takes.
        rounds: at least 3: the first and the last are not measured.

    Returns:
        "scheduler", "driver", "workers" shares of a core; "scheduler_mb"; "wall_s" and "tasks" of
        the time that was measured; "shards" of the plan.
    """
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        scheduler, address = stack.enter_context(_scheduler(Path(name)))
        crews = _crews(address, Path(name), stack)
        run = RunOptions(out=f"{name}/set", scheduler=address, isolate=False)
        config = SleepConfig(
            run=run, inputs=WORKERS * rounds, per_shard=2, sleep_s=shard_s / 2, nbytes=2000
        )
        tasks = plan(config, Path(run.out))
        watch = _Watch(len(tasks), [scheduler, psutil.Process(), *crews])
        with open_client(run) as client:
            run_plan(tasks, STAGES, config, client, on_event=watch)
        return watch.figures() | {"shards": len(tasks)}


class _Watch:
    """Takes the engine's events; CPU-seconds from the first shard's end, when every worker has
    begun one, to the moment from which there are fewer shards left than workers.

    Args:
        tasks: of the plan.
        processes: scheduler, driver, crews.
    """

    def __init__(self, tasks: int, processes: list[psutil.Process]):
        self.tasks, self.processes = tasks, processes
        self.done = 0
        self.marks: dict[int, tuple[float, list[float], int]] = {}

    def __call__(self, event: Event) -> None:
        if event.kind != "done":
            raise AssertionError(f"expected a shard, got {event}")
        self.done += 1
        if self.done in (1, self.tasks - WORKERS):
            used = [cpu_s(process) for process in self.processes]
            self.marks[self.done] = (
                time.perf_counter(), used, self.processes[0].memory_info().rss
            )  # fmt: skip

    def figures(self) -> dict[str, float]:
        first, last = self.marks.values()
        wall = last[0] - first[0]
        scheduler, driver, *crews = ((b - a) / wall for a, b in zip(first[1], last[1], strict=True))
        return {
            "scheduler": scheduler,
            "driver": driver,
            "workers": sum(crews),
            "scheduler_mb": last[2] / 1e6,
            "wall_s": wall,
            "tasks": self.tasks - WORKERS - 1,
        }


@contextmanager
def _scheduler(folder: Path) -> Iterator[tuple[psutil.Process, str]]:
    """A scheduler as `dask scheduler` starts it, and its address."""
    where = folder / "scheduler.json"
    words = (
        "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
        "--no-dashboard", "--scheduler-file", str(where),
    )  # fmt: skip
    with _process(words, folder) as process:
        _await(lambda: where.exists() and where.stat().st_size, 60, "the scheduler's address")
        yield process, json.loads(where.read_text())["address"]


def _crews(address: str, folder: Path, stack: ExitStack) -> list[psutil.Process]:
    """Processes with their shares of the workers, all of them known to the scheduler."""
    marks = [folder / f"crew-{i}" for i in range(CREWS)]
    crews = [
        stack.enter_context(
            _process(("benchmarks.engine_wide", address, str(mark), str(folder)), folder)
        )
        for mark in marks
    ]
    _await(lambda: all(mark.exists() for mark in marks), 120, f"{WORKERS} workers")
    return crews


@contextmanager
def _process(words: tuple[str, ...], folder: Path) -> Iterator[psutil.Process]:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    with open(folder / "words.log", "ab") as log:
        command = [sys.executable, "-m", *words]
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=log, stderr=log)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def _await(there: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not there():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {what} after {seconds:.0f} s")
        time.sleep(0.1)


def cpu_s(process: psutil.Process) -> float:
    """CPU-seconds of a process so far."""
    times = process.cpu_times()
    return times.user + times.system


async def _live(address: str, mark: Path, scratch: str) -> None:
    """Start workers, ten at a time, say that they are there, and stay until killed."""
    from distributed import Worker

    workers = []
    while len(workers) < WORKERS // CREWS:
        batch = [
            Worker(address, nthreads=1, dashboard=False, memory_limit=0, local_directory=scratch)
            for _ in range(BATCH)
        ]
        workers += await asyncio.gather(*batch)
    mark.touch()
    await asyncio.gather(*(worker.finished() for worker in workers))


if __name__ == "__main__":
    dask.config.set(SHARED_PROCESS)
    asyncio.run(_live(sys.argv[1], Path(sys.argv[2]), sys.argv[3]))
