"""Catch-lights: the lamp mirrored in the tear film of the corneas.

A highlight of the shading model spreads over the surface's normals and is lost in the lid's
shadow; a cornea mirrors the lamp's own outline, which tells a live eye from a painted one.
"""

from dataclasses import replace

import numpy as np

from faces.models.fields import smooth
from faces.morphable import MorphableModel
from synth.eyes.gaze import eyeballs, fit_sphere
from synth.eyes.piece import CORNEA_MM, LIMBUS_MM, eye_window
from synth.light import Light
from synth.scene import Piece

# Lamps seen from people's faces are windows, softboxes and lampshades; the model's own size is
# what softens shadows, and smaller ones would fall between the texels.
LAMP_DEG = (7.0, 14.0)
BRIGHT = 1.5  # sRGB of a mirrored lamp, as a reflectance: more than white
COVER = 0.92


def with_catch_light(model: MorphableModel, piece: Piece, light: Light, size: int) -> Piece:
    """The eyes' piece (camera frame, as synth.eyes.piece made it) with the lamp mirrored in it.

    The camera is at the origin. Each texel of the iris mirrors its line of sight about the normal
    of a spherical cornea; where that meets the lamp, a square with soft edges, it is painted.

    Args:
        model: the piece is given back where it has not two eyeballs.
        piece: its vertices in the order of the model's.
        light: its lamp.
        size: edge of the head's texture, texels.
    """
    balls = eyeballs(model)
    if not balls:
        return piece
    window = eye_window(model, size)
    places = np.zeros((model.vertex_count, 3), dtype=np.float32)
    places[window.own] = piece.vertices_mm
    texels = (window.iris_gather @ places).astype(np.float64)
    cover = np.zeros(len(texels))
    for side, ball in enumerate(balls):
        mine = window.iris_side == side
        normals = _cornea_normals(texels[mine], places[ball.vertices], ball.pole)
        cover[mine] = _mirrored(texels[mine], normals, light)
    albedo = piece.albedo.copy()
    flat = albedo.reshape(-1, 3)
    color = flat[window.iris_texels]
    flat[window.iris_texels] = color + COVER * cover[:, None] * (BRIGHT - color)
    return replace(piece, albedo=albedo)


def _cornea_normals(points: np.ndarray, ball_mm: np.ndarray, pole: int) -> np.ndarray:
    """Unit normals (n, 3) of the sphere through the limbus, of radius CORNEA_MM."""
    centre, radius = fit_sphere(ball_mm.astype(np.float64))
    axis = (ball_mm[pole] - centre) / np.linalg.norm(ball_mm[pole] - centre)
    depth = np.sqrt(max(radius**2 - LIMBUS_MM**2, 0)) - np.sqrt(CORNEA_MM**2 - LIMBUS_MM**2)
    normals = points - (centre + depth * axis)
    return normals / np.linalg.norm(normals, axis=1, keepdims=True)


def _mirrored(points: np.ndarray, normals: np.ndarray, light: Light) -> np.ndarray:
    """(n,) in [0, 1]: how much of the lamp each point mirrors to the origin."""
    view = -points / np.linalg.norm(points, axis=1, keepdims=True)
    seen = 2 * (normals * view).sum(1, keepdims=True) * normals - view
    lamp = light.direction / np.linalg.norm(light.direction)
    right = np.cross(lamp, [0.0, 1.0, 0.0])
    right /= max(np.linalg.norm(right), 1e-6)
    half = np.sin(np.radians(np.clip(1.5 * light.size_deg, *LAMP_DEG)))
    aside = np.maximum(np.abs(seen @ right), np.abs(seen @ np.cross(right, lamp)))
    return smooth(0.5 + (half - aside) / (0.7 * half)) * (seen @ lamp > 0)
