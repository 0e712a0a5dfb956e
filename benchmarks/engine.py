"""What the engine costs: planning, a shard's overhead, a second worker, two hundred workers.

``python -m benchmarks.engine [plan overhead workers wide]``. CPU-seconds count where other work on
the machine would spoil the clock. Peers, in the same run: Dask's own ways to hold as many tasks.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from benchmarks.engine_wide import WORKERS, cpu_s, wide
from benchmarks.sleeping import STAGES, SleepConfig, plan
from manifests.ledger import read_stage
from pipelines.cluster import open_client
from pipelines.config import RunOptions
from pipelines.engine import run_plan
from pipelines.isolation.options import limits_of
from pipelines.plan import load_plan, save_plan

ROOT = Path(__file__).parents[1]
SAMPLES, PER_SHARD = 1_000_000, 8
SHARD_S = 20.0  # the size of shard that the share is told for
WIDE_SHARD_S = 10.0  # half the real case: twice the messages a second


def alone(task: str) -> dict[str, float]:
    """A function of this module in a process of its own; its figures, CPU-seconds and peak MB."""
    words = [sys.executable, "-m", "benchmarks.engine", "--task", task]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(words, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measured(function: Callable[[], dict[str, float]]) -> dict[str, float]:
    """What it says, and what it took beyond the imports."""
    before, cpu, start = _peak_mb(), time.process_time(), time.perf_counter()
    said = function()
    return said | {
        "cpu_s": time.process_time() - cpu,
        "wall_s": time.perf_counter() - start,
        "peak_mb": _peak_mb(),
        "more_mb": _peak_mb() - before,
    }


def plan_ours() -> dict[str, float]:
    """Plan a million inputs in two stages, write the plan down, read it, sort the tasks."""
    from pipelines.engine import _Run

    with tempfile.TemporaryDirectory() as name:
        config = SleepConfig(inputs=SAMPLES, per_shard=PER_SHARD)
        tasks = plan(config, Path(name))
        save_plan(Path(name), "sleeping", "hash", tasks)
        assert len(load_plan(Path(name))["shards"]) == len(tasks)
        run = _Run(tasks, STAGES, config, lambda event: None, False)
        for folder in run.folders.values():
            folder.mkdir()
        run.start()
        return {"tasks": len(tasks), "bytes": (Path(name) / "plan.json").stat().st_size}


def plan_bag() -> dict[str, float]:
    """The same inputs and stages as a graph of dask.bag, as it is before it is sent anywhere."""
    import dask.bag

    refs = [{"key": f"input{i:07d}"} for i in range(SAMPLES)]
    bag = dask.bag.from_sequence(refs, partition_size=PER_SHARD).map(dict).map(dict)
    return {"tasks": len(dict(bag.__dask_graph__())), "bytes": 0}


def plan_map() -> dict[str, float]:
    """One stage of them with client.map: until the scheduler, in this process, holds them all."""
    from distributed import Client, LocalCluster

    refs = [{"key": f"input{i:07d}"} for i in range(SAMPLES)]
    groups = [refs[i : i + PER_SHARD] for i in range(0, SAMPLES, PER_SHARD)]
    options = {"n_workers": 0, "processes": False, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        futures = client.map(len, groups, pure=False)
        while len(cluster.scheduler.tasks) < len(groups):
            time.sleep(0.05)
        return {"tasks": len(futures), "bytes": 0}


def run_sleeping(workers: int, **settings) -> dict[str, float]:
    """Make a set on local workers; per-shard figures, without the cluster's start and end.

    Returns:
        "wall_s" of run_plan; "cpu_s" of this process and all below it meanwhile; "stage_s", what
        the stages say they take; "shards"; "mb_a_shard"; "others", cores that were busy with what
        is not below this process.
    """
    with tempfile.TemporaryDirectory() as name:
        run = RunOptions(out=name, workers=workers, dashboard="127.0.0.1:0")
        quick = {"inputs": workers * settings["per_shard"], "sleep_s": 0.5, "burn_s": 0.0}
        warm = SleepConfig(run=run, **settings | quick | {"seed": 1})
        config = SleepConfig(run=run, **settings)
        with open_client(run) as client:
            limits = limits_of(run)
            # every worker has started its process before the clock does
            run_plan(plan(warm, Path(name) / "warm"), STAGES, warm, client, limits=limits)
            tasks = plan(config, Path(name))
            cpu, busy, start = _cpu_below(), _busy_s(), time.perf_counter()
            run_plan(tasks, STAGES, config, client, limits=limits)
            wall, cpu = time.perf_counter() - start, _cpu_below() - cpu
            others = (_busy_s() - busy - cpu) / wall
        records = [r for stage in STAGES for r in read_stage(Path(name) / stage)]
        nbytes = sum(record.nbytes for record in records)
    inputs = 2 * config.inputs
    return {
        "wall_s": wall,
        "cpu_s": cpu,
        "stage_s": inputs * (config.sleep_s + config.burn_s),
        "shards": len(tasks),
        "mb_a_shard": nbytes / len(tasks) / 1e6,
        "others": others,
    }


def _cpu_below() -> float:
    """CPU-seconds of this process and of all alive below it."""
    me = psutil.Process()
    return sum(cpu_s(one) for one in (me, *me.children(recursive=True)))


def _busy_s() -> float:
    """CPU-seconds of all processes since the machine started."""
    times = psutil.cpu_times()
    return times.user + times.nice + times.system + times.irq + times.softirq


def _load() -> str:
    """What waits for the machine's cores, for figures that it may spoil."""
    return f"; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def show_plan() -> None:
    """Planning, against Dask's own."""
    for name in ("plan_ours", "plan_bag", "plan_map"):
        f = alone(name)
        print(
            f"{name:<10} {SAMPLES:,} inputs, {f['tasks']:,} tasks: {f['cpu_s']:.1f} CPU-s, "
            f"{f['wall_s']:.1f} s, peak {f['peak_mb']:.0f} MB ({f['more_mb']:.0f} more than the "
            f"imports), {f['bytes']:,.0f} bytes of plan"
        )


