"""A person before a wall with stripes: what lies behind is known."""

import cv2
import numpy as np

from imaging.completion import completed

RED = np.float32([0.9, 0.1, 0.1])


def wall(period):
    """Upright stripes of ``period`` px, or an even wall for None, with a camera's noise."""
    x = np.arange(320)
    tone = np.full(320, 0.6) if period is None else np.where(x // (period // 2) % 2, 0.7, 0.4)
    tone = cv2.GaussianBlur(np.float32(tone)[None], (0, 0), 1.0)[0]
    noise = np.random.default_rng(0).normal(0, 0.01, (240, 320, 3))
    return (np.broadcast_to(tone[None, :, None], (240, 320, 3)) + noise).astype(np.float32)


def person():
    y, x = np.mgrid[:240, :320]
    return (np.hypot(x - 160, (y - 110) * 0.8) < 50) | ((y > 170) & (abs(x - 160) < 90))


def test_stripes_go_on_behind_the_person():
    truth, gone = wall(48), person()
    got = completed(np.where(gone[..., None], RED, truth), gone)
    beside = gone & ~(cv2.erode(gone.astype(np.uint8), np.ones((41, 41))) > 0)
    # what a turned head uncovers: there half of the stripes' contrast, ±0.15, would be a smear
    assert np.median(np.abs(got - truth)[beside]) < 0.03
    assert np.mean(np.abs(got - truth).max(-1)[beside] > 0.15) < 0.15


def test_nothing_of_the_person_shows():
    for period in (None, 48):
        truth, gone = wall(period), person()
        got = completed(np.where(gone[..., None], RED, truth), gone)
        assert np.ptp(got[gone], axis=1).max() < 0.15  # the wall is grey, its noise ±4 σ


def test_a_plain_wall_stays_plain_and_as_noisy():
    truth, gone = wall(None), person()
    got = completed(np.where(gone[..., None], RED, truth), gone)
    smooth = cv2.GaussianBlur(got, (0, 0), 4.0)
    inner = cv2.erode(gone.astype(np.uint8), np.ones((25, 25))) > 0
    # blocks of 16 px hold the membrane, the rim's with a single one at worst: 2 to 4 σ of its mean
    assert np.abs(smooth - 0.6)[inner].max() < 0.025
    assert np.abs(smooth - 0.6)[inner].mean() < 0.005
    spread = (got - cv2.GaussianBlur(got, (0, 0), 1.5))[inner].std()
    assert 0.5 < spread / (truth - cv2.GaussianBlur(truth, (0, 0), 1.5)).std() < 1.2
