"""Holes in pictures whose missing part is known."""

import numpy as np
import pytest

from imaging.patch_fill import patch_fill
from imaging.patch_fill_kernels import RADIUS, add_detail
from imaging.poisson import fill


def brickwork(height=96, width=128):
    """Bricks of 16 × 8 px in two tones: what a membrane cannot go on with."""
    y, x = np.mgrid[:height, :width]
    shifted = x + 8 * ((y // 8) % 2)
    joint = (y % 8 < 2) | (shifted % 16 < 2)
    return np.where(joint[..., None], [0.8, 0.8, 0.75], [0.55, 0.25, 0.2]).astype(np.float32)


def hole_in(shape):
    hole = np.zeros(shape, bool)
    hole[30:, 44:84] = True  # down to the border, as a person is
    return hole


def error(image, truth, hole):
    return float(np.sqrt(((image - truth)[hole] ** 2).mean()))


def test_bricks_go_on_behind_the_hole():
    truth = brickwork()
    hole = hole_in(truth.shape[:2])
    got, _ = patch_fill(np.where(hole[..., None], 0, truth), hole)
    membrane = fill(np.where(hole[..., None], 0, truth), hole, np.full_like(truth, np.nan))
    np.testing.assert_array_equal(got[~hole], truth[~hole])
    # along the rim the bond is given; in the middle it may slip by a brick
    rim = hole & ~np.roll(hole, 8, 0) | hole & ~np.roll(hole, 8, 1) | hole & ~np.roll(hole, -8, 1)
    assert error(got, truth, rim) < 0.6 * error(membrane, truth, rim)
    contrast = truth[..., 1].std()
    assert got[hole][:, 1].std() > 0.8 * contrast
    assert membrane[hole][:, 1].std() < 0.5 * contrast


def test_what_is_shown_lies_outside_the_hole():
    rng = np.random.default_rng(0)
    image = rng.uniform(size=(80, 100, 3)).astype(np.float32)
    hole = hole_in(image.shape[:2])
    _, field = patch_fill(image, hole)
    assert (field[~hole] == -1).all()
    row, column = field[hole].T
    for dy in (-RADIUS, RADIUS):
        for dx in (-RADIUS, RADIUS):
            assert not hole[row + dy, column + dx].any()


def test_what_the_hole_hides_plays_no_part():
    truth = brickwork()
    hole = hole_in(truth.shape[:2])
    first, shown = patch_fill(np.where(hole[..., None], 0, truth), hole)
    second, again = patch_fill(np.where(hole[..., None], 5, truth), hole)
    np.testing.assert_array_equal(shown, again)
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("margin", [0, 1])
def test_without_a_whole_patch_the_rims_colours_meet(margin):
    image = np.full((40, 40, 3), 0.25, np.float32)
    hole = np.ones((40, 40), bool)
    hole[: 2 + margin] = False
    got, field = patch_fill(image, hole)
    np.testing.assert_allclose(got, 0.25, atol=1e-3)
    assert (field == -1).all()


def test_the_detail_is_that_of_the_place_shown():
    rng = np.random.default_rng(2)
    detail = rng.normal(size=(24, 33, 3)).astype(np.float32)
    hole = rng.random((24, 33)) < 0.4
    field = np.stack([rng.integers(0, 6, (6, 8)), rng.integers(0, 8, (6, 8))], -1).astype(np.int32)
    field[0] = -1
    torn = rng.random((6, 8)) < 0.5
    limit = np.array([0.5, 1.0, 0.1])
    out = np.zeros_like(detail)
    add_detail(detail, hole, field, torn, 4, limit, out)
    for y, x in np.argwhere(hole):
        i, j = min(y // 4, 5), min(x // 4, 7)  # a last column narrower than a small pixel
        row, column = field[i, j] * 4 + (y - 4 * i, x - 4 * j)
        expected = detail[min(row, 23), min(column, 32)] * (field[i, j, 0] >= 0)
        expected = np.clip(expected, -limit, limit) if torn[i, j] else expected
        np.testing.assert_allclose(out[y, x], expected, atol=1e-6)
    assert not out[~hole].any()
