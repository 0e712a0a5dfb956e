"""How deep a body is likely to be, by its width."""

import cv2
import numpy as np

SCALES = 6  # widths told apart on the way up to the thickest body


def thickness(distance_mm: np.ndarray, inside: np.ndarray, most_mm: float) -> np.ndarray:
    """(h, w) mm behind the outline: half an ellipse whose half axes are the local half width.

    Args:
        distance_mm: (h, w) float32, from the outline.
        inside: (h, w) bool, not empty.
        most_mm: half of what the thickest body is deep.
    """
    half = np.zeros_like(distance_mm)
    unit = distance_mm[inside].min()
    for radius in np.linspace(0, most_mm, SCALES + 1)[1:]:
        far = (distance_mm < radius).astype(np.uint8)
        if not far.all():
            reach = cv2.distanceTransform(far, cv2.DIST_L2, 5) * unit
            half[reach <= radius] = radius
    half = np.clip(distance_mm, half, most_mm)
    half = cv2.GaussianBlur(half, (0, 0), 2)
    depth = np.clip(distance_mm - unit, 0, half)
    return np.sqrt(np.maximum(depth * (2 * half - depth), 0))
