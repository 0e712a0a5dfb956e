"""Kills a run's processes at random moments, fills its disk, and compares what comes out.

``python -m benchmarks.chaos --kills 20 --seed 0``: a scheduler, workers and a driver of our own; at
each moment one of them, or the process a worker does its tasks in, gets SIGKILL. What is gone is
started again, the driver by the same command, until the set is there. Then the set's hash is that
of a run without deaths, nothing is lost or double, and the log of stage calls says what was done
twice. ``--disk`` fills a small tmpfs (as root) instead of killing.
"""

import argparse
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from manifests.index import read_records
from manifests.verify import verify
from pipelines.plan import load_plan
from pipelines.run import set_hash

ROOT = Path(__file__).parents[1]
TARGETS = ("driver", "scheduler", "worker", "nanny", "task")
PER_SHARD, STALL_S = 2, 300.0


@dataclass
class Stand:
    """Our processes: a scheduler, workers and a driver, each restarted when it is gone.

    Attributes:
        folder: of everything.
        inputs: of the set; two to a shard.
        sleep_s: seconds an input takes in each of two stages.
        workers: how many.
        extra: words for every run of the set.
    """

    folder: Path
    inputs: int
    sleep_s: float
    workers: int = 2
    extra: tuple[str, ...] = ()
    drivers: int = 0
    scheduler: subprocess.Popen | None = None
    crew: list[subprocess.Popen] = field(default_factory=list)
    driver: subprocess.Popen | None = None

    def __post_init__(self) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
        self.words = open(self.folder / "words.log", "ab")  # noqa: SIM115, closed by close

    def tend(self) -> bool:
        """Start what is gone; True once the driver has ended well."""
        if self.scheduler is None or self.scheduler.poll() is not None:
            port = self.address.rpartition(":")[2]
            self._stop_crew()  # their scheduler is gone: they would look for it in vain
            self.scheduler = self._start(
                "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", port,
                "--no-dashboard",
            )  # fmt: skip
        self.crew = [one for one in self.crew if one.poll() is None]
        while len(self.crew) < self.workers:
            self.crew.append(
                self._start(
                    "distributed.cli.dask_worker", self.address, "--nthreads", "1",
                    "--no-dashboard", "--local-directory", str(self.folder / "dask"),
                )
            )  # fmt: skip
        if self.driver is None or self.driver.poll() not in (None, 0):
            self.driver = self._start("benchmarks.sleeping", *self.command("set", self.address))
            self.drivers += 1
        return self.driver.poll() == 0

    def command(self, name: str, scheduler: str) -> list[str]:
        """Words of the run of a set."""
        return [
            "--out", str(self.folder / name), "--scheduler", scheduler,
            "--inputs", str(self.inputs), "--per-shard", str(PER_SHARD),
            "--sleep-s", str(self.sleep_s), "--log", str(self.folder / f"{name}.log"),
            *self.extra,
        ]  # fmt: skip

    def calls(self) -> Counter[tuple[str, str]]:
        """(stage, input) -> how often it was worked on so far."""
        log = self.folder / "set.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return Counter((line.split()[0], line.split()[1]) for line in lines)

    def kill(self, target: str, rng: random.Random) -> bool:
        """SIGKILL to one of our processes; False where there is none of the kind."""
        found = [one for one in self._processes(target) if one.is_running()]
        if not found:
            return False
        with suppress(psutil.NoSuchProcess):
            rng.choice(found).send_signal(signal.SIGKILL)
        return True

    def _processes(self, target: str) -> list[psutil.Process]:
        if target in ("driver", "scheduler"):
            one = getattr(self, target)
            return [psutil.Process(one.pid)] if one and one.poll() is None else []
        nannies = [psutil.Process(one.pid) for one in self.crew if one.poll() is None]
        if target == "nanny":
            return nannies
        with suppress(psutil.Error):
            below = [one for nanny in nannies for one in nanny.children(recursive=True)]
            tasks = {one.pid for one in below if "pipelines.isolation.child" in one.cmdline()}
            spawned = [one for one in below if "spawn_main" in " ".join(one.cmdline())]
            return [one for one in below if one.pid in tasks] if target == "task" else spawned
        return []

    def _start(self, module: str, *words: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=self.words,
            stderr=self.words,
        )

    def _stop_crew(self) -> None:
        for one in self.crew:
            with suppress(psutil.NoSuchProcess):
                nanny = psutil.Process(one.pid)
                below = nanny.children(recursive=True)
                for process in (nanny, *below):
                    process.kill()
            one.wait()
        self.crew = []

    def close(self) -> None:
        """End all of them."""
        self._stop_crew()
        for one in (self.driver, self.scheduler):
            if one is not None and one.poll() is None:
                one.kill()
                one.wait()
        self.words.close()


