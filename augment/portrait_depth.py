"""The depth of a portrait from the model alone: what a sensor might have measured."""

import cv2
import numpy as np

from augment.person import person_mask
from augment.portrait import portrait
from imaging.poisson import fill

REDUCTION = 4  # a membrane is smooth: solved at a quarter of the size, shown at the full one
SURE = (0.02, 0.98)  # shares between them are no place to measure a depth: fine hair, mixed pixels
SHOULDER_MM = (190.0, 60.0)  # half a pair of shoulders, and how far it lies behind the breastbone
NECK_END = 0.9  # share of the neck's height below which its depth is the breastbone's
STEEP_PX = 3  # at its outline the head's depth is that of its flank


def portrait_depth(
    color: np.ndarray, head_mm: np.ndarray, face: np.ndarray, mm_per_px: float, wall_mm: float
) -> np.ndarray:
    """(H, W) float32 mm: head, hair, shoulders and wall of a photo; 0 where nobody can tell.

    The head is the fitted mesh. The chest goes on from its neck, falling back towards the
    shoulders; what else is person (hair) is a membrane between these two, at the depth of the
    head's own outline. Everything else is a wall.

    Args:
        color: (H, W, 3) float32 in [0, 1].
        head_mm: (H, W) float32, the fitted mesh's z; 0 beside it.
        face: (H, W) bool, where it shows face and ears.
        mm_per_px: size of a pixel at the head.
        wall_mm: where the wall stands.
    """
    head = head_mm > 0
    seeds = portrait(head, face)
    share = person_mask(color, seeds.person, seeds.other, seeds.likely)
    person = (share > SURE[1]) | head
    chest_mm = _chest(head_mm, face, mm_per_px)
    chest = person & ~head & (chest_mm > 0)
    known = np.where(head, head_mm, np.where(chest, chest_mm, 0))
    depth = np.where(known > 0, known, _membrane(known))
    wall = np.where(share < SURE[0], wall_mm, 0)
    return np.where(person, depth, wall).astype(np.float32)


def _chest(head_mm, face, mm_per_px):
    """(H, W) float32 depth of chest and shoulders below the neck's end; 0 above it."""
    rows, columns = np.nonzero(face)
    chin, middle = rows.max(), (columns.min() + columns.max()) / 2
    width = columns.max() - columns.min() + 1
    bottom = max(np.nonzero(head_mm.any(1))[0].max(), chin + 1)
    level = round(chin + NECK_END * (bottom - chin))
    near = np.abs(np.arange(head_mm.shape[1]) - middle) < width / 4
    neck = head_mm[level : bottom + 1, near]
    breast = np.median(neck[neck > 0]) if (neck > 0).any() else np.median(head_mm[head_mm > 0])
    aside = (np.arange(head_mm.shape[1]) - middle) * mm_per_px / SHOULDER_MM[0]
    back = SHOULDER_MM[1] * np.minimum(aside**2, 4)
    below = np.arange(head_mm.shape[0])[:, None] > level
    return np.where(below, breast + back, 0).astype(np.float32)


def _membrane(known_mm):
    """(H, W) float32: the known depths (0 = none) carried on smoothly."""
    height, width = known_mm.shape
    size = (max(width // REDUCTION, 1), max(height // REDUCTION, 1))
    inner = cv2.erode((known_mm > 0).astype(np.uint8), np.ones((STEEP_PX,) * 2, np.uint8))
    weight = cv2.resize(inner.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(known_mm * inner, size, interpolation=cv2.INTER_AREA)
    some = weight > 0
    small = np.where(some, total / np.maximum(weight, 1e-6), 0)[..., None]
    spread = fill(small, ~some, np.full_like(small, np.nan))[..., 0]
    return cv2.resize(spread, (width, height), interpolation=cv2.INTER_LINEAR)
