"""How many workers this machine carries: cores and memory, as control groups allow them."""

import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dask.system import cpu_count
from dask.utils import format_bytes
from distributed.system import memory_limit

log = logging.getLogger(__name__)

# The driver and the scheduler share a process of about 300 MB; the system wants its share too.
RESERVE_BYTES, RESERVE_SHARE = 512 << 20, 0.1


@dataclass(frozen=True, slots=True)
class Machine:
    """What this process may use.

    Attributes:
        cores: rounded up.
        memory_bytes: of all processes together.
    """

    cores: int
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class LocalShape:
    """Workers of a local cluster: how many, and the memory limit of each in bytes."""

    workers: int
    memory_bytes: int


def find_machine(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> Machine:
    """Cores and memory, the least of what hardware, affinity and every control group say.

    Dask reads the limit of one group. Limits hold for all groups below them, so a job step or a
    service inside a limited slice is limited without saying so itself: each level is read here.

    Args:
        proc, cgroups: where the kernel shows them; for tests.
    """
    cores, memory = float(cpu_count()), memory_limit()
    for folder in _group_folders(proc, cgroups):
        cores = min(cores, _cpu_quota(folder))
        for name in ("memory.max", "memory.high", "memory.limit_in_bytes"):
            memory = min(memory, _number(folder / name))
    return Machine(max(1, math.ceil(cores)), int(memory))


def fit(machine: Machine, workers: int, need_bytes: int) -> LocalShape:
    """The workers that fit: one a core, fewer where memory is small.

    Args:
        workers: asked for; 0 for as many as fit.
        need_bytes: memory that one worker needs.
    """
    room = max(need_bytes, int(machine.memory_bytes * (1 - RESERVE_SHARE)) - RESERVE_BYTES)
    fitting = max(1, min(machine.cores, room // need_bytes))
    chosen = workers or fitting
    shape = LocalShape(chosen, room // chosen)
    if not workers and fitting < machine.cores:
        log.info(
            "%d workers on %d cores: %s of memory hold no more at %s each (--cluster.memory)",
            chosen,
            machine.cores,
            format_bytes(machine.memory_bytes),
            format_bytes(need_bytes),
        )
    if shape.memory_bytes < need_bytes:
        log.warning(
            "--workers %d: %s of memory leave %s for each, expected %s; fewer workers are safer",
            chosen,
            format_bytes(machine.memory_bytes),
            format_bytes(shape.memory_bytes),
            format_bytes(need_bytes),
        )
    return shape


def _group_folders(proc: Path, cgroups: Path) -> Iterator[Path]:
    """This process's control groups and all above them, of either version."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        root = cgroups / controllers if controllers else cgroups
        folder = root / path.lstrip("/")
        yield folder
        yield from (above for above in folder.parents if above == root or root in above.parents)


def _cpu_quota(folder: Path) -> float:
    try:
        quota, period = map(float, (folder / "cpu.max").read_text().split())  # version 2
        return quota / period
    except (OSError, ValueError):
        quota = _number(folder / "cpu.cfs_quota_us")  # version 1; -1 is no limit
        period = _number(folder / "cpu.cfs_period_us")
        return quota / period if 0 < quota < math.inf and period < math.inf else math.inf


def _number(path: Path) -> float:
    try:
        return float(path.read_text())
    except (OSError, ValueError):  # no such file, or "max"
        return math.inf
