"""What the mask left on a plain wall beside the person: loose curls, a soft fringe."""

import cv2
import numpy as np

from imaging.completion import REDUCTION, is_plain
from imaging.poisson import fill

REACH_MM = 60.0  # so far from the outline a curl may stick out
FAINT = 0.02  # difference in [0, 1] up to which a wall's own shading may go, and a camera's noise
SQUARE = np.ones((3, 3), np.uint8)


def ghosts(color: np.ndarray, gone: np.ndarray, mm_per_px: float) -> np.ndarray:
    """(H, W) bool: what stands out from a plain wall near the person, and ends there.

    Looked for at the size at which walls are completed, where noise has averaged out.
    The wall is the membrane between what lies farther off. What goes on beyond the reach is an
    object of its own, as is everything before a wall that is not plain.

    Args:
        color: (H, W, 3) float32 in [0, 1].
        gone: (H, W) bool, the person.
        mm_per_px: size of a pixel at the head.
    """
    size = (color.shape[1] // REDUCTION, color.shape[0] // REDUCTION)
    person = cv2.resize(gone.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    apart = cv2.distanceTransform((~person).astype(np.uint8), cv2.DIST_L2, 5)
    near = apart < REACH_MM / mm_per_px / REDUCTION
    if near.all() or not person.any():
        return np.zeros(gone.shape, bool)
    small = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
    if not is_plain(np.where(near[..., None], np.nan, small), near):
        return np.zeros(gone.shape, bool)
    apart = np.abs(small - fill(small, near, np.full_like(small, np.nan))).max(-1)
    other = _ending(near & ~person & (apart > FAINT), near)
    other = cv2.dilate(other.astype(np.uint8), SQUARE)
    return cv2.resize(other, color.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0


def _ending(mask, near):
    """The parts (h, w) bool of the mask that do not reach the rim of what is near."""
    _, label = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    rim = near & (cv2.erode(near.astype(np.uint8), SQUARE) == 0)
    return mask & ~np.isin(label, np.unique(label[rim & mask]))
