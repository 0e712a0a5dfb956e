import numpy as np
import pytest
import scipy.sparse as sp
from scipy.sparse.linalg import spsolve
from scipy.spatial import Delaunay

from augment.background import (
    BackgroundSettings,
    complete_sheet,
    place_anchors,
    solve_anchors,
)
from augment.sheet import draw_sheet
from augment.sparse_ldl import GraphSystem
from faces.mesh import unique_edges

SHAPE = (120, 160)
NOWHERE = np.zeros(SHAPE, bool)


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


def test_the_graphs_systems_are_solved_as_by_a_general_solver():
    points, edges = grid()
    count, rng = len(points), np.random.default_rng(0)
    system = GraphSystem(edges, count)
    for _ in range(3):  # one structure, other weights, over as many decades as IRLS makes
        diagonal, right = 10 ** rng.uniform(-9, 1, count), rng.normal(size=count)
        weights = 10 ** rng.uniform(-3, 2, len(edges))
        i, j = edges.T
        links = sp.coo_matrix((np.r_[weights, weights], (np.r_[i, j], np.r_[j, i])), (count, count))
        matrix = sp.diags(links.sum(1).A1 + diagonal) - links
        expected = spsolve(matrix.tocsc(), right)
        found = system.solve(diagonal, weights, right)
        # rounding times the condition number, 1e6 at most as the heaviest diagonal holds it
        assert np.abs(found - expected).max() < 1e-8 * np.abs(expected).max()


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


def test_behind_a_hole_the_wall_goes_on_and_l1_is_not_drawn_to_a_box_or_to_wrong_readings():
    """A wall, a box that touches the hole, and one reading in twenty off by half a metre."""
    rng = np.random.default_rng(0)
    v, u = np.mgrid[:240, :320] + 0.5
    truth = 2000 + 0.3 * u - 0.2 * v
    truth[150:220, 205:300] = 1500
    hole = np.hypot(u - 160, v - 120) < 60
    depth = truth + rng.normal(0, 4, truth.shape)
    wrong = rng.random(truth.shape) < 0.05
    depth = np.where(wrong, depth - rng.uniform(0, 500, truth.shape), depth)
    depth = np.where(hole, 0, depth).astype(np.float32)
    error = {
        norm: np.abs(complete_sheet(depth, hole, BackgroundSettings(norm)) - truth)[hole]
        for norm in ("l1", "l2")
    }
    # a box of 10 % of the anchors tilts the plane of least distance by some mm, that of least
    # squares by tens; L1 ends the box at its edge, L2 draws the wall towards it all over the hole
    assert np.median(error["l1"]) < 15
    assert np.median(error["l2"]) > 2 * np.median(error["l1"])
    assert error["l2"].mean() > 1.3 * error["l1"].mean()


def test_nothing_measured_gives_nothing():
    assert not complete_sheet(np.zeros(SHAPE, np.float32), NOWHERE).any()


def test_anchors_are_denser_near_the_head_and_where_depth_bends():
    depth = np.full(SHAPE, 1000.0, np.float32)
    plain = len(place_anchors(depth, NOWHERE)[0])
    assert plain == 5 * 4
    near = NOWHERE.copy()
    near[50:60, 50:60] = True
    assert len(place_anchors(depth, near)[0]) > plain
    depth[:, 93:] = 1300
    anchors = place_anchors(depth, NOWHERE)[0]
    beside = np.abs(anchors[:, 0] - 93) <= 5
    assert beside.sum() >= 2 * SHAPE[0] / 5  # the jump has anchors every five pixels, both sides
    assert (np.abs(anchors[:, 0] - 93) > 40).sum() <= plain  # and they are few far from it


def test_noise_splits_no_cells_but_a_slope_that_changes_does():
    rng = np.random.default_rng(1)
    u = np.broadcast_to(np.arange(SHAPE[1]), SHAPE)
    noisy = (5000 + 2.0 * u + rng.normal(0, 40, SHAPE)).astype(np.float32)
    assert len(place_anchors(noisy, NOWHERE)[0]) == 5 * 4
    ridge = (1000 + 4.0 * np.abs(u - 60)).astype(np.float32)
    assert len(place_anchors(ridge, NOWHERE)[0]) > 1.5 * 5 * 4


@pytest.mark.parametrize("shape", [(120, 160), (97, 133), (7, 300), (110, 70), (3, 2)])
def test_the_triangles_cover_images_of_any_shape_once(shape):
    rng = np.random.default_rng(2)
    depth = rng.choice([0, 700, 900], p=[0.2, 0.4, 0.4], size=shape).astype(np.float32)
    near = rng.random(shape) < 0.01
    anchors, triangles = place_anchors(depth, near)
    one, other = (anchors[triangles[:, k]] - anchors[triangles[:, 0]] for k in (1, 2))
    area = np.abs(one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]).sum() / 2
    assert area == pytest.approx(shape[0] * shape[1])
    sheet = np.full(shape, np.nan, np.float32)
    draw_sheet(anchors, triangles, anchors @ [2.0, -3.0] + 5, sheet)
    v, u = np.mgrid[: shape[0], : shape[1]] + 0.5
    np.testing.assert_allclose(sheet, 2 * u - 3 * v + 5, atol=1e-3)  # float32 of 1,000
