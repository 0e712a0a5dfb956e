"""Keys from another back end's triangles against those of imaging.two_grids itself."""

import numpy as np
import pytest
from triangle_groups import one_group

from imaging.clipping import cut_at
from imaging.grid_keys import write_keys
from imaging.keys import IDS, SCALE, blank_shape
from imaging.projection import NEAR_MM, project
from imaging.two_grids import find_nearest, find_samples, tile_shape, word_shape

WIDTH, HEIGHT = 70, 50
LENS = (60.0, 55.0, 34.0, 27.0)


def drawn(perspective, bits):
    """Random large triangles, many of them through the near plane, drawn at both grids."""
    rng = np.random.default_rng(4)
    points = rng.uniform([-80, -80, -60], [80, 80, 200], (120, 3)).astype(np.float32)
    triangles = rng.integers(0, 120, (90, 3)).astype(np.int32)
    cuts = cut_at(points, triangles, points[:, 2].astype(np.float64), NEAR_MM)
    assert len(cuts.source) > 20
    points, corners = np.concatenate([points, cuts.points]), [triangles, cuts.triangles]
    snapped, near = np.zeros((len(points), 2), np.int32), np.zeros(len(points))
    project(points, np.eye(3, 4), LENS, perspective, snapped, near)
    geometry = snapped, near, np.concatenate(corners)
    more = 8 - bits
    grids = [
        np.zeros(blank_shape(WIDTH, HEIGHT), np.int64),
        np.zeros(blank_shape(WIDTH << more, HEIGHT << more), np.int64),
    ]
    box = 0, 0, WIDTH - 1, HEIGHT - 1
    waiting, kept = np.zeros((2, len(geometry[2])), np.int32)
    tiles = np.zeros(tile_shape(WIDTH, HEIGHT), np.int64)
    everywhere = np.ones((HEIGHT, WIDTH), np.uint8)
    groups, scratch = one_group(len(triangles), 0), (tiles, waiting, kept)
    count = find_nearest(*geometry, groups, box, grids[0], everywhere, *scratch)
    if more == 0:
        return geometry, (len(triangles), cuts.source), grids[0][:, :WIDTH]
    words = np.full(word_shape(WIDTH, HEIGHT), np.iinfo(np.uint64).max)
    find_samples(*geometry, kept[:count], tiles, everywhere, words, box, bits, grids[1])
    return geometry, (len(triangles), cuts.source), grids[1][:, : WIDTH << more]


@pytest.mark.parametrize("perspective", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_keys_are_those_of_the_default_back_end(perspective, whole):
    """Whether a cut triangle is named by its part or as a whole."""
    bits = 7
    geometry, cuts, expected = drawn(perspective, bits)
    ids = np.where(expected > 0, IDS - (expected & IDS), -1)
    assert (ids >= cuts[0]).sum() > 500  # much of the image shows parts
    if whole:
        part = ids >= cuts[0]
        ids[part] = cuts[1][ids[part] - cuts[0]]
    keys = np.zeros((expected.shape[0], expected.shape[1] + 9), np.int64)
    write_keys(ids, bits, geometry, cuts, keys)
    keys = keys[:, : expected.shape[1]]
    np.testing.assert_array_equal(keys > 0, expected > 0)
    same = (keys & IDS) == (expected & IDS)
    # a sample on the seam between two parts of a triangle may be named after either
    assert same.mean() > 0.999
    apart = np.abs((keys >> 22) - (expected >> 22))[same] / (SCALE / (IDS + 1))
    # planes are evaluated in fixed point there, whose steps of 2^-61 add up along a row
    assert apart.max() < 1e-9


def test_a_triangle_without_area_is_left_out():
    geometry, cuts, expected = drawn(True, 8)
    snapped, near, triangles = geometry
    triangles = triangles.copy()
    triangles[:, 2] = triangles[:, 1]
    keys = np.zeros_like(expected)
    ids = np.zeros(expected.shape, dtype=np.int32)
    write_keys(ids, 8, (snapped, near, triangles), cuts, keys)
    assert not keys.any()
