"""The initial fit of virtual subjects at all angles, a fifth of the landmarks grossly wrong."""

from functools import cache

import numpy as np
import pytest

from faces.camera import Pose
from faces.fitting import fit_face
from faces.metrics import nme
from faces.models import load_model
from faces.rotation import matrix_from_euler
from faces.types import Landmarks
from faces.visibility import visible_vertices
from imaging.raster import rasterise
from synth.beyond import LANDMARK_NOISE_PX, fitting_model
from synth.capture import DEPTH_CAMERA, jaw_aware_landmarks
from synth.subjects import SubjectSettings, sample_subject

SUBJECTS, YAW_DEG, WRONG = 24, 60.0, 0.2
DEPTH_NOISE_MM = 1.0  # of a depth camera at arm's length


@cache
def people():
    """(true vertices, noisy landmarks, depth) of subjects whose yaw goes from −60° to 60°."""
    model, found = load_model("default"), []
    for seed, yaw in enumerate(np.linspace(-YAW_DEG, YAW_DEG, SUBJECTS)):
        rng = np.random.default_rng([31, seed])
        subject = sample_subject(model, rng, SubjectSettings())
        turn = matrix_from_euler(yaw, rng.uniform(-15, 15), rng.uniform(-10, 10))
        vertices = Pose(turn, subject.pose.translation_mm).apply(subject.shape(model))
        visible = visible_vertices(vertices, model.triangles, DEPTH_CAMERA)
        pixels = DEPTH_CAMERA.project(vertices[jaw_aware_landmarks(model, visible)])
        pixels += rng.normal(0, LANDMARK_NOISE_PX, pixels.shape)
        size = (DEPTH_CAMERA.width, DEPTH_CAMERA.height)
        depth = rasterise(DEPTH_CAMERA.screen(vertices), model.triangles, size).depth
        depth = depth + (depth > 0) * rng.normal(0, DEPTH_NOISE_MM, depth.shape)
        found.append((vertices, pixels, depth))
    return found


def with_wrong(pixels, rng):
    """A fifth of the points anywhere in the box of them all."""
    out, wrong = pixels.copy(), rng.permutation(len(pixels))[: round(WRONG * len(pixels))]
    out[wrong] = rng.uniform(pixels.min(0), pixels.max(0), (len(wrong), 2))
    return out


def fit_error(pixels, depth, truth):
    """NME in percent of the coarse level's fit against the truth (V, 3)."""
    model = load_model("default")
    level = fitting_model(model).coarse
    fit = fit_face(level, Landmarks(pixels, "ibug68", np.ones(68)), DEPTH_CAMERA, depth)
    corners = truth[model.landmarks["ibug68"][[36, 45]]]
    region = level.regions["face"] & level.part_vertices("skin")
    iod_mm = np.linalg.norm(corners[0] - corners[1])
    return nme(fit.vertices_mm, truth[: level.vertex_count], region, iod_mm)


@pytest.mark.parametrize("with_depth", [True, False])
def test_a_fifth_wrong_costs_little_at_any_angle(with_depth):
    errors = []
    for index, (truth, pixels, depth) in enumerate(people()):
        wrong = with_wrong(pixels, np.random.default_rng([7, index]))
        seen = depth if with_depth else None
        errors.append([fit_error(points, seen, truth) for points in (pixels, wrong)])
    clean, spoilt = np.array(errors).T
    # A fifth fewer landmarks, each with 3 px of noise, tell a fifth less of the shape: an error
    # that were all theirs would grow by 1/√0.8 = 1.12. One wrong point taken for true costs more.
    assert spoilt.mean() < 1.12 * clean.mean()
    # Measured: 1.02 and 1.01 on average, 1.08 and 1.10 at most; without robust weights 4.8.
    # A single face may lose the only landmarks on its lips or chin.
    assert (spoilt / clean).max() < 1.3
