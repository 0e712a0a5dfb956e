"""The inside of the mouth: teeth with gaps and gums, tongue, and the dark of the throat."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter1d

from faces.morphable import PARTS
from synth.skin.chart import Chart
from synth.skin.parameters import SkinParameters

IVORY, AGED = np.array([0.84, 0.80, 0.71]), np.array([0.76, 0.68, 0.53])
GUMS, DARK_GUMS = np.array([0.66, 0.36, 0.36]), np.array([0.42, 0.24, 0.24])
TONGUE, LINING = np.array([0.54, 0.28, 0.28]), np.array([0.45, 0.17, 0.16])
# widths in mm from the middle: incisors, canine, premolars, molars (Wheeler's Dental Anatomy)
UPPER_MM = np.cumsum([8.5, 6.5, 7.5, 7.0, 7.0, 10.0, 9.0])
LOWER_MM = np.cumsum([5.0, 5.5, 7.0, 7.0, 7.0, 11.0, 10.5])
ARCH = 24  # steps in which a strip's arch is measured
GUM_SHARE = 0.55  # of a strip's height at which the necks of the teeth lie
# Brightness and warmth of teeth from the middle: canines are yellower than incisors (Goodkind &
# Schwabacher 1987), and what is behind them lies in the cheeks' shade
TONE = np.array([1.0, 0.99, 0.95, 0.92, 0.87, 0.78, 0.66])
WARMTH = np.array([0.0, 0.0, 0.05, 0.03, 0.03, 0.03, 0.03])
EDGE = np.array([0.90, 0.95, 1.0])  # of the enamel at the cutting edge, which light goes through
GAP_MM, GAP_DARK = 0.38, np.array([0.40, 0.52, 0.62])
BULGE_MM = 0.4  # of a crown between its gaps


@dataclass(frozen=True, slots=True, eq=False)
class _Ground:
    rows: np.ndarray
    columns: np.ndarray
    part: np.ndarray  # (N,)
    gap: np.ndarray  # (N,) in [0, 1], between two teeth
    tooth: np.ndarray  # (N,) int, from the middle
    edge: np.ndarray  # (N,) in [0, 1], 1 at the cutting edge
    bulge: np.ndarray  # (N,) mm, how far a crown is rounded
    gum: np.ndarray  # (N,) in [0, 1]
    depth: np.ndarray  # (N,) in [0, 1], towards the throat


def paint_mouth(texture: np.ndarray, chart: Chart, skin: SkinParameters) -> None:
    """Paint lining, teeth, gums and tongue over ``texture`` (S, S, 3), in place."""
    ground = _mouth(chart)
    teeth = IVORY + skin.teeth * (AGED - IVORY)
    gums = GUMS + (1 - skin.lightness) * 0.7 * (DARK_GUMS - GUMS)
    color = np.empty((len(ground.rows), 3))
    color[:] = LINING
    color[ground.part == PARTS.index("tongue")] = TONGUE
    color[ground.part == PARTS.index("gums")] = gums
    enamel = ground.part == PARTS.index("teeth")
    order = ground.tooth[enamel]
    tooth = teeth * TONE[order, None] * (1 - WARMTH[order, None] * [0.0, 0.5, 1.6])
    tooth *= 1 + ground.edge[enamel, None] * (EDGE - 1)
    tooth *= 1 - ground.gap[enamel, None] * GAP_DARK
    color[enamel] = tooth + ground.gum[enamel, None] * (gums - tooth)
    dark = np.where(enamel, 0.2, 0.8) * ground.depth  # teeth catch light where lining does not
    texture[ground.rows, ground.columns] = color * (1 - dark[:, None])


def with_crowns(relief: np.ndarray, chart: Chart) -> np.ndarray:
    """The relief (S, S) float32 mm with every tooth's crown rounded between its gaps."""
    ground = _mouth(chart)
    out = relief.copy()
    out[ground.rows, ground.columns] = ground.bulge
    return out


@lru_cache(maxsize=2)
def _mouth(chart: Chart) -> _Ground:
    parts = [PARTS.index(name) for name in ("mouth_socket", "teeth", "gums", "tongue")]
    rows, columns = np.nonzero(np.isin(chart.part, parts) & chart.mask)
    part, place = chart.part[rows, columns], chart.xyz[rows, columns].astype(np.float64)
    depth = chart.masks["throat"][:, None]
    dark = np.kron(chart.smooth_map(depth)[..., 0], np.ones((2, 2)))[rows, columns]
    gap, gum, edge, bulge = np.zeros((4, len(rows)))
    tooth = np.zeros(len(rows), dtype=np.intp)
    enamel = np.flatnonzero(part == PARTS.index("teeth"))
    if len(enamel):
        upper = rows[enamel] < np.median(rows[enamel])
        for own, widths, sign in ((enamel[upper], UPPER_MM, 1), (enamel[~upper], LOWER_MM, -1)):
            gap[own], tooth[own], edge[own], bulge[own], gum[own] = _teeth(place[own], widths, sign)
    return _Ground(rows, columns, part, gap, tooth, edge, bulge, gum, np.clip(dark, 0, 1))


def _teeth(place: np.ndarray, widths: np.ndarray, sign: int) -> tuple[np.ndarray, ...]:
    """Gap, tooth, edge, bulge and gum (N,) of one jaw's strip: by the length along its arch and
    the height on it."""
    angle = np.arctan2(place[:, 0], place[:, 2] - place[:, 2].min())
    bins = np.linspace(angle.min(), angle.max(), ARCH + 1)
    which = np.clip(np.digitize(angle, bins) - 1, 0, ARCH - 1)
    count = np.maximum(np.bincount(which, minlength=ARCH), 1)
    middle = np.stack([np.bincount(which, place[:, k], ARCH) / count for k in (0, 2)], 1)
    middle = gaussian_filter1d(middle, 2, axis=0)
    walk = np.r_[0, np.cumsum(np.linalg.norm(np.diff(middle, axis=0), axis=1))]
    centres = (bins[1:] + bins[:-1]) / 2
    length = np.interp(angle, centres, walk) - np.interp(0, centres, walk)
    height = sign * place[:, 1]
    low, high = np.full(ARCH, np.inf), np.full(ARCH, -np.inf)
    np.minimum.at(low, which, height)
    np.maximum.at(high, which, height)
    share = (height - low[which]) / np.maximum(high - low, 1e-3)[which]
    tooth = np.minimum(np.searchsorted(widths, np.abs(length)), len(widths) - 1)
    borders = np.r_[0.0, widths]
    away = np.minimum(np.abs(length) - borders[tooth], borders[tooth + 1] - np.abs(length))
    away = np.abs(away)
    half = np.diff(borders)[tooth] / 2
    scallop = GUM_SHARE + 0.10 * np.minimum(away / 3.5, 1)  # gums reach down between the teeth
    gum = np.clip(0.5 + (share - scallop) / 0.06, 0, 1)
    gap = np.exp(-((away / GAP_MM) ** 2)) * (1 - 0.4 * share)
    edge = np.exp(-((share / 0.12) ** 2))
    bulge = BULGE_MM * np.sqrt(np.clip(1 - (1 - np.minimum(away / half, 1)) ** 2, 0, 1))
    return gap, tooth, edge, bulge * (1 - 0.6 * gum), gum
