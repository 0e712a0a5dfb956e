"""Neck, chest and clothes under a head model that ends at its neck."""

from functools import lru_cache

import cv2
import numpy as np

from synth.clothes.body import CHART_MM, Body, chart, closed_rows, sample_build
from synth.clothes.outfits import sample_outfit
from synth.head import SHINE, SKIN_GLOSS, SKIN_SHININESS
from synth.noise import noise
from synth.scene import Piece

SIZE = 256  # texels of the skin's texture over the chart, both ways
BARE_MM = 115.0  # reach down to which skin may be seen past any neckline
MATCHED = 4  # rings of the neck whose colour the chest takes over
FLUSH = np.array([1.0, 0.955, 0.95])  # sRGB factor of a sun-reddened décolleté, at its strongest


def make_torso(
    neck_mm: list[np.ndarray],
    tones: list[np.ndarray],
    rng: np.random.Generator,
    male: bool = True,
) -> list[Piece]:
    """A body that faces the camera, whatever the head does.

    Args:
        neck_mm: of each ring of the posed neck (N, 3) mm in the camera frame, the rim first,
            around as synth.clothes.neck.neck_rings has them; the rim alone will do.
        tones: of each ring (N, 3) sRGB of its skin.
        rng: draws build and clothes.
        male: whether it has a man's shoulders and clothes.

    Returns:
        Skin, whose first N vertices are the rim, and clothes, in the camera frame.
    """
    body = Body.under(neck_mm, sample_build(rng, male))
    return [_skin(body, neck_mm, tones, rng), *sample_outfit(body, rng, male)]


def _skin(body: Body, neck_mm, tones, rng: np.random.Generator) -> Piece:
    rows = (body.reach_mm >= 0) & (body.reach_mm <= BARE_MM)
    points = body.points_mm[rows]
    triangles = closed_rows(*points.shape[:2])
    gloss = np.full(points.size // 3, SKIN_GLOSS * SHINE["neck"], dtype=np.float32)
    return Piece(
        "skin",
        body.placed(points),
        triangles,
        _painted(body, neck_mm, tones, rng),
        chart(points),
        triangles,
        gloss=gloss,
        shininess=SKIN_SHININESS,
        relief=_bones() * np.float32(rng.uniform(0.7, 1.7)) + _pores(),
        scatter=1.0,
    )


def _painted(body: Body, neck_mm, tones, rng: np.random.Generator) -> np.ndarray:
    """(SIZE, SIZE, 3) float32 sRGB: the neck's colours carried down, redder on the chest."""
    own = np.concatenate([(ring - body.centre_mm) @ body.turn for ring in neck_mm[:MATCHED]])
    tone, front = np.concatenate(tones[:MATCHED]), own[:, 2] < own[:, 2].mean()
    order = np.flatnonzero(front)[np.argsort(own[front, 0])]
    at = np.linspace(*CHART_MM[0], SIZE)
    across = np.stack([np.interp(at, own[order, 0], tone[order, k]) for k in range(3)], -1)
    across = cv2.GaussianBlur(across[None].astype(np.float32), (0, 0), 6)
    flip = np.s_[:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    mottle, clouds = (field[flip] for field in _mottle())
    red = np.float32(rng.uniform(0.2, 1.0)) * _sunned() * (0.8 + 0.3 * clouds)
    shade = 1 + np.float32(0.02) * mottle
    paint = [across[..., k] * shade * (1 + red * np.float32(FLUSH[k] - 1)) for k in range(3)]
    return np.clip(np.stack(paint, axis=-1), 0, 1)


@lru_cache(maxsize=1)
def _sunned() -> np.ndarray:
    """(SIZE, SIZE) float32 share of the sun's reddening: a soft triangle below the throat."""
    x, y = np.meshgrid(np.linspace(*CHART_MM[0], SIZE), np.linspace(*CHART_MM[1], SIZE))
    across = np.exp(-((x / (40 + 0.5 * np.clip(y, 0, 120))) ** 2))
    return (across * np.clip((y - 25) / 60, 0, 1)).astype(np.float32)


@lru_cache(maxsize=1)
def _mottle() -> tuple[np.ndarray, np.ndarray]:
    """Fine and coarse unevenness of skin, (SIZE, SIZE) float32 each, flipped for each person."""
    rng = np.random.default_rng(5)
    cells = ((9, 1.0), (48, 0.6), (128, 0.7))
    fine = sum(weight * noise(rng, (count, count), SIZE) for count, weight in cells)
    return fine, noise(rng, (12, 12), SIZE)


@lru_cache(maxsize=1)
def _bones() -> np.ndarray:
    """(SIZE, SIZE) float32 mm: collarbones, the notch between them, the neck's two cords."""
    x, y = np.meshgrid(np.linspace(*CHART_MM[0], SIZE), np.linspace(*CHART_MM[1], SIZE))
    x = np.abs(x)
    bone = 44 - 0.10 * x - 6 * np.sin(np.pi * np.clip((x - 14) / 150, 0, 1))
    there = np.clip((x - 8) / 14, 0, 1) * np.clip((190 - x) / 60, 0, 1)
    relief = 4.0 * there * np.exp(-(((y - bone) / 7) ** 2))
    relief -= 3.5 * there * np.exp(-(((y - bone + 20) / 13) ** 2))  # the hollow above
    relief -= 5.0 * np.exp(-((x / 9) ** 2) - ((y - 33) / 10) ** 2)
    cord = 12 + 0.55 * np.clip(36 - y, 0, 80)
    relief += 2.0 * np.exp(-(((x - cord) / 6) ** 2)) * np.clip((40 - y) / 15, 0, 1)
    return relief.astype(np.float32)


@lru_cache(maxsize=1)
def _pores() -> np.ndarray:
    rng = np.random.default_rng(3)  # the same for all people
    return 0.03 * noise(rng, (SIZE, SIZE), SIZE) + 0.05 * noise(rng, (90, 90), SIZE)
