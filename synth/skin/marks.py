"""What time leaves on a skin: freckles, moles, age spots, blemishes and the tone of lines."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from synth.skin.chart import Chart
from synth.skin.features import Features
from synth.skin.fields import GRID
from synth.skin.parameters import SkinParameters
from synth.skin.strokes import draw_spots, draw_strokes
from synth.skin.wrinkles import wrinkles

LINE_DEPTH = 0.42  # the most a line takes from the light


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """(S, S) float32 each: ``melanin`` and ``blood`` to add, ``shade`` to multiply by; and what is
    soft of the shade, (S/4, S/4)."""

    melanin: np.ndarray
    blood: np.ndarray
    shade: np.ndarray
    soft: np.ndarray


def marks(chart: Chart, features: Features, skin: SkinParameters, rng) -> Marks:
    """All marks of a person."""
    melanin = np.zeros((chart.size, chart.size), dtype=np.float32)
    blood = np.zeros_like(melanin)
    face, sunny = _places(chart)
    dark = 0.05 + 0.35 * skin.melanin
    light = skin.lightness
    _spots(melanin, chart, rng, sunny, skin.freckles, (0.4, 1.3), (0.15 * dark, 0.9 * dark))
    _spots(melanin, chart, rng, face, skin.moles, (0.4, 1.7), (dark, 4 * dark))
    _spots(melanin, chart, rng, face, skin.age_spots, (1.2, 4.0), (0.2 * dark, 0.8 * dark))
    _spots(blood, chart, rng, face, skin.blemishes, (0.6, 2.2), (0.02 * light, 0.09 * light))
    return Marks(melanin, blood, *_lines(chart, features, skin, rng))


def _spots(field, chart: Chart, rng, places, expected, radius_mm, strength) -> None:
    """A Poisson number of spots on ``places`` (N,) flat texels; small ones are the commonest."""
    count = int(rng.poisson(expected))
    chosen = places[rng.integers(len(places), size=count)]
    low, high = radius_mm
    radius = low + (high - low) * rng.random(count) ** 2.5
    ragged = np.stack([rng.normal(0, 0.14, count), rng.normal(0, 0.1, count)], 1)
    ragged = np.concatenate([ragged, rng.uniform(0, 7, (count, 1))], 1)
    at = np.stack(np.divmod(chosen, chart.size), 1)
    draw_spots(field, chart.step_u, chart.step_v, at, radius, rng.uniform(*strength, count), ragged)


@lru_cache(maxsize=2)
def _places(chart: Chart) -> tuple[np.ndarray, np.ndarray]:
    """Flat texels of face, ears and neck, and of the sunny parts, drawn even by area."""
    model, rng = chart.model, np.random.default_rng(0)
    area = np.linalg.norm(np.cross(chart.step_u, chart.step_v), axis=-1)
    skin = (chart.part == 0) & chart.mask
    where = np.stack(
        [
            model.regions["face"] | model.regions["neck"] | model.regions["ears"],
            chart.masks["cheek"] + chart.masks["nose_tip"] + 0.25 * model.regions["face"],
        ],
        1,
    )
    shares = np.kron(chart.smooth_map(where.astype(float)), np.ones((2, 2, 1)))
    result = []
    for share in np.moveaxis(shares, -1, 0):
        weight = (np.clip(share, 0, 1.5) * area * skin).ravel()
        result.append(rng.choice(weight.size, 20000, p=weight / weight.sum()))
    return result[0], result[1]


def _lines(chart: Chart, features: Features, skin: SkinParameters, rng):
    """Factors (S, S) and (S/4, S/4) float32, fine and soft: wrinkles are darker for the light that
    does not reach into them."""
    fine = np.zeros((chart.size, chart.size), dtype=np.float32)
    soft = np.zeros((chart.size // GRID, chart.size // GRID), dtype=np.float32)
    lines, strength = wrinkles(chart.head.points[:, :2], chart.head.d, rng)
    texels = features.texel_at(lines.reshape(-1, 2)).reshape(lines.shape)[..., ::-1] + 0.5
    texels = gaussian_filter1d(texels, 2.0, axis=1, mode="nearest")
    start, step = texels[:, :-1], np.diff(texels, axis=1)
    jump = np.linalg.norm(step, axis=2) > chart.size / 30  # from lid to lid, or lip to lip
    along = np.linspace(0, 1, step.shape[1])
    broken = rng.uniform(0.25, 1, (len(lines), 9)) @ _between(9, len(along))
    fade = np.sin(0.15 + 2.84 * along) * broken * strength[:, None] * ~jump * skin.lines
    start, step, fade = start.reshape(-1, 2), step.reshape(-1, 2), fade.ravel()
    draw_strokes(fine, start, step, 0 * step, 0.45 * fade)
    draw_strokes(soft, start / GRID, step / GRID, 0 * step, 0.75 * fade)
    soft = cv2.GaussianBlur(soft, (0, 0), 0.7)
    return 1 - LINE_DEPTH * fine, 1 - LINE_DEPTH * np.minimum(1.6 * soft, 1)


def _between(knots: int, count: int) -> np.ndarray:
    """(knots, count): weights of linear interpolation among evenly spaced knots."""
    at = np.linspace(0, knots - 1, count)
    return np.clip(1 - np.abs(at - np.arange(knots)[:, None]), 0, None)
