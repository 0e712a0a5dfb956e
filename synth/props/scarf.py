"""A scarf around the neck that may reach over the chin."""

import numpy as np

from faces.morphable import MorphableModel
from synth.props.tubes import tube_triangles
from synth.scene import Piece
from synth.surfaces import cloth, noise

TURNS, ROWS = 64, 26
THICK_MM = 16.0


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
    radius = radius + 3 + THICK_MM * np.sin(np.pi * np.clip(share, 0.06, 0.97)) ** 0.5
    radius += _folds(rng, angle, share)
    x = centre[0] + radius * np.sin(angle)
    z = centre[1] + radius * np.cos(angle)
    vertices = np.stack([x, y, z], -1).reshape(-1, 3)
    dyed = cloth(rng, 128)
    u = (np.arange(TURNS) * 127 // TURNS)[None].repeat(ROWS, 0)
    v = (share[:, 0] * 127).astype(int)[:, None].repeat(TURNS, 1)
    albedo = dyed[v, u].reshape(-1, 3) * (0.94 + 0.06 * noise(rng, (20, 40), 64).mean())
    triangles = tube_triangles(ROWS, TURNS, False)
    return [Piece("scarf", vertices, triangles, np.clip(albedo, 0, 1), two_sided=True)]


def _around(skin, centre, angle, y) -> np.ndarray:
    """(ROWS, TURNS) mm: the farthest skin from the neck's axis near each place and above it."""
    away = skin[:, [0, 2]] - centre
    distance = np.linalg.norm(away, axis=1)
    turn = np.round(np.arctan2(away[:, 0], away[:, 1]) / (2 * np.pi) * TURNS).astype(int) % TURNS
    radius = np.zeros(y.shape)
    for column in range(TURNS):
        gap = np.abs((turn - column + TURNS // 2) % TURNS - TURNS // 2)
        near = gap <= 1
        level, reach = skin[near, 1], distance[near]
        within = np.abs(level[None] - y[:, column, None]) < 9
        radius[:, column] = np.where(within, reach[None], 0).max(1)
    filled = np.where(radius > 0, radius, np.median(radius[radius > 0]))
    smooth = (np.roll(filled, 1, 1) + filled + np.roll(filled, -1, 1)) / 3
    return np.maximum(filled, smooth)


def _folds(rng, angle, share) -> np.ndarray:
    """Folds (ROWS, TURNS) mm that run around and slant, ≥ 0."""
    folds = np.zeros((len(share), len(angle)))
    for _ in range(4):
        slant, phase = rng.integers(-2, 3), rng.uniform(0, 2 * np.pi)
        folds += rng.uniform(1.0, 2.6) * (
            1 + np.sin(rng.uniform(9, 26) * share + slant * angle[None] + phase)
        )
    return folds
