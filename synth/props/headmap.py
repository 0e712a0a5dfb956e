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

    def height(self, points_mm: np.ndarray) -> np.ndarray:
        """Distance (N,) mm of points (N, 3) beyond the skin as seen from the middle."""
        away = points_mm - self.centre_mm
        return np.linalg.norm(away, axis=1) - self._radius(away)

    def pushed(self, points_mm: np.ndarray, height_mm: np.ndarray | float) -> np.ndarray:
        """The points (N, 3), those nearer to the skin than ``height_mm`` moved out to it."""
        away = points_mm - self.centre_mm
        distance = np.maximum(np.linalg.norm(away, axis=1), 1e-6)
        wanted = np.maximum(distance, self._radius(away) + height_mm)
        return self.centre_mm + away * (wanted / distance)[:, None]

    def _radius(self, away: np.ndarray) -> np.ndarray:
        places = (disc(away) * SIZE - 0.5).astype(np.float32)
        # remap takes images of fewer than 2^15 rows
        rows = -(-len(places) // 512) * 512
        padded = np.zeros((rows, 2), dtype=np.float32)
        padded[: len(places)] = places
        grid = padded.reshape(-1, 512, 2)
        found = cv2.remap(self.radius_mm, grid[..., 0], grid[..., 1], cv2.INTER_LINEAR)
        return found.reshape(-1)[: len(places)].astype(np.float64)


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
