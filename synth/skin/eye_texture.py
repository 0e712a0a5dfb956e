"""Eyeballs: sclera with veins, iris with fibres and a limbal ring, pupil."""

import numpy as np

from faces.models.fields import smooth
from synth.skin.chart import Chart
from synth.skin.features import Eye, Features
from synth.skin.parameters import SkinParameters
from synth.skin.strokes import draw_strokes

IRIS_MM = 5.9  # radius; 11.7 mm across in adults (Rüfer et al. 2005)
SCLERA = np.array([0.71, 0.675, 0.65])
YELLOW = np.array([0.70, 0.64, 0.54])
PINK = np.array([0.72, 0.46, 0.43])
VEIN = np.array([0.62, 0.24, 0.22])
SPOKES = 90


def paint_eyes(texture, chart: Chart, features: Features, skin: SkinParameters, rng) -> None:
    """Paint both eyeballs over ``texture`` (S, S, 3), in place; both irises are alike."""
    fibres = rng.normal(size=(3, SPOKES))
    veins = np.zeros(texture.shape[:2], dtype=np.float32)
    for eye in features.eyes:
        if skin.veins > 0:
            _veins(veins, eye, skin, rng)
        color = _sclera(eye, skin, veins[eye.rows, eye.columns])
        _iris(color, eye, skin, fibres)
        texture[eye.rows, eye.columns] = color


def _sclera(eye: Eye, skin: SkinParameters, veins: np.ndarray) -> np.ndarray:
    white = SCLERA + skin.sclera * (YELLOW - SCLERA)
    corner = np.clip((np.abs(eye.side_mm) - 5.5) / 7.5, 0, 1)
    corner = np.where(eye.side_mm > 0, corner, 0.7 * corner) * (0.35 + 0.4 * skin.veins)
    color = white + corner[:, None] * (PINK - white)
    return color + (0.55 * veins)[:, None] * (VEIN - color)


def _iris(color: np.ndarray, eye: Eye, skin: SkinParameters, fibres: np.ndarray) -> None:
    r = eye.radius_mm / IRIS_MM
    pupil = skin.pupil_mm / IRIS_MM
    turn = (eye.angle / (2 * np.pi) % 1) * SPOKES
    spokes = [np.interp(turn, np.arange(SPOKES + 1), np.r_[row, row[0]]) for row in fibres]
    depth = np.clip((r - pupil) / (1 - pupil), 0, 1)
    # two sets of fibres, crossing over at the collarette a third of the way out
    fibre = np.where(depth < 0.3 + 0.03 * spokes[2], spokes[0], spokes[1])
    shine = 1 + 0.16 * fibre - 0.12 * depth
    ring = np.exp(-(((depth - 0.3 - 0.03 * spokes[2]) / 0.09) ** 2))
    warm = skin.iris * [1.25, 0.95, 0.7]  # nearer the pupil there is more melanin
    base = skin.iris + ((1 - depth) ** 2 * 0.55)[:, None] * (warm - skin.iris)
    iris = base * (shine + 0.14 * ring)[:, None]
    limbus = np.exp(-(((r - 0.97) / 0.085) ** 2))
    iris *= (1 - 0.68 * limbus)[:, None]
    hole = _within(r, pupil, 0.06)
    iris += hole[:, None] * (0.012 - iris)
    edge = _within(r, 1.0, 0.09)
    color += edge[:, None] * (np.clip(iris, 0.01, 0.9) - color)


def _within(r: np.ndarray, radius: float, soft: float) -> np.ndarray:
    """1 inside the radius, 0 outside, smooth over ``soft``."""
    return smooth(0.5 + (radius - r) / soft)


def _veins(cover: np.ndarray, eye: Eye, skin: SkinParameters, rng) -> None:
    """Fine wandering lines from the corners towards the iris."""
    count = int(26 * skin.veins) + 4
    outer = np.flatnonzero((eye.radius_mm > 7.5) & (eye.radius_mm < 14) & (np.abs(eye.side_mm) > 6))
    centre = np.array([eye.columns[eye.radius_mm < 1].mean(), eye.rows[eye.radius_mm < 1].mean()])
    root = outer[rng.integers(len(outer), size=count)]
    place = np.stack([eye.columns[root], eye.rows[root]], 1) + rng.random((count, 2))
    way = (centre - place) * rng.uniform(0.05, 0.12, (count, 1))
    opacity = rng.uniform(0.15, 0.5, count) * (0.4 + skin.veins)
    for _ in range(4):
        side = way[:, ::-1] * [1, -1] * rng.normal(0, 0.5, (count, 1))
        draw_strokes(cover, place, way + side, 0 * way, opacity)
        place, opacity = place + way + side, opacity * 0.8
