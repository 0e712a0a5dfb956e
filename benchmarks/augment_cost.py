"""What a finished view costs: CPU time a step, and finished views a second a core.

    python -m benchmarks.augment_cost --subjects 6

Simulated subjects are captured at 640×480 and registered beforehand. Then the whole chain runs as
in a worker (one thread, freed memory kept) in the stage "samples": prepare, the plan of about 21
views, each view's picture, fill and labels, its members, and the shard written to a temporary
folder. Every figure is CPU time, mean over the subjects ± one standard deviation between them. With
--peer the last line is what
pyrender takes (OpenGL in software) to show the same turned mesh at the same sampled size in the
photo's colours, one a vertex: against "transform and raster" and "resolve", which make both
textures, trust and reasons.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from augment import rotate as steps
from augment.labels import label_points
from augment.settings import RotateSettings
from augment.source import prepare
from augment.view_plan import plan_views
from benchmarks.tables import copied_to, print_table
from faces.models import load_model
from faces.rotation import euler_from_matrix
from faces.texture import sample
from imaging.raster import downsample
from manifests.shard import ShardWriter
from pipelines.isolation.process import keep_memory, limit_threads
from pipelines.members import vertex_member, view_members
from registration.ticp import register
from synth.capture import capture
from synth.gl import render_gl
from synth.subjects import sample_subject

# the functions of augment.rotate whose time is taken, by the table's names
STEPS = {
    "draw_scene": "transform and raster",
    "show_textures": "resolve",
    "_behind": "background",
    "finish": "fill",
    "_settled": "labels",
    "project_landmarks": "labels",
    "make_buffers": "labels",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--buffers", nargs="*", default=[], help="of augment.labels.BUFFERS")
    parser.add_argument("--peer", action="store_true", help="time pyrender too")
    parser.add_argument("--table", type=Path, help="a copy of the table")
    options = parser.parse_args()
    limit_threads()
    keep_memory()
    model = load_model("default")
    settings = RotateSettings(buffers=tuple(options.buffers))
    rows = []
    for number in range(-1, options.subjects):  # the first one compiles, and is not counted
        figures = chain(model, [options.seed, max(number, 0)], settings, options.peer)
        rows += [figures] if number >= 0 else []
    with copied_to(options.table):
        report(rows)


def chain(model, seed: list[int], settings: RotateSettings, peer: bool) -> dict[str, float]:
    """CPU milliseconds by step, of one subject; the steps' of a view."""
    rng = np.random.default_rng(seed)
    subject = sample_subject(model, rng)
    scan = capture(subject, model, rng)
    face = register(scan, model)
    prepare(scan, face, model, settings)  # whatever this person's hair needs compiled
    spent = defaultdict(float)
    with tempfile.TemporaryDirectory() as folder, taken(spent), watch(spent, "whole"):
        with watch(spent, "prepare"):
            source = prepare(scan, face, model, settings)
            points, vertices = label_points(face, model), vertex_member(face)
        yaw, pitch, _ = euler_from_matrix(face.pose.rotation)
        plan = plan_views(yaw, pitch, rng)
        with ShardWriter(Path(folder) / "views.tar") as shard:
            for number, planned in enumerate(plan):
                with watch(spent, "view"):
                    view = steps.make_view(source, face, model, planned, settings, points)
                key = f"s{number:03d}"
                with watch(spent, "encode"):
                    members = view_members(key, view, face, vertices, {})
                with watch(spent, "shard"):
                    shard.add(key, members)
    if peer:
        with watch(spent, "pyrender"):
            for planned in plan:
                show_by_pyrender(source, face, points, planned, settings)
    return summary(spent, len(plan))


def show_by_pyrender(source, face, points, planned, settings) -> np.ndarray:
    """The picture of a view by the peer, averaged down to the view's size."""
    pose = steps.turned_pose(face.pose, planned, points.centre_mm)
    pixels = face.camera.project(pose.apply(points.face_mm))
    camera = steps.crop_camera(face.camera, (*pixels.min(0), *pixels.max(0)), settings)
    k = settings.supersample
    fine = camera.crop(0, 0, k * camera.width, k * camera.height, k)
    vertices = pose.apply(face.pose.invert(source.scene.vertices_mm))
    own = sample(source.color, face.camera.project(source.scene.vertices_mm))
    return downsample(render_gl(vertices, source.scene.triangles, own, fine)[0], k)


def summary(spent, views: int) -> dict[str, float]:
    names = dict.fromkeys(STEPS.values())
    per_view = {name: spent[name] / views for name in [*names, "encode", "shard"]}
    others = (spent["view"] - sum(spent[name] for name in names)) / views
    figures = {
        "views": float(views),
        "prepare": spent["prepare"],
        **per_view,
        "others": others,
        "a view without prepare": (spent["whole"] - spent["prepare"]) / views,
        "a view with its share of prepare": spent["whole"] / views,
        "views a second a core": 1000 * views / spent["whole"],
    }
    if "pyrender" in spent:
        figures["pyrender, the picture alone"] = spent["pyrender"] / views
    return figures


@contextmanager
def watch(spent, name: str):
    """Add the CPU milliseconds of what runs inside."""
    start = time.process_time()
    yield
    spent[name] += 1000 * (time.process_time() - start)


@contextmanager
def taken(spent):
    """While it lasts, the steps of augment.rotate note their CPU time."""
    plain = {name: getattr(steps, name) for name in STEPS}

    def timed(name):
        def run(*arguments):
            with watch(spent, STEPS[name]):
                return plain[name](*arguments)

        return run

    for name in STEPS:
        setattr(steps, name, timed(name))
    try:
        yield
    finally:
        for name, function in plain.items():
            setattr(steps, name, function)


def report(rows: list[dict[str, float]]) -> None:
    lines = []
    for name in rows[0]:
        values = np.array([row[name] for row in rows])
        unit = "" if name.startswith("views") else " ms"
        lines.append((name, f"{values.mean():.1f} ± {values.std():.1f}{unit}"))
    print_table((f"CPU time, {len(rows)} subjects", "mean ± spread"), lines)


if __name__ == "__main__":
    main()
