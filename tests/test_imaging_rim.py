"""Rims of surfaces whose edges and slopes are known."""

import numpy as np
import pytest

from imaging.rim import clear_samples, find_rim, plane_shape
from imaging.two_grids import word_shape

SIZE = 32
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE] + 0.5


def rim_of(depth, surface, factor=2):
    """Of an orthographic image of 1 mm a pixel."""
    planes = np.zeros(plane_shape(SIZE, SIZE), np.float32), np.zeros((SIZE + 2, SIZE + 2), np.uint8)
    planes[0][:], planes[1][:] = np.pad(depth, 1, mode="edge"), np.pad(surface, 1, mode="edge")
    rim = np.zeros((SIZE, SIZE), np.uint8)
    find_rim(*planes, 1.0, False, factor, rim)
    return rim > 0


def whole():
    return np.ones((SIZE, SIZE), np.uint8)


def test_both_sides_of_an_outline_are_its_rim():
    surface = (COLUMNS < 10).astype(np.uint8)
    found = rim_of(np.where(surface, 500.0, 0), surface)
    np.testing.assert_array_equal(found, (COLUMNS > 9) & (COLUMNS < 11))
    np.testing.assert_array_equal(found, rim_of(np.full(ROWS.shape, 500.0), surface + 1))


@pytest.mark.parametrize(("slope", "steep"), [(5.5, False), (6.5, True)])
def test_a_plane_is_a_rim_where_its_samples_lie_too_far_apart(slope, steep):
    """Two samples a side lie half a pixel apart, and STEEPEST is 3 px of depth between them."""
    found = rim_of(500 + slope * COLUMNS, whole())[:, 1:-1]
    assert (found == steep).all()
    # the same along the diagonal, where both axes add up
    found = rim_of(500 + slope / 2 * (COLUMNS + ROWS), whole())[1:-1, 1:-1]
    assert (found == steep).all()


@pytest.mark.parametrize(("slope", "folded"), [(0.9, False), (1.1, True)])
def test_a_fold_is_a_rim_where_its_samples_leave_the_plane(slope, folded):
    """A roof's ridge through centres: samples a quarter of a pixel off lie ``slope``/4 below it on
    both sides, and ROUGHEST is a quarter of a pixel."""
    found = rim_of(500 + slope * np.abs(COLUMNS - 12.5), whole())
    np.testing.assert_array_equal(found, folded & (COLUMNS == 12.5))


def test_a_smooth_ball_has_no_rim_inside():
    """Of 14 px: its slope reaches 2 at 0.9 of the radius."""
    away = np.hypot(COLUMNS - 16, ROWS - 16)
    ball = away < 14
    depth = np.where(ball, 500 - np.sqrt(np.maximum(14**2 - away**2, 0)), 0)
    found = rim_of(depth, ball.astype(np.uint8))
    assert not found[away < 0.85 * 14].any()
    assert found[np.abs(away - 14) < 0.4].all()


def test_samples_of_the_rim_alone_are_cleared():
    rim = (np.random.default_rng(0).random((SIZE, SIZE)) < 0.05).astype(np.uint8)
    keys, pixels = np.ones((2 * SIZE, 2 * SIZE), np.int64), np.zeros(rim.size, np.int32)
    words = np.zeros(word_shape(SIZE, SIZE), np.uint64)
    count = clear_samples(rim, 2, keys, words, pixels)
    np.testing.assert_array_equal(keys, 1 - np.kron(rim, np.ones((2, 2), np.uint8)))
    np.testing.assert_array_equal(pixels[:count], np.flatnonzero(rim))
    # 32 pixels a word, and the next word's again above them
    bits = (words[:, :, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert words.shape == (SIZE, 2)
    np.testing.assert_array_equal(bits[:, 0, :SIZE], rim)
    assert not bits[:, 0, SIZE:].any()
    assert not bits[:, 1].any()


def test_a_rim_s_words_overlap_by_half():
    rim = (np.random.default_rng(1).random((4, 100)) < 0.2).astype(np.uint8)
    words = np.zeros(word_shape(100, 4), np.uint64)
    clear_samples(rim, 1, np.zeros((4, 108), np.int64), words, np.zeros(400, np.int32))
    bits = (words[:, :, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    padded = np.pad(rim, ((0, 0), (0, 60)))
    for k in range(4):
        np.testing.assert_array_equal(bits[:, k], padded[:, 32 * k : 32 * k + 64])
