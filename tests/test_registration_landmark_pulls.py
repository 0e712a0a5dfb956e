"""How much inner landmarks weigh, and where they pull."""

import numpy as np
import pytest

from faces.camera import Camera, Pose
from faces.types import FaceFit
from registration.landmark_pulls import JAW, TRUST, inner_landmarks
from registration.template import template_of
from tests.toy import toy_model

CAMERA = Camera(640, 480, 600.0, 600.0, 320.0, 240.0)


@pytest.fixture(scope="module")
def face():
    """(model, fit of its mean in front of CAMERA, the pixels (68, 2) of its landmarks)."""
    model = toy_model()
    pose = Pose(np.eye(3), np.array([0.0, 0.0, 700.0]), 1.0)
    vertices = pose.apply(model.mean_mm)
    fit = FaceFit(pose, np.zeros(0), np.zeros(0), vertices)
    return model, fit, CAMERA.project(vertices[model.landmarks["ibug68"]])


def off_by(face, sigma_mm, seed=0):
    """The pixels with normal noise that is as large for every landmark as its usual error."""
    model, fit, pixels = face
    depth = fit.vertices_mm[model.landmarks["ibug68"], 2]
    noise = np.random.default_rng(seed).normal(0, sigma_mm, (68, 2))
    noise[JAW:] /= np.sqrt(TRUST)[:, None]
    return pixels + noise * (CAMERA.fx / depth)[:, None]


def weight(face, pixels):
    model, fit, _ = face
    return inner_landmarks(model, fit, CAMERA, pixels).trust / TRUST


def test_landmarks_at_their_vertices_weigh_their_trust(face):
    np.testing.assert_array_equal(weight(face, face[2]), 1)


@pytest.mark.parametrize("sigma", [2.0, 4.0])
def test_weight_falls_with_the_square_of_what_landmarks_miss_by(face, sigma):
    found = [weight(face, off_by(face, sigma, seed)).mean() for seed in range(20)]
    # The median of 51 misses is known to a seventh, the mean of 20 of its inverses to a twelfth.
    np.testing.assert_allclose(np.mean(found), sigma**-2, rtol=0.15)


def test_a_fifth_of_wrong_landmarks_takes_little_from_the_others(face):
    pixels = off_by(face, 1.5)
    wrong = pixels.copy()
    wrong[JAW::5] += 60.0
    # The median moves from the 50th to the 62nd percentile of χ²: 1.4 times as far.
    assert weight(face, wrong).mean() > 0.6 * weight(face, pixels).mean()


def test_pulls_lie_on_the_rays_at_their_vertices_depth(face):
    model, fit, pixels = face
    pixels = off_by(face, 1.0)
    pixels[20] = np.nan
    pixels[40] += 200.0  # 0.2 m off
    pulls = inner_landmarks(model, fit, CAMERA, pixels).pulls(
        model, template_of(model), fit.vertices_mm, CAMERA
    )
    kept = np.setdiff1d(np.arange(JAW, 68), [20, 40])
    ids = model.landmarks["ibug68"][kept]
    np.testing.assert_array_equal(template_of(model).vertices[pulls.vertices], ids)
    np.testing.assert_allclose(CAMERA.project(pulls.targets_mm), pixels[kept], atol=1e-6)
    np.testing.assert_allclose(pulls.targets_mm[:, 2], fit.vertices_mm[ids, 2], atol=1e-9)


def test_no_landmark_at_all_weighs_nothing(face):
    np.testing.assert_array_equal(weight(face, np.full((68, 2), np.nan)), 0)
