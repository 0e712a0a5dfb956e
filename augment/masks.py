"""Masks grown and shrunk by discs."""

import cv2
import numpy as np


def disc(radius_px: float) -> np.ndarray:
    """A round structuring element (2r + 1, 2r + 1) uint8."""
    size = 2 * round(radius_px) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def shrunk(mask: np.ndarray, radius_px: float) -> np.ndarray:
    """The mask (H, W) bool without its rim; the image's border is none."""
    return cv2.erode(mask.astype(np.uint8), disc(radius_px), borderValue=1) > 0


def grown(mask: np.ndarray, radius_px: float) -> np.ndarray:
    """The mask (H, W) bool and what lies so near to it."""
    return cv2.dilate(mask.astype(np.uint8), disc(radius_px)) > 0
