"""The relief of all depth pixels, on frames whose true vertices are known."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from faces.appearance import fit_appearance
from faces.mesh import triangle_normals, vertex_normals
from faces.visibility import visible_vertices
from registration.relief import ReliefSettings, carve, unfolded
from registration.target import depth_target
from tests.simulate import subject, with_occluder
from tests.toy import toy_model


@cache
def case(noise_mm):
    """(model, scan, appearance fitted on the truth, visible face) of one subject."""
    model = toy_model()
    scan = subject(model, 3, noise_mm=noise_mm)
    truth = scan.truth["vertices_mm"]
    visible = visible_vertices(truth, model.triangles, scan.camera, cos_min=0.5)
    appearance = fit_appearance(model, truth, visible, scan.color, scan.camera)
    return model, scan, appearance, visible & model.regions["narrow_face"]


def dented(model, scan):
    """The truth with hills and valleys of 1.5 mm, some 50 mm wide, along its normals."""
    truth = scan.truth["vertices_mm"]
    wave = 1.5 * np.sin(model.mean_mm[:, 0] / 16) * np.cos(model.mean_mm[:, 1] / 16)
    return truth + wave[:, None] * vertex_normals(truth, model.triangles)


def along(model, vertices, scan):
    """(V,) signed error along the true normals, mm."""
    truth = scan.truth["vertices_mm"]
    return ((vertices - truth) * vertex_normals(truth, model.triangles)).sum(1)


@pytest.mark.parametrize("noise_mm", [0.0, 1.0])
def test_hills_are_found_through_noise(noise_mm):
    model, scan, appearance, seen = case(noise_mm)
    start = dented(model, scan)
    carved = carve(model, start, appearance, depth_target(scan), ReliefSettings())
    assert abs(along(model, start, scan))[seen].mean() > 0.4
    # 1 mm of noise a pixel of 0.8 mm leaves 0.05 mm at ℓ = 4 mm; hills 50 mm wide lose 7 %, and
    # the cleaning of spikes and the toy's coarse triangles cost as much again.
    assert abs(along(model, carved, scan))[seen].mean() < 0.15


def test_nothing_slides():
    model, scan, appearance, _ = case(0.0)
    start = dented(model, scan)
    settings = ReliefSettings(iterations=1)
    move = carve(model, start, appearance, depth_target(scan), settings) - start
    normals = vertex_normals(start, model.triangles)
    np.testing.assert_allclose(np.cross(move, normals), 0, atol=1e-9)


def test_pixels_of_another_colour_or_depth_count_for_nothing():
    model, scan, appearance, seen = case(0.0)
    start = scan.truth["vertices_mm"]
    hidden, card = with_occluder(scan)
    pixels = np.floor(scan.camera.project(start)).astype(int)
    behind = card[pixels[:, 1], pixels[:, 0]] & seen
    assert behind.sum() > 20
    carved = carve(model, start, appearance, depth_target(hidden), ReliefSettings())
    assert abs(along(model, carved, scan))[behind].max() < 0.3  # the card lies 4 mm nearer
    far = replace(scan, depth_mm=scan.depth_mm + 20 * (scan.depth_mm > 0).astype(np.float32))
    carved = carve(model, start, appearance, depth_target(far), ReliefSettings())
    np.testing.assert_array_equal(carved, start)


def test_a_step_turns_no_triangle_over_and_is_whole_where_it_would_not():
    """A sheet of unit cells: one corner is sent three cells across the others, they go up."""
    count = 9
    x, y = np.meshgrid(np.arange(count), np.arange(count))
    sheet = np.stack([x.ravel(), y.ravel(), 0 * x.ravel()], 1).astype(np.float64)
    corner = (np.arange(count - 1)[:, None] * count + np.arange(count - 1)).ravel()
    lower = np.stack([corner, corner + 1, corner + count], 1)
    triangles = np.concatenate([lower, lower[:, [1, 1, 2]] + [[0, count, 0]]])
    upright = triangle_normals(sheet, triangles)
    assert (upright[:, 2] > 0).all()
    step = np.zeros_like(sheet)
    step[:, 2] = 0.2
    middle = count * count // 2
    step[middle, 0] = 3.0
    assert (triangle_normals(sheet + step, triangles)[:, 2] < 0).any()
    held = unfolded(sheet, step, triangles, upright)
    assert (triangle_normals(sheet + held, triangles)[:, 2] >= 0).all()
    far = np.abs(sheet - sheet[middle]).max(1) > 2
    np.testing.assert_array_equal(held[far], step[far])
    assert 0 < held[middle, 0] < 3.0
