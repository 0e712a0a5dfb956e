"""Gaussian means over wide windows, at a cost that does not grow with them."""

import cv2
import numpy as np

SIGMA_PX = 4.0  # of the reduced image: what it loses is finer than the window by far


def wide_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """The image (H, W[, C]) float32 blurred by a Gaussian of ``sigma`` px, C at most 4.

    A wide mean is smooth: it is found at the size at which σ is four pixels, and enlarged linearly.
    Both add to the width what the Gaussian is narrower by, so that the variance is kept. A single
    pixel comes out moved by up to σ/8, where in its block it lies being lost; means of many agree.
    """
    reduction = int(sigma / SIGMA_PX)
    if reduction < 2:
        return cv2.GaussianBlur(image, (0, 0), sigma).reshape(image.shape)
    full = image.shape[1::-1]
    size = tuple(max(edge // reduction, 1) for edge in full)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    # a box of r pixels has the variance r²/12, a tent of ± r has r²/6
    narrow = [np.sqrt((sigma * s / f) ** 2 - 1 / 4) for s, f in zip(size, full, strict=True)]
    small = cv2.GaussianBlur(small, (0, 0), narrow[0], sigmaY=narrow[1])
    return cv2.resize(small, full, interpolation=cv2.INTER_LINEAR).reshape(image.shape)
