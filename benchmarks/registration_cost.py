"""What a registration costs: processor time and memory, each method in a process of its own.

Part of benchmarks.registration; trimesh's methods stand beside T-ICP on the same scans.
"""

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.registration_cases import errors, interval, ratio_interval
from benchmarks.registration_peers import PeerSettings, registered
from benchmarks.tables import print_table
from faces.morphable import MorphableModel
from faces.types import RegisteredFace, Scan
from registration.ticp import TicpSettings, register

ERRORS = {
    "narrow_nme": "narrow NME %",
    "face_nme": "face NME %",
    "normal_mm": "normal mm",
    "visible_mm": "visible mm",
    "invisible_mm": "invisible mm",
}


@dataclass(frozen=True, slots=True, eq=False)
class Cost:
    """One method on one scan.

    Attributes:
        seconds: of processor time.
        peak_mb: resident memory of the whole process at its largest.
        added_mb: by how much that is above what the interpreter, the libraries, the model and the
            scan take before the first call.
        vertices_mm: (V, 3) what it found.
    """

    seconds: float
    peak_mb: float
    added_mb: float
    vertices_mm: np.ndarray


def print_cost(
    title: str,
    model: MorphableModel,
    start: TicpSettings,
    methods: dict[str, TicpSettings],
    peers: dict[str, PeerSettings],
    cases: list[Scan],
) -> None:
    """Seconds and memory of every method and peer, and their errors where truth has the topology.

    Args:
        start: of the initial fit that the peers get.
        methods: by name, "T-ICP" first.
        peers: by their names in registration_peers.METHODS.
    """
    faces = [register(scan, model, start) for scan in cases]
    alone(cost_of, "T-ICP", start, model, cases[0], faces[0])  # compiles what was not yet
    rows = {
        name: [
            alone(cost_of, name, job, model, scan, face)
            for scan, face in zip(cases, faces, strict=True)
        ]
        for name, job in (methods | peers).items()
    }
    pixels = np.mean([(scan.depth_mm > 0).sum() for scan in cases])
    size = f"{len(cases)} scans of {pixels:,.0f} depth pixels, {model.vertex_count:,} vertices"
    print(f"\n**Cost, {title}, {size}**\n")
    print_seconds(rows)
    if all(len(scan.truth["vertices_mm"]) == model.vertex_count for scan in cases):
        print(f"\n**Errors, {title}, on the same scans**\n")
        print_errors(rows, cases, faces, model)


def alone(function: Callable, *arguments):
    """What the function returns in a process of its own, with nothing else running here."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(function, arguments)


def cost_of(
    name: str,
    job: TicpSettings | PeerSettings,
    model: MorphableModel,
    scan: Scan,
    face: RegisteredFace,
) -> Cost:
    """The cost of T-ICP or, by its name, of a peer with these settings, in this process.

    T-ICP runs twice, so that what is made once a model is made before the clock starts. A peer
    begins with the initial fit in ``face``; T-ICP makes its own, in its time.
    """
    before = memory_mb("VmRSS")
    if isinstance(job, TicpSettings):
        register(scan, model, job)
    began = time.process_time()
    if isinstance(job, TicpSettings):
        vertices = register(scan, model, job).vertices_mm
    else:
        vertices = registered(name, face.initial.vertices_mm, scan, model, job)
    seconds = time.process_time() - began
    peak = memory_mb("VmHWM")
    return Cost(seconds, peak, peak - before, vertices)


def memory_mb(field: str) -> float:
    """VmRSS, the resident size now, or VmHWM, the largest so far (Linux).

    getrusage's largest would begin with the parent's, of which a new process is a copy at first.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{field}:")[1].split()[0]) / 1024


def print_seconds(rows: dict[str, list[Cost]]) -> None:
    """Time and memory by method: medians over the scans with the range, and paired ratios."""
    unit = np.array([cost.seconds for cost in rows["T-ICP"]])
    table = []
    for name, costs in rows.items():
        seconds = np.array([cost.seconds for cost in costs])
        ratio = ratio_interval(seconds, unit)
        peak = np.max([cost.peak_mb for cost in costs])
        added = np.max([cost.added_mb for cost in costs])
        spread = f"{np.median(seconds):.2f} ({seconds.min():.2f} to {seconds.max():.2f})"
        table.append((name, spread, ratio, f"{peak:.0f}", f"{added:.0f}"))
    print_table(("", "CPU s (range)", "× T-ICP", "peak MB", "added MB"), table)


def print_errors(rows, cases, faces, model) -> None:
    """Errors by method, the initial fit first, and T-ICP's narrow NME in shares of each."""
    found = {"initial fit": [face.initial.vertices_mm for face in faces]}
    found |= {name: [cost.vertices_mm for cost in costs] for name, costs in rows.items()}
    shown = {
        name: [
            errors(replace(face, vertices_mm=vertices), scan, model)
            for vertices, scan, face in zip(each, cases, faces, strict=True)
        ]
        for name, each in found.items()
    }
    own = np.array([row["narrow_nme"] for row in shown["T-ICP"]])
    table = []
    for name, each in shown.items():
        cells = [interval(np.array([row[column] for row in each])) for column in ERRORS]
        share = ratio_interval(own, np.array([row["narrow_nme"] for row in each]))
        table.append((name, *cells, share))
    print_table(("", *ERRORS.values(), "T-ICP's narrow NME over it"), table)