def show_overhead() -> None:
    """Engine time a shard: all that is neither the stages nor the cluster's start."""
    for label, settings in (
        ("empty shards", {"inputs": 240, "per_shard": 4, "nbytes": 100}),
        ("shards of 10 MB", {"inputs": 80, "per_shard": 4, "nbytes": 2_500_000}),
        ("10 MB, 1 s", {"inputs": 16, "per_shard": 4, "nbytes": 2_500_000, "sleep_s": 0.25}),
    ):
        f = run_sleeping(1, **settings)
        wall = (f["wall_s"] - f["stage_s"]) / f["shards"]
        cpu = f["cpu_s"] / f["shards"]
        print(
            f"overhead, {label}: {f['shards']} of {f['mb_a_shard']:.1f} MB, each "
            f"{1e3 * wall:.0f} ms more than its stage ({1e3 * cpu:.0f} ms CPU of all processes): "
            f"{100 * wall / (SHARD_S + wall):.2f} % of a shard of {SHARD_S:.0f} s "
            f"(CPU: {100 * cpu / SHARD_S:.2f} %)"
        )


def show_workers() -> None:
    """A second worker: by the clock, and by the CPU-seconds that are not the stages'."""
    settings = {"inputs": 12, "per_shard": 2, "nbytes": 100_000, "burn_s": 1.5}
    one, two = run_sleeping(1, **settings), run_sleeping(2, **settings)
    for workers, f in ((1, one), (2, two)):
        print(
            f"{workers} workers, {f['shards']} shards of 3 CPU-s: {f['wall_s']:.1f} s, "
            f"{f['cpu_s']:.1f} CPU-s for {f['stage_s']:.1f} CPU-s of stages "
            f"({100 * f['stage_s'] / f['cpu_s']:.1f} %); the others on the machine took "
            f"{f['others']:.2f} of its {os.cpu_count()} cores"
        )
    print(
        f"efficiency from 1 to 2 workers: {100 * one['wall_s'] / 2 / two['wall_s']:.1f} % by the "
        f"clock, {100 * one['cpu_s'] / two['cpu_s']:.1f} % by CPU-seconds"
    )


def show_wide() -> None:
    """The scheduler of 200 workers."""
    f = wide(WIDE_SHARD_S, rounds=4)
    rate = f["tasks"] / f["wall_s"]
    print(
        f"{WORKERS} workers, {f['shards']} shards of {WIDE_SHARD_S:.0f} s; while all are busy "
        f"({f['wall_s']:.0f} s, {rate:.1f} shards a second{_load()}): scheduler "
        f"{100 * f['scheduler']:.1f} % of a core and {f['scheduler_mb']:.0f} MB, driver "
        f"{100 * f['driver']:.1f} %, the workers' own {100 * f['workers']:.0f} %; a shard costs "
        f"the scheduler {1e3 * f['scheduler'] / rate:.1f} CPU-ms, the driver "
        f"{1e3 * f['driver'] / rate:.1f}"
    )


SHOWS = {"plan": show_plan, "overhead": show_overhead, "workers": show_workers, "wide": show_wide}


def main() -> None:
    """Print what was asked for; all of it without words."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=[*SHOWS], help=", ".join(SHOWS))
    parser.add_argument("--task", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.task:
        print(json.dumps(measured(globals()[args.task])))
    else:
        for name in args.what:
            SHOWS[name]()


if __name__ == "__main__":
    main()
