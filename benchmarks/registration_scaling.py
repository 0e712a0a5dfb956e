"""How the cost of a registration grows: with the vertices of the mesh, and with scans.

Part of benchmarks.registration. Meshes of other sizes are made of the model's own by subdivision
and by faces.coarsening, which also gives them their coarse level, as it does an imported model.
"""

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from faces.coarsening import coarsened, find_coarsening, with_coarse
from faces.morphable import MorphableModel
from faces.refinement import refine
from faces.types import Scan
from registration.ticp import TicpSettings, register

VERTICES = (4_500, 18_000, 27_000, 72_000)
NEAR = 0.05  # a mesh that is this near to the wanted size, as a share of it, is taken as it is


def print_scaling(
    model: MorphableModel, cases: Sequence[Scan], settings: dict[str, TicpSettings]
) -> None:
    """Median CPU seconds a scan by vertices, for each of the settings by name; then by scans."""
    pixels = np.mean([(scan.depth_mm > 0).sum() for scan in cases])
    print(f"\n**Cost by vertices, {len(cases)} scans of {pixels:,.0f} valid depth pixels**\n")
    columns = ("vertices", "of skin", "coarse level", *(f"{name}, CPU s" for name in settings))
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for size in VERTICES:
        level = mesh_of(model, size)
        sizes = (level, level.coarse or level)
        counts = (sizes[0].vertex_count, level.part_vertices("skin").sum(), sizes[1].vertex_count)
        spent = [np.median(cpu_seconds(cases, level, each)) for each in settings.values()]
        cells = [*(f"{n:,}" for n in counts), *(f"{seconds:.2f}" for seconds in spent)]
        print(f"| {' | '.join(cells)} |", flush=True)
    first = next(iter(settings.values()))
    print("\n**Cost by scans**\n\n| scans | CPU s | a scan |\n|---|---|---|")
    for count in (1, 2, 4, 8):
        seconds = sum(cpu_seconds([cases[k % len(cases)] for k in range(count)], model, first))
        print(f"| {count} | {seconds:.2f} | {seconds / count:.2f} |", flush=True)


def mesh_of(model: MorphableModel, vertices: int) -> MorphableModel:
    """A model of about so many vertices, with a coarse level where it is not coarse itself."""
    if abs(model.vertex_count - vertices) < NEAR * vertices:
        return model
    fine = model
    while fine.vertex_count < (1 - 2 * NEAR) * vertices:
        fine = refine(fine)
    fine = replace(fine, coarse=None, prolongation=None)
    if fine.vertex_count > (1 + NEAR) * vertices:
        skin = fine.part_vertices("skin").sum() * vertices / fine.vertex_count
        fine = with_coarse(fine, find_coarsening(fine, int(skin))).coarse
    return coarsened(fine)


def cpu_seconds(
    cases: Sequence[Scan], model: MorphableModel, settings: TicpSettings
) -> list[float]:
    """Processor seconds of each registration, after one that makes the template."""
    register(cases[0], model, settings)
    spent = []
    for scan in cases:
        began = time.process_time()
        register(scan, model, settings)
        spent.append(time.process_time() - began)
    return spent
