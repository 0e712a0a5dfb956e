"""Hair painted on the skin as strokes: brows, the lash line, stubble, short beards, the scalp."""

from functools import lru_cache

import cv2
import numba
import numpy as np

from synth.pigment import skin_color
from synth.skin_chart import Chart
from synth.skin_features import Features, Strip
from synth.skin_parameters import SkinParameters
from synth.strokes import draw_strokes

BROW_HAIRS, LASHES, BEARD_HAIRS, SCALP_HAIRS = 520, 130, 9000, 9000  # at full density
BROW_MM = 7.0  # of a brow's hair; half of it at the outer end
LONGEST = 26.0  # texels of 1024 a hair may cross
HALF_MM = 4.0  # of a brow's width at its inner third


def paint_hair(texture: np.ndarray, chart: Chart, features: Features, skin: SkinParameters, rng):
    """Lay all painted hair over ``texture`` (S, S, 3), in place."""
    bare = skin_color(skin.melanin, skin.blood)
    layers = (
        # roots in the scalp's shade: the ground is darker than its skin, whatever the hair
        (_scalp, np.minimum(0.6 * skin.hair + 0.25 * bare, 0.72 * bare)),
        # hairs below the surface look bluish: they take red light most
        (_beard, 0.7 * skin.brow + [0.02, 0.025, 0.03]),
        (_brows, skin.brow),
        (_lashes, 0.5 * skin.brow + 0.01),
    )
    for draw, color in layers:
        cover = np.zeros(texture.shape[:2], dtype=np.float32)
        draw(cover, chart, features, skin, rng)
        _lay_over(texture, cover, color.astype(np.float32))


@numba.njit(cache=True)
def _lay_over(texture, cover, color):
    for i in range(cover.shape[0]):
        for j in range(cover.shape[1]):
            share = cover[i, j]
            if share > 0:
                for c in range(3):
                    texture[i, j, c] += share * (color[c] - texture[i, j, c])


def _brows(cover, chart: Chart, features: Features, skin: SkinParameters, rng) -> None:
    for strip in features.brows:
        _brow(cover, strip, skin, rng)


def _brow(cover: np.ndarray, strip: Strip, skin: SkinParameters, rng) -> None:
    """Hairs that stand up at the inner end and lie down outwards, over a faint shadow."""
    share = strip.share
    arch = skin.brow_arch * np.clip(np.sin(np.pi * np.clip(share, 0, 1) ** 0.8), 0, 1)
    across = strip.across_mm - arch
    half = HALF_MM * skin.brow_width * (1.05 - 0.75 * np.clip(share, 0, 1.1) ** 1.6)
    ends = np.clip((share + 0.01) / 0.16, 0, 1) * np.clip((1.05 - share) / 0.3, 0, 1)
    density = ends * np.exp(-(np.abs(across / np.maximum(half, 0.5)) ** 3))
    cover[strip.rows, strip.columns] = 0.45 * skin.brow_density * density
    count = int(BROW_HAIRS * skin.brow_density * (0.45 + 0.55 * skin.brow_width))
    root = rng.choice(len(density), count, p=density / density.sum())
    # from the lower edge hairs rise, from the upper they come down: they meet on the ridge
    place = np.clip(across[root] / np.maximum(half[root], 0.5), -1, 1)
    up = np.clip(1.15 - 1.7 * share[root], -0.1, 1.2) - 0.35 * place + rng.normal(0, 0.13, count)
    length = BROW_MM * (1.0 - 0.45 * share[root]) * rng.uniform(0.6, 1.1, count)
    way = _way(strip, root, np.cos(up), np.sin(up), length)
    bend = _way(strip, root, 0.12, -0.16, length)
    _strokes(
        cover,
        strip.rows[root],
        strip.columns[root],
        way,
        bend,
        0.5 * rng.uniform(0.5, 1, count),
        rng,
    )


def _way(strip: Strip, root, along, across, length) -> np.ndarray:
    """Offsets (N, 2) texels of ``length`` (N,) mm, split along and across the strip."""
    first = strip.along_px[root] * np.reshape(along * length, (-1, 1))
    return first + strip.across_px[root] * np.reshape(across * length, (-1, 1))


def _strokes(cover, rows, columns, way, bend, opacity, rng) -> None:
    length = np.linalg.norm(way, axis=1, keepdims=True)
    held = np.minimum(1, LONGEST / np.maximum(length, 1e-6))  # where the chart is stretched
    way, bend = way * held, bend * held
    roots = np.stack([columns, rows], 1) + rng.random((len(rows), 2))
    draw_strokes(cover, roots, way, bend, opacity)


