"""Occluders are found by colour and by depth; shadows, features and a bare face are none."""

from dataclasses import replace

import numpy as np
import pytest

from faces.appearance import fit_appearance
from faces.camera import Camera
from faces.occluders import OccluderSettings, behind, find_occluders, without
from faces.visibility import visible_vertices
from registration.target import depth_target
from tests.simulate import subject, with_occluder
from tests.toy import toy_model


def occluders_of(scan, **settings):
    """(mask, face pixels, target) for a scan whose vertices are known."""
    model, vertices = toy_model(), scan.truth["vertices_mm"]
    visible = visible_vertices(vertices, model.triangles, scan.camera)
    appearance = fit_appearance(model, vertices, visible, scan.color, scan.camera)
    target = depth_target(scan)
    found = find_occluders(model, vertices, appearance, target, OccluderSettings(**settings))
    return found, scan.depth_mm > 0, target


def test_a_bare_face_has_none():
    found, face, _ = occluders_of(subject(toy_model(), 0))
    assert found[face].mean() == 0


def test_a_coloured_card_is_found_by_its_colour():
    scan, card = with_occluder(subject(toy_model(), 0))
    found, face, _ = occluders_of(scan)
    assert found[card].mean() > 0.97  # its corners are rounder than they were
    # A margin of 2 mm and a grain of 2 mm around a card of 30 mm.
    assert found[face & ~card].mean() < 0.06


def test_a_card_of_the_face_s_colour_is_found_by_its_depth():
    bare = subject(toy_model(), 0)
    scan, card = with_occluder(bare, nearer_mm=25.0)
    scan = replace(scan, color=bare.color)
    found, _, _ = occluders_of(scan)
    assert found[card].mean() > 0.97
    assert not occluders_of(scan, front_mm=np.inf)[0][card].any()


def test_a_shadow_is_none():
    bare = subject(toy_model(), 0)
    _, card = with_occluder(bare)
    dark = np.where(card[..., None], np.rint(0.55 * bare.color), bare.color).astype(np.uint8)
    found, _, _ = occluders_of(replace(bare, color=dark))
    assert not found[card].any()


@pytest.mark.parametrize("color", [(225, 230, 235), (20, 20, 22), (215, 165, 180), (60, 90, 200)])
def test_a_mask_is_told_from_the_skin_though_it_hides_two_fifths_of_the_face(color):
    scan = subject(toy_model(), 0)
    rows = np.arange(scan.camera.height)[:, None]
    mask = (rows > scan.landmarks.points_px[33, 1]) & (scan.depth_mm > 0)
    image = scan.color.copy()
    image[mask] = color
    found, face, _ = occluders_of(replace(scan, color=image))
    assert found[mask].mean() > 0.95
    assert found[face & ~mask].mean() < 0.1  # a margin of a few rows


def test_no_settings_find_nothing_and_leave_the_target():
    scan, _ = with_occluder(subject(toy_model(), 0))
    target = depth_target(scan)
    assert find_occluders(toy_model(), scan.truth["vertices_mm"], None, target, None) is None
    assert without(target, None) is target
    assert not behind(None, np.zeros((3, 3)), scan.camera).any()


def test_what_is_behind_follows_from_the_pixel():
    camera = Camera(4, 3, 100.0, 100.0, 2.0, 1.5)
    occluder = np.zeros((3, 4), dtype=bool)
    occluder[1, 2] = True
    points = camera.unproject(np.array([[2.5, 1.5], [1.5, 1.5], [40.0, 1.5]]), np.full(3, 500.0))
    points = np.vstack([points, np.full(3, np.nan)])
    assert behind(occluder, points, camera).tolist() == [True, False, False, False]


def test_the_target_loses_the_occluder_s_pixels_alone():
    scan, card = with_occluder(subject(toy_model(), 0))
    target = depth_target(scan)
    rest = without(target, card)
    np.testing.assert_array_equal(rest.valid, target.valid & ~card)
    assert rest.points_mm is target.points_mm
