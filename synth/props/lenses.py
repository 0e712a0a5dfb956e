"""Lenses: clear, but for the window or the sky that they mirror, and at times a faint tint."""

import cv2
import numpy as np

from synth.props.tubes import merged
from synth.scene import Piece

SIZE = 96  # texels of a lens
SHARES = np.array([0.97, 0.66, 0.33])  # of the way from a lens's middle to its rim, its rings
BULGE_MM = 2.0
# shares of the samples that show the lens: below a half, so that labels and depth see through it
MIRRORED, TINTED = 0.2, 0.2
GLOSS, SHININESS = 0.5, 150.0


def make_lenses(rims: list[np.ndarray], rng: np.random.Generator) -> Piece:
    """One piece "glasses" of two lenses.

    Args:
        rims: of each lens, (N, 3) mm around it.
        rng: draws what they mirror.
    """
    vertices, triangles = merged(_lens(rim) for rim in rims)
    half = len(vertices) // 2
    uv = np.concatenate([_placed(vertices[:half]), _placed(vertices[half:])])
    albedo, alpha = _seen(rng)
    gloss = np.full(len(vertices), GLOSS, dtype=np.float32)
    return Piece(
        "glasses", vertices, triangles, albedo, uv, triangles, alpha, gloss, SHININESS, True
    )


def _lens(rim) -> tuple[np.ndarray, np.ndarray]:
    """Rings towards the middle, and the middle itself: (3 N + 1, 3) mm and triangles."""
    middle, count = rim.mean(axis=0), len(rim)
    rings = [
        middle + share * (rim - middle) + [0, 0, BULGE_MM * (1 - share**2)] for share in SHARES
    ]
    points = np.concatenate([*rings, middle[None] + [0, 0, BULGE_MM]])
    a = np.arange(count)
    b = (a + 1) % count
    bands = [
        np.stack([a + k, b + k, b + k + count, a + k, b + k + count, a + k + count], -1)
        for k in (0, count)
    ]
    fan = np.stack([a + 2 * count, b + 2 * count, np.full(count, 3 * count)], -1)
    return points, np.concatenate([*(band.reshape(-1, 3) for band in bands), fan]).astype(np.int32)


def _placed(points) -> np.ndarray:
    low, high = points[:, :2].min(0), points[:, :2].max(0)
    return ((points[:, :2] - low) / (high - low) * [1, -1] + [0, 1]).astype(np.float32)


def _seen(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Albedo (SIZE, SIZE, 3) and alpha (SIZE, SIZE): a slanted pane of light, or a tint."""
    albedo = np.full((SIZE, SIZE, 3), (0.62, 0.68, 0.74), dtype=np.float32)
    if rng.random() < 0.15:
        albedo[:] = (0.2, 0.17, 0.14)
        return albedo, np.full((SIZE, SIZE), TINTED, dtype=np.float32)
    pane = np.zeros((SIZE, SIZE), dtype=np.float32)
    left, width = rng.uniform(-0.1, 0.7), rng.uniform(0.12, 0.4)
    top, bottom, slant = 0.0, rng.uniform(0.25, 0.7), rng.uniform(-0.2, 0.2)
    corners = np.array(
        [(left, top), (left + width, top), (left + width + slant, bottom), (left + slant, bottom)]
    )
    if rng.random() < 0.75:
        cv2.fillPoly(pane, [np.rint(SIZE * corners).astype(np.int32)], MIRRORED)
        bar = SIZE * (corners[:2].mean(0) + corners[2:].mean(0)) / 2
        cv2.line(pane, (int(bar[0]), 0), (int(bar[0] + slant * 10), SIZE - 1), 0.0, 4)
    return albedo, pane
