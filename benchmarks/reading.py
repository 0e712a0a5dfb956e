"""Raw samples a second out of a set in the page cache, and bytes a second through ``verify``.

    python -m benchmarks.reading [--samples 4000] [--repeats 7] [--folder DIR]

A set is made whose members have the sizes of ``synth fg3d``'s: JPEG, vertices, JSON. Nothing is
decoded but in the row that says so. In each repeat every way has its turn, in another order; the
table has the median over the repeats, the least and the most. "a CPU-second" is by the process's
own user and system time, which other programs disturb less than the clock; the ratio is that of
CPU times to WebDataset's in the same repeat. WebDataset reads shards in order through its shuffle
buffer; the reader's order is a permutation of all samples. Freed memory stays with the process,
as in the engine's workers (pipelines.worker.keep_memory): else the pages of every batch are
fetched anew, which costs more than the reading.

``verify`` (one pass of SHA-256, headers compared, JSON parsed) stands beside ``sha256sum`` on the
same tars and hashlib alone.
"""

import argparse
import hashlib
import io
import json
import random
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import webdataset

from benchmarks.tables import print_table
from manifests.index import MANIFEST, merge
from manifests.ledger import make_record, write_sidecar
from manifests.reader import SetReader
from manifests.schema import SAMPLE_FIELDS
from manifests.shard import ShardWriter
from manifests.splits import split_of
from manifests.storage import Ranges
from manifests.verify import verify
from pipelines.worker import keep_memory

VERTICES = 11_248  # of the default model's face
JPEG_BYTES = 24_000  # 256 x 256 at quality 95
SHUFFLE = 1000  # samples of WebDataset's buffer, its documentation's own value
BATCH = 64
CHUNK = 1 << 20


