"""Complete virtual subjects a second on one core, and the memory they need.

    python -m benchmarks.subjects --count 20

A complete subject is drawn, shaped, painted, dressed, lit with shadows and sensed at 640 × 480.
Times are the process's own on the processor, so that other work on the machine does not count.
Beside it stands its peer: the same head in vertex colours by Eq. 4 alone over a flat wall, without
shadows, texture, hair or anything else, from the same rasteriser at the same supersampling.
"""

import argparse
import resource
import time

import numpy as np

from faces.mesh import vertex_normals
from faces.models import load_model
from faces.visibility import view_directions
from imaging.shading import phong
from synth.capture import CaptureSettings, capture
from synth.render import render_face
from synth.subjects import sample_subject


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    model, settings = load_model("default"), CaptureSettings()
    for job in (complete, plain):
        job(model, settings, options.seed)  # compiles and fills the caches a model
    start = megabytes()
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
    print(f"largest memory: {megabytes():.0f} MB, {megabytes() - start:+.0f} MB over the run")


def complete(model, settings: CaptureSettings, seed: int) -> None:
    rng = np.random.default_rng(seed)
    capture(sample_subject(model, rng), model, rng, settings)


def plain(model, settings: CaptureSettings, seed: int) -> None:
    rng = np.random.default_rng(seed)
    subject = sample_subject(model, rng)
    vertices, light = subject.pose.apply(subject.shape(model)), subject.light
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
    render_face(model, vertices, np.clip(colors, 0, 1), settings.camera, None, settings.supersample)


def megabytes() -> float:
    """Largest resident size of this process so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
