"""What `synth status` and the page cost on a large set: 10,000 sidecars of 100 samples each.

    python -m benchmarks.status --shards 10000 --samples 100

Peer in the same run: ledger.read_sidecar, which makes entries and rows of every sample.
"""

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

from manifests.ledger import ShardRecord, read_sidecar, write_sidecar
from manifests.shard import Entry
from pipelines.dashboard.serve import SetFigures
from pipelines.plan import first_tasks, save_plan
from pipelines.status import StatusReader


def make_set(out: Path, shards: int, samples: int) -> None:
    """A set of empty tars whose sidecars tell of ``samples`` samples each."""
    tasks = first_tasks(out, "samples", [({"key": f"s{k}"},) for k in range(shards)])
    save_plan(out, "toy", "c" * 64, tasks)
    (out / "samples").mkdir()
    places = {"jpg": (512, 9000), "json": (10240, 3000), "vertices.npy": (14000, 67000)}
    entries = tuple(Entry(f"person{k:05d}/v{k}", 1 << 20, 1 << 17, places) for k in range(samples))
    row = {"subject": "p", "source": "x", "licence": "MIT", "consent": "unknown", "scan": "p"}
    rows = tuple(
        row | {"yaw_deg": 0.731 * (k % 180), "pitch_deg": 0.31 * k, "iod_mm": 90.123, "width": 256}
        for k in range(samples)
    )
    failure = {"key": "k", "stage": "samples", "exception": "E", "message": "x", "config_hash": "c"}
    for task in tasks:
        task.path.touch()
        record = ShardRecord(
            task.name, "a" * 64, 0, "c" * 64, "i" * 64, 20.0, (failure,), entries, rows
        )
        write_sidecar(task.path, record)


def measure(name: str, work, repeats: int) -> None:
    """Print the CPU and wall seconds of a call, median and range."""
    cpu, wall = [], []
    for _ in range(repeats):
        started = time.process_time(), time.perf_counter()
        work()
        cpu.append(time.process_time() - started[0])
        wall.append(time.perf_counter() - started[1])
    print(
        f"{name:<44} CPU {statistics.median(cpu):7.2f} s ({min(cpu):.2f} to {max(cpu):.2f}), "
        f"wall {statistics.median(wall):7.2f} s"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=10_000)
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    os.fsync = lambda handle: None  # making the set is not what is measured
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        make_set(out, args.shards, args.samples)
        nbytes = (out / "samples" / "00000.json").stat().st_size
        print(f"{args.shards} sidecars of {args.samples} samples, {nbytes / 1e3:.1f} kB each")
        tars = sorted((out / "samples").glob("*.tar"))
        measure("peer: read_sidecar of all", lambda: [read_sidecar(t) for t in tars], args.repeats)
        measure("synth status", lambda: StatusReader(out).read(), args.repeats)
        reader = StatusReader(out)
        reader.read()
        measure("synth status --watch, from the second time", reader.read, args.repeats)
        measure("synth dashboard, first look", lambda: SetFigures(out).read(), args.repeats)


if __name__ == "__main__":
    main()
