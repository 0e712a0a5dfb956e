"""A scarf around the neck that may reach over the chin."""

import cv2
import numpy as np

from faces.morphable import MorphableModel
from synth.clothes import cloth as fabric
from synth.clothes.cloth import weave
from synth.props.tubes import tube_triangles
from synth.scene import Piece

TURNS, ROWS = 64, 34
THICK_MM = 16.0
LEVEL_MM = 3.0  # of what is counted as one height
EDGE = 0.06  # share of the height over which an edge turns in


def make_scarf(
    model: MorphableModel,
    shape_mm: np.ndarray,
    rng: np.random.Generator,
    settings: None = None,
) -> list[Piece]:
    """One piece "scarf"; it covers neck and throat, and the chin of about half of the people."""
    points = shape_mm[model.landmarks["ibug68"]].astype(np.float64)
    skin = shape_mm[model.part_vertices("skin")].astype(np.float64)
    chin, mouth = points[8, 1], points[57, 1]
    low = skin[:, 1].min() - 15
    front = chin + rng.uniform(-0.5, 1.0) * (mouth - chin)
    angle = np.linspace(0, 2 * np.pi, TURNS, endpoint=False)
    ahead = 0.5 + 0.5 * np.cos(angle)
    back = min(points[3, 1], points[13, 1]) - 22
    top = back + (front - back) * ahead**1.5 + 3 * np.sin(2 * angle + rng.uniform(0, 6))
    share = np.linspace(0, 1, ROWS)[:, None]
    y = low + share * (top - low)
    centre = np.array([0.0, np.median(skin[skin[:, 1] < chin][:, 2])])
    radius = _around(skin, centre, angle, y)
    # the edges turn in to the neck, so that the cloth has a thickness
    turned = np.clip(np.minimum(share, 1 - share) / EDGE, 0, 1) ** 0.5
    radius = radius + 2 + turned * (0.5 * THICK_MM + _wraps(rng, angle, share))
    x = centre[0] + radius * np.sin(angle)
    z = centre[1] + radius * np.cos(angle)
    vertices = np.stack([x, y, z], -1)
    triangles = tube_triangles(ROWS, TURNS, False)
    albedo, relief = weave(_fabric(rng), np.zeros((fabric.ROWS, fabric.COLUMNS), np.uint8), rng)
    return [
        Piece(
            "scarf",
            vertices.reshape(-1, 3),
            triangles,
            albedo,
            _chart(vertices, angle),
            triangles,
            two_sided=True,
            relief=relief,
        )
    ]


def _fabric(rng) -> fabric.Fabric:
    kind = ("knit", "knit", "fleece", "suiting")[rng.integers(4)]
    made = fabric.plain(kind, fabric.sample_dye(rng))
    pattern = rng.random()
    if pattern < 0.2:
        return fabric.checked(made, fabric.sample_dye(rng), rng)
    return fabric.striped(made, fabric.sample_dye(rng), rng) if pattern < 0.35 else made


def _chart(points, angle) -> np.ndarray:
    """Texture coordinates (ROWS · TURNS, 2), mirrored at both sides so that they need no seam."""
    width, height = (fabric.STEP_MM * n for n in (fabric.COLUMNS, fabric.ROWS))
    turn = np.abs((angle + np.pi / 2 + np.pi) % (2 * np.pi) - np.pi)
    around = turn * np.hypot(points[..., 0], points[..., 2]).mean()
    steps = np.linalg.norm(np.diff(points, axis=0), axis=-1).mean(axis=1)
    down = np.concatenate([[0.0], np.cumsum(steps)])[:, None]
    uv = np.stack(np.broadcast_arrays(around[None] / width, down / height), axis=-1)
    return uv.reshape(-1, 2).astype(np.float32)


def _around(skin, centre, angle, y) -> np.ndarray:
    """(ROWS, TURNS) mm: the farthest skin from the neck's axis near each place and above it."""
    away = skin[:, [0, 2]] - centre
    distance = np.linalg.norm(away, axis=1)
    turn = np.round(np.arctan2(away[:, 0], away[:, 1]) / (2 * np.pi) * TURNS).astype(int) % TURNS
    low, count = y.min() - 12, int((np.ptp(y) + 24) / LEVEL_MM)
    level = np.rint((skin[:, 1] - low) / LEVEL_MM).astype(int)
    within = (level >= 0) & (level < count)
    farthest = np.zeros((count, TURNS), dtype=np.float32)
    np.maximum.at(farthest, (level[within], turn[within]), distance[within].astype(np.float32))
    farthest = cv2.dilate(np.pad(farthest, ((0, 0), (1, 1)), mode="wrap"), np.ones((7, 3)))
    rows = np.clip(np.rint((y - low) / LEVEL_MM).astype(int), 0, count - 1)
    radius = farthest[rows, np.arange(1, TURNS + 1)[None]]
    filled = np.where(radius > 0, radius, np.median(radius[radius > 0]))
    smooth = (np.roll(filled, 1, 1) + filled + np.roll(filled, -1, 1)) / 3
    return np.maximum(filled, smooth)


def _wraps(rng, angle, share) -> np.ndarray:
    """Thickness (ROWS, TURNS) mm of two or three turns that lie over each other, and folds."""
    turns = rng.uniform(1.6, 2.8)
    slant = rng.uniform(0.1, 0.3) * np.sin(angle + rng.uniform(0, 2 * np.pi))[None]
    rolls = THICK_MM * 0.7 * np.abs(np.sin(np.pi * (turns * share + slant))) ** 0.6
    folds = np.zeros_like(rolls)
    for _ in range(3):
        lean, phase = rng.integers(-2, 3), rng.uniform(0, 2 * np.pi)
        wave = np.sin(rng.uniform(14, 30) * share + lean * angle[None] + phase)
        folds += rng.uniform(0.6, 1.6) * (1 + wave)
    return rolls + folds
