"""The noise that every texture is made with."""

import cv2
import numpy as np

SIZE = 256


def noise(rng: np.random.Generator, cells: tuple[int, int], size: int = SIZE) -> np.ndarray:
    """Smooth noise (size, size) float32 of unit variance in the lattice, rows × columns cells."""
    lattice = rng.normal(size=cells).astype(np.float32)
    return cv2.resize(lattice, (size, size), interpolation=cv2.INTER_CUBIC)
