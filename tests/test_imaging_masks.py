"""Closing by rows beside OpenCV's."""

import cv2
import numpy as np
import pytest

from imaging.masks import closed, disc


@pytest.mark.parametrize("radius", [1.0, 3.2, 8.4, 18.6])
@pytest.mark.parametrize("level", [-0.5, 0.0, 0.8, 9.0])  # nearly full, half, sparse and empty
def test_closing_is_opencvs_with_the_border_carried_on(radius, level):
    noise = np.random.default_rng(3).normal(size=(97, 131)).astype(np.float32)
    mask = cv2.GaussianBlur(noise, (0, 0), 2) / 0.14 > level
    pad = 2 * int(np.ceil(radius))
    wide = cv2.copyMakeBorder(mask.astype(np.uint8), pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    expected = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, disc(radius))[pad:-pad, pad:-pad] > 0
    assert np.array_equal(closed(mask, radius), expected)
