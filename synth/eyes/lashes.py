"""Upper lashes: one bent card a lid, cut out by a texture of hairs."""

import numpy as np
from scipy.interpolate import CubicSpline

from faces.morphable import MorphableModel
from synth.eyes.gaze import eyeballs, fit_sphere
from synth.scene import Piece
from synth.skin.parameters import SkinParameters

# ibug68's upper margins, from the outer corner to the inner one
MARGINS = ((36, 37, 38, 39), (45, 44, 43, 42))
COLUMNS, ROWS = 17, 5  # vertices of a card
HAIRS, STEPS = 88, 20  # texels of a card along the lid and along a hair
# Length along the lid from the outer corner to the inner one; upper lashes are 8 to 12 mm long
# (Na et al. 2006) and, being bent, reach less far.
LENGTH_MM = ((0.0, 0.15, 0.5, 0.8, 1.0), (5.5, 7.5, 6.8, 5.0, 2.5))
# Rise above the ball's normal at root and tip, and lean towards the corners, in degrees
ROOT_DEG, TIP_DEG, LEAN_DEG = -18.0, 52.0, (38.0, -22.0)
SHIFT_MM = 0.25  # of the roots out of the ball, to the margin's front edge


def make_lashes(
    model: MorphableModel, shape_mm: np.ndarray, skin: SkinParameters, rng: np.random.Generator
) -> list[Piece]:
    """The upper lashes of both eyes, as a piece each, in the frame of the shape.

    Labelled as skin: they are too fine for depth or label to tell.

    Args:
        model: a model without eyeballs has none.
        shape_mm: (V, 3) mm, model frame.
        skin: how strong they are and their colour, a little darker than that of brows.
        rng: which hairs are long.
    """
    marks = shape_mm[model.landmarks["ibug68"]]
    color = (0.35 * np.asarray(skin.brow) + 0.01).astype(np.float32)
    pieces = []
    for ball, margin in zip(eyeballs(model), MARGINS, strict=False):
        centre, _ = fit_sphere(shape_mm[ball.vertices])
        vertices = _card(marks[list(margin)], centre, length=0.75 + 0.45 * skin.lash)
        uv, triangles = _grid()
        pieces.append(
            Piece(
                "skin",
                vertices,
                triangles,
                np.broadcast_to(color, (len(vertices), 3)),
                uv=uv,
                triangle_uv=triangles,
                alpha=_hairs(rng, skin.lash),
                two_sided=True,
            )
        )
    return pieces


def _card(margin_mm: np.ndarray, centre: np.ndarray, length: float) -> np.ndarray:
    """(COLUMNS · ROWS, 3) mm: rows from the roots to the tips."""
    share = np.linspace(0, 1, COLUMNS)
    knots = np.r_[0, np.cumsum(np.linalg.norm(np.diff(margin_mm, axis=0), axis=1))]
    line = CubicSpline(knots / knots[-1], margin_mm)
    root, along = line(share), line(share, 1)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    out = root - centre
    out -= (out * along).sum(1, keepdims=True) * along
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    up = np.cross(along, out)
    up *= np.sign(up[:, 1:2])
    lean = np.radians(np.interp(share, (0, 1), LEAN_DEG))[:, None]
    step = length * np.interp(share, *LENGTH_MM)[:, None] / (ROWS - 1)
    rows = [root + SHIFT_MM * out]
    for rise in np.radians(np.linspace(ROOT_DEG, TIP_DEG, ROWS - 1)):
        ahead = np.cos(rise) * out + np.sin(rise) * up
        rows.append(rows[-1] + step * (np.cos(lean) * ahead - np.sin(lean) * along))
    return np.concatenate(rows)


def _grid() -> tuple[np.ndarray, np.ndarray]:
    """uv (COLUMNS · ROWS, 2) float32, v from the roots on, and triangles (T, 3) int32."""
    v, u = np.mgrid[0 : 1 : ROWS * 1j, 0 : 1 : COLUMNS * 1j]
    index = np.arange(ROWS * COLUMNS, dtype=np.int32).reshape(ROWS, COLUMNS)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    triangles = np.stack([a, b, c, a, c, d], -1).reshape(-1, 3)
    return np.stack([u, v], -1).reshape(-1, 2).astype(np.float32), triangles


def _hairs(rng: np.random.Generator, strength: float) -> np.ndarray:
    """(STEPS, HAIRS) float32 cover: a dense foot, then hairs in tufts that thin out."""
    reach = np.clip(rng.normal(0.6, 0.25, HAIRS), 0.15, 1.0)
    body = rng.uniform(0.3, 0.85, HAIRS) * (0.6 + 0.9 * strength)
    edge = np.minimum(np.linspace(0.4, 6, HAIRS), np.linspace(8, 0.4, HAIRS)).clip(0, 1)
    place = (np.arange(STEPS) + 0.5)[:, None] / STEPS
    thin = np.clip(1 - place / reach, 0, 1) ** 0.7
    foot = (0.75 + 0.7 * strength) * np.clip(1 - place / 0.24, 0, 1)
    return (edge * np.maximum(body * thin, foot)).clip(0, 1).astype(np.float32)
