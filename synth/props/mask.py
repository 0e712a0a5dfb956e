"""A medical mask over nose, mouth and chin, with loops around the ears."""

from functools import lru_cache

import cv2
import numpy as np

from faces.morphable import MorphableModel
from synth.clothes import cloth as fabric
from synth.noise import noise
from synth.props.headmap import HeadMap
from synth.props.tubes import merged, sheet_triangles, tube, unit
from synth.scene import Piece

ROWS, COLUMNS = 30, 37
KINDS = ("pleated", "cloth", "folded")  # of paper, sewn, and with a ridge as respirators have
WIDTH, HEIGHT = 256, 208  # of the texture: about a texel a millimetre
SHEET = 0.96  # share of its height that the sheet takes
OFF_MM = 2.5  # between cloth and skin
HALF_TURN = 0.98  # rad, how far the mask reaches around to the sides
COLORS = (
    (0.55, 0.74, 0.84),
    (0.9, 0.92, 0.93),
    (0.07, 0.07, 0.08),
    (0.62, 0.8, 0.74),
    (0.85, 0.66, 0.7),
)


def make_mask(
    model: MorphableModel,
    shape_mm: np.ndarray,
    rng: np.random.Generator,
    settings: None = None,
) -> list[Piece]:
    """One piece "mask", two-sided."""
    head = HeadMap(model, shape_mm)
    points = shape_mm[model.landmarks["ibug68"]].astype(np.float64)
    kind = KINDS[rng.choice(len(KINDS), p=(0.6, 0.25, 0.15))]
    cloth = _cloth(head, points, kind, rng)
    parts = [(cloth.reshape(-1, 3), sheet_triangles(ROWS, COLUMNS))]
    for column in (0, -1):
        parts.append(tube(_loop(cloth[:, column], model, shape_mm, head), 0.9, 5))
    vertices, triangles = merged(parts)
    dye = fabric.sample_dye(rng) if kind == "cloth" else np.array(COLORS[rng.integers(len(COLORS))])
    albedo, relief = _paint(kind, dye * rng.uniform(0.9, 1.05), rng)
    uv = np.full((len(vertices), 2), (0.5, 0.985), dtype=np.float32)  # of the strings
    across, down = np.meshgrid(np.linspace(0, 1, COLUMNS), np.linspace(0, SHEET, ROWS))
    uv[: ROWS * COLUMNS] = np.column_stack([across.ravel(), down.ravel()])
    own = triangles
    return [Piece("mask", vertices, own, albedo, uv, own, two_sided=True, relief=relief)]


def _cloth(head: HeadMap, points, kind: str, rng) -> np.ndarray:
    """(ROWS, COLUMNS, 3) mm: a sheet drawn over the face that bridges what is hollow."""
    turn = np.linspace(-1, 1, COLUMNS)[None]
    down = np.linspace(0, 1, ROWS)[:, None]
    nose, chin = points[28] + [0, rng.uniform(-4, 3), 0], points[8]
    side = 0.5 * (points[2] + points[14])  # beside the mouth, before the ear
    top = nose[1] + (side[1] + 16 - nose[1]) * np.abs(turn) ** 1.3
    bottom = chin[1] - 7 + (side[1] - 34 - chin[1] + 7) * np.abs(turn) ** 2
    y = top + down * (bottom - top)
    across = HALF_TURN * turn
    x = np.sin(across) * 78 + 0 * down
    z = np.cos(across) * 62 + 38 * np.cos(across) ** 2 + 0 * down
    # under the chin the sheet turns back
    z = z - 22 * np.clip((down - 0.9) / 0.1, 0, 1) ** 2
    away = np.stack([x, y - head.centre_mm[1], z - 10], axis=-1)
    directions = unit(away).reshape(-1, 3)
    skin = -head.height(head.centre_mm + 1e-3 * directions).reshape(ROWS, COLUMNS)
    reach = _bridged(skin.astype(np.float32))
    if kind == "pleated":
        reach = reach + 1.5 * _pleats(down) * np.clip(1.15 - np.abs(turn), 0, 1)
    elif kind == "folded":  # stands off in a ridge before nose and mouth
        reach = reach + 7 * np.exp(-((turn / 0.25) ** 2)) * np.sin(np.pi * down) ** 0.7
    return head.centre_mm + directions.reshape(ROWS, COLUMNS, 3) * reach[..., None]


