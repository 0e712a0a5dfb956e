"""Complete virtual subjects a second on one core, where the time goes, and the memory they need.

    python -m benchmarks.subjects --count 20
    python -m benchmarks.subjects --flat 2000

A complete subject is drawn, shaped, painted, dressed, lit with shadows and sensed at 640 × 480.
Times are the process's own on the processor, so that other work on the machine does not count.
Beside it stands its peer: the same head in vertex colours by Eq. 4 alone over a flat wall, without
shadows, texture, hair or anything else, from the same rasteriser at the same supersampling.

``--flat`` makes that many subjects more and prints the resident memory eight times on the way, and
the slope of a line through the later half.
"""

import argparse
import time
from collections import defaultdict
from contextlib import ExitStack
from pathlib import Path
from pkgutil import resolve_name
from unittest.mock import patch

import numpy as np

from faces.mesh import vertex_normals
from faces.models import load_model
from faces.visibility import view_directions
from imaging.shading import phong
from pipelines.isolation.process import keep_memory
from synth import subjects
from synth.capture import CaptureSettings, capture
from synth.render import UNLIT, RasterRenderer
from synth.topology import face_mesh

# What a stage is, by the functions that capture and this script call one after another.
STAGES = {
    "sample": ("synth.subjects.sample_subject",),
    "shape": ("synth.subjects.Subject.surface",),
    "paint": ("synth.capture.skin_of", "synth.capture.pore_relief"),
    "wear": ("synth.capture.wear",),
    "torso": ("synth.capture.make_torso",),
    "backdrop": ("synth.capture.make_backdrop",),
    "render": ("synth.capture.render_scene",),
    "sensor depth": ("synth.capture.sense_depth",),
    "sensor colour": ("synth.capture.sense_color",),
}
STEPS = 8  # of the memory's table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--flat", type=int, default=0, help="subjects of the memory's table")
    options = parser.parse_args()
    keep_memory()
    model, settings = load_model("default"), CaptureSettings()
    for job in (complete, plain):
        job(model, settings, options.seed)  # compiles and fills the caches a model
    whole, bare = [], []
    for number in range(options.count):
        for job, seconds in ((complete, whole), (plain, bare)):
            began = time.process_time()
            job(model, settings, options.seed + number)
            seconds.append(time.process_time() - began)
    camera = settings.camera
    print(f"{options.count} subjects at {camera.width} × {camera.height}, one core")
    print(f"complete: {1 / np.median(whole):.2f} a second (median {np.median(whole):.3f} s)")
    print(f"plain head: {1 / np.median(bare):.2f} a second (median {np.median(bare):.3f} s)")
    print(f"ratio of their times: {np.median(whole) / np.median(bare):.2f}")
    print_stages(model, settings, range(options.seed, options.seed + options.count))
    if options.flat:
        print_memory(model, settings, options.flat)


def print_stages(model, settings: CaptureSettings, seeds) -> None:
    """Milliseconds a subject of each stage: the median, and the ninth decile."""
    rows = []
    for seed in seeds:
        spent = defaultdict(float)
        with ExitStack() as stack:
            for stage, places in STAGES.items():
                for place in places:
                    stack.enter_context(timed(place, stage, spent))
            began = time.process_time()
            complete(model, settings, seed)
            total = time.process_time() - began
        rows.append([*(spent[stage] for stage in STAGES), total - sum(spent.values()), total])
    table = 1000 * np.array(rows)
    print(f"{'stage, ms':14s} median    90 %")
    for name, column in zip([*STAGES, "rest", "all"], table.T, strict=True):
        print(f"{name:14s} {np.median(column):6.1f}  {np.quantile(column, 0.9):6.1f}")


def timed(place: str, stage: str, spent: dict):
    """A patch of the function at ``place`` that adds its processor time to ``spent[stage]``."""
    function = resolve_name(place)

    def wrapper(*arguments, **options):
        began = time.process_time()
        result = function(*arguments, **options)
        spent[stage] += time.process_time() - began
        return result

    return patch(place, wrapper)


def print_memory(model, settings: CaptureSettings, count: int) -> None:
    """Resident size on the way to ``count`` subjects, and its growth."""
    made, sizes = [], []
    for number in range(1, count + 1):
        complete(model, settings, number)
        if number % max(count // STEPS, 1) == 0:
            made.append(number)
            sizes.append(megabytes())
            print(f"after {number} subjects: {sizes[-1]:.0f} MB resident", flush=True)
    later = slice(len(made) // 2, None)
    if len(made[later]) > 1:
        slope = 1000 * np.polyfit(made[later], sizes[later], 1)[0]
        print(f"slope over the later half: {slope:+.1f} MB per 1,000 subjects")


def complete(model, settings: CaptureSettings, seed: int) -> None:
    rng = np.random.default_rng(seed)
    capture(subjects.sample_subject(model, rng), model, rng, settings)


def plain(model, settings: CaptureSettings, seed: int) -> None:
    rng = np.random.default_rng(seed)
    subject = subjects.sample_subject(model, rng)
    shape, light = subject.shape(model), subject.light
    vertices = subject.pose.apply(shape)
    normals = vertex_normals(vertices, model.triangles)
    colors = phong(
        model.albedo(subject.beta),
        normals,
        view_directions(vertices, settings.camera),
        light.direction,
        light.ambient,
        light.directional,
        0.1,
        light.shininess,
    )
    face = face_mesh(model, shape, np.clip(colors, 0, 1))
    RasterRenderer(settings.supersample).render(face, subject.pose, settings.camera, UNLIT)


def megabytes() -> float:
    """Resident size of this process now, MB (Linux)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


if __name__ == "__main__":
    main()
