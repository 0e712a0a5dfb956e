"""Who is person where the sensor was blind: lost hair is, the projector's shadow is not."""

import cv2
import numpy as np
import pytest

from augment.background import BackgroundSettings
from augment.foreground import PENDENT_MM, ForegroundSettings, doubtful, split_layers
from faces import cutout
from faces.cutout import HeadImage, cut_out

NEAR_MM, WALL_MM, SHADOW_PX = 700.0, 1400.0, 20
SKIN, DARK, SHIRT, WALL = (0.75, 0.55, 0.45), (0.07, 0.06, 0.05), (0.8, 0.82, 0.8), (0.5, 0.5, 0.5)


def scene(beside_neck=WALL, shelves=DARK):
    """Colour, depth, head image and the true person (H, W) of a sitter with dark hair before a
    wall with dark shelves; the projector stands at the right, so that shadows fall to the left."""
    v, u = np.mgrid[:240, :320]
    radius = np.hypot((v - 100) / 1.2, u - 160)
    face = radius < 40
    hair = (radius < 56) & ~face & (v < 100)
    skull = (radius < 47) & (v < 130)
    neck = (np.abs(u - 160) < 22) & (v > 130) & (v < 182) & ~face
    shirt = (np.abs(u - 160) < 75) & (v > 178)
    person = face | hair | neck | shirt
    color = np.broadcast_to(WALL, (240, 320, 3)).copy()
    color[(v // 12) % 3 == 0] = shelves
    slab = (v > 148) & (v < 178) & (u > 120) & (u < 160) & ~neck
    color[slab] = beside_neck
    for part, tone in ((face | neck, SKIN), (hair, DARK), (shirt, SHIRT)):
        color[part] = tone
    color += np.random.default_rng(0).normal(0, 0.015, color.shape)
    depth = np.where(person, NEAR_MM, WALL_MM)
    depth[hair] = 0
    for k in range(1, SHADOW_PX + 1):
        depth[:, :-k][person[:, k:] & ~person[:, :-k]] = 0
    head = np.where(skull | face | neck, NEAR_MM, 0).astype(np.float32)
    image = HeadImage(head, face, face & False, face & False)
    return np.clip(color, 0, 1).astype(np.float32), depth.astype(np.float32), image, person, slab


def cut(color, depth, head):
    return cut_out(color, depth, (depth > 0) & (depth < 1000), head, 1000.0, 1.0) > 0.5


def test_hair_that_the_sensor_lost_is_claimed_before_a_wall_as_dark():
    color, depth, head, person, _ = scene()
    found = cut(color, depth, head)
    # hair of the shelves' colour has no edge towards them: its outline is a guess there
    assert (found & person).sum() / (found | person).sum() > 0.94


def test_the_wall_in_the_projectors_shadow_is_no_body_even_in_the_shirts_colour(monkeypatch):
    color, depth, head, _, slab = scene(beside_neck=SHIRT)
    assert (cut(color, depth, head) & slab).mean() / slab.mean() < 0.25  # rims of 4 px are open
    monkeypatch.setattr(cutout, "_shadow", lambda smooth, *_: smooth < 0)
    assert (cut(color, depth, head) & slab).mean() / slab.mean() > 0.5  # colour alone claims it


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_shadow_is_found_on_either_side_and_not_where_hair_was_lost(mirrored):
    _, depth, head, person, _ = scene()
    flip = np.s_[:, ::-1] if mirrored else np.s_[:, :]
    shadow = cutout._shadow(
        depth[flip],
        (depth >= 1000)[flip],
        (head.depth_mm > 0)[flip] | ((depth > 0) & (depth < 1000))[flip],
    )[flip]
    assert not shadow[(np.arange(240)[:, None] < 90) & person].any()
    below = np.arange(240) > 190
    assert (shadow[below].sum(1) == SHADOW_PX).all()


def test_a_lost_lock_beside_the_neck_hangs_behind_the_jaw():
    color, depth, head, _, _ = scene(shelves=WALL)
    v, u = np.mgrid[:240, :320]
    lock = (v > 105) & (v < 165) & (np.abs(u - 208) < 12)
    color[lock], depth[lock] = DARK, 0
    layers = split_layers(depth, head, 1.0, ForegroundSettings(), BackgroundSettings(), color)
    inner = lock & (np.abs(u - 208) < 6) & (v > 112) & (v < 155)
    assert layers.body[inner].mean() > 0.95
    # the head is flat, so that its depth carried outwards is its own; rims of the mask fray
    found = layers.surface_mm[inner & layers.body]
    assert (np.abs(found - NEAR_MM - PENDENT_MM) < 1).mean() > 0.9


def test_no_background_is_taken_from_holes_beside_the_person():
    color, depth, head, _, _ = scene()
    settings = ForegroundSettings()
    layers = split_layers(depth, head, 1.0, settings, BackgroundSettings(), color)
    gone = doubtful(layers, 1.0, settings)
    hole = (depth == 0) & ~layers.foreground
    near = cv2.dilate(layers.foreground.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert (hole & near).sum() > 200
    assert gone[hole & near].all()  # SHADOW_PX of 20 lie within the reach of 25 mm
    assert not (gone & ~layers.foreground & (layers.measured_mm > 1000)).any()
    blind = split_layers(
        np.where(depth < 1000, depth, 0), head, 1.0, settings, BackgroundSettings(), color
    )
    assert (doubtful(blind, 1.0, settings) == blind.foreground).all()


def photo(wall):
    """A photo without depth: (colour, head, gap): a head, a dark lock that leaves a gap beside the
    neck, in which the wall shows, and a white collar."""
    v, u = np.mgrid[:240, :320]
    color = np.full((240, 320, 3), wall, np.float32)
    face = ((u - 160) / 45) ** 2 + ((v - 100) / 60) ** 2 < 1
    neck = (np.abs(u - 160) < 25) & (v > 100)
    chest = (v > 190) & (np.abs(u - 160) < 60 + 2 * (v - 190))
    lock = (np.abs(u - 214) < 5) & (v > 90) & (v < 192)
    color[chest] = 0.95
    color[face | neck] = [0.75, 0.55, 0.45]
    color[lock | ((face) & (v < 60))] = [0.1, 0.08, 0.06]
    gap = (v > 135) & (v < 160) & (u > 188) & (u < 206) & ~face & ~neck
    color += np.random.default_rng(0).normal(0, 0.01, color.shape).astype(np.float32)
    none = np.zeros(face.shape, bool)
    head = HeadImage(700.0 * (face | neck).astype(np.float32), face, none, none)
    return color, head, gap, chest, lock


def test_a_plain_wall_between_lock_and_neck_is_no_person():
    color, head, gap, chest, lock = photo([0.84, 0.85, 0.86])
    alpha = np.where(gap | chest | lock | (head.depth_mm > 0), 1, 0).astype(np.float32)
    beside = gap | lock
    found = cutout._as_the_wall(color, alpha, beside, 1.5)
    assert found[gap].mean() > 0.9  # halving and opening leave corners out
    assert not found[~gap].any()
    # a wall of patches does not tell a person's colour from its own
    patches = 0.5 + 0.3 * np.sign(np.sin(np.arange(320) / 5))[None, :, None]
    mixed = np.where((alpha > 0)[..., None], color, patches).astype(np.float32)
    assert not cutout._as_the_wall(mixed, alpha, beside, 1.5).any()


def test_a_photos_cut_out_opens_the_wall_beside_the_neck_and_keeps_lock_and_shirt(monkeypatch):
    color, head, gap, chest, lock = photo([0.84, 0.85, 0.86])
    depth = np.zeros(gap.shape, np.float32)
    inside = (gap | chest | lock | (head.depth_mm > 0)).astype(np.float32)
    monkeypatch.setattr(cutout, "person_mask", lambda *_: inside)
    monkeypatch.setattr(cutout, "keyed", lambda color, alpha, *_: alpha)
    alpha = cut_out(color, depth, depth > 0, head, 900.0, 1.5)
    assert (alpha[gap] == 0).mean() > 0.9
    low = chest & (np.arange(240)[:, None] > 195)
    assert alpha[lock].min() == alpha[low].min() == 1
