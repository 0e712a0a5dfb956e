"""A round head with hair hanging beside a thin neck, in cells of known size."""

import numpy as np
import pytest

from augment.mane import COLLAR_MM, GROWS_MM, OFF_MM, WITHIN_MM, across, mane

CELL_MM, MIDDLE, FAR_MM = 3.0, 40, 700.0
CROWN, OCCIPUT, JAW, END = 5, 25, 45, 70  # rows
SKULL, NECK, OUTER = 22, 12, 24  # half widths
HAIR, CLOTH = np.float32([0.4, 0.25, 0.1]), np.float32([0.9, 0.9, 1.0])


@pytest.fixture
def place():
    row, column = np.mgrid[:100, :81]
    apart = np.abs(column - MIDDLE)
    half = np.where(row < JAW, SKULL, NECK)
    head = (row >= CROWN) & (row < 80) & (apart <= half)
    hindmost = np.where(head, FAR_MM - np.abs(row - OCCIPUT) - apart, 0).astype(np.float32)
    locks = (row >= JAW) & (row < END) & (apart > NECK) & (apart <= OUTER)
    shirt = (row >= END) & (apart > NECK)
    color = np.where(shirt[..., None], CLOTH, HAIR).astype(np.float32)
    # strands: columns of their own brightness
    color *= (1 + 0.2 * np.cos(1.3 * column))[..., None].astype(np.float32)
    own, inside = locks | shirt, head | locks | shirt
    edge = np.where(row < END, np.where(row < JAW, SKULL, OUTER), 40) - apart + 1
    return own, inside, np.where(inside, edge * CELL_MM, 0), color, hindmost


def test_hair_hangs_straight_down_from_the_skulls_hindmost_point(place):
    hindmost = place[-1]
    found = mane(*place, MIDDLE, HAIR, CELL_MM)
    assert (found.top, found.first, found.last) == (OCCIPUT, JAW, END)
    low = np.arange(OCCIPUT + int(GROWS_MM / CELL_MM) + 1, END)
    # closing and smoothing over 1.5 cells move a slope of 1 mm a cell by a millimetre or two
    straight = hindmost[OCCIPUT, MIDDLE - 8 : MIDDLE + 9] + OFF_MM
    assert np.abs(found.depth_mm[low, MIDDLE - 8 : MIDDLE + 9] - straight).max() < 2
    # where it comes out it lies in the skull, which hides its upper rim
    gap = hindmost[OCCIPUT] - found.depth_mm[OCCIPUT]
    assert np.all(gap[MIDDLE - 10 : MIDDLE + 11] > WITHIN_MM - 2)
    # no hole between the locks, and nothing below them
    assert found.behind[JAW:END, MIDDLE - OUTER : MIDDLE + OUTER + 1].all()
    assert not found.behind[END:].any()
    assert not found.behind[:OCCIPUT].any()
    assert found.reach[JAW + 5, [MIDDLE - OUTER, MIDDLE]].tolist() == [0, 1]


def test_its_strands_are_those_seen_and_no_cloth(place):
    *_, color, _ = place
    hanging = mane(*place, MIDDLE, HAIR, CELL_MM)
    found = across(color, hanging)[OCCIPUT : END - 10, MIDDLE - OUTER : MIDDLE + OUTER + 1]
    # red stays within the strands' fifth around the hair's own, far below the cloth's
    assert np.all(np.abs(found[..., 0] / HAIR[0] - 1) < 0.21)
    assert np.allclose(found / found[..., :1], HAIR / HAIR[0], atol=1e-3)  # one hue
    # they run down: rows are alike, columns differ by what a blur of 0.7 cells leaves, 0.037
    hung = found[JAW - OCCIPUT + 9 :]
    assert hung.std(0).max() < 0.01 < 0.03 < hung.std(1).max()


def test_hair_on_one_side_alone_does_not_go_on(place):
    own, *others = place
    own = own & (np.arange(81) > MIDDLE)
    assert mane(own, *others, MIDDLE, HAIR, CELL_MM) is None


def test_cloth_on_both_sides_is_no_hair(place):
    *others, color, hindmost = place
    pink = np.float32([0.4, 0.2, 0.25])  # nearly as light
    for cloth in (CLOTH, pink):
        dressed = np.broadcast_to(cloth, color.shape)
        assert mane(*others, dressed, hindmost, MIDDLE, HAIR, CELL_MM) is None


def test_a_collar_of_the_hairs_colour_is_none(place):
    own, *others = place
    row = np.arange(100)[:, None]
    high = row < OCCIPUT + COLLAR_MM / CELL_MM + 2
    assert mane(own & ~high, *others, MIDDLE, HAIR, CELL_MM) is None
