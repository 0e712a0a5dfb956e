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
