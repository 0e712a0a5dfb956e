"""What a photo alone tells: the fit without depth against the truth, and against registration.

Simulated people, their colour image and noisy landmarks; once with the camera known and once with
the default of the photo reader. Beside it the mean face, put where it fits best, and the same
people registered with their depth. The model fitted has fewer modes than the people were made of.

    python -m benchmarks.photo_fit
"""

import argparse
import time
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from faces.errors import BadInput
from faces.metrics import nme
from faces.models import load_model
from registration.photo_fit import register_photo
from registration.photo_quality import WORDS
from registration.readers.photo import photo_camera
from registration.ticp import register
from synth.beyond import fitting_model
from synth.capture import capture
from synth.subjects import SubjectSettings, sample_subject

METHODS = ("mean face", "photo", "photo, default lens", "with depth")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=24)
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    model = load_model("default")
    rows, figures = [], []
    for number in range(options.subjects):
        rng = np.random.default_rng([options.seed, number])
        subject = sample_subject(model, rng, SubjectSettings(occluder="hair"))
        row, quality = measured(capture(subject, model, rng), model)
        rows.append(row)
        figures.append([quality.figures[name] for name in WORDS])
    print_errors(np.array(rows))
    print("\nlargest figure of the verdict, known camera")
    for name, largest in zip(WORDS, np.max(figures, axis=0), strict=True):
        print(f"  {name:<22}{largest:>8.3f}")


def measured(scan, model):
    """(method, 3) of angle in degrees, NME in % and CPU seconds; and the photo's quality."""
    fitted = fitting_model(model)
    lens = photo_camera(scan.camera.width, scan.camera.height)
    bare = replace(scan, depth_mm=np.zeros_like(scan.depth_mm))
    photo, seconds = timed(register_photo, bare, fitted)
    far, far_seconds = timed(register_photo, replace(bare, camera=lens), fitted)
    shapes = [
        (photo.pose.apply(model.mean_mm), 0.0),
        (photo.vertices_mm, seconds),
        (far.vertices_mm, far_seconds),
    ]
    try:
        deep, deep_seconds = timed(register, scan, fitted)
        shapes.append((deep.vertices_mm, deep_seconds))
    except BadInput:
        shapes.append((np.full_like(photo.vertices_mm, np.nan), np.nan))
    return [errors(scan, model, *shape) for shape in shapes], photo.quality


def errors(scan, model, vertices_mm, seconds):
    """Turn against the truth in degrees, NME of the narrow face in %, CPU seconds."""
    truth = scan.truth["vertices_mm"]
    corners = truth[model.landmarks["ibug68"][[36, 45]]]
    region = model.regions["narrow_face"] & model.part_vertices("skin")
    angle = turn_deg(vertices_mm[region], truth[region])
    iod_mm = float(np.linalg.norm(corners[0] - corners[1]))
    return angle, nme(vertices_mm, truth, region, iod_mm), seconds


def turn_deg(points, truth):
    """Degrees by which the surface as a whole is turned against the truth, both (n, 3).

    Not the difference of two poses: where a head's front lies depends on what its shape is taken
    relative to, by some 3° on these people even where every vertex is right.
    """
    if not np.isfinite(points).all():
        return np.nan
    between, _ = Rotation.align_vectors(truth - truth.mean(0), points - points.mean(0))
    return np.degrees(between.magnitude())


def timed(work, *args):
    started = time.process_time()
    return work(*args), time.process_time() - started


def print_errors(rows):
    """Mean and worst of (subject, method, 3)."""
    print(f"{len(rows)} simulated people; NME of the narrow face after rigid alignment")
    print(f"{'':<22}{'turn °':>8}{'worst':>8}{'NME %':>8}{'worst':>8}{'CPU s':>8}")
    for number, name in enumerate(METHODS):
        angle, error, seconds = rows[:, number].T
        print(
            f"{name:<22}{np.nanmean(angle):>8.2f}{np.nanmax(angle):>8.2f}"
            f"{np.nanmean(error):>8.2f}{np.nanmax(error):>8.2f}{np.nanmedian(seconds):>8.2f}"
        )


if __name__ == "__main__":
    main()
