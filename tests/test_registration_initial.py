"""The paper's initial fit, of landmarks alone: its distance is the depth's, and T-ICP mends it."""

import numpy as np
import pytest

from faces.fitting import fit_face
from faces.metrics import nme
from registration.initial import at_depth
from registration.ticp import TicpSettings, register
from tests.simulate import frame, true_pose, true_shape
from tests.toy import toy_model


def larger(model, factor, seed=0):
    """A scan of a head that is so many times as large as the model's."""
    rng = np.random.default_rng(seed)
    return frame(model, factor * true_shape(model, rng), true_pose(rng), rng)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_only_the_distance_is_taken_from_the_depth(factor):
    model = toy_model()
    scan = larger(model, factor)
    fit = fit_face(model, scan.landmarks, scan.camera)
    moved = at_depth(fit, model, scan.landmarks, scan.camera, scan.depth_mm)
    move = moved.vertices_mm - fit.vertices_mm
    np.testing.assert_allclose(move, np.broadcast_to(move[0], move.shape), atol=1e-9)
    assert moved.pose.scale == fit.pose.scale == 1.0
    where = model.landmarks["ibug68"][17:]
    off = (scan.truth["vertices_mm"] - moved.vertices_mm)[where]
    # A tenth of the size is 60 mm of distance at 600 mm; shape leaves a few mm.
    assert np.abs(np.median(off[:, 2])) < 5
    assert np.linalg.norm(off.mean(0)[:2]) < 5


def test_without_depth_at_the_landmarks_the_fit_stays():
    model = toy_model()
    scan = larger(model, 1.1)
    fit = fit_face(model, scan.landmarks, scan.camera)
    assert at_depth(fit, model, scan.landmarks, scan.camera, 0 * scan.depth_mm) is fit


def test_registration_from_landmarks_alone_finds_the_size():
    model = toy_model()
    scan = larger(model, 1.1)
    face = register(scan, model, TicpSettings(initial_depth=False))
    truth, region = scan.truth["vertices_mm"], model.regions["narrow_face"]
    before, after = (
        nme(v, truth, region, 90.0) for v in (face.initial.vertices_mm, face.vertices_mm)
    )
    assert after < before / 2
