"""Closing by rows beside OpenCV's, and boxes."""

import cv2
import numpy as np
import pytest

from imaging.masks import box_of, closed, disc


@pytest.mark.parametrize("radius", [1.0, 3.2, 8.4, 18.6])
@pytest.mark.parametrize("level", [-0.5, 0.0, 0.8, 9.0])  # nearly full, half, sparse and empty
def test_closing_is_opencvs_with_the_border_carried_on(radius, level):
    noise = np.random.default_rng(3).normal(size=(97, 131)).astype(np.float32)
    mask = cv2.GaussianBlur(noise, (0, 0), 2) / 0.14 > level
    pad = 2 * int(np.ceil(radius))
    wide = cv2.copyMakeBorder(mask.astype(np.uint8), pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    expected = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, disc(radius))[pad:-pad, pad:-pad] > 0
    assert np.array_equal(closed(mask, radius), expected)


def test_a_box_holds_the_mask_with_its_margin_and_no_more():
    mask = np.zeros((60, 90), bool)
    mask[20:31, 47] = mask[25, 40:50] = True
    assert box_of(mask, 0) == (slice(20, 31), slice(40, 50))
    assert box_of(mask, 7) == (slice(13, 38), slice(33, 57))
    assert box_of(mask, 7, 4) == (slice(12, 40), slice(32, 60))  # out to multiples of four
    assert box_of(mask, 28, 4) == (slice(0, 60), slice(12, 80))  # and no farther than the border


def test_the_box_of_nothing_is_the_whole_image():
    assert box_of(np.zeros((6, 9), bool), 2) == (slice(0, 6), slice(0, 9))
