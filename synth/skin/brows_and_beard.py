"""Hair painted on the skin as strokes: brows, lashes, stubble, short beards, the scalp."""

from functools import lru_cache

import numba
import numpy as np

from synth.skin.chart import Chart
from synth.skin.features import Features, Strip
from synth.skin.fields import beard_share
from synth.skin.parameters import SkinParameters
from synth.skin.pigment import skin_color
from synth.skin.strokes import paint_strokes

BROW_HAIRS, LASHES, BEARD_HAIRS, SCALP_HAIRS = 900, 130, 12000, 4000  # at full density
BROW_MM = 7.5  # of a brow's hair; half of it at the outer end
LONGEST = 26.0  # texels of 1024 a hair may cross
BROW_TINTS = (0.7, 1.15, 0.9)  # of single hairs against the brow's mean
HALF_MM = 4.2  # of a brow's width at its inner third


def grounds(skin: SkinParameters) -> np.ndarray:
    """(2, 4) float32: sRGB and opacity of the ground under beard and scalp hair."""
    bare = skin_color(skin.melanin, skin.blood)
    long = min(skin.beard_mm / 4, 1)
    # roots in the scalp's shade: the ground is darker than its skin, whatever the hair
    scalp = np.minimum(0.6 * skin.hair + 0.25 * bare, 0.72 * bare)
    return np.float32(
        [
            # hairs below the surface look bluish: they take red light most
            [*_beard_color(skin), (0.34 + 0.16 * long) * skin.stubble],
            [*scalp, 0.7 * skin.scalp],
        ]
    )


def paint_hair(texture: np.ndarray, chart: Chart, features: Features, skin: SkinParameters, rng):
    """Lay all single hairs over ``texture`` (S, S, 3), in place."""
    _scalp(texture, chart, skin, rng)
    _beard(texture, chart, skin, rng)
    for strip in features.brows:
        _brow(texture, strip, skin, rng)
    for strip in features.lids:
        _lashes(texture, strip, skin, rng)


def _beard_color(skin: SkinParameters) -> np.ndarray:
    return 0.7 * skin.brow + [0.02, 0.025, 0.03]


def _brow(texture: np.ndarray, strip: Strip, skin: SkinParameters, rng) -> None:
    """Hairs that stand up at the inner end and lie down outwards, over a faint shadow."""
    share = strip.share
    shape = np.float32([skin.brow_arch, skin.brow_width, skin.brow_density])
    shadow = np.minimum(skin.brow, 0.6 * skin_color(skin.melanin, skin.blood))  # below grey hair
    density, place = _brow_ground(
        texture, strip.rows, strip.columns, share, strip.across_mm, shape, np.float32(shadow)
    )
    count = int(BROW_HAIRS * skin.brow_density * (0.45 + 0.55 * skin.brow_width))
    total = np.cumsum(density)
    root = np.searchsorted(total, rng.random(count) * total[-1])
    # from the lower edge hairs rise, from the upper they come down: they meet on the ridge
    side = np.clip(place[root], -1, 1)
    up = np.clip(1.2 - 1.8 * share[root], -0.15, 1.25) - 0.4 * side + rng.normal(0, 0.12, count)
    length = BROW_MM * (1.0 - 0.5 * share[root]) * rng.uniform(0.5, 1.1, count)
    way = _way(strip, root, np.cos(up), np.sin(up), length)
    bend = _way(strip, root, 0.12, -0.16, length)
    opacity = 0.75 * rng.uniform(0.4, 1, count) * np.sqrt(skin.brow_density)
    for first, tint in enumerate(BROW_TINTS):  # no two hairs are alike
        own = slice(first, None, len(BROW_TINTS))
        at = strip.rows[root[own]], strip.columns[root[own]]
        _strokes(texture, *at, way[own], bend[own], opacity[own], tint * skin.brow, rng)


@numba.njit(cache=True, nogil=True)
def _brow_ground(texture, rows, columns, share, across_mm, shape, color):
    """Lay the brow's shadow; gives its density (N,) and the place (N,) across it in half-widths."""
    density, place = np.zeros(len(rows)), np.zeros(len(rows))
    for n in range(len(rows)):
        t = min(max(share[n], 0.0), 1.1)
        half = HALF_MM * shape[1] * (1.05 - 0.75 * t**1.6)
        arch = shape[0] * np.sin(np.pi * min(t, 1.0) ** 0.8)
        place[n] = (across_mm[n] - arch) / max(half, 0.5)
        ends = min(max((share[n] + 0.02) / 0.22, 0.0), 1.0)
        ends *= min(max((1.06 - share[n]) / 0.25, 0.0), 1.0)
        if abs(place[n]) < 1.6:  # beyond it less than 0.2 %
            density[n] = ends * np.exp(-(place[n] ** 2 * place[n] ** 2))
        cover = np.float32(0.5 * shape[2] * density[n])
        for c in range(3):
            below = texture[rows[n], columns[n], c]
            texture[rows[n], columns[n], c] = below + cover * (color[c] - below)
    return density, place


