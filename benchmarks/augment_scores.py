"""Figures of an image against its truth over a mask; NaN where there is too little to judge."""

import cv2
import numpy as np

SEAM_PX, AROUND_PX = 2, 8  # what is on the seam, and how far its surroundings reach
FILLED = 127  # of the mask of what was synthesised
SQUARE = np.ones((3, 3), np.uint8)
FEW = 50  # pixels


def psnr(image: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> float:
    """dB over the mask's pixels, all channels, of (h, w, 3) in 0..255."""
    if mask.sum() < FEW:
        return np.nan
    error = image[mask].astype(np.float64) - reference[mask].astype(np.float64)
    return float(10 * np.log10(255**2 / max((error**2).mean(), 1e-6)))


def gradient_error(image: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> float:
    """Mean length of the difference of two luminance gradients, grey levels a pixel."""
    inner = eroded(mask, 1)
    if inner.sum() < FEW:
        return np.nan
    apart = gradient(image) - gradient(reference)
    return float(np.linalg.norm(apart[inner], axis=-1).mean())


def seam_ratio(image: np.ndarray, inside: np.ndarray, synthesised: np.ndarray) -> float:
    """Mean gradient on the seam between photographed and filled over that of its surroundings.

    The seam is where ``synthesised`` crosses FILLED within ``inside``, SEAM_PX to either side; its
    surroundings are the rest of AROUND_PX. Blind to what lies beyond ``inside``.
    """
    filled = (synthesised > FILLED).astype(np.uint8)
    edge = (cv2.dilate(filled, SQUARE) > cv2.erode(filled, SQUARE)) & inside
    if edge.sum() < FEW:
        return np.nan
    distance = cv2.distanceTransform((~edge).astype(np.uint8), cv2.DIST_L2, 5)
    on, around = inside & (distance <= SEAM_PX), inside & (distance > SEAM_PX)
    around &= distance <= AROUND_PX
    strength = np.linalg.norm(gradient(image), axis=-1)
    return float(strength[on].mean() / strength[around].mean()) if around.any() else np.nan


def gradient(image: np.ndarray) -> np.ndarray:
    """(h, w, 2) luminance gradient, grey levels a pixel."""
    grey = image.astype(np.float32) @ np.float32([0.299, 0.587, 0.114])
    return np.stack([cv2.Sobel(grey, cv2.CV_32F, *d, scale=1 / 8) for d in ((1, 0), (0, 1))], -1)


def overlap(first: np.ndarray, second: np.ndarray) -> float:
    """Intersection over union of two masks (h, w) bool."""
    return float((first & second).sum() / max((first | second).sum(), 1))


def outline_distance(
    first: np.ndarray, second: np.ndarray, wholes: tuple[np.ndarray, np.ndarray]
) -> float:
    """Mean distance in px between the outlines of two silhouettes, both ways.

    Args:
        first, second: (h, w) bool, the part that counts, e.g. the head.
        wholes: what each is a part of, e.g. the person: where a part ends but its whole goes on
            (the cut through the neck), and at the image's border, there is no outline.
    """
    lines = [_outline(part, whole) for part, whole in zip((first, second), wholes, strict=True)]
    if min(line.sum() for line in lines) < FEW:
        return np.nan
    away = [cv2.distanceTransform((~line).astype(np.uint8), cv2.DIST_L2, 5) for line in lines]
    return float((away[1][lines[0]].mean() + away[0][lines[1]].mean()) / 2)


def eroded(mask: np.ndarray, steps: int) -> np.ndarray:
    """The mask (h, w) bool without its outermost ``steps`` pixels; the border is no rim."""
    return cv2.erode(mask.astype(np.uint8), SQUARE, iterations=steps) > 0


def _outline(part, whole):
    """Pixels of the part beside what is not of the whole."""
    return part & ~eroded(whole, 1)
