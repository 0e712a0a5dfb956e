"""Textures for compiled loops: a texel is one number, and so is the sum of eight weighted ones.

Ten bits a channel, four times as fine as the images that they end in, and weights of ten bits: the
three sums then lie side by side in one integer without touching, and one multiplication weighs all
channels of a texel.
"""

import numba
import numpy as np

from imaging.places import BLOCK, COARSE, FINE, SPREAD, B, G, R, U, V

BITS = 10  # of a channel, and of the weights
FULL = (1 << BITS) - 1  # a channel of 1
ALL = 1 << BITS  # what the weights of a look-up add up to
# Where the sums begin. A texel holds its channels at 0, 10 and 20; beside a copy of it that is 32
# bits up, the first, the third and the copy's second have 20 bits each.
FIRST, SECOND, THIRD = 0, 32 + BITS, 2 * BITS
APART = np.uint64((FULL << FIRST) | (FULL << SECOND) | (FULL << THIRD))
UP = np.uint64(32)
# Powers of two as the bits of a float32, whose exponent is counted from ZERO: what is kept of a
# number to have the power below it, what doubles one, and what minus one is one over it.
MANTISSA, ZERO = 23, 127
POWER, DOUBLE = np.int32(0xFF << MANTISSA), np.int32(1 << MANTISSA)
INVERSE = np.int32(2 * ZERO << MANTISSA)


def packed(levels: tuple[np.ndarray, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Levels of imaging.mipmap.mip_levels as read_texels() takes them.

    Returns:
        texels (N,) uint32 of all levels one after another, three channels of ten bits; and (L, 3)
        int64: first texel, height and width of each level of two texels a side or more, which a
        bilinear look-up takes. Both empty for no levels.
    """
    if not levels:
        return np.zeros(0, np.uint32), np.zeros((0, 3), np.int64)
    counts = [level.shape[0] * level.shape[1] for level in levels]
    starts = np.cumsum([0, *counts])
    texels = np.empty(starts[-1], np.uint32)
    for start, stop, level in zip(starts, starts[1:], levels, strict=False):
        _pack(np.ascontiguousarray(level, dtype=np.float32).reshape(-1, 3), texels[start:stop])
    table = [
        (start, *level.shape[:2])
        for start, level in zip(starts, levels, strict=False)
        if min(level.shape[:2]) > 1
    ]
    return texels, np.array(table, dtype=np.int64)


@numba.njit(nogil=True, cache=True)
def _pack(colors, texels):
    full, half, zero, one = np.float32(FULL), np.float32(0.5), np.float32(0), np.float32(1)
    for n in range(len(colors)):
        r = np.uint32(min(max(colors[n, 0], zero), one) * full + half)
        g = np.uint32(min(max(colors[n, 1], zero), one) * full + half)
        b = np.uint32(min(max(colors[n, 2], zero), one) * full + half)
        texels[n] = r | (g << np.uint32(BITS)) | (b << np.uint32(2 * BITS))


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def read_texels(w, marks, count, texels, table):
    """Fill R, G, B in [0, 1] at U, V between the two levels that fit SPREAD best, each bilinear.

    U and V in [0, 1], v down, are held at the border. SPREAD is in texels of the finest level along
    a pixel's side, the root of the area that it spans.

    Args:
        w, marks: a block of imaging.places. count: of places that hold something.
        texels, table: of packed().
    """
    height, width = np.float32(table[0, 1]), np.float32(table[0, 2])
    coarsest = np.int32((ZERO + len(table) - 1) << MANTISSA)
    _aim(w, marks, FINE, 0, height, width, coarsest)
    _aim(w, marks, COARSE, 1, height, width, coarsest)
    mask, scale = np.uint64((1 << 2 * BITS) - 1), np.float32(1 / (FULL * ALL))
    for n in range(count):
        total = _four(marks, FINE + n, texels, table) + _four(marks, COARSE + n, texels, table)
        w[R + n] = np.float32(np.int64(total & mask)) * scale
        w[G + n] = np.float32(np.int64(total >> np.uint64(SECOND))) * scale
        w[B + n] = np.float32(np.int64((total >> np.uint64(THIRD)) & mask)) * scale


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True, error_model="numpy")
def _aim(w, marks, rows, more, height, width, coarsest):
    """Fill, for the finer level or (``more`` = 1) the coarser one, its number, row and column of
    the texel up left of each place, and four weights. Those of both levels add up to ALL."""
    half, zero, one = np.float32(0.5), np.float32(0), np.float32(1)
    every, inside = np.float32(ALL), np.float32(1.001)
    for n in range(BLOCK):
        ratio = np.float32(max(w[SPREAD + n], one))
        bits = np.int32(min(np.float32(ratio).view(np.int32) & POWER, coarsest))
        shrink = np.float32(np.int32(INVERSE - bits).view(np.float32))
        share = np.floor(min(ratio * shrink - one, one) * every + half)
        if more:
            bits = np.int32(min(bits + DOUBLE, coarsest))
            shrink = np.float32(np.int32(INVERSE - bits).view(np.float32))
        else:
            share = every - share
        across, down = np.floor(width * shrink), np.floor(height * shrink)
        x = min(max(w[U + n] * across - half, zero), across - inside)
        y = min(max(w[V + n] * down - half, zero), down - inside)
        left, top = np.floor(x), np.floor(y)
        right = np.floor(share * (x - left) + half)
        far = np.floor(right * (y - top) + half)
        near = np.floor((share - right) * (y - top) + half)
        marks[rows + n] = (bits >> MANTISSA) - ZERO
        marks[rows + BLOCK + n], marks[rows + 2 * BLOCK + n] = np.int32(top), np.int32(left)
        marks[rows + 3 * BLOCK + n] = np.int32(share - right - near)
        marks[rows + 4 * BLOCK + n] = np.int32(right - far)
        marks[rows + 5 * BLOCK + n], marks[rows + 6 * BLOCK + n] = np.int32(near), np.int32(far)


@numba.njit(nogil=True, cache=True, inline="always")
def _four(marks, n, texels, table):
    """The weighted sum of the four texels that _aim() found."""
    level = np.uint64(marks[n])
    width, one = table[level, 2], np.uint64(1)
    p = np.uint64(table[level, 0] + marks[BLOCK + n] * width + marks[2 * BLOCK + n])
    q = p + np.uint64(width)
    return (
        _weighed(texels[p], marks[3 * BLOCK + n])
        + _weighed(texels[p + one], marks[4 * BLOCK + n])
        + _weighed(texels[q], marks[5 * BLOCK + n])
        + _weighed(texels[q + one], marks[6 * BLOCK + n])
    )


@numba.njit(nogil=True, cache=True, inline="always")
def _weighed(texel, weight):
    """A texel's channels times a weight, apart."""
    both = np.uint64(texel)
    return ((both | (both << UP)) & APART) * np.uint64(weight)
