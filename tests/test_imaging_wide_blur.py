"""Wide means against OpenCV's exact Gaussian, and their moments."""

import cv2
import numpy as np
import pytest

from imaging.wide_blur import wide_blur


@pytest.mark.parametrize("sigma", [1.0, 8.0, 24.0])
def test_impulse_spreads_as_the_exact_gaussian_does(sigma):
    image = np.zeros((301, 283), np.float32)
    image[151, 140] = 1
    exact = cv2.GaussianBlur(image, (0, 0), sigma)
    # moved by σ/8, half a block, at a Gaussian's steepest slope of 0.61 / σ: 7.6 % of the peak
    assert np.abs(wide_blur(image, sigma) - exact).max() < 0.08 * exact.max()


def test_the_variance_is_kept():
    image = np.zeros((257, 257), np.float32)
    image[128, 128] = 1
    blurred = wide_blur(image, 12.0).astype(np.float64)
    offset = np.arange(257) - 128
    share = blurred / blurred.sum()
    assert blurred.sum() == pytest.approx(1, rel=0.02)  # enlarging samples the sum
    # 3 %: the reduced size is no whole share of the full one, and the block's middle lies beside
    assert (share.sum(0) * offset**2).sum() == pytest.approx(144, rel=0.03)
    assert (share.sum(1) * offset**2).sum() == pytest.approx(144, rel=0.03)


def test_noise_is_averaged_as_by_the_exact_mean():
    image = np.random.default_rng(0).random((120, 161, 3), np.float32)
    exact = cv2.GaussianBlur(image, (0, 0), 16.0)
    inner = np.s_[32:-32, 32:-32]  # at the border the two mirror it at other places
    # what is left of the noise, 0.29 / √(4π 16²) = 5e-3, both have in common
    assert np.abs(wide_blur(image, 16.0) - exact)[inner].max() < 1.5e-3


def test_a_constant_stays():
    assert np.allclose(wide_blur(np.full((50, 70, 1), 0.3, np.float32), 9.0), 0.3, atol=1e-6)
