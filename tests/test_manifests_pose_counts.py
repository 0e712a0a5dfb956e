"""Bins of |yaw| and the grid: every edge, every sign, and exact shares."""

import numpy as np
import pytest

from faces.poses import LARGE_YAW_DEG, TargetPose
from manifests.pose_counts import (
    BINS,
    CELL_DEG,
    CELLS,
    EDGES_DEG,
    ROUNDING_DEG,
    SMALL_BINS,
    PoseCounts,
    bin_of,
    is_large,
)
from synth.pose_plan import PosePlan


def slow_bin(yaw):
    """The rule in words: the first bin whose upper end is not passed."""
    for place, edge in enumerate(EDGES_DEG):
        if abs(yaw) <= edge:
            return place
    return len(EDGES_DEG)


def test_edges_belong_to_the_bin_below():
    """(0,15], (15,30], …: 15° is in the first, a little more in the second; 0° in the first."""
    for place, edge in enumerate(EDGES_DEG):
        for sign in (1, -1):
            assert bin_of(np.array([sign * edge]))[0] == place
            assert bin_of(np.array([sign * (edge + 0.001)]))[0] == place + 1
    assert BINS[bin_of(np.array([0.0]))[0]] == "(0,15]"
    assert not is_large(np.array([45.0, -45.0])).any()
    assert is_large(np.array([45.01, -45.01, 90.0, 130.0])).all()


def test_rounding_does_not_move_an_edge():
    """45° as the arcsine of a float32 rotation's entry, or as a float32, is still not large."""
    sine = np.sin(np.radians(np.float64(EDGES_DEG))).astype(np.float32)
    back = np.degrees(np.arcsin(sine.astype(np.float64)))
    np.testing.assert_array_equal(bin_of(back), range(len(EDGES_DEG)))


def test_counts_are_those_of_the_rule():
    yaws = np.random.default_rng(0).uniform(-180, 180, 20_000)
    counts = PoseCounts()
    for part in np.array_split(yaws, 7):  # batches must add up
        counts.add(part)
    wanted = np.bincount([slow_bin(yaw) for yaw in yaws], minlength=len(BINS))
    np.testing.assert_array_equal(counts.bins, wanted)
    assert counts.total == 20_000
    assert counts.large_share == np.mean(np.abs(yaws) > 45)
    assert not counts.grid.any()  # no pitch, no place in the grid


def test_yaws_beyond_half_a_turn_are_turned_back():
    np.testing.assert_array_equal(bin_of([350.0, -350.0, 270.0, 180.0, 540.0]), [0, 0, 5, 6, 6])


def test_grid_cells_mirror_each_other():
    """A head and its mirror image fall in mirrored cells, borders included."""
    values = np.arange(-90, 90.1, 2.5)
    yaw, pitch = (axis.ravel() for axis in np.meshgrid(values, values))
    counts = PoseCounts()
    counts.add(yaw, pitch)
    np.testing.assert_array_equal(counts.grid, counts.grid[::-1, ::-1])
    np.testing.assert_array_equal(counts.grid, counts.grid.T)
    assert counts.grid.sum() == len(yaw)
    counts = PoseCounts()
    counts.add(np.array([20.0]), np.array([-35.0]))
    row, column = CELLS // 2 - round(35 / CELL_DEG), CELLS // 2 + round(20 / CELL_DEG)
    assert counts.grid[row, column] == 1


def test_grid_leaves_out_what_has_no_pitch_or_no_cell():
    counts = PoseCounts()
    counts.add(np.array([10.0, 10.0, 100.0]), np.array([np.nan, 5.0, 0.0]))
    assert counts.total == 3
    assert counts.grid.sum() == 1


def test_no_pose_has_no_share():
    assert np.isnan(PoseCounts().large_share)


@pytest.mark.parametrize("rung", range(11))
def test_a_rung_of_ten_views_has_its_tenth_exactly(rung):
    """The paper's ladder, one view after the other moved beyond 45°."""
    yaws = np.concatenate([np.full(10 - rung, 40.5), np.full(rung, -49.5)])
    counts = PoseCounts()
    counts.add(np.tile(yaws, 1000))
    assert (counts.large, counts.total) == (1000 * rung, 10_000)


def test_large_means_the_same_to_plans_and_to_counts():
    """One edge: what a plan counts as large a manifest's audit counts so. Between 45° and what
    rounding may make of it no plan has a pose."""
    assert EDGES_DEG[SMALL_BINS - 1] == LARGE_YAW_DEG
    near = LARGE_YAW_DEG + np.array([-1.0, -1e-6, 0.0, 2 * ROUNDING_DEG, 1.0])
    yaws = np.concatenate([near, -near, np.random.default_rng(1).uniform(-90, 90, 1000)])
    told = [TargetPose(yaw).is_large for yaw in yaws]
    np.testing.assert_array_equal(is_large(yaws), told)
    for views in (10, 26):
        for plan in PosePlan.ladder(views):
            away = np.abs(np.abs([pose.yaw_deg for pose in plan.poses]) - LARGE_YAW_DEG)
            assert ((away == 0) | (away > ROUNDING_DEG)).all()
