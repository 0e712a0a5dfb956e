import numba
import numpy as np
import pytest

from imaging.mipmap import look_up_mip, mip_levels, packed


@numba.njit
def read(texels, table, uv, spread):
    out = np.zeros((len(uv), 3))
    for i in range(len(uv)):
        out[i] = look_up_mip(texels, table, uv[i, 0], uv[i, 1], spread)
    return out


def test_levels_halve_down_to_one_texel_and_keep_the_mean():
    texture = np.random.default_rng(0).random((64, 128, 3), dtype=np.float32)
    levels = mip_levels(texture, None)
    assert [level.shape[:2] for level in levels] == [
        *((64, 128), (32, 64), (16, 32), (8, 16), (4, 8), (2, 4), (1, 2), (1, 1))
    ]
    boxes = texture.reshape(16, 4, 32, 4, 3).mean((1, 3))
    np.testing.assert_allclose(levels[2], boxes, atol=1e-6)  # float32
    np.testing.assert_allclose(levels[-1][0, 0], texture.mean((0, 1), np.float64), atol=1e-6)


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
    """One island in black: every texel of every level, and every look-up, has its colour."""
    texture, left, _, colors = islands()
    texture[~left] = 0
    levels = mip_levels(texture, left)
    for level in levels:
        np.testing.assert_allclose(level, np.broadcast_to(colors[0], level.shape), atol=1e-5)
    texels, table = packed(levels)
    uv = np.random.default_rng(1).random((500, 2))
    for spread in (0.5, 1.0, 1.7, 5.0, 40.0):
        got = read(texels, table, uv, spread)
        np.testing.assert_allclose(got, np.broadcast_to(colors[0], got.shape), atol=1e-5)


def test_islands_apart_do_not_mix_where_they_are_read():
    """Their gap of 44 texels holds them apart as long as a bilinear look-up spans less of it."""
    texture, left, right, colors = islands()
    texels, table = packed(mip_levels(texture, left | right))
    for island, color in zip((left, right), colors, strict=True):
        rows, columns = np.nonzero(island)
        uv = np.stack([(columns + 0.5) / 256, (rows + 0.5) / 128], 1)
        for spread in (1.0, 2.5, 4.0):
            got = read(texels, table, uv, spread)
            np.testing.assert_allclose(got, np.broadcast_to(color, got.shape), atol=1e-5)


def test_a_pixel_reads_the_mean_of_what_it_spans():
    """A ramp is its own mean at every level: the place alone decides, and nothing jumps."""
    ramp = np.repeat((np.arange(256) + 0.5)[None, :, None] / 256, 64, 0).repeat(3, 2)
    texels, table = packed(mip_levels(ramp.astype(np.float32), None))
    uv = np.stack([np.linspace(0.2, 0.8, 50), np.full(50, 0.4)], 1)
    for spread in np.geomspace(0.3, 8, 23):
        # a level of half texels keeps a ramp exactly, away from its ends; float32
        np.testing.assert_allclose(read(texels, table, uv, spread)[:, 0], uv[:, 0], atol=1e-5)
    noise = np.random.default_rng(2).random((64, 64, 3), dtype=np.float32)
    levels = mip_levels(noise, None)
    centre = np.array([[(5 + 0.5) / 16, (7 + 0.5) / 16]])  # of a texel of level 2
    got = read(*packed(levels), centre, 4.0)
    np.testing.assert_allclose(got[0], noise[28:32, 20:24].mean((0, 1)), atol=1e-6)
    # halfway between two levels: the mean of both
    both = [read(*packed(levels), centre, s)[0] for s in (2.0, 3.0, 4.0)]
    np.testing.assert_allclose(both[1], (both[0] + both[2]) / 2, atol=1e-6)


def test_own_levels_are_packed_without_a_copy_and_others_with_one():
    levels = mip_levels(np.random.default_rng(3).random((32, 32, 3), dtype=np.float32), None)
    texels, table = packed(levels)
    assert np.shares_memory(texels, levels[0])
    copied, same = packed(tuple(level.copy() for level in levels))
    np.testing.assert_array_equal(copied, texels)
    np.testing.assert_array_equal(table, same)
    assert [len(part) for part in packed(())] == [0, 0]


def test_what_cannot_be_a_texture_is_refused():
    with pytest.raises(ValueError, match="three channels"):
        mip_levels(np.zeros((8, 8), np.float32), None)
    with pytest.raises(ValueError, match="rasterise the chart"):
        mip_levels(np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), bool))
    with pytest.raises(ValueError, match="rasterise the chart"):
        mip_levels(np.zeros((8, 8, 3), np.float32), np.ones((4, 8), bool))
