"""The relief of all depth pixels, on frames whose true vertices are known."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from faces.appearance import fit_appearance
from faces.mesh import triangle_normals, vertex_normals
from faces.visibility import visible_vertices
from registration.relief import Pixels, ReliefSettings, carve, noise_density, unfolded
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


def drawn(distance_mm, known, pixel_mm):
    """The known pixels of an image of distances."""
    at = np.flatnonzero(known)
    none = np.zeros((len(at), 3))
    return Pixels(none.astype(int), none, distance_mm.ravel()[at], at, pixel_mm**2)


@pytest.mark.parametrize("pixel_mm", [0.5, 0.8, 2.0])
def test_the_density_of_white_noise_is_its_variance_times_a_pixel(pixel_mm):
    """Under a relief of 0.3 mm, 100 mm long, and with a tenth of the pixels lost."""
    rng = np.random.default_rng(7)
    shape, sigma = (150, 200), 0.7
    x = pixel_mm * np.arange(shape[1])
    distance = 0.3 * np.sin(2 * np.pi * x / 100) + rng.normal(0, sigma, shape)
    known = rng.random(shape) > 0.1
    found = noise_density(drawn(distance, known, pixel_mm), shape, 6.0)
    # Blocks of 150 to 3000 at pixels of 0.5 to 2 mm tell a variance to 12 % or better; the relief
    # bends by 0.04 mm over three blocks, a third of the least noise, and lost pixels cost a tenth.
    assert found == pytest.approx((sigma * pixel_mm) ** 2, rel=0.35)


def test_noise_that_neighbours_share_counts_for_more():
    """Noise averaged over 3×3 pixels and as strong again in each: nine times the density."""
    rng = np.random.default_rng(8)
    shape, everywhere = (240, 320), np.ones((240, 320), dtype=bool)
    white = rng.normal(0, 0.5, shape)
    shared = 3 * cv2.blur(white, (3, 3))
    alone, together = (
        noise_density(drawn(image, everywhere, 0.8), shape, 6.0) for image in (white, shared)
    )
    # Blocks of 8 pixels average over nearly three of the shared squares, not over very many.
    assert 6.0 < together / alone < 9.5


def test_too_few_pixels_for_a_block_are_called_noise():
    distance = np.array([[0.2, -0.4]])
    found = noise_density(drawn(distance, np.ones((1, 2), bool), 0.5), (1, 2), 6.0)
    assert found == pytest.approx(0.1 * 0.25)


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
