"""What time leaves on a skin: freckles, moles, age spots, blemishes and the tone of lines."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from synth.skin_chart import Chart
from synth.skin_features import Features
from synth.skin_fields import GRID
from synth.skin_parameters import SkinParameters
from synth.strokes import draw_spots, draw_strokes

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
    lines, strength = zip(*_wrinkles(chart.head.points[:, :2], chart.head.d, rng), strict=True)
    texels = features.texel_at(np.concatenate(lines))[:, ::-1].astype(np.float32) + 0.5
    ends = np.cumsum([len(line) for line in lines])[:-1]
    for own, depth in zip(np.split(texels, ends), strength, strict=True):
        own = cv2.GaussianBlur(own, (1, 9), 0, borderType=cv2.BORDER_REPLICATE)
        steps = np.diff(own, axis=0)
        jump = np.linalg.norm(steps, axis=1) > chart.size / 30  # from lid to lid, or lip to lip
        fade = np.sin(np.linspace(0.15, np.pi - 0.15, len(steps))) * depth * skin.lines * ~jump
        draw_strokes(fine, own[:-1], steps, np.zeros_like(steps), 0.45 * fade)
        draw_strokes(soft, own[:-1] / GRID, steps / GRID, np.zeros_like(steps), 0.4 * fade)
    soft = cv2.GaussianBlur(soft, (0, 0), 0.7)
    return 1 - LINE_DEPTH * fine, 1 - LINE_DEPTH * np.minimum(1.6 * soft, 1)


def _wrinkles(p: np.ndarray, d: float, rng):
    """(line (N, 2) mm seen from the front, strength) of each wrinkle of the ibug68 points."""
    wobble = rng.normal(0, 1, 64)
    brow_top = p[[19, 24], 1].mean()
    for k in range(3):  # the forehead's
        half = d * (0.42 - 0.05 * k) * (1 + 0.15 * wobble[k])
        x = np.linspace(-half, half, 60) + 0.03 * d * wobble[3 + k]
        y = brow_top + d * (0.13 + 0.12 * k + 0.015 * wobble[6 + k])
        y = y + 0.012 * d * np.cos(3 * x / d + wobble[9 + k]) - 0.1 * d * (x / d) ** 2
        yield np.stack([x, y], 1), 0.5 + 0.25 * rng.random()
    for side, wing, corner, outer, inner in ((-1, 31, 48, 36, 39), (1, 35, 54, 45, 42)):
        start = p[wing] + d * np.array([0.06 * side, 0.05])
        end = p[corner] + d * np.array([0.12 * side, -0.06])
        middle = (start + end) / 2 + d * np.array([0.08 * side, 0.02])
        yield _bezier(start, middle, end), 0.75
        fall = p[corner] + d * np.array([0.05 * side, -0.2])
        yield _bezier(p[corner] + d * np.array([0.04 * side, -0.02]), fall * [1, 1], fall), 0.4
        for k in range(3):  # crow's feet
            start = p[outer] + d * np.array([0.07 * side, 0.02 * (1 - k)])
            way = np.array([side, 0.55 - 0.5 * k + 0.08 * rng.normal()])
            end = start + d * 0.17 * way / np.linalg.norm(way)
            yield _bezier(start, (start + end) / 2 - [0, 0.01 * d], end), 0.5
        low = (p[outer] + p[inner]) / 2 - [0, 0.17 * d]
        yield _bezier(p[inner] - [0, 0.06 * d], low, p[outer] - [0, 0.1 * d]), 0.45
        frown = p[21 if side < 0 else 22] + d * np.array([-0.07 * side, 0.0])
        rise = frown + d * np.array([0.01 * side, 0.09])
        yield _bezier(frown - [0, 0.05 * d], frown, rise), 0.4


def _bezier(start: np.ndarray, middle: np.ndarray, end: np.ndarray, count: int = 40) -> np.ndarray:
    t = np.linspace(0, 1, count)[:, None]
    return (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
