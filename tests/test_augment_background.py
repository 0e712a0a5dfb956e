import numpy as np
import pytest
from scipy.spatial import Delaunay

from augment.background import (
    BackgroundSettings,
    complete_sheet,
    place_anchors,
    solve_anchors,
)
from faces.mesh import unique_edges

SHAPE = (120, 160)


def grid():
    points = np.stack(np.meshgrid(np.arange(12.0), np.arange(9.0)), -1).reshape(-1, 2) * 10
    return points, unique_edges(Delaunay(points + 1e-3 * points[:, ::-1] ** 1.1).simplices)


def slanted(points):
    return 900 + 0.8 * points[:, 0] - 0.5 * points[:, 1]


@pytest.mark.parametrize("norm", ["l1", "l2"])
def test_anchors_reproduce_a_plane_hollow_ones_too(norm):
    points, edges = grid()
    truth = slanted(points)
    measured = np.where(np.arange(len(points)) % 3 == 0, 0, truth)
    depths = solve_anchors(points, edges, measured, BackgroundSettings(norm=norm))
    # 1e-4 mm: the plane is exact, the remainder is the solver's 1e-9 regularisation
    np.testing.assert_allclose(depths, truth, atol=1e-4)


def test_l1_rejects_an_outlier_that_l2_follows():
    points, edges = grid()
    truth = np.full(len(points), 1000.0)
    measured = truth.copy()
    measured[54] -= 300
    robust = solve_anchors(points, edges, measured, BackgroundSettings(norm="l1"))
    squared = solve_anchors(points, edges, measured, BackgroundSettings(norm="l2"))
    # L1: six neighbours outvote one datum; 1 mm is what ten reweightings leave of 300
    assert np.abs(robust - truth).max() < 1.0
    assert np.abs(squared - truth).max() > 20.0


def test_l1_keeps_a_step_where_l2_rounds_it():
    points, edges = grid()
    truth = np.where(points[:, 0] < 55, 800.0, 1200.0)
    robust = solve_anchors(points, edges, truth, BackgroundSettings(norm="l1"))
    squared = solve_anchors(points, edges, truth, BackgroundSettings(norm="l2"))
    assert np.abs(robust - truth).mean() < 0.25 * np.abs(squared - truth).mean()


def test_the_sheet_covers_the_image_and_keeps_what_was_measured():
    v, u = np.mgrid[: SHAPE[0], : SHAPE[1]] + 0.5
    wall = (1 / (1e-3 + 5e-7 * u - 3e-7 * v)).astype(np.float32)  # a plane in space: 1/z linear
    holed = wall.copy()
    holed[30:80, 40:100] = 0
    sheet = complete_sheet(holed, holed == 0)
    assert np.all(sheet > 0)
    # Eq. 8 is linear in z, the wall in 1/z: they part by 10 mm in 1,000 at most over this image
    assert np.abs(sheet - wall).max() < 10.0
    assert np.abs(sheet - wall).mean() < 3.0


def test_nothing_measured_gives_nothing():
    assert not complete_sheet(np.zeros(SHAPE, np.float32), np.zeros(SHAPE, bool)).any()


def test_anchors_are_denser_near_the_head_and_where_depth_bends():
    depth = np.full(SHAPE, 1000.0, np.float32)
    nowhere = np.zeros(SHAPE, bool)
    plain = len(place_anchors(depth, nowhere))
    near = nowhere.copy()
    near[50:60, 50:60] = True
    assert len(place_anchors(depth, near)) > plain
    depth[:, 90:] = 1300
    assert len(place_anchors(depth, nowhere)) > plain
