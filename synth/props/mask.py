"""A medical mask over nose, mouth and chin, with loops around the ears."""

import cv2
import numpy as np

from faces.morphable import MorphableModel
from synth.props.headmap import HeadMap
from synth.props.tubes import merged, sheet_triangles, tube, unit
from synth.scene import Piece

ROWS, COLUMNS = 30, 37
OFF_MM = 2.5  # between cloth and skin
HALF_TURN = 1.05  # rad, how far the mask reaches around to the sides
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
    cloth = _cloth(head, points, rng)
    parts = [(cloth.reshape(-1, 3), sheet_triangles(ROWS, COLUMNS))]
    for column in (0, -1):
        parts.append(tube(_loop(cloth[:, column], model, shape_mm, head), 0.9, 5))
    vertices, triangles = merged(parts)
    color = np.array(COLORS[rng.integers(len(COLORS))]) * rng.uniform(0.9, 1.05)
    albedo = np.broadcast_to(color, vertices.shape).astype(np.float32).copy()
    rows = np.repeat(np.arange(ROWS), COLUMNS)
    albedo[: len(rows)][np.isin(rows, (0, 1, ROWS - 2, ROWS - 1))] *= 0.9  # the sewn hems
    albedo[len(rows) :] = 0.88
    return [Piece("mask", vertices, triangles, np.clip(albedo, 0, 1), two_sided=True)]


def _cloth(head: HeadMap, points, rng) -> np.ndarray:
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
    reach = _bridged(skin.astype(np.float32)) + OFF_MM
    pleats = 0.9 * np.abs(np.sin(np.pi * 3.0 * down)) * np.clip(1.2 - np.abs(turn), 0, 1)
    reach = reach + pleats
    return head.centre_mm + directions.reshape(ROWS, COLUMNS, 3) * reach[..., None]


def _bridged(skin: np.ndarray) -> np.ndarray:
    """The skin's distances with hollows filled as taut cloth fills them, nowhere below them."""
    taut = cv2.GaussianBlur(cv2.dilate(skin, np.ones((5, 7), np.uint8)), (0, 0), 1.6)
    taut = np.maximum(taut, skin)
    return np.maximum(cv2.GaussianBlur(taut, (0, 0), 0.8), skin)


def _loop(edge, model, shape_mm, head: HeadMap) -> np.ndarray:
    """A string (24, 3) from the mask's upper corner around the ear to its lower corner."""
    side = np.sign(edge[0, 0])
    ears = shape_mm[model.regions["ears"]]
    ear = ears[ears[:, 0] * side > 0]
    top, low = ear[np.argmax(ear[:, 1])], ear[np.argmin(ear[:, 1])]
    back = ear[np.argmin(ear[:, 2])]
    corners = np.array([edge[1], top + [0, 2, -2], back + [0, 6, -1], low + [0, -2, -4], edge[-2]])
    share = np.linspace(0, 4, 24)
    line = np.column_stack([np.interp(share, np.arange(5), corners[:, k]) for k in range(3)])
    return head.pushed(line, 1.2)
