"""Textures of cloth, and the noise that every texture is made with."""

import cv2
import numpy as np

SIZE = 256


def cloth(rng: np.random.Generator, size: int = 512) -> np.ndarray:
    """Plain, striped, checked or heathered cloth with a weave: (size, size, 3) float32 sRGB."""
    base = _dye(rng)
    image = np.tile(base, (size, size, 1))
    kind = rng.integers(6)
    period = int(rng.integers(10, 40))
    if kind in (0, 1):  # stripes across, or a check
        other = _dye(rng)
        rows = (np.arange(size) % period) < rng.uniform(0.2, 0.6) * period
        image[rows] = other
        if kind == 1:
            image[:, rows] = 0.5 * image[:, rows] + 0.5 * other
    weave = 0.03 * noise(rng, (size // 2, size // 2), size) + 0.05 * noise(rng, (8, 8), size)
    return np.clip(image * (1 + weave[..., None]), 0.01, 0.96).astype(np.float32)


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
