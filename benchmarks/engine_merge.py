"""What the merge of a set's sidecars costs, beside the peers that read tars for the same index.

    python -m benchmarks.engine_merge --sidecars 10000

The sidecars have the rows of ``synth fg3d``: 100 samples each, figures with all their digits. The
peers index tars of the same members' sizes at a smaller number of shards (``--peer-shards``), and
their time is scaled by the number: webdataset's pass over the samples, undecoded, and a plain pass
over the headers by tarfile, which knows no labels. Each measurement is a process of its own on one
thread.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from manifests.ledger import ShardRecord, make_record, read_body, write_sidecar
from manifests.schema import check_row
from manifests.shard import Entry, ShardIndex, ShardWriter
from manifests.summary import summarise

SIZES = {"jpg": 11_000, "json": 7_400, "synth.png": 2_600, "vertices.npy": 67_616}  # bytes, fg3d
SAMPLES, VIEWS = 100, 10  # of a shard; of a subject
BLOCK = 512
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ARROW_IO_THREADS")


def make_row(subject: str, rng: np.random.Generator) -> dict:
    """A row as the stage "samples" of fg3d gives it."""
    yaw = rng.normal(0, 40)
    return check_row(
        {
            "subject": subject,
            "source": "simulated",
            "licence": "CC0-1.0",
            "consent": "not a person",
            "scan": f"{subject}/frame000",
            "model": "facesynth-head-1",
            "model_licence": "CC0-1.0 (made from MakeHuman's public-domain base mesh and targets)",
            "width": 256,
            "height": 256,
            "yaw_deg": yaw,
            "pitch_deg": rng.normal(0, 5),
            "roll_deg": rng.normal(0, 5),
            "requested_yaw_deg": 5 * round(yaw / 5),
            "requested_pitch_deg": 0,
            "iod_mm": rng.normal(90, 3),
            "verdict": "accept",
            "reason": "",
            "residual_mm": rng.normal(1, 0.1),
            "coverage": rng.random(),
            "synthesised": rng.random(),
            "degraded": False,
        }
    )


def keys_of(number: int) -> list[tuple[str, str]]:
    """(subject, key) of the samples of a shard."""
    subjects = [f"subject{number * SAMPLES // VIEWS + i // VIEWS:06d}" for i in range(SAMPLES)]
    return [(s, f"{s}/frame000_view{i % VIEWS:03d}") for i, s in enumerate(subjects)]


def fake_record(number: int) -> ShardRecord:
    """The record of a shard that is nowhere: the merge opens no tar."""
    rng = np.random.default_rng(number)
    entries, rows, start = [], [], 0
    for subject, key in keys_of(number):
        members, position = {}, start
        for suffix, size in SIZES.items():
            members[suffix] = (position + BLOCK, size)
            position += BLOCK + size + -size % BLOCK
        entries.append(Entry(key, start, position - start, members))
        rows.append(make_row(subject, rng))
        start = position
    index = ShardIndex(f"{number:064x}", start + 2 * BLOCK, tuple(entries))
    return make_record(f"samples/{number:05d}", index, rows, (), ("c" * 64, "i" * 64), 20.0)


def write_sidecars(set_dir: Path, count: int) -> None:
    """The sidecars of ``count`` shards, without their tars."""
    (set_dir / "samples").mkdir(parents=True)
    for number in range(count):
        write_sidecar(set_dir / "samples" / f"{number:05d}.tar", fake_record(number))


def write_tars(folder: Path, count: int) -> list[Path]:
    """Tars with members of the same sizes."""
    members = {suffix: bytes(size) for suffix, size in SIZES.items()}
    paths = [folder / f"{number:05d}.tar" for number in range(count)]
    for number, path in enumerate(paths):
        with ShardWriter(path) as writer:
            for _, key in keys_of(number):
                writer.add(key, members)
    return paths


def read_only(set_dir: Path) -> None:
    """Reading, the check of the seal, and the parsing of JSON alone."""
    for path in sorted((set_dir / "samples").glob("*.json")):
        read_body(path.with_suffix(".tar"))


def merge_only(set_dir: Path) -> None:
    """The merge."""
    from manifests.index import merge

    merge(set_dir)


def scan_tars(folder: Path) -> None:
    """Peer: the headers of every member by tarfile."""
    for path in sorted(folder.glob("*.tar")):
        with tarfile.open(path, "r:") as tar:
            for _ in tar:
                pass


def read_samples(folder: Path) -> None:
    """Peer: webdataset's pass over all samples, which gives keys and, undecoded, their labels."""
    import webdataset as wds

    tars = [str(path) for path in sorted(folder.glob("*.tar"))]
    for _ in wds.WebDataset(tars, shardshuffle=False):
        pass


TASKS: dict[str, Callable[[Path], None]] = {
    task.__name__: task for task in (read_only, merge_only, summarise, scan_tars, read_samples)
}


def measure(task: str, folder: Path) -> dict[str, float]:
    """Wall and CPU seconds of a task, and the peak memory of its process, MiB."""
    words = [sys.executable, "-m", "benchmarks.engine_merge", "--task", task, str(folder)]
    environment = os.environ | dict.fromkeys(THREADS, "1")
    return json.loads(subprocess.run(words, check=True, stdout=-1, env=environment).stdout)


def run_task(task: str, folder: Path) -> dict[str, float]:
    """In this process: see measure."""
    wall, cpu = time.perf_counter(), time.process_time()
    TASKS[task](folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu, "peak_mib": peak}


def benchmark_merge(sidecars: int, peer_shards: int, repeats: int) -> list[str]:
    """Lines of a table."""
    rows = sidecars * SAMPLES
    lines = [
        f"| {sidecars:,} sidecars, {rows:,} rows | wall s | CPU s | peak MiB |",
        "|---|---|---|---|",
    ]
    with tempfile.TemporaryDirectory() as folder:
        ours, theirs = Path(folder) / "set", Path(folder) / "tars"
        write_sidecars(ours, sidecars)
        theirs.mkdir()
        write_tars(theirs, peer_shards)
        for task in ("read_only", "merge_only", "summarise"):
            lines.append(_line(task, [measure(task, ours) for _ in range(repeats)], 1))
        for task in ("scan_tars", "read_samples"):
            runs = [measure(task, theirs) for _ in range(repeats)]
            lines.append(_line(f"{task}, {peer_shards} tars, scaled", runs, sidecars / peer_shards))
    return lines


def _line(name: str, runs: list[dict[str, float]], scale: float) -> str:
    cells = [
        f"{min(values) * scale:.1f}–{max(values) * scale:.1f}"
        for values in ([run[key] for run in runs] for key in ("wall", "cpu"))
    ]
    return f"| {name} | {' | '.join(cells)} | {max(run['peak_mib'] for run in runs):.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sidecars", type=int, default=10_000)
    parser.add_argument("--peer-shards", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--task", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.task:
        print(json.dumps(run_task(args.task[0], Path(args.task[1]))))
    else:
        print("\n".join(benchmark_merge(args.sidecars, args.peer_shards, args.repeats)))


if __name__ == "__main__":
    main()