def _lashes(cover: np.ndarray, chart: Chart, features: Features, skin: SkinParameters, rng) -> None:
    """A soft line along the upper margin, denser outwards, and a trace of one along the lower."""
    line = features.lid_mm
    near = np.abs(line - 0.15) < 2.0
    up, gap = features.upper[near], line[near]
    width = 0.4 + 0.25 * up
    cover[near] += skin.lash * (0.28 + 0.55 * up) * np.exp(-(((gap + 0.1) / width) ** 2))
    for strip in features.lids:
        count = int(LASHES * skin.lash)
        root = rng.integers(len(strip.rows), size=count)
        outward = 0.6 * (0.5 - strip.share[root]) + rng.normal(0, 0.15, count)
        length = rng.uniform(0.8, 2.0, count) * (1.2 - 0.6 * strip.share[root])
        way = _way(strip, root, -outward, 1.0, length)
        opacity = 0.35 * rng.uniform(0.4, 1, count)
        _strokes(cover, strip.rows[root], strip.columns[root], way, 0 * way, opacity, rng)


def _beard(cover, chart: Chart, features: Features, skin: SkinParameters, rng) -> None:
    """The shadow of hair below the skin, and short hairs that point down."""
    if skin.stubble == 0:
        return
    area, roots, down = _beard_ground(chart)
    long = min(skin.beard_mm / 4, 1)
    cover += (0.05 + 0.22 * skin.stubble + 0.18 * long * skin.stubble) * area
    count = int(BEARD_HAIRS * skin.stubble)
    chosen = rng.integers(len(roots), size=count)
    rows, columns = np.divmod(roots[chosen], chart.size)
    spread = rng.normal(0, 0.3, (count, 2)) * np.linalg.norm(down[chosen], axis=1, keepdims=True)
    way = (down[chosen] + spread) * (skin.beard_mm * rng.uniform(0.5, 1.1, (count, 1)))
    opacity = (0.3 + 0.15 * long) * rng.uniform(0.3, 1, count)
    _strokes(cover, rows, columns, way, 0.2 * way[:, ::-1], opacity, rng)


def _scalp(cover, chart: Chart, features: Features, skin: SkinParameters, rng) -> None:
    """The ground under hair, broken up at its edge by single hairs."""
    if skin.scalp == 0:
        return
    area, roots, down = _scalp_ground(chart)
    cover += skin.scalp * 0.7 * area
    count = int(SCALP_HAIRS * skin.scalp)
    chosen = rng.integers(len(roots), size=count)
    rows, columns = np.divmod(roots[chosen], chart.size)
    spread = rng.normal(0, 0.35, (count, 2)) * np.linalg.norm(down[chosen], axis=1, keepdims=True)
    way = (spread - 0.6 * down[chosen]) * rng.uniform(2, 6, (count, 1))
    _strokes(cover, rows, columns, way, 0 * way, 0.4 * rng.uniform(0.4, 1, count), rng)


@lru_cache(maxsize=2)
def _beard_ground(chart: Chart):
    masks = chart.masks
    share = np.clip(np.maximum(masks["stubble"], 0.9 * masks["moustache"]), 0, 1)
    return _ground(chart, share * (1 - masks["lips"]))


@lru_cache(maxsize=2)
def _scalp_ground(chart: Chart):
    return _ground(chart, np.clip(chart.masks["hair"], 0, 1) ** 1.5)


def _ground(chart: Chart, share: np.ndarray, count: int = 40000):
    """Where (V,) hair grows: its map (S, S), ``count`` roots (flat texels, even by area) and
    the downward millimetre (N, 2) in texels at each."""
    area = chart.smooth_map(share[:, None])[..., 0]
    texel = np.linalg.norm(np.cross(chart.step_u, chart.step_v), axis=-1)
    weight = np.kron(area, np.ones((2, 2))) * texel * (chart.part == 0) * chart.mask
    rng = np.random.default_rng(1)
    roots = rng.choice(weight.size, count, p=weight.ravel() / weight.sum())
    rows, columns = np.divmod(roots, chart.size)
    down = np.broadcast_to(np.array([0, -1.0, 0]), (count, 3))
    size = (chart.size, chart.size)
    area = cv2.resize(area, size, interpolation=cv2.INTER_LINEAR)
    return area, roots, chart.to_texels(down, rows, columns)
