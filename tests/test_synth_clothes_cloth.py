"""Cloth is of its dye, its patterns are of the size asked for, and nothing of it is random."""

import numpy as np
import pytest

from synth.clothes.cloth import (
    COLUMNS,
    KINDS,
    ROWS,
    STEP_MM,
    checked,
    plain,
    sample_dye,
    striped,
    weave,
)

DYE = np.array([0.3, 0.4, 0.5])
NO_SEAMS = np.zeros((ROWS, COLUMNS), dtype=np.uint8)


@pytest.mark.parametrize("kind", KINDS)
def test_plain_cloth_is_of_its_dye(kind):
    albedo, relief = weave(plain(kind, DYE), NO_SEAMS, np.random.default_rng(0))
    assert albedo.shape == (ROWS, COLUMNS, 3)
    assert relief.shape == (ROWS, COLUMNS)
    assert albedo.dtype == relief.dtype == np.float32
    # 54 patches of up to 9 % unevenness average to 9 % / √54 · 3σ = 4 %
    assert np.allclose(albedo.mean((0, 1)), DYE, rtol=0.05)
    assert np.ptp(relief) < 8  # mm: wrinkles, not folds


def test_stripes_repeat_and_share_as_they_were_drawn():
    made = striped(plain("jersey", DYE), np.array([0.9, 0.9, 0.9]), np.random.default_rng(1))
    rng = np.random.default_rng(1)
    period, share = rng.uniform(12, 45), rng.uniform(0.2, 0.55)
    starts = np.flatnonzero(np.diff(made.bands[0]) > 0)
    assert np.diff(starts).mean() * STEP_MM == pytest.approx(period, rel=0.05)
    assert made.bands[0].mean() == pytest.approx(share, abs=0.06)  # of some nine periods
    albedo, _ = weave(made, NO_SEAMS, np.random.default_rng(0))
    assert albedo[made.bands[0] == 1].mean() > albedo[made.bands[0] == 0].mean() + 0.3


def test_a_check_has_both_dyes_and_their_mean():
    other = np.array([0.9, 0.1, 0.1])
    made = checked(plain("poplin", DYE), other, np.random.default_rng(2))
    albedo, _ = weave(made, NO_SEAMS, np.random.default_rng(0))
    band = made.bands[0][:, None] + made.bands[1][None]
    for share in (0.0, 0.5, 1.0):
        expected = DYE + share * (other - DYE)
        assert np.allclose(albedo[band == share].mean(0), expected, atol=0.02)


def test_a_seam_is_pressed_in_and_of_its_thread():
    seams = NO_SEAMS.copy()
    seams[100] = 255
    rng = (np.random.default_rng(3), np.random.default_rng(3))
    albedo, relief = weave(plain("poplin", DYE), seams, rng[0])
    whole, flat = weave(plain("poplin", DYE), NO_SEAMS, rng[1])
    assert np.allclose((flat - relief)[100], 1.1, atol=1e-5)
    assert (albedo[100] < whole[100]).all()
    np.testing.assert_array_equal(albedo[:100], whole[:100])


def test_dyes_are_colours_that_reflect():
    dyes = np.array([sample_dye(np.random.default_rng(seed)) for seed in range(200)])
    assert ((dyes > 0.03) & (dyes < 0.93)).all()
    assert (np.ptp(dyes, axis=1) < 0.2).mean() > 0.5  # most are muted


def test_the_same_state_weaves_the_same_cloth():
    one, two = (weave(plain("denim", DYE), NO_SEAMS, np.random.default_rng(4)) for _ in range(2))
    for first, second in zip(one, two, strict=True):
        np.testing.assert_array_equal(first, second)