@dataclass(frozen=True)
class Outcome:
    """What a set went through.

    Attributes:
        kills: by target.
        drivers: how often the command was given.
        same: whether hash and every shard are those of a run without deaths.
        problems: that verify finds.
        shards_lost, samples_double: against the plan.
        redone: inputs worked on more than once, summed, in shards.
        bound: one shard a worker for each death of driver or scheduler, one for a worker's.
    """

    kills: dict[str, int]
    drivers: int
    same: bool
    problems: int
    shards_lost: int
    samples_double: int
    redone: float
    bound: int

    @property
    def good(self) -> bool:
        """Nothing lost, nothing double, the same bytes, no more work than the bound."""
        faults = self.problems + self.shards_lost + self.samples_double
        return self.same and not faults and self.redone <= self.bound


def chaos(stand: Stand, rng: random.Random, kills: int, pause_s: tuple[float, float]) -> Outcome:
    """Make a set while killing, and compare it.

    Args:
        stand: its processes, not yet started.
        rng: of moments and targets.
        kills: so many, or fewer if the set is there before.
        pause_s: seconds from a sign of work to the next kill, from and to: no kill falls into the
            time in which nothing is under way.
    """
    done: Counter[str] = Counter()
    seen, moment, moved = 0, float("inf"), time.monotonic()
    try:
        while not stand.tend():
            time.sleep(0.05)
            now, work = time.monotonic(), stand.calls().total()
            if work > seen:
                seen, moved = work, now
                moment = min(moment, now + rng.uniform(*pause_s))
            if now > moved + STALL_S:
                said = (stand.folder / "words.log").read_text()[-2000:]
                raise TimeoutError(f"no work done for {STALL_S:.0f} s:\n{said}")
            if done.total() < kills and now >= moment:
                target = rng.choice(TARGETS)
                done[target] += stand.kill(target, rng)
                seen, moment = stand.calls().total(), float("inf")
                moment_of_day = time.strftime("%H:%M:%S")
                print(f"  {moment_of_day} kill {done.total()}: {target}, after {seen} calls")
    finally:
        stand.close()
    return compare(stand, +done)


def compare(stand: Stand, kills: Counter[str], bound: int | None = None) -> Outcome:
    """The set against one that a single process made undisturbed.

    Args:
        stand: of the set, in ``stand.folder / "set"``.
        kills: by target.
        bound: shards that may have been made twice; None: see Outcome.
    """
    out, quiet = stand.folder / "set", stand.folder / "quiet"
    sleeping([*stand.command("quiet", "inline"), "--sleep-s", "0", "--out", str(quiet)], check=True)
    names = {name for name, _, _ in load_plan(out)["shards"]}
    records, wanted = read_records(out), read_records(quiet)
    keys = Counter((r.stage, entry.key) for r in records for entry in r.entries)
    calls, wide = stand.calls(), kills["driver"] + kills["scheduler"]
    return Outcome(
        dict(kills),
        stand.drivers,
        set_hash(out) == set_hash(quiet)
        and [(r.name, r.sha256) for r in records] == [(r.name, r.sha256) for r in wanted],
        len(verify(out, sorted(names))),
        len(names - {record.name for record in records}),
        keys.total() - len(keys),
        (calls.total() - len(calls)) / PER_SHARD,
        wide * stand.workers + kills.total() - wide if bound is None else bound,
    )


def sleeping(words: list[str], check: bool = False) -> subprocess.CompletedProcess:
    """Run the recipe of sleeping stages to its end."""
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.sleeping", *words],
        check=check,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def full_disk(folder: Path) -> Outcome:
    """Make a set on a tmpfs that is too small, make room, and give the same command again."""
    disk = folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk], check=True)
    stand = Stand(folder, 40, 0.0, extra=("--nbytes", "9000"))
    words = [*stand.command("set", "local"), "--out", str(disk / "set"), "--workers", "2"]
    try:
        full = sleeping(words)
        subprocess.run(["mount", "-o", "remount,size=40m", disk], check=True)
        roomy = sleeping(words)
        for run in (full, roomy):
            print(f"  status {run.returncode}: {run.stderr.strip().splitlines()[-1]}")
        if (full.returncode, roomy.returncode) != (1, 0) or "No space left" not in full.stderr:
            raise AssertionError("expected a full disk, said so with status 1, and then a set")
        shutil.copytree(disk / "set", folder / "set")
        return compare(stand, Counter(), bound=stand.workers)
    finally:
        stand.close()
        subprocess.run(["umount", disk], check=True)


def main() -> int:
    """Kill as asked, in one set after another, and print what came of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--inputs", type=int, default=60)
    parser.add_argument("--sleep-s", type=float, default=0.3)
    parser.add_argument("--disk", action="store_true", help="fill a tmpfs; as root")
    args = parser.parse_args()
    rng, left, good = random.Random(args.seed), args.kills, True
    while left > 0 or args.disk:
        with tempfile.TemporaryDirectory(prefix="chaos_") as name:
            folder = Path(name)
            if args.disk:
                outcome, left, args.disk = full_disk(folder), 0, False
            else:
                stand = Stand(folder, args.inputs, args.sleep_s)
                outcome = chaos(stand, rng, left, (0.2, 4.0))
                left -= sum(outcome.kills.values())
        print(f"{outcome}: {'good' if outcome.good else 'BAD'}", flush=True)
        good &= outcome.good
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
