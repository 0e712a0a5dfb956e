"""Textures at all resolutions, their islands padded; imaging.texels reads between two of them."""

from itertools import pairwise

import cv2
import numba
import numpy as np


def mip_levels(texture: np.ndarray, inside: np.ndarray | None) -> tuple[np.ndarray, ...]:
    """A texture and its halvings down to one texel.

    A texel of a coarser level is the mean of what it covers of the islands alone, and one that
    covers none of them is filled from the next coarser level (pull and push, Gortler et al. 1996,
    section 4), so that neither the averages nor a look-up at an island's rim read what lies beside.
    Averages are of the values as they are: sRGB stays sRGB.

    Args:
        texture: (H, W, 3) float32.
        inside: (H, W) bool, the texels that belong to an island; None for all of them.

    Returns:
        (h, w, 3) float32 each, the finest first.

    Raises:
        ValueError: where shapes do not fit, or no texel is inside.
    """
    texture = np.asarray(texture, dtype=np.float32)
    if texture.ndim != 3 or texture.shape[2] != 3 or min(texture.shape[:2]) < 2:
        raise ValueError(
            f"texture: shape {texture.shape}; expected (H, W, 3) of 2 × 2 texels or more; give it "
            "three channels, or repeat its texel"
        )
    if inside is not None and (inside.shape != texture.shape[:2] or not inside.any()):
        raise ValueError(
            f"inside: shape {inside.shape}, {int(inside.sum())} texels; expected "
            f"{texture.shape[:2]} with some inside; rasterise the chart at the texture's size"
        )
    levels = [np.zeros((*size, 3), np.float32) for size in _sizes(texture.shape[:2])]
    levels[0][:] = texture
    whole = inside is None or inside.all()
    shares = [] if whole else [inside.astype(np.float32)]
    for fine, coarse in pairwise(levels):
        size = coarse.shape[1::-1]
        if whole:
            coarse[:] = cv2.resize(fine, size, interpolation=cv2.INTER_AREA)
            continue
        share = shares[-1]
        shares.append(cv2.resize(share, size, interpolation=cv2.INTER_AREA).reshape(size[::-1]))
        total = cv2.resize(fine * share[..., None], size, interpolation=cv2.INTER_AREA)
        coarse[:] = total.reshape(coarse.shape) / np.maximum(shares[-1], 1e-9)[..., None]
    if not whole:
        _push(levels, shares)
    return tuple(levels)


def _sizes(size: tuple[int, int]) -> list[tuple[int, int]]:
    """(height, width) of each level."""
    sizes = [size]
    while max(sizes[-1]) > 1:
        sizes.append((max(sizes[-1][0] // 2, 1), max(sizes[-1][1] // 2, 1)))
    return sizes


def _push(levels: list[np.ndarray], shares: list[np.ndarray]) -> None:
    """Fill, in place, what no island covers, from the coarsest level to the finest."""
    for k in range(len(levels) - 2, -1, -1):
        size = levels[k].shape[1::-1]
        beyond = cv2.resize(levels[k + 1], size, interpolation=cv2.INTER_LINEAR)
        _fill(levels[k], shares[k], beyond.reshape(levels[k].shape))


@numba.njit(nogil=True, cache=True)
def _fill(level, share, beyond):
    """Texels outside: beside an island its rim's own colour, which a look-up there reads, and
    elsewhere what the coarser level has."""
    height, width = share.shape
    for y in range(height):
        for x in range(width):
            if share[y, x] > 0:
                continue
            r, g, b, total = 0.0, 0.0, 0.0, 0.0
            for i in range(max(y - 1, 0), min(y + 2, height)):
                for j in range(max(x - 1, 0), min(x + 2, width)):
                    weight = max(share[i, j], np.float32(0))
                    total += weight
                    r += weight * level[i, j, 0]
                    g += weight * level[i, j, 1]
                    b += weight * level[i, j, 2]
            if total > 0:
                level[y, x, 0], level[y, x, 1], level[y, x, 2] = r / total, g / total, b / total
            else:
                for n in range(3):
                    level[y, x, n] = beyond[y, x, n]
