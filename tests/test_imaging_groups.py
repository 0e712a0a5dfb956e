"""Groups of triangles against the triangles themselves."""

from itertools import pairwise

import numpy as np
import pytest
from triangle_groups import one_group

from faces.rotation import matrix_from_euler
from imaging.groups import FAR_PX, SIZE, enclose, look_at, neighbours
from imaging.keys import blank_shape
from imaging.projection import NEAR_MM, project
from imaging.raster_kernels import SUBPIXEL_BITS
from imaging.two_grids import find_nearest, tile_shape
from tests.solids import ball, joined

LENS = (300.0, 310.0, 70.0, 60.0)
WIDTH, HEIGHT = 140, 120


def scene():
    """A ball of 60 mm with a small one inside and one beside it; the first is the outer one."""
    parts = ball(60.0, 32, 64), ball(20.0, 16, 32, (0.0, 5, 0)), ball(15.0, 16, 32, (70.0, 20, 0))
    points, triangles = joined(joined(parts[0], parts[1]), parts[2])[:2]
    return points.astype(np.float32), triangles.astype(np.int32), len(parts[0][1])


def grouped(points, triangles, outer):
    order, starts, count = neighbours(points, triangles, np.arange(len(triangles)) < outer)
    return order, starts, count, enclose(points, triangles, order, starts)


def seen(balls, matrix, perspective):
    bounds, nearest = np.zeros((len(balls), 4), np.int32), np.zeros(len(balls))
    away = np.zeros(len(balls), np.uint8)
    look_at(balls, matrix, LENS, perspective, bounds, nearest, away)
    return bounds, nearest, away


def camera(yaw, distance, scale=1.0):
    turn = scale * matrix_from_euler(yaw, 20.0, 10.0)
    return np.concatenate([turn, [[3.0], [-2.0], [distance]]], 1)


def test_every_triangle_is_in_one_group_of_neighbours():
    points, triangles, outer = scene()
    order, starts, count, balls = grouped(points, triangles, outer)
    np.testing.assert_array_equal(np.sort(order), np.arange(len(triangles)))
    assert (np.sort(order[: starts[count]]) == np.arange(outer)).all()
    assert np.diff(starts).min() > 0
    assert np.diff(starts).max() == SIZE
    # 32 triangles are a square of 4 × 4 cells of 5.9 mm at the equator: 16.7 mm in radius
    assert np.median(balls[:count, 3]) < 18


def test_outer_triangles_come_first_wherever_they_are_listed():
    points, triangles, outer = scene()
    mixed = np.random.default_rng(3).permutation(len(triangles))
    is_outer = mixed < outer
    order, starts, count = neighbours(points, triangles[mixed], is_outer)
    np.testing.assert_array_equal(np.sort(order[: starts[count]]), np.flatnonzero(is_outer))
    np.testing.assert_array_equal(np.sort(order), np.arange(len(triangles)))


@pytest.mark.parametrize("perspective", [True, False])
@pytest.mark.parametrize("distance", [70.0, 300.0])
def test_bounds_hold_all_corners_and_backs_are_turned(perspective, distance):
    points, triangles, outer = scene()
    order, starts, _, balls = grouped(points, triangles, outer)
    matrix = camera(35.0, distance, 1.1)
    snapped, near = np.zeros((len(points), 2), np.int32), np.zeros(len(points))
    project(points, matrix, LENS, perspective, snapped, near)
    bounds, nearest, away = seen(balls, matrix, perspective)
    turned = points @ matrix[:, :3].T + matrix[:, 3]
    cut = 0
    for g, (start, stop) in enumerate(pairwise(starts)):
        own = triangles[order[start:stop]]
        corners = own.ravel()
        assert near[corners].max() <= nearest[g]
        if bounds[g, 2] == FAR_PX:  # what may be cut may be anywhere
            assert not away[g]
            cut += 1
            continue
        assert turned[corners, 2].min() >= NEAR_MM
        pixels = snapped[corners] >> SUBPIXEL_BITS
        held = np.maximum(pixels, -1)
        assert (held >= bounds[g, :2]).all()
        assert (held <= bounds[g, 2:]).all()
        p = snapped[own].astype(np.int64)
        (ax, ay), (bx, by) = (p[:, 1] - p[:, 0]).T, (p[:, 2] - p[:, 0]).T
        assert not away[g] or (ax * by - ay * bx >= 0).all()
    assert (cut > 0) == (distance == 70)
    # more than a quarter of a ball's groups turn their backs altogether
    assert away.sum() > len(away) / 4 or distance == 70


@pytest.mark.parametrize("yaw", [0.0, 50.0, 180.0])
@pytest.mark.parametrize("distance", [70.0, 300.0])
def test_groups_change_no_key(yaw, distance):
    points, triangles, outer = scene()
    order, starts, count, balls = grouped(points, triangles, outer)
    matrix = camera(yaw, distance)
    snapped, near = np.zeros((len(points), 2), np.int32), np.zeros(len(points))
    project(points, matrix, LENS, True, snapped, near)
    drawn, tried = [], []
    groups = order, starts, count, *seen(balls, matrix, True)
    for each in (groups, one_group(len(triangles), outer), one_group(len(triangles), 0)):
        keys = np.zeros(blank_shape(WIDTH, HEIGHT), np.int64)
        rim, tiles = np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros(tile_shape(WIDTH, HEIGHT), int)
        waiting, kept = np.zeros((2, len(triangles)), np.int32)
        box, lists = (0, 0, WIDTH - 1, HEIGHT - 1), (waiting, kept)
        tried.append(find_nearest(snapped, near, triangles, each, box, keys, rim, tiles, *lists))
        drawn.append(keys[:, :WIDTH])
    assert (drawn[0] > 0).sum() > 2000
    np.testing.assert_array_equal(drawn[0], drawn[1])
    np.testing.assert_array_equal(drawn[0], drawn[2])
    assert tried[0] <= tried[1] < tried[2]
