"""The skin of a hand: nails, creases, knuckles and tendons on a chart of its back and palm."""

from dataclasses import dataclass

import cv2
import numpy as np

from synth.noise import noise

STEP_MM = 0.7  # of the chart
LEFT_MM, TOP_MM = -75.0, 135.0  # x of its first column and y of its first row, in the hand's frame
ROWS, COLUMNS = 310, 220  # of one side; the palm's half lies below the back's
RED = np.array([1.04, 0.86, 0.84])  # sRGB factors of a flushed knuckle or fingertip
VEIN = np.array([0.93, 0.97, 1.0])
NAIL = np.array([1.06, 0.98, 0.98])
NAIL_GLOSS, GLOSS = 0.25, 0.035


@dataclass(frozen=True, slots=True, eq=False)
class HandSkin:
    """What all hands of one posture share.

    Attributes:
        uv: (2V, 2) float32, of the back's chart and then of the palm's.
        triangle_uv: (T, 3) int32.
        tint: (2 · ROWS, COLUMNS, 3) float32 factors on the tone's sRGB.
        relief: (2 · ROWS, COLUMNS) float32 mm.
        gloss: (V,) float32.
    """

    uv: np.ndarray
    triangle_uv: np.ndarray
    tint: np.ndarray
    relief: np.ndarray
    gloss: np.ndarray


def hand_skin(
    vertices: np.ndarray,
    triangles: np.ndarray,
    normals: np.ndarray,
    fingers: np.ndarray,
    rng: np.random.Generator,
) -> HandSkin:
    """The skin of an open hand in its own frame.

    Args:
        vertices: (V, 3) mm, z off the palm backwards; triangles: (T, 3); normals: (V, 3).
        fingers: (F, 4, 3) mm, the joints of each finger from knuckle to tip, the thumb last.
        rng: draws the unevenness.
    """
    back, palm = _back(fingers, rng), _palm(fingers, rng)
    own = (vertices[:, :2] - [LEFT_MM, TOP_MM]) * [1, -1] / STEP_MM
    own = np.clip(own, 1, [COLUMNS - 2, ROWS - 2]) / [COLUMNS, 2 * ROWS]
    uv = np.concatenate([own, own + np.array([0, 0.5])]).astype(np.float32)
    faces_back = normals[triangles, 2].mean(axis=1) > 0
    triangle_uv = triangles + np.where(faces_back, 0, len(vertices))[:, None]
    tint, relief = (np.concatenate(p).astype(np.float32) for p in zip(back, palm, strict=True))
    tips = np.linalg.norm(vertices[:, None] - (fingers[:, 3] + [0, 0, 7.0])[None], axis=-1)
    nail = np.clip(1.6 - tips.min(axis=1) / 6, 0, 1) * (normals[:, 2] > 0.3)
    gloss = (GLOSS + nail * (NAIL_GLOSS - GLOSS)).astype(np.float32)
    return HandSkin(uv, triangle_uv.astype(np.int32), tint, relief, gloss)


def _back(fingers, rng) -> tuple[np.ndarray, np.ndarray]:
    red, crease, relief = (np.zeros((ROWS, COLUMNS), dtype=np.float32) for _ in range(3))
    for joints in fingers:
        for joint, size, strength in zip(
            joints, (8, 8, 6, 6), (0.45, 0.55, 0.4, 0.45), strict=True
        ):
            red += strength * _spot(joint, size)
        for joint, count in ((joints[1], 4), (joints[2], 3)):
            crease += _creases(joint, joints[2] - joints[1], count)
    for joints in fingers[:-1]:  # tendons fan out from the wrist
        wrist = np.array([0.25 * joints[0, 0], -45.0, 0])
        relief += 0.7 * _line([wrist, joints[0]], 5, 2.2)
        relief += 1.0 * _spot(joints[0], 7)
    veins = _veins(rng)
    relief += 0.5 * veins - 0.35 * crease
    nails, rims, lunulas = _nails(fingers)
    relief += 0.4 * nails - 0.3 * rims
    tint = _mottled(rng) * _mixed(np.clip(red, 0, 1), RED) * _mixed(0.8 * veins, VEIN)
    tint *= 1 - 0.13 * np.clip(crease, 0, 1)[..., None]
    tint = tint * (1 - nails[..., None]) + nails[..., None] * NAIL
    tint *= 1 - 0.22 * rims[..., None]
    tint *= 1 + lunulas[..., None] * np.array([0.05, 0.1, 0.1])
    return tint, relief


