"""A head seen from its own middle: how far the skin is in each direction."""

from functools import lru_cache

import cv2
import numpy as np

from faces.morphable import PARTS, MorphableModel
from imaging.raster import rasterise

SIZE = 256  # of the map: 0.7° a cell
FAR_MM = 1000.0  # beyond any skin: the rasteriser keeps what is nearest to it


class HeadMap:
    """Distances from the middle of a head to its outermost skin.

    Directions lie on a disc: straight up in its middle, straight down all along its rim, so that
    the only direction with a seam is the one into the open neck.

    Attributes:
        centre_mm: (3,) of the head, model frame.
        radius_mm: (SIZE, SIZE) float32; 0 where no skin lies.
        skull_mm: the same, with the skin that the ears hide in their place.
    """

    def __init__(self, model: MorphableModel, shape_mm: np.ndarray):
        """The map of a shape (V, 3) mm in the model frame."""
        self.centre_mm = head_centre(model, shape_mm)
        away = np.asarray(shape_mm, dtype=np.float64) - self.centre_mm
        distance = np.linalg.norm(away, axis=1)
        places = disc(away) * SIZE
        screen = np.column_stack([places, FAR_MM - distance])
        drawn = rasterise(screen, _solid(model), (SIZE, SIZE), perspective=False)
        self.radius_mm = np.where(drawn.mask, FAR_MM - drawn.depth, 0).astype(np.float32)
        ears = drawn.mask & _on_ears(model)[drawn.triangle_id]
        self.skull_mm = _bridged(self.radius_mm, ears)

    def height(self, points_mm: np.ndarray) -> np.ndarray:
        """Distance (N,) mm of points (N, 3) beyond the skin as seen from the middle."""
        away = points_mm - self.centre_mm
        return np.linalg.norm(away, axis=1) - _look_up(self.radius_mm, away)

    def skull(self, directions: np.ndarray) -> np.ndarray:
        """Distances (N,) mm from the middle to the skin in directions (N, 3), ears left out."""
        return _look_up(self.skull_mm, directions)

    def off_skull(self, points_mm: np.ndarray, height_mm: np.ndarray | float) -> np.ndarray:
        """The points (N, 3), those nearer to the skin behind the ears than ``height_mm``, or below
        it, moved out to it."""
        away = points_mm - self.centre_mm
        distance = np.maximum(np.linalg.norm(away, axis=1), 1e-6)
        wanted = np.maximum(distance, self.skull(away) + height_mm)
        return self.centre_mm + away * (wanted / distance)[:, None]

    def pushed(self, points_mm: np.ndarray, height_mm: np.ndarray | float) -> np.ndarray:
        """The points (N, 3), those nearer to the skin than ``height_mm`` moved out to it."""
        away = points_mm - self.centre_mm
        distance = np.maximum(np.linalg.norm(away, axis=1), 1e-6)
        wanted = np.maximum(distance, _look_up(self.radius_mm, away) + height_mm)
        return self.centre_mm + away * (wanted / distance)[:, None]


def head_centre(model: MorphableModel, shape_mm: np.ndarray) -> np.ndarray:
    """(3,) mm: between the upper ends of the jaw, a little above and behind."""
    jaw = shape_mm[model.landmarks["ibug68"][[0, 16]]].mean(0)
    return jaw + model.iod_mm * np.array([0.0, 0.15, -0.25])


def disc(away: np.ndarray) -> np.ndarray:
    """Directions (N, 3) to places (N, 2) in [0, 1]²: up in the middle, ahead below it."""
    across = np.hypot(away[:, 0], away[:, 2])
    tilt = np.arctan2(across, away[:, 1]) / np.pi
    share = tilt / np.maximum(across, 1e-9)
    return 0.5 + 0.5 * share[:, None] * away[:, [0, 2]]


@lru_cache(maxsize=4)
def _solid(model: MorphableModel) -> np.ndarray:
    """Skin and eyes: what things must stay outside of."""
    return model.triangles[np.isin(model.triangle_part, [PARTS.index("skin"), PARTS.index("eye")])]


@lru_cache(maxsize=4)
def _on_ears(model: MorphableModel) -> np.ndarray:
    """(T,) bool: triangles of _solid() that touch an ear."""
    return model.regions["ears"][_solid(model)].any(axis=1)


def _bridged(radius_mm: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The map with what is ``hidden``, and a little around it, filled from what surrounds it."""
    known = (cv2.dilate(hidden.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0) & (radius_mm > 0)
    known = known.astype(np.float32)
    total, weight = (cv2.blur(cv2.blur(f, (27, 27)), (27, 27)) for f in (radius_mm * known, known))
    filled = np.minimum(radius_mm, total / np.maximum(weight, 1e-6))
    return np.where((known == 0) & (radius_mm > 0), filled, radius_mm).astype(np.float32)


def _look_up(radius_mm: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Values (N,) float64 of a map in directions (N, 3)."""
    places = (disc(away) * SIZE - 0.5).astype(np.float32)
    # remap takes images of fewer than 2^15 rows, and of one at least
    rows = max(-(-len(places) // 512), 1) * 512
    padded = np.zeros((rows, 2), dtype=np.float32)
    padded[: len(places)] = places
    grid = padded.reshape(-1, 512, 2)
    found = cv2.remap(radius_mm, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR)
    return found.reshape(-1)[: len(places)].astype(np.float64)