def main() -> None:
    """Make the set, take turns, print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--per-shard", type=int, default=250)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--folder", type=Path, help="where the set is made; default: temporary")
    args = parser.parse_args()
    keep_memory()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        out = Path(folder)
        make_set(out, args.samples, args.per_shard)
        tars = sorted(str(path) for path in (out / "samples").glob("*.tar"))
        nbytes = sum(Path(tar).stat().st_size for tar in tars)
        print(f"{args.samples:,} samples, {len(tars)} shards, {nbytes / 1e6:,.0f} MB\n")
        reading(SetReader(out), tars, args.repeats)
        print()
        verifying(out, tars, nbytes, args.repeats)


def make_set(out: Path, samples: int, per_shard: int) -> None:
    """Shards of random JPEG-sized bytes, int16 vertices, and a JSON with the fields asked for."""
    rng = np.random.default_rng(0)
    row = {"subject": "p", "source": "s", "licence": "CC0-1.0", "consent": "not a person"}
    labels = (
        dict.fromkeys((field.name for field in SAMPLE_FIELDS), 0) | row | {"split": split_of("p")}
    )
    labels |= {"landmarks_mm": rng.normal(0, 50, (68, 3)).round(3).tolist()}
    for shard, start in enumerate(range(0, samples, per_shard)):
        tar = out / "samples" / f"{shard:05d}.tar"
        keys = [f"person{i // 50:04d}/view{i:06d}" for i in range(start, start + per_shard)]
        with ShardWriter(tar) as writer:
            for key in keys:
                writer.add(key, _members(rng, labels | {"key": key}))
        name = f"samples/{shard:05d}"
        write_sidecar(tar, make_record(name, writer.index, [row] * len(keys), [], ("c", "i"), 0.0))
    merge(out)


def _members(rng: np.random.Generator, labels: dict) -> dict[str, bytes]:
    array = io.BytesIO()
    np.save(array, rng.integers(-9000, 9000, (VERTICES, 3), dtype=np.int16))
    return {
        "jpg": rng.bytes(JPEG_BYTES),
        "vertices.npy": array.getvalue(),
        "json": json.dumps(labels).encode(),
    }


def reading(reader: SetReader, tars: list[str], repeats: int) -> None:
    """The table of samples a second."""
    count = len(reader)
    columns = ["shard", "offset", "nbytes"]
    places = pq.read_table(reader.path / MANIFEST, columns=columns).to_pylist()

    def order(seed: int) -> list[int]:
        return np.random.default_rng(seed).permutation(count).tolist()

    spans = [(row["shard"], row["offset"], row["nbytes"]) for row in places]

    def raw(seed: int) -> int:
        with ExitStack() as stack:
            names = {span[0] for span in spans}
            files = {name: stack.enter_context(Ranges(reader.path / name)) for name in names}
            mixed = (spans[i] for i in order(seed))
            return sum(len(files[s].read(n, at)) == n for s, at, n in mixed)

    def one_by_one(seed: int) -> int:
        return sum(len(reader[i]) > 0 for i in order(seed))

    def in_batches(seed: int, members: list[str] | None = None) -> int:
        mixed = order(seed)
        batches = (mixed[i : i + BATCH] for i in range(0, count, BATCH))
        return sum(len(reader.read(batch, members)) for batch in batches)

    def decoded(seed: int) -> int:
        found = 0
        for i in order(seed):
            found += np.load(io.BytesIO(reader[i]["vertices.npy"]), allow_pickle=False).shape[1] > 0
        return found

    def streamed(seed: int) -> int:
        rng = random.Random(seed)
        shards = webdataset.WebDataset(tars, shardshuffle=len(tars), seed=seed, empty_check=False)
        return sum(1 for _ in shards.shuffle(SHUFFLE, rng=rng))

    ways: dict[str, Callable[[int], int]] = {
        "WebDataset, shuffle buffer": streamed,
        "one bare pread a sample, fully shuffled": raw,
        "reader[i], fully shuffled": one_by_one,
        f"reader.read, {BATCH} shuffled": in_batches,
        "the same, JPEG and JSON alone": lambda seed: in_batches(seed, ["jpg", "json"]),
        "reader[i] and vertices.npy decoded": decoded,
    }
    spent = take_turns(ways, repeats, count)
    base = spent["WebDataset, shuffle buffer"]
    rows = []
    for name, turns in spent.items():
        ratios = [b[1] / t[1] for b, t in zip(base, turns, strict=True)]
        rates = [count / wall for wall, _ in turns], [count / cpu for _, cpu in turns]
        rows.append([name, *(_spread(r, ",.0f") for r in rates), _spread(ratios, ".1f")])
    print_table(["samples", "a second", "a CPU-second", "x WebDataset"], rows)


def verifying(out: Path, tars: list[str], nbytes: int, repeats: int) -> None:
    """The table of bytes a second."""

    def checked(threads: int) -> int:
        return not verify(out, threads=threads)

    def summed(seed: int) -> int:
        return not subprocess.run(["sha256sum", *tars], capture_output=True, check=True).returncode

    def hashed(seed: int) -> int:
        for tar in tars:
            digest = hashlib.sha256()
            with open(tar, "rb") as file:
                while chunk := file.read(CHUNK):
                    digest.update(chunk)
        return 1

    ways = {
        "sha256sum": summed,
        "hashlib.sha256": hashed,
        "verify, one thread": lambda seed: checked(1),
        "verify, a thread a core": lambda seed: checked(0),
    }
    spent = take_turns(ways, repeats, 1)
    rows = []
    for name, turns in spent.items():
        ratios = [b[1] / t[1] for b, t in zip(spent["sha256sum"], turns, strict=True)]
        rates = [nbytes / wall / 1e6 for wall, _ in turns], [nbytes / c / 1e6 for _, c in turns]
        rows.append([name, *(_spread(r, ",.0f") for r in rates), _spread(ratios, ".2f")])
    print_table(["MB of tars", "a second", "a CPU-second", "x sha256sum"], rows)


def take_turns(
    ways: dict[str, Callable[[int], int]], repeats: int, expected: int
) -> dict[str, list[tuple[float, float]]]:
    """(wall, CPU) seconds of each way in each repeat, the first round (cold) not counted."""
    spent: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(repeats + 1):
        names = list(ways)
        random.Random(turn).shuffle(names)
        for name in names:
            wall, cpu = time.perf_counter(), _cpu()
            got = ways[name](turn)
            if got != expected:
                raise SystemExit(f"{name}: {got} of {expected}")
            if turn:
                spent[name].append((time.perf_counter() - wall, _cpu() - cpu))
    return spent


def _cpu() -> float:
    """User and system seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def _spread(values: list[float], form: str) -> str:
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:{form}} ({low:{form}} to {high:{form}})"


if __name__ == "__main__":
    main()
