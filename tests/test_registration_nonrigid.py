"""One step of the non-rigid solve: exact where it must be, robust, smooth at its length."""

import numpy as np
import pytest

from registration.correspond import MATCHED, Matches
from registration.nonrigid import (
    Landmarks3D,
    NonrigidSettings,
    Stage,
    robust_weights,
    step_system,
)
from registration.template import template_of
from tests.toy import toy_model

NO_LANDMARKS = Landmarks3D(np.zeros(0, np.int64), np.zeros((0, 3)), np.zeros(0))
EVERYWHERE = NonrigidSettings(tangential=1.0, prior=0.0)


def matches_at(points):
    count = len(points)
    reason = np.full(count, MATCHED, np.uint8)
    zero = np.zeros(count)
    return Matches(np.arange(count), reason, points, np.zeros((count, 3)), zero, zero)


def step(target, length_mm, settings=EVERYWHERE, landmarks=NO_LANDMARKS, weights=None):
    """Positions after one step from the toy's mean towards ``target`` (n, 3)."""
    template = template_of(toy_model().coarse)
    base = template.positions_mm
    weights = np.ones(len(base)) if weights is None else weights
    stage = Stage(length_mm, 1, 5.0, 0.0)
    matches = matches_at(target)
    system = step_system(template, base, base, matches, weights, landmarks, stage, settings)
    return base + system.solve()


def test_a_translation_is_met_at_any_stiffness():
    base = template_of(toy_model().coarse).positions_mm
    target = base + np.array([3.0, -2.0, 5.0])  # costs no membrane and no bending
    # The polished residual leaves about 1e-6 mm, a little more or less with the machine's LAPACK.
    # A factor in single precision alone would leave 0.7 mm at 200 mm; at 1 m there is none, and
    # double precision steps in.
    for length_mm in (10.0, 40.0, 200.0, 1000.0):
        np.testing.assert_allclose(step(target, length_mm), target, atol=1e-5)


def test_the_smoothing_length_parts_hills_from_noise():
    template = template_of(toy_model().coarse)
    base = template.positions_mm
    near = np.linalg.norm(base - base[template_center()], axis=1)
    for width, low, high in ((40.0, 0.85, 1.05), (3.0, -0.05, 0.25)):
        hill = np.exp(-((near / width) ** 2))[:, None] * np.array([0, 0, 4.0])
        kept = (step(base + hill, 10.0) - base)[template_center(), 2] / 4.0
        assert low < kept < high, (width, kept)


def template_center():
    return int(toy_model().coarse.landmarks["ibug68"][30])


def test_gradients_give_the_direct_solution():
    rng = np.random.default_rng(0)
    target = template_of(toy_model().coarse).positions_mm + rng.normal(0, 2, (1681, 3))
    direct = step(target, 3.0)  # the fine level's length
    settings = NonrigidSettings(tangential=1.0, prior=0.0, direct_above_mm=100.0, tolerance=1e-8)
    # 200 iterations on the toy's slivers at its rim leave a few micrometres.
    np.testing.assert_allclose(step(target, 3.0, settings), direct, atol=0.02)


def test_unmatched_regions_follow_their_neighbours_and_the_base():
    template = template_of(toy_model().coarse)
    base = template.positions_mm
    side = base[:, 0] > 0
    moved = step(
        base + np.array([0, 0, 5.0]),
        10.0,
        NonrigidSettings(tangential=1.0),
        weights=side.astype(float),
    )
    shift = (moved - base)[:, 2]
    assert shift[base[:, 0] > 20].mean() > 4.8
    assert 2.5 < shift[abs(base[:, 0] + 6) < 3].mean() < 5.0
    # The far side returns to the model: no drift.
    assert abs(shift[base[:, 0] < -65]).mean() < 1.5


def test_landmarks_pull_where_nothing_matches():
    base = template_of(toy_model().coarse).positions_mm
    where = np.array([template_center()])
    pull = Landmarks3D(where, base[where] + [[0, 4.0, 0]], np.ones(1))
    moved = step(base, 10.0, landmarks=pull, weights=np.zeros(len(base)) + 1e-6)
    assert moved[where[0], 1] - base[where[0], 1] > 3.5


def test_robust_weights_silence_outliers():
    rng = np.random.default_rng(1)
    gap = rng.normal(0, 0.5, 1681)
    gap[:200] = 15.0
    current = np.zeros((1681, 3))
    matches = matches_at(np.stack([np.zeros(1681), np.zeros(1681), gap], 1))
    weights = robust_weights(matches, current, 0.2, NonrigidSettings())
    assert (weights[:200] == 0).all()
    assert weights[200:].mean() > 0.7


def test_an_unknown_energy_is_named():
    with pytest.raises(KeyError, match="springs"):
        step(np.zeros((1681, 3)), 10.0, NonrigidSettings(energy="springs"))
