"""The eyeballs of a scene: the cornea's bulge, and what lids and corners do to the look of a ball.

Lids stay where they are while a ball turns, so their shade cannot be painted with the iris: it is
laid over a small texture of the balls' own, by where each of its texels lies in this very shape.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
import scipy.sparse as sp

from faces.morphable import MorphableModel
from faces.uv import UvAtlas
from synth.eyes.gaze import eyeballs, fit_sphere
from synth.scene import Piece
from synth.skin.chart import chart_of
from synth.skin.features import features_of

# ibug68's sides of the upper and lower lids, and the corners, of both eyes
UPPER = ((36, 37), (37, 38), (38, 39), (42, 43), (43, 44), (44, 45))
LOWER = ((39, 40), (40, 41), (41, 36), (45, 46), (46, 47), (47, 42))
STEPS = np.linspace(0, 1, 6)[:, None]
REACH_MM = 15.0  # from a pupil's axis, and before the ball's equator, what lids can bare
INNER, OUTER = (39, 42), (36, 45)
# shade of the lamp and of the room together: (depth, reach in mm), by eye from photographs
UPPER_SHADE, LOWER_SHADE = ((0.5, 1.8), (0.18, 5.0)), ((0.25, 1.0),)
CORNER_SHADE = (0.25, 3.5)
CARUNCLE, CARUNCLE_MM = np.array([0.70, 0.40, 0.37], dtype=np.float32), 2.3
# A cornea's radius is 7.8 mm and its edge 5.9 mm from the axis (Rüfer et al. 2005). It is drawn
# flatter, since the iris behind it is shaded with the same normals.
CORNEA_MM, LIMBUS_MM = 8.5, 5.9
WET, DULL = 0.4, 0.8  # gloss of the cornea, beside its catch-light, and of the white
MARGIN = 2  # texels around the balls' islands


@dataclass(frozen=True, slots=True, eq=False)
class EyeWindow:
    """The balls' part of the texture: ``rows`` and ``columns`` of it, the balls' ``texels`` (N,)
    there (flat), ``gather`` (N, V) from vertices, ``uv`` (U, 2) in it, relief (H, W) mm, gloss
    factors (V,); the balls' ``own`` vertices; of the irises the texels, their gather and their
    side, 0 at x < 0."""

    rows: slice
    columns: slice
    texels: np.ndarray
    gather: sp.csr_matrix
    uv: np.ndarray
    relief: np.ndarray
    gloss: np.ndarray
    own: np.ndarray
    iris_texels: np.ndarray
    iris_gather: sp.csr_matrix
    iris_side: np.ndarray


def eye_piece(
    model: MorphableModel, shape_mm: np.ndarray, texture: np.ndarray, piece: Piece
) -> Piece:
    """The plain piece of both eyes with a texture of its own, a cornea and the lids' shade.

    Args:
        model: with two eyeballs and texture coordinates, or ``piece`` is given back.
        shape_mm: (V, 3) mm, model frame.
        texture: (S, S, 3) float32 sRGB of the whole head.
        piece: of the eyes, its vertices in the order of the model's, in the same frame.
    """
    if not eyeballs(model):
        return piece
    window = eye_window(model, len(texture))
    own = window.own
    lids = lid_gaps(model, shape_mm, shape_mm[own])
    look = np.zeros((model.vertex_count, 2), dtype=np.float32)
    look[own, 0], look[own, 1] = _painted_shade(lids), np.exp(-((lids[2] / CARUNCLE_MM) ** 2))
    shade, pink = (window.gather @ look).T[..., None]
    crop = texture[window.rows, window.columns].copy()
    flat = crop.reshape(-1, 3)
    color = flat[window.texels]
    flat[window.texels] = (color + pink * (CARUNCLE - color)) * shade
    return replace(
        piece,
        albedo=crop,
        uv=window.uv,
        gloss=piece.gloss * window.gloss[own],
        relief=window.relief,
    )


@lru_cache(maxsize=4)
def eye_window(model: MorphableModel, size: int) -> EyeWindow:
    """The balls' part of a texture of ``size`` texels; kept for the next call."""
    atlas, eyes = UvAtlas(model, size), features_of(chart_of(model, size)).eyes
    rows = np.concatenate([eye.rows for eye in eyes])
    columns = np.concatenate([eye.columns for eye in eyes])
    side = np.repeat([0, 1], [len(eye.rows) for eye in eyes])
    inside = atlas.mask[rows, columns]
    top, left = (max(int(v[inside].min()) - MARGIN, 0) for v in (rows, columns))
    bottom, right = (min(int(v[inside].max()) + MARGIN + 1, size) for v in (rows, columns))
    shape = (bottom - top, right - left)
    inside &= np.concatenate([eye.radius_mm for eye in eyes]) < REACH_MM
    rows, columns = rows[inside], columns[inside]
    at = (np.cumsum(atlas.mask.ravel()) - 1)[rows * size + columns]
    radius = np.full(shape, 99.0, dtype=np.float32)
    for eye in eyes:
        seen = (eye.rows < bottom) & (eye.columns < right)
        radius[eye.rows[seen] - top, eye.columns[seen] - left] = eye.radius_mm[seen]
    balls = [fit_sphere(model.mean_mm[ball.vertices].astype(float)) for ball in eyeballs(model)]
    texels = (rows - top) * shape[1] + columns - left
    iris = radius.ravel()[texels] < LIMBUS_MM + 0.3
    return EyeWindow(
        rows=slice(top, bottom),
        columns=slice(left, right),
        texels=texels,
        gather=atlas.gather[at],
        uv=((model.uv * size - [left, top]) / [shape[1], shape[0]]).astype(np.float32),
        relief=_cornea(radius, balls[0][1]),
        gloss=_gloss(model),
        own=np.sort(np.concatenate([ball.vertices for ball in eyeballs(model)])),
        iris_texels=texels[iris],
        iris_gather=atlas.gather[at[iris]],
        iris_side=side[inside][iris],
    )


