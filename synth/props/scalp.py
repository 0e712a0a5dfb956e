"""Where hair grows: the scalp of a model, and a person's own hairline on it."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from scipy.spatial import cKDTree

from faces.morphable import MorphableModel
from imaging.raster import rasterise
from synth.props.headmap import disc, head_centre

CHART = 256  # edge of the scalp's chart
BEFORE_MM = 22.0  # how far before the model's hairline hair may grow
BEHIND_MM = 9.0  # how far behind the ears' lobes hair begins
STEEP = 1.6  # how steeply a hairline may fall behind an ear, rad a rad around the head


@lru_cache(maxsize=4)
def find_scalp(model: MorphableModel) -> np.ndarray:
    """(CHART, CHART) float32 mm on the disc of synth.props.headmap, at the model's mean shape:
    how far within the scalp a direction lies; negative before its border."""
    mean = model.mean_mm.astype(np.float64)
    inside = _within(model, mean)
    skin = model.part_triangles("skin")
    away = mean - head_centre(model, mean)
    # of skins one behind the other, the outer one counts: a far plane less the distance
    screen = np.column_stack([disc(away) * CHART, 1000 - np.linalg.norm(away, axis=1)])
    drawn = rasterise(screen, skin, (CHART, CHART), perspective=False)
    chart = drawn.interpolate(inside[:, None].astype(np.float32), skin)[..., 0]
    return np.where(drawn.mask, np.maximum(chart, -BEFORE_MM), -BEFORE_MM).astype(np.float32)


def _within(model: MorphableModel, mean: np.ndarray) -> np.ndarray:
    """(V,) mm from the border of the scalp, positive inside; no hair grows on ears."""
    scalp = model.regions["scalp"]
    others = np.zeros(model.vertex_count, dtype=bool)
    others[model.part_vertices("skin")] = True
    others &= ~scalp
    to_scalp = cKDTree(mean[scalp]).query(mean)[0]
    to_others = cKDTree(mean[others]).query(mean)[0]
    inside = np.where(scalp, to_others, -to_scalp)
    return np.where(model.regions["ears"], -BEFORE_MM, inside)


@dataclass(frozen=True, slots=True, eq=False)
class Hairline:
    """Shifts of the hairline by azimuth, mm inwards.

    Attributes:
        chart: of find_scalp.
        base: of all of it but the nape.
        temples: more of it at the temples.
        peak: less of it in the middle of the forehead.
        burns: hair before the ears.
        waves: (5, 2) amplitude and phase.
    """

    chart: np.ndarray
    base: float
    temples: float
    peak: float
    burns: float
    waves: np.ndarray

    @classmethod
    def drawn(cls, model: MorphableModel, rng: np.random.Generator, recede: float) -> "Hairline":
        """This person's own; ``recede`` mm is usual at the temples with their cut."""
        waves = np.column_stack([rng.normal(0, 1.8, 5), rng.uniform(0, 2 * np.pi, 5)])
        base, burns = rng.normal(-4, 3), rng.uniform(4, 16)
        temples, peak = recede * rng.uniform(0.3, 2.0), rng.normal(1.0, 2.5)
        return cls(find_scalp(model), base, temples, peak, burns, waves)

    def depth(self, directions: np.ndarray) -> np.ndarray:
        """How far (N,) mm within this person's hair directions (N, 3) from the middle lie."""
        places = (disc(directions) * CHART - 0.5).astype(np.float32)
        grid = places.reshape(1, -1, 2)
        inside = cv2.remap(self.chart, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR)[0]
        turn = np.arctan2(directions[:, 0], directions[:, 2])
        around = np.abs(turn)
        shift = self.base * (around < 2) + self.temples * np.exp(-(((around - 0.65) / 0.28) ** 2))
        shift = shift - self.peak * np.exp(-((around / 0.22) ** 2))
        shift = shift - self.burns * np.exp(-(((around - 1.4) / 0.17) ** 2))
        shift = shift + BEHIND_MM * np.exp(-(((around - 1.85) / 0.2) ** 2))
        for order, (amplitude, phase) in enumerate(self.waves, start=2):
            shift = shift + amplitude / order**0.5 * np.sin(3 * order * turn + phase)
        return inside - shift


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """Directions by angle around a pole and angle from it, out to the hairline.

    Attributes:
        pole, ahead, aside: (3,) unit, an orthogonal frame; angles begin at ``ahead``.
        reach: (N,) rad from the pole to the hairline, at N even angles around.
    """

    pole: np.ndarray
    ahead: np.ndarray
    aside: np.ndarray
    reach: np.ndarray

    @classmethod
    def about(cls, pole: np.ndarray, line: Hairline, count: int) -> "Fan":
        """The fan of ``count`` rays from a pole within the hair."""
        pole = pole / np.linalg.norm(pole)
        towards = np.array([0.0, 0.0, 1.0]) if abs(pole[2]) < 0.9 else np.array([0.0, 1.0, 0.0])
        ahead = towards - towards @ pole * pole
        ahead /= np.linalg.norm(ahead)
        empty = cls(pole, ahead, np.cross(pole, ahead), np.zeros(0))
        around = np.linspace(0, 2 * np.pi, count, endpoint=False)
        out = np.linspace(0.1, 2.75, 64)
        depth = line.depth(empty.directions(around[:, None], out[None]).reshape(-1, 3))
        depth = depth.reshape(count, len(out))
        first = np.where((depth < 0).any(1), (depth < 0).argmax(1), len(out) - 1)
        rows, before = np.arange(count), np.maximum(first - 1, 0)
        low, high = depth[rows, before], depth[rows, first]
        share = np.clip(low / np.maximum(low - high, 1e-6), 0, 1)
        reach = out[before] + share * (out[first] - out[before])
        return cls(pole, ahead, empty.aside, _eased(reach, STEEP * 2 * np.pi / count))

    def directions(self, around: np.ndarray, out: np.ndarray) -> np.ndarray:
        """Unit directions (..., 3) at angles ``around`` the pole and ``out`` from it, rad."""
        flat = np.cos(around)[..., None] * self.ahead + np.sin(around)[..., None] * self.aside
        return np.cos(out)[..., None] * self.pole + np.sin(out)[..., None] * flat

    def reach_at(self, around: np.ndarray) -> np.ndarray:
        """The hairline's angle from the pole at any angles around it."""
        even = np.linspace(0, 2 * np.pi, len(self.reach), endpoint=False)
        return np.interp(around, even, self.reach, period=2 * np.pi)


def _eased(reach: np.ndarray, step: float) -> np.ndarray:
    """The largest line within ``reach`` that grows by no more than ``step`` from ray to ray:
    where an ear cuts in, the hairline goes around it instead of leaping."""
    eased = reach
    for _ in range(len(reach) // 4):
        eased = np.minimum(eased, np.minimum(np.roll(eased, 1), np.roll(eased, -1)) + step)
    return eased
