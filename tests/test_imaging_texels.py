"""Textures of ten bits a channel, read between levels and texels."""

import numpy as np
import pytest

from imaging.mipmap import mip_levels
from imaging.places import BLOCK, FLOATS, INTEGERS, SPREAD, B, G, R, U, V
from imaging.texels import packed, read_texels

# a channel is rounded to 1/1023, and so are the eight weights, whose sum is kept
ROUNDED = 0.5 / 1023 + 1e-6


def read(texels, table, uv, spread):
    out = np.zeros((len(uv), 3))
    w, marks = np.zeros(FLOATS, np.float32), np.zeros(INTEGERS, np.int32)
    for first in range(0, len(uv), BLOCK):
        part = uv[first : first + BLOCK]
        count = len(part)
        w[U : U + count], w[V : V + count] = part.T
        w[SPREAD : SPREAD + BLOCK] = spread
        read_texels(w, marks, count, texels, table)
        out[first : first + count] = np.stack([w[c : c + count] for c in (R, G, B)], 1)
    return out


def islands():
    """Two islands of one colour each, in black; their borders lie on no coarse texel's border."""
    rows, columns = np.mgrid[:128, :256]
    left = (columns - 70) ** 2 + (rows - 61) ** 2 < 41**2
    right = (np.abs(columns - 200) < 37) & (np.abs(rows - 50) < 29)
    texture = np.zeros((128, 256, 3), dtype=np.float32)
    colors = np.array([[0.9, 0.6, 0.5], [0.2, 0.3, 0.8]], dtype=np.float32)
    texture[left], texture[right] = colors
    return texture, left, right, colors


def test_an_island_takes_nothing_of_the_black_beside_it():
    texture, left, _, colors = islands()
    texture[~left] = 0
    texels, table = packed(mip_levels(texture, left))
    uv = np.random.default_rng(1).random((500, 2))
    for spread in (0.5, 1.0, 1.7, 5.0, 40.0):
        got = read(texels, table, uv, spread)
        np.testing.assert_allclose(got, np.broadcast_to(colors[0], got.shape), atol=ROUNDED)


def test_islands_apart_do_not_mix_where_they_are_read():
    """Their gap of 44 texels holds them apart as long as a bilinear look-up spans less of it."""
    texture, left, right, colors = islands()
    texels, table = packed(mip_levels(texture, left | right))
    for island, color in zip((left, right), colors, strict=True):
        rows, columns = np.nonzero(island)
        uv = np.stack([(columns + 0.5) / 256, (rows + 0.5) / 128], 1)
        for spread in (1.0, 2.5, 4.0):
            got = read(texels, table, uv, spread)
            np.testing.assert_allclose(got, np.broadcast_to(color, got.shape), atol=ROUNDED)


def test_a_pixel_reads_the_mean_of_what_it_spans():
    """A ramp is its own mean at every level: the place alone decides, and nothing jumps."""
    ramp = np.repeat((np.arange(256) + 0.5)[None, :, None] / 256, 64, 0).repeat(3, 2)
    texels, table = packed(mip_levels(ramp.astype(np.float32), None))
    uv = np.stack([np.linspace(0.2, 0.8, 50), np.full(50, 0.4)], 1)
    for spread in np.geomspace(0.3, 8, 23):
        # a level of half texels keeps a ramp exactly, away from its ends; neighbours on the
        # coarsest one differ by 1/32, of which a weight's rounding is a 2000th
        got = read(texels, table, uv, spread)[:, 0]
        np.testing.assert_allclose(got, uv[:, 0], atol=ROUNDED + 5e-5)
    noise = np.random.default_rng(2).random((64, 64, 3), dtype=np.float32)
    levels = mip_levels(noise, None)
    centre = np.array([[(5 + 0.5) / 16, (7 + 0.5) / 16]])  # of a texel of level 2
    got = read(*packed(levels), centre, 4.0)
    np.testing.assert_allclose(got[0], noise[28:32, 20:24].mean((0, 1)), atol=ROUNDED)
    # halfway between two levels: the mean of both
    both = [read(*packed(levels), centre, s)[0] for s in (2.0, 3.0, 4.0)]
    np.testing.assert_allclose(both[1], (both[0] + both[2]) / 2, atol=2e-6)  # float32


@pytest.mark.parametrize("size", [(64, 128), (50, 37), (2, 2), (1000, 3)])
def test_random_texels_are_read_as_by_plain_arithmetic(size):
    """Levels of any size, places beyond the borders too, against the float levels themselves."""
    rng = np.random.default_rng(5)
    levels = mip_levels(rng.random((*size, 3), dtype=np.float32), None)
    texels, table = packed(levels)
    assert len(table) == sum(min(level.shape[:2]) > 1 for level in levels)
    uv = rng.uniform(-0.2, 1.2, (200, 2)).astype(np.float32)
    for spread in (0.3, 1.0, 1.4, 2.0, 3.1, 7.9, 1000.0):
        level = min(int(np.log2(max(spread, 1))), len(table) - 1)
        share = min(max(spread / 2**level - 1, 0), 1) if level + 1 < len(table) else 0
        expected = (1 - share) * bilinear(levels[level], uv)
        if share:
            expected += share * bilinear(levels[level + 1], uv)
        # eight weights off by a 2048th at most, texels up to 1 apart; the far border is held a
        # thousandth of a texel early
        np.testing.assert_allclose(read(texels, table, uv, spread), expected, atol=4e-3)


def bilinear(level, uv):
    height, width = level.shape[:2]
    x, y = np.clip(uv * [width, height] - 0.5, 0, [width - 1, height - 1]).T
    j, i = np.minimum(x.astype(int), width - 2), np.minimum(y.astype(int), height - 2)
    a, b = (x - j)[:, None], (y - i)[:, None]
    upper = level[i, j] * (1 - a) + level[i, j + 1] * a
    return upper * (1 - b) + (level[i + 1, j] * (1 - a) + level[i + 1, j + 1] * a) * b


def test_no_levels_are_no_texels():
    assert [len(part) for part in packed(())] == [0, 0]
