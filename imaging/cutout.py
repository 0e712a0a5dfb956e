"""Holes in triangles: textures that say where a surface is, as strands of hair on a card."""

from dataclasses import dataclass

import numba
import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """Where triangles have holes: strands of hair on a card.

    Attributes:
        alpha: (N,) float32, the texels of all cut-out textures one after another, row by row.
        texture: (T, 3) int32 a triangle: where its texture starts, its height and its width; a
            height of 0 where the triangle is whole.
        uv: (T, 3, 2) float32, its corners in the texture, u right, v down.
        dithered: whether a texel of 0.6 covers about 0.6 of the samples around it (a fixed 2 × 2
            pattern, for images that are averaged later) instead of all of them.
    """

    alpha: np.ndarray
    texture: np.ndarray
    uv: np.ndarray
    dithered: bool = False


WHOLE = Cutout(np.zeros(0, np.float32), np.zeros((0, 3), np.int32), np.zeros((0, 3, 2), np.float32))


@numba.njit(nogil=True, cache=True)
def is_there(texture, alpha, u, v, dithered, x, y):
    """Whether a cut-out triangle has surface at (u, v) of its texture, seen at pixel (x, y)."""
    start, height, width = texture
    column = min(max(int(u * width), 0), width - 1)
    row = min(max(int(v * height), 0), height - 1)
    limit = 0.5
    if dithered:
        limit = (2 * ((x + y) & 1) + (y & 1)) * 0.25 + 0.125
    return alpha[start + row * width + column] >= limit