def _way(strip: Strip, root, along, across, length) -> np.ndarray:
    """Offsets (N, 2) texels of ``length`` (N,) mm, split along and across the strip."""
    first = strip.along_px[root] * np.reshape(along * length, (-1, 1))
    return first + strip.across_px[root] * np.reshape(across * length, (-1, 1))


def _strokes(texture, rows, columns, way, bend, opacity, color, rng) -> None:
    length = np.linalg.norm(way, axis=1, keepdims=True)
    held = np.minimum(1, LONGEST / np.maximum(length, 1e-6))  # where the chart is stretched
    way, bend = way * held, bend * held
    roots = np.stack([columns, rows], 1) + rng.random((len(rows), 2))
    paint_strokes(texture, roots, way, bend, opacity, color)


def _lashes(texture: np.ndarray, strip: Strip, skin: SkinParameters, rng) -> None:
    """Single lashes over the line of their roots, which the skin's own pass has drawn."""
    count = int(LASHES * skin.lash)
    root = rng.integers(len(strip.rows), size=count)
    outward = 0.6 * (0.5 - strip.share[root]) + rng.normal(0, 0.15, count)
    length = rng.uniform(0.8, 2.0, count) * (1.2 - 0.6 * strip.share[root])
    way = _way(strip, root, -outward, 1.0, length)
    opacity = 0.4 * rng.uniform(0.4, 1, count)
    color = 0.5 * skin.brow + 0.01
    _strokes(texture, strip.rows[root], strip.columns[root], way, 0 * way, opacity, color, rng)


def _beard(texture: np.ndarray, chart: Chart, skin: SkinParameters, rng) -> None:
    """Short hairs that point down; the shadow of those below the skin is in the ground."""
    if skin.stubble == 0:
        return
    roots, down = _beard_ground(chart)
    long = min(skin.beard_mm / 4, 1)
    chosen = rng.integers(len(roots), size=int(BEARD_HAIRS * skin.stubble))
    down = down[chosen]
    spread = rng.normal(0, 0.3, down.shape) * np.linalg.norm(down, axis=1, keepdims=True)
    way = (down + spread) * (skin.beard_mm * rng.uniform(0.4, 1.1, (len(down), 1)))
    opacity = (0.34 + 0.14 * long) * rng.uniform(0.2, 1, len(down))
    rows, columns = np.divmod(roots[chosen], chart.size)
    color = _beard_color(skin)
    _strokes(texture, rows, columns, way, 0.2 * way[:, ::-1], opacity, color, rng)


def _scalp(texture: np.ndarray, chart: Chart, skin: SkinParameters, rng) -> None:
    """Single hairs that break up the edge of the scalp's ground."""
    if skin.scalp == 0:
        return
    roots, down = _scalp_ground(chart)
    chosen = rng.integers(len(roots), size=int(SCALP_HAIRS * skin.scalp))
    down = down[chosen]
    spread = rng.normal(0, 0.35, down.shape) * np.linalg.norm(down, axis=1, keepdims=True)
    way = (spread - 0.6 * down) * rng.uniform(2, 6, (len(down), 1))
    opacity = 0.28 * rng.uniform(0.4, 1, len(down))
    rows, columns = np.divmod(roots[chosen], chart.size)
    _strokes(texture, rows, columns, way, 0 * way, opacity, 0.6 * skin.hair, rng)


@lru_cache(maxsize=2)
def _beard_ground(chart: Chart):
    return _ground(chart, beard_share(chart.masks))


@lru_cache(maxsize=2)
def _scalp_ground(chart: Chart):
    masks = chart.masks
    return _ground(chart, np.clip(masks["hair"], 0, 1) ** 1.5 * (0.2 + masks["hair_rim"]))


def _ground(chart: Chart, share: np.ndarray, count: int = 40000):
    """Where (V,) hair grows: ``count`` roots (flat texels, even by area) and the downward
    millimetre (N, 2) in texels at each."""
    area = chart.smooth_map(share[:, None])[..., 0]
    texel = np.linalg.norm(np.cross(chart.step_u, chart.step_v), axis=-1)
    weight = np.kron(area, np.ones((2, 2))) * texel * (chart.part == 0) * chart.mask
    rng = np.random.default_rng(1)
    roots = rng.choice(weight.size, count, p=weight.ravel() / weight.sum())
    rows, columns = np.divmod(roots, chart.size)
    down = np.broadcast_to(np.array([0, -1.0, 0]), (count, 3))
    return roots, chart.to_texels(down, rows, columns)
