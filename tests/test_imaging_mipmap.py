import numpy as np
import pytest

from imaging.mipmap import mip_levels


def test_levels_halve_down_to_one_texel_and_keep_the_mean():
    texture = np.random.default_rng(0).random((64, 128, 3), dtype=np.float32)
    levels = mip_levels(texture, None)
    assert [level.shape[:2] for level in levels] == [
        *((64, 128), (32, 64), (16, 32), (8, 16), (4, 8), (2, 4), (1, 2), (1, 1))
    ]
    boxes = texture.reshape(16, 4, 32, 4, 3).mean((1, 3))
    np.testing.assert_allclose(levels[2], boxes, atol=1e-6)  # float32
    np.testing.assert_allclose(levels[-1][0, 0], texture.mean((0, 1), np.float64), atol=1e-6)


def island():
    """One island of one colour in black; its border lies on no coarse texel's border."""
    rows, columns = np.mgrid[:128, :256]
    inside = (columns - 70) ** 2 + (rows - 61) ** 2 < 41**2
    texture, color = np.zeros((128, 256, 3), dtype=np.float32), np.float32([0.9, 0.6, 0.5])
    texture[inside] = color
    return texture, inside, color


def test_an_island_takes_nothing_of_the_black_beside_it():
    """One island in black: every texel of every level has its colour."""
    texture, left, color = island()
    levels = mip_levels(texture, left)
    for level in levels:
        np.testing.assert_allclose(level, np.broadcast_to(color, level.shape), atol=1e-5)


def test_what_cannot_be_a_texture_is_refused():
    with pytest.raises(ValueError, match="three channels"):
        mip_levels(np.zeros((8, 8), np.float32), None)
    with pytest.raises(ValueError, match="rasterise the chart"):
        mip_levels(np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), bool))
    with pytest.raises(ValueError, match="rasterise the chart"):
        mip_levels(np.zeros((8, 8, 3), np.float32), np.ones((4, 8), bool))
