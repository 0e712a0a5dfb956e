"""The amplitude of synth.beyond at which a subject's initial fit is as wrong as the paper's.

    python -m benchmarks.calibrate_subjects [--subjects 150] [--target 5.07]

The initial fit is faces.fitting.fit_face with synth.beyond.fitting_model on noisy landmarks of one
colour image, without depth, as the paper's initial fit has none; its error is faces.metrics.nme
(rigid alignment, face without ears and neck). Beside it: the same fit with true depth, from which
T-ICP starts. People, poses and noise are the same at every amplitude, so that the search by
secants is exact; the amplitude found is frozen as the default of BeyondSettings.amplitude.
"""

import argparse
from dataclasses import replace

import numpy as np

from faces.fitting import fit_face
from faces.metrics import nme
from faces.models import load_model
from faces.morphable import MorphableModel
from faces.types import Landmarks
from faces.visibility import visible_vertices
from imaging.raster import rasterise
from synth.beyond import LANDMARK_NOISE_PX, BeyondSettings, fitting_model
from synth.capture import DEPTH_CAMERA, jaw_aware_landmarks
from synth.subjects import SubjectSettings, sample_subject

ROUNDS, CLOSE = 5, 0.02


def main() -> None:
    """Search and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=150)
    parser.add_argument("--target", type=float, default=5.07, help="NME in percent")
    args = parser.parse_args()
    model = load_model("default")
    print(f"{args.subjects} subjects, landmark noise {LANDMARK_NOISE_PX} px, {BeyondSettings()}")
    print(f"{'amplitude':>9} {'NME %':>16} {'with depth':>16}")
    amplitude, known = BeyondSettings().amplitude, []
    for _ in range(ROUNDS):
        plain, depth = measure(model, amplitude, args.subjects)
        print(f"{amplitude:9.3f} {spread(plain):>16} {spread(depth):>16}", flush=True)
        known.append((amplitude, plain.mean()))
        if abs(plain.mean() - args.target) < CLOSE:
            break
        amplitude = next_guess(known, args.target)


def next_guess(known: list[tuple[float, float]], target: float) -> float:
    """By the line through the last two points; before there are two, a tenth away."""
    at, value = known[-1]
    if len(known) == 1:
        return at * (1.1 if value < target else 0.9)
    before, earlier = known[-2]
    return max(at + (target - value) * (at - before) / (value - earlier), 0.0)


def measure(model: MorphableModel, amplitude: float, count: int) -> np.ndarray:
    """NME (2, count) in percent of the initial fit, without and with depth."""
    settings = replace(BeyondSettings(), amplitude=amplitude)
    return np.array([errors(model, settings, seed) for seed in range(count)]).T


def errors(model: MorphableModel, settings: BeyondSettings, seed: int) -> tuple[float, float]:
    """The same of one subject."""
    rng = np.random.default_rng([20, seed])
    subject = sample_subject(model, rng, SubjectSettings(beyond=settings))
    vertices = subject.pose.apply(subject.shape(model))
    visible = visible_vertices(vertices, model.triangles, DEPTH_CAMERA)
    pixels = DEPTH_CAMERA.project(vertices[jaw_aware_landmarks(model, visible)])
    noisy = pixels + rng.normal(0, LANDMARK_NOISE_PX, pixels.shape)
    landmarks = Landmarks(noisy, "ibug68", np.ones(len(noisy)))
    size = (DEPTH_CAMERA.width, DEPTH_CAMERA.height)
    depth = rasterise(DEPTH_CAMERA.screen(vertices), model.triangles, size).depth
    level = fitting_model(model).coarse
    truth = vertices[: level.vertex_count]
    corners = vertices[model.landmarks["ibug68"][[36, 45]]]
    iod_mm = float(np.linalg.norm(corners[0] - corners[1]))
    region = level.regions["face"] & level.part_vertices("skin")
    fits = (fit_face(level, landmarks, DEPTH_CAMERA, seen) for seen in (None, depth))
    return tuple(nme(fit.vertices_mm, truth, region, iod_mm) for fit in fits)


def spread(values: np.ndarray) -> str:
    """Mean and its standard error."""
    return f"{values.mean():.2f} ± {values.std() / len(values) ** 0.5:.2f}"


if __name__ == "__main__":
    main()
