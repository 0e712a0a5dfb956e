"""Values on a grid carried beyond the cells where they are known."""

import numpy as np

from imaging.wide_blur import wide_blur

NEAR_CELLS, WIDE_CELLS = 4.0, 24.0  # reach: beside what is known, and far from it


def spread(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Values (h, w, C) averaged around each cell over the known ones; far from them, widely.

    ``known`` (h, w) bool; where there is none the values stay.
    """
    weight = known.astype(np.float32)
    if not known.any():
        return np.asarray(values, np.float32)
    filled = (values * weight[..., None]).astype(np.float32)
    total, mass = filled.mean((0, 1)) * 1e-6, weight.mean() * 1e-6
    for sigma, share in ((NEAR_CELLS, 1.0), (WIDE_CELLS, 1e-3)):
        total = total + share * wide_blur(filled, sigma)
        mass = mass + share * wide_blur(weight, sigma)
    return (total / mass[..., None]).astype(np.float32)


def carried(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """The known cells' values (h, w, C), and around them those of the nearest."""
    return np.where(known[..., None], values, spread(values, known))
