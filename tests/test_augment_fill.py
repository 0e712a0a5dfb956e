"""The finish of a picture: an even disc of skin, half of it photographed."""

import cv2
import numpy as np
import pytest

from augment.fill import finish
from augment.render import Picture

SIZE = 128
SKIN, OFF = np.float32([0.7, 0.5, 0.4]), np.float32([0.04, -0.03, 0.02])


def disc_picture(trust_step=0.0):
    """A disc photographed on its left; the donor has all of its shading, its tone a bit off."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32) - SIZE / 2
    alpha = (np.hypot(x, y) < 50).astype(np.float32)
    shading = (1 + 0.2 * np.sin(y / 9))[..., None]
    truth = SKIN * shading
    trust = (x < trust_step).astype(np.float32) * alpha
    photo = np.where(trust[..., None] > 0, truth, 0)
    reasons = np.zeros(alpha.shape, np.uint8)
    return Picture(photo, truth - OFF, trust, alpha, reasons), truth


def test_the_fill_meets_the_photo_and_keeps_the_donors_gradients():
    picture, truth = disc_picture()
    color, synthesised = finish(picture, np.zeros_like(truth))
    right = (picture.alpha > 0) & (picture.trust == 0)
    assert np.array_equal(synthesised > 127, right)
    apart = np.abs(color / 255 - truth).max(-1)
    beside = right & (cv2.distanceTransform(1 - picture.trust.astype(np.uint8), 2, 5) < 3)
    # 1.5 levels: rounding, and the correction's fading over 3 px
    assert apart[beside].max() < 1.5 / 255 + 0.002
    # farther away the donor's own tone comes back, never more than that
    assert apart[right].max() < np.abs(OFF).max() + 1 / 255


@pytest.mark.parametrize("foreign", [0.0, 1.0])
def test_cloth_at_the_rim_does_not_pull_the_fill(foreign):
    picture, truth = disc_picture()
    collar = (picture.trust > 0) & (np.mgrid[:SIZE, :SIZE][0] > 90)
    picture.photo[collar] = foreign
    color, _ = finish(picture, np.zeros_like(truth))
    right = (picture.alpha > 0) & (picture.trust == 0)
    assert np.abs(color / 255 - truth).max(-1)[right].max() < np.abs(OFF).max() + 2 / 255
    # what was photographed stays, cloth or not
    np.testing.assert_allclose(color[collar], 255 * foreign)


def test_half_trusted_pixels_that_show_something_else_are_filled():
    picture, truth = disc_picture()
    rim = (picture.trust > 0) & (np.mgrid[:SIZE, :SIZE][1] > 58)
    picture.photo[rim] = [0.1, 0.2, 0.6]
    picture.trust[rim] = 0.6
    color, synthesised = finish(picture, np.zeros_like(truth))
    inner = cv2.erode(rim.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert synthesised[inner].min() > 200
    assert np.abs(color / 255 - truth).max(-1)[inner].max() < 0.08


def test_nothing_photographed_is_the_donor():
    picture, truth = disc_picture(trust_step=-1000)
    color, synthesised = finish(picture, np.zeros_like(truth))
    covered = picture.alpha > 0
    np.testing.assert_array_equal(color[covered], np.rint(255 * picture.donor[covered]))
    assert (synthesised[covered] == 255).all()
    assert (synthesised[~covered] == 0).all()
