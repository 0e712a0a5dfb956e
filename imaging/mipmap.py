"""Textures at all resolutions, their islands padded, read between two of them in compiled loops."""

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
        (h, w, 3) float32 each, the finest first. They lie one after another in one piece of memory,
        as packed() takes them without a copy.

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
    levels = _apart(texture.shape[:2])
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


def _apart(size: tuple[int, int]) -> list[np.ndarray]:
    """Empty levels of a texture (height, width), views of one array."""
    sizes = [size]
    while max(sizes[-1]) > 1:
        sizes.append((max(sizes[-1][0] // 2, 1), max(sizes[-1][1] // 2, 1)))
    memory = np.zeros((sum(h * w for h, w in sizes), 3), dtype=np.float32)
    ends = np.cumsum([h * w for h, w in sizes])
    return [
        memory[end - h * w : end].reshape(h, w, 3) for (h, w), end in zip(sizes, ends, strict=True)
    ]


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


def packed(levels: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Levels as compiled loops take them.

    Returns:
        texels (N, 3) float32 of all levels one after another, without a copy where they lie so;
        and (L, 3) int64: first texel, height and width of each level of two texels a side or more,
        which a bilinear look-up takes. Both empty for no levels.
    """
    if not levels:
        return np.zeros((0, 3), np.float32), np.zeros((0, 3), np.int64)
    counts = [level.shape[0] * level.shape[1] for level in levels]
    starts = np.cumsum([0, *counts[:-1]])
    table = [
        (start, *level.shape[:2])
        for start, level in zip(starts, levels, strict=True)
        if min(level.shape[:2]) > 1
    ]
    return _in_one(levels, starts, sum(counts)), np.array(table, dtype=np.int64)


def _in_one(levels, starts, count) -> np.ndarray:
    """(N, 3) float32 of all levels: their own memory where they follow each other in it."""
    memory, own = levels[0].base, levels[0].ctypes.data
    follows = all(
        level.dtype == np.float32
        and level.flags.c_contiguous
        and level.ctypes.data == own + 12 * start
        for level, start in zip(levels, starts, strict=True)
    )
    if follows and isinstance(memory, np.ndarray) and memory.shape == (count, 3):
        return memory
    return np.concatenate([np.asarray(level, np.float32).reshape(-1, 3) for level in levels])


@numba.njit(nogil=True, cache=True, fastmath=True)
def look_up_mip(texels, table, u, v, spread):
    """Three channels between the two levels that fit best, each read bilinearly.

    Args:
        texels, table: of packed().
        u, v: in [0, 1], v down, held at the border.
        spread: texels of the finest level along a pixel's side, the root of the area that it spans.
    """
    level, step = 0, np.float32(1)
    last = len(table) - 1
    while level < last and spread >= 2 * step:
        level += 1
        step *= np.float32(2)
    r, g, b = _bilinear(texels, table, level, u, v)
    share = spread / step - np.float32(1)
    if share <= 0 or level == last:
        return r, g, b
    r2, g2, b2 = _bilinear(texels, table, level + 1, u, v)
    return r + share * (r2 - r), g + share * (g2 - g), b + share * (b2 - b)


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _bilinear(texels, table, level, u, v):
    """Three channels of a level; without a view of it, which costs more than the reading."""
    start, height, width = table[level, 0], table[level, 1], table[level, 2]
    across, down, half = np.float32(width), np.float32(height), np.float32(0.5)
    inside = np.float32(1.001)
    x = min(max(np.float32(u) * across - half, np.float32(0)), across - inside)
    y = min(max(np.float32(v) * down - half, np.float32(0)), down - inside)
    i, j = int(y), int(x)
    a, b, one = x - np.float32(j), y - np.float32(i), np.float32(1)
    first = start + i * width + j
    w00, w01, w10, w11 = (one - a) * (one - b), a * (one - b), (one - a) * b, a * b
    p, q = np.uint64(first), np.uint64(first + 1)
    r, s = np.uint64(first + width), np.uint64(first + width + 1)
    return (
        w00 * texels[p, 0] + w01 * texels[q, 0] + w10 * texels[r, 0] + w11 * texels[s, 0],
        w00 * texels[p, 1] + w01 * texels[q, 1] + w10 * texels[r, 1] + w11 * texels[s, 1],
        w00 * texels[p, 2] + w01 * texels[q, 2] + w10 * texels[r, 2] + w11 * texels[s, 2],
    )