def lid_gaps(model: MorphableModel, shape_mm: np.ndarray, points_mm: np.ndarray) -> np.ndarray:
    """(4, v) float32 mm from points to the upper lids, the lower, the inner and outer corners."""
    marks = shape_mm[model.landmarks["ibug68"]]
    lines = [
        np.concatenate([marks[a] + STEPS * (marks[b] - marks[a]) for a, b in chain])
        for chain in (UPPER, LOWER)
    ]
    places = [*lines, marks[list(INNER)], marks[list(OUTER)]]
    middle = points_mm.mean(0)
    points, goals = points_mm - middle, np.concatenate(places) - middle
    apart = (points**2).sum(1)[:, None] - 2 * points @ goals.T + (goals**2).sum(1)
    starts = np.cumsum([0] + [len(place) for place in places[:-1]])
    return np.sqrt(np.maximum(np.minimum.reduceat(apart, starts, axis=1), 0)).T.astype(np.float32)


def _painted_shade(lids: np.ndarray) -> np.ndarray:
    """(v,) float32 share of the light that lids and corners leave."""
    shade = np.ones(lids.shape[1], dtype=np.float32)
    for gap, terms in zip(
        lids, (UPPER_SHADE, LOWER_SHADE, (CORNER_SHADE,), (CORNER_SHADE,)), strict=True
    ):
        for depth, reach in terms:
            shade *= 1 - depth * np.exp(-((gap / reach) ** 2))
    return shade


def _cornea(radius_mm: np.ndarray, ball_mm: float) -> np.ndarray:
    """(H, W) float32 mm of a spherical cap above the ball; its rim is rounded off."""
    inner = np.minimum(radius_mm, LIMBUS_MM) ** 2
    bulge = np.sqrt(CORNEA_MM**2 - inner) - np.sqrt(CORNEA_MM**2 - LIMBUS_MM**2)
    bulge -= np.sqrt(ball_mm**2 - inner) - np.sqrt(ball_mm**2 - LIMBUS_MM**2)
    return cv2.GaussianBlur(bulge.astype(np.float32), (0, 0), 1.0)


def _gloss(model: MorphableModel) -> np.ndarray:
    """(V,) float32: WET on the cornea, DULL on the white."""
    gloss = np.ones(model.vertex_count, dtype=np.float32)
    for ball in eyeballs(model):
        points = model.mean_mm[ball.vertices]
        away = np.linalg.norm((points - points[ball.pole])[:, :2], axis=1)
        cover = np.clip((LIMBUS_MM + 0.5 - away) / 1.0, 0, 1)
        gloss[ball.vertices] = DULL + (WET - DULL) * cover
    return gloss