def _palm(fingers, rng) -> tuple[np.ndarray, np.ndarray]:
    red, crease = (np.zeros((ROWS, COLUMNS), dtype=np.float32) for _ in range(2))
    for joints in fingers:
        red += 0.9 * _spot(joints[3], 9) + 0.3 * _spot(joints[0], 12)
        for joint in joints[:3]:
            crease += 1.5 * _creases(joint, joints[2] - joints[1], 2)
    lines = (
        [(36, 22), (12, 30), (-16, 22), (-36, 26)],
        [(38, 16), (18, 12), (-8, -2), (-30, -14)],
        [(38, 16), (20, 2), (10, -18), (8, -38)],
    )
    for line in lines:
        crease += _line(np.column_stack([line, np.zeros(len(line))]), 1, 0.7)
    tint = _mottled(rng) * _mixed(np.clip(0.25 + red, 0, 1), RED) * 1.04
    return tint * (1 - 0.16 * np.clip(crease, 0, 1)[..., None]), -0.4 * crease


def _nails(fingers) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(ROWS, COLUMNS) float32 each: nails, the dark line around them, half-moon and free edge."""
    plate, rim, moon = (np.zeros((4 * ROWS, 4 * COLUMNS), dtype=np.uint8) for _ in range(3))
    for joints in fingers:
        along = joints[3] - joints[2]
        turn = float(np.degrees(np.arctan2(-along[1], along[0])))
        centre = 4 * _texels(joints[3] - 0.02 * along)
        axes = np.rint(4 * np.array([5.8, 4.7]) / STEP_MM).astype(int)
        at = tuple(np.rint(centre).astype(int).tolist())
        cv2.ellipse(plate, at, axes.tolist(), turn, 0, 360, 255, -1)
        cv2.ellipse(rim, at, (axes + 1).tolist(), turn, 0, 360, 255, 4)
        cv2.ellipse(moon, at, (axes - 2).tolist(), turn, -55, 55, 255, 5)
        cv2.ellipse(moon, at, (axes - 5).tolist(), turn, 140, 220, 200, 5)
    size = (COLUMNS, ROWS)
    return tuple(
        cv2.resize(mask, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        for mask in (plate, rim, moon)
    )


def _creases(joint, along, count: int) -> np.ndarray:
    """Short lines across a finger at a joint."""
    along = along[:2] / np.linalg.norm(along[:2])
    across = np.array([-along[1], along[0]])
    total = np.zeros((ROWS, COLUMNS), dtype=np.float32)
    for k in range(count):
        at = joint[:2] + along * 2.0 * (k - (count - 1) / 2)
        bow = np.array([-4.5, -1.5, 1.5, 4.5])
        bend = np.array([0, 1, 1, 0])[:, None] * along * (k - (count - 1) / 2) * 0.7
        line = at + bow[:, None] * across + bend
        total += _line(np.column_stack([line, np.zeros(4)]), 1, 0.6)
    return total


def _veins(rng) -> np.ndarray:
    total = np.zeros((ROWS, COLUMNS), dtype=np.float32)
    for x in (-20, -3, 13):
        y = np.linspace(-70, 36, 12)
        wander = np.cumsum(rng.normal(0, 2.0, 12))
        total += _line(np.column_stack([0.6 * x + 0.008 * x * (y + 70) + wander, y, 0 * y]), 2, 1.6)
    return total


def _line(points, thickness: int, blur: float) -> np.ndarray:
    """A soft line through points (K, 3) mm, (ROWS, COLUMNS) float32 in [0, 1]."""
    mask = np.zeros((ROWS, COLUMNS), dtype=np.uint8)
    path = np.rint(16 * _texels(np.asarray(points))).astype(np.int32)[:, None]
    cv2.polylines(mask, [path], False, 255, thickness, cv2.LINE_AA, shift=4)
    return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), blur)


def _spot(centre, radius_mm: float) -> np.ndarray:
    x, y = _texels(np.asarray(centre))
    columns = np.exp(-(((np.arange(COLUMNS) - x) * STEP_MM / radius_mm) ** 2))
    rows = np.exp(-(((np.arange(ROWS) - y) * STEP_MM / radius_mm) ** 2))
    return (rows[:, None] * columns[None]).astype(np.float32)


def _mottled(rng) -> np.ndarray:
    """(ROWS, COLUMNS, 3) float32 about 1, even where the chart's edge is drawn out over the arm."""
    size = max(ROWS, COLUMNS)
    field = 0.03 * noise(rng, (12, 12), size) + 0.025 * noise(rng, (70, 70), size)
    calm = np.clip((ROWS - 1 - np.arange(ROWS)) * STEP_MM / 20, 0, 1)[:, None]
    return 1 + (field[:ROWS, :COLUMNS] * calm)[..., None] * np.array([0.7, 1.0, 1.1])


def _mixed(share, factor) -> np.ndarray:
    return 1 + share[..., None] * (factor - 1)


def _texels(points) -> np.ndarray:
    """Column and row (..., 2) of points (..., 3) mm."""
    return (np.asarray(points)[..., :2] - [LEFT_MM, TOP_MM]) * [1, -1] / STEP_MM
