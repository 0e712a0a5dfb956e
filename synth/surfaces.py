"""The noise that every texture is made with."""

import cv2
import numpy as np

SIZE = 256


def noise(rng: np.random.Generator, cells: tuple[int, int], size: int = SIZE) -> np.ndarray:
    """Smooth noise (size, size) float32 of unit variance in the lattice, rows × columns cells."""
    lattice = rng.normal(size=cells).astype(np.float32)
    return cv2.resize(lattice, (size, size), interpolation=cv2.INTER_CUBIC)


def _dye(rng: np.random.Generator) -> np.ndarray:
    """A colour that clothes have: mostly white, grey, black, navy and muted, seldom bright."""
    if rng.random() < 0.55:
        return np.clip(
            rng.choice([0.06, 0.14, 0.3, 0.55, 0.82, 0.9]) + rng.normal(0, 0.02, 3), 0.03, 1
        )
    hue, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.03, 0.17)
    wave = np.cos(hue + np.array([0, 2.1, 4.2]))
    return np.clip(rng.uniform(0.12, 0.6) + strength * wave, 0.03, 0.92)
