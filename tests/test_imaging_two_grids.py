"""Nearest triangles at centres and samples against every triangle tried at every place."""

import numpy as np
import pytest
from triangle_groups import one_group

from imaging.keys import IDS, SCALE, blank_shape
from imaging.rim import clear_samples
from imaging.two_grids import find_nearest, find_samples, tile_shape, word_shape

WIDTH, HEIGHT = 41, 37
BOX = 0, 0, WIDTH - 1, HEIGHT - 1


def heap(seed, count, size):
    """Random triangles of up to ``size`` px, their nearness within a tenth: the integers of
    imaging.keys hold no plane that is much steeper, and slivers of it count as flat."""
    rng = np.random.default_rng(seed)
    middle = rng.uniform([-4, -4], [WIDTH + 4, HEIGHT + 4], (count, 1, 2))
    corners = middle + rng.uniform(-size / 2, size / 2, (count, 3, 2))
    snapped = np.rint(corners * 256).astype(np.int32).reshape(-1, 2)
    near = rng.uniform(0.45, 0.55, 3 * count)
    return snapped, near, np.arange(3 * count, dtype=np.int32).reshape(-1, 3)


def tried(snapped, near, triangles, factor):
    """Nearness and triangle at each sample by barycentrics in float64; -1 for none. Places within
    a millionth of an edge may belong to either side: they are told apart."""
    rows, columns = np.mgrid[: HEIGHT * factor, : WIDTH * factor]
    places = (np.stack([columns, rows], -1) + 0.5) * 256 / factor
    best, found = np.zeros(rows.shape), np.full(rows.shape, -1)
    unsure = np.zeros(rows.shape, bool)
    for t, (a, b, c) in enumerate(triangles):
        p = snapped[[a, b, c]].astype(np.float64)
        edges = np.stack([p[1] - p[0], p[2] - p[0]], 1)
        if np.linalg.det(edges) == 0:
            continue
        v, w = np.moveaxis((places - p[0]) @ np.linalg.inv(edges).T, -1, 0)
        weights = np.stack([1 - v - w, v, w], -1)
        here = weights @ near[[a, b, c]]
        unsure |= np.abs(weights.min(-1)) < 1e-6
        nearer = (weights.min(-1) >= 0) & (here > best)
        best[nearer], found[nearer] = here[nearer], t
    return best, found, unsure


def drawn(geometry, groups, rim, factor):
    """Keys of centres and of samples, the latter where ``rim`` is set."""
    centre = np.zeros(blank_shape(WIDTH, HEIGHT), np.int64)
    tiles = np.zeros(tile_shape(WIDTH, HEIGHT), np.int64)
    waiting, kept = np.zeros((2, len(geometry[2])), np.int32)
    scratch = tiles, waiting, kept
    count = find_nearest(*geometry, groups, BOX, centre, np.zeros_like(rim), *scratch)
    fine = np.zeros(blank_shape(WIDTH * factor, HEIGHT * factor), np.int64)
    words, pixels = np.zeros(word_shape(WIDTH, HEIGHT), np.uint64), np.zeros(rim.size, np.int32)
    clear_samples(rim, factor, fine, words, pixels)
    bits = 9 - factor.bit_length()
    find_samples(*geometry, kept[:count], tiles, rim, words, BOX, bits, fine)
    return centre[:, :WIDTH], fine[:, : WIDTH * factor]


def agree(keys, geometry, factor, asked=True):
    best, found, unsure = tried(*geometry, factor)
    ids = np.where(keys > 0, IDS - (keys & IDS), -1)
    asked = asked & ~unsure
    assert (found[asked] >= 0).sum() > 50
    np.testing.assert_array_equal(ids[asked], found[asked])
    seen = asked & (found >= 0)
    # 39 bits, whose steps add up along a row
    assert np.abs((keys & ~IDS) / SCALE - best)[seen].max() < 1e-9


@pytest.mark.parametrize("size", [3.0, 12.0, 60.0])  # tried one by one, in rows, beyond the image
@pytest.mark.parametrize("outer", [0, 150, 300])
def test_the_nearest_triangle_is_found_at_every_centre(size, outer):
    geometry = heap(1, 300, size)
    rim = np.zeros((HEIGHT, WIDTH), np.uint8)
    agree(drawn(geometry, one_group(300, outer), rim, 2)[0], geometry, 1)


@pytest.mark.parametrize("factor", [2, 4])
def test_the_nearest_triangle_is_found_at_every_sample_of_a_rim(factor):
    """Small triangles alone leave gaps, so that no tile is covered and none is left out."""
    geometry = heap(2, 300, 4.0)
    rim = (np.random.default_rng(3).random((HEIGHT, WIDTH)) < 0.2).astype(np.uint8)
    fine = drawn(geometry, one_group(300, 0), rim, factor)[1]
    agree(fine, geometry, factor, np.kron(rim, np.ones((factor, factor), np.uint8)) > 0)


def test_what_stands_before_all_else_between_the_centres_is_marked():
    """A strand a quarter of a pixel wide before a wall, and one behind it."""
    wall = np.array([[0, 0], [WIDTH, 0], [0, HEIGHT], [WIDTH, HEIGHT]]) * 256
    strand = np.array([[10 * 256 + 150, 2560], [10 * 256 + 214, 2560], [10 * 256 + 180, 3100]])
    snapped = np.concatenate([wall, strand, strand + 2560]).astype(np.int32)
    near = np.array([0.5] * 4 + [0.6] * 3 + [0.4] * 3)
    triangles = np.array([[0, 2, 1], [1, 2, 3], [4, 5, 6], [7, 8, 9]], np.int32)
    centre, rim = (
        np.zeros(blank_shape(WIDTH, HEIGHT), np.int64),
        np.zeros((HEIGHT, WIDTH), np.uint8),
    )
    tiles = np.zeros(tile_shape(WIDTH, HEIGHT), np.int64)
    waiting, kept = np.zeros((2, 4), np.int32)
    scratch = tiles, waiting, kept
    count = find_nearest(snapped, near, triangles, one_group(4, 2), BOX, centre, rim, *scratch)
    assert 2 in kept[:count]
    assert 3 not in kept[:count]
    assert {tuple(p) for p in np.argwhere(rim)} == {(10, 10), (11, 10), (12, 10)}