def _pleats(down: np.ndarray) -> np.ndarray:
    """Height in [0, 1] of three pleats that open downwards, over shares of the height."""
    place = np.clip((down - 0.2) / 0.6, 0, 1) * 3
    return np.where(place < 3, place % 1, 0) * (place > 0)


def _paint(kind: str, dye, rng) -> tuple[np.ndarray, np.ndarray]:
    """Albedo (HEIGHT, WIDTH, 3) sRGB and relief (HEIGHT, WIDTH) mm; strings below SHEET."""
    shade, relief, dents = _sewn(kind)
    albedo = shade[..., None] * np.asarray(dye, dtype=np.float32)
    albedo[int(0.975 * HEIGHT) :] = 0.86
    dents = dents[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    return np.minimum(albedo, 0.95), relief + dents


@lru_cache(maxsize=len(KINDS))
def _sewn(kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of a kind of mask: factor on its dye, relief of what is sewn or welded, relief of dents."""
    rng = np.random.default_rng(KINDS.index(kind))  # the same for all people
    down, across = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    down, across = down / HEIGHT / SHEET, across / WIDTH
    side = np.minimum(across, 1 - across)
    grain = noise(rng, (64, 64))[:HEIGHT] + 0.7 * noise(rng, (200, 200))[:HEIGHT]
    hem = (down < 0.05) | (down > 0.95) | (side < 0.025)
    stitches = (np.abs(down - 0.05) < 0.006) | (np.abs(side - 0.025) < 0.004)
    stitches &= (np.floor(across * 160) + np.floor(down * 100)) % 2 > 0
    relief = 0.04 * grain + 0.35 * hem - 0.3 * stitches
    shade = (1 + 0.012 * grain) * (1 - 0.03 * hem) * (1 - 0.12 * stitches)
    if kind == "pleated":
        pleat = _pleats(down)
        relief += 0.8 * pleat
        below = (pleat < 0.15) & (down > 0.2) & (down < 0.8)
        shade *= 1 - 0.14 * below * (1 - pleat / 0.15)
    if kind != "cloth":  # the wire over the nose
        relief += 0.9 * ((np.abs(down - 0.03) < 0.012) & (np.abs(across - 0.5) < 0.2))
    if kind != "pleated":
        seam = np.exp(-(((across - 0.5) * WIDTH / 1.5) ** 2))
        relief -= 0.6 * seam
        shade *= 1 - 0.1 * seam
    soft = cv2.GaussianBlur(relief, (0, 0), 0.7)
    dents = 0.5 * noise(rng, (5, 4))[:HEIGHT]
    return tuple(field.astype(np.float32) for field in (shade, soft, dents))


def _bridged(skin: np.ndarray) -> np.ndarray:
    """The skin's distances with hollows filled as taut cloth fills them, nowhere below them."""
    taut = cv2.GaussianBlur(cv2.dilate(skin, np.ones((5, 7), np.uint8)), (0, 0), 1.6)
    taut = np.maximum(cv2.GaussianBlur(np.maximum(taut, skin), (0, 0), 0.8), skin)
    hem = np.maximum(cv2.GaussianBlur(skin, (0, 0), 0.8), skin)  # the wire follows the nose
    share = np.clip(np.arange(ROWS, dtype=np.float32)[:, None] / 7, 0, 1)
    return hem + share * (taut - hem) + OFF_MM * (0.5 + 0.5 * share)


def _loop(edge, model, shape_mm, head: HeadMap) -> np.ndarray:
    """A string (24, 3) from the mask's upper corner around the ear to its lower corner."""
    side = np.sign(edge[0, 0])
    ears = shape_mm[model.regions["ears"]]
    ear = ears[ears[:, 0] * side > 0]
    top, low = ear[np.argmax(ear[:, 1])], ear[np.argmin(ear[:, 1])]
    back = ear[np.argmin(ear[:, 2])]
    around = np.array([top, back, low]) + np.array([[0, 2, -2], [0, 6, -1], [0, -2, -4]])
    corners = np.concatenate([edge[1:2], around, edge[-2:-1]])
    share = np.linspace(0, 4, 24)
    line = np.column_stack([np.interp(share, np.arange(5), corners[:, k]) for k in range(3)])
    return head.pushed(line, 1.2)
