"""Features of the skin weigh more than plain skin, by their contrast alone."""

import numpy as np

from registration.salience import FeatureSettings, salience
from registration.template import template_of
from tests.toy import toy_model

SETTINGS = FeatureSettings(weight=3.0, contrast=0.2, reach_mm=8.0)


def spotted(depth):
    """(template, albedo with a dark spot of 6 mm, who is in it, distance to its middle)."""
    template = template_of(toy_model().coarse)
    front = np.argmax(template.positions_mm[:, 2])
    away = np.linalg.norm(template.positions_mm - template.positions_mm[front], axis=1)
    spot = away < 6
    albedo = np.where(spot[:, None], 0.6 - depth, 0.6) * np.ones((1, 3))
    return template, albedo.astype(np.float32), spot, away


def test_plain_skin_of_any_brightness_weighs_one():
    template, _, _, _ = spotted(0.0)
    for level in (0.1, 0.8):
        plain = np.full((len(template.vertices), 3), level, np.float32)
        # single precision: 1e-7 times the matrix's condition
        np.testing.assert_allclose(salience(template, plain, SETTINGS), 1, atol=1e-3)


def test_a_spot_weighs_more_and_the_skin_far_from_it_does_not():
    template, albedo, spot, away = spotted(0.4)
    weights = salience(template, albedo, SETTINGS)
    assert weights[spot].min() > 2.5  # a contrast of 0.4 is twice what counts as full
    assert weights.max() <= 4.0
    assert weights[away > 40].max() < 1.05  # five reaches away


def test_contrast_counts_up_to_its_most_and_either_way():
    weights = [salience(*spotted(depth)[:2], SETTINGS)[spotted(0)[2]].mean() for depth in
               (0.02, 0.04, -0.04)]  # fmt: skip
    np.testing.assert_allclose(weights[1] - 1, 2 * (weights[0] - 1), rtol=1e-3)
    np.testing.assert_allclose(weights[2], weights[1], rtol=1e-3)


def test_no_weight_asks_no_colour():
    template, albedo, _, _ = spotted(0.4)
    assert (salience(template, albedo, FeatureSettings(weight=0.0)) == 1).all()
