"""Colours read from images, and carried over the mesh."""

import cv2
import numpy as np

from faces.harmonic import harmonic

HOLD = 30.0  # weight of a seen vertex against its six edges of weight 1: smooths pixel noise a bit
WHISPER = 1e-6  # weight of a vertex that was not seen: only to decide where nothing else does
TRUST_MIN = 0.02


def carry(
    wanted: np.ndarray, trust: np.ndarray, rest: np.ndarray, prior: float, triangles: np.ndarray
) -> np.ndarray:
    """Vertex values kept where they are trusted, and carried smoothly to the other vertices.

    Given as photo − model at the seen vertices, the result is what the model's colours lack
    everywhere (the Poisson equation with the model's gradients, on the surface instead of in the
    image), so that every view starts from one and the same donor.

    Args:
        wanted: (V, C) float, read where ``trust`` is above TRUST_MIN.
        trust: (V,) in [0, 1].
        rest: (V, C) what the others are to be, as far as ``prior`` weighs.
        prior: weight of ``rest`` against a vertex's edges of weight 1; above 0.
        triangles: (T, 3) int; a vertex without any keeps its wanted value or its rest.

    Returns:
        (V, C) float64.
    """
    seen = np.asarray(trust) > TRUST_MIN
    hold = np.where(seen, HOLD * np.asarray(trust, float), prior)
    return harmonic(np.where(seen[:, None], wanted, rest), hold, triangles)


def sample(color: np.ndarray, pixels: np.ndarray, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
    """Bilinear colours (..., 3) float32 of an image (H, W, 3) at pixels (..., 2), centres at +0.5.

    Non-finite pixels read the border.
    """
    flat = np.nan_to_num(pixels, nan=-1.0).astype(np.float32).reshape(-1, 1, 2) - np.float32(0.5)
    parts = [  # OpenCV addresses at most 2^15 rows
        cv2.remap(color, flat[k : k + 32000], None, cv2.INTER_LINEAR, borderMode=border)
        for k in range(0, len(flat), 32000)
    ]
    return np.concatenate(parts).reshape(*pixels.shape[:-1], color.shape[2])


def smoothstep(t: np.ndarray) -> np.ndarray:
    """0 up to 0, 1 from 1, and smooth between; the argument's shape."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)
