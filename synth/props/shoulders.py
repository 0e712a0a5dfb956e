"""The body that long hair lies on: neck and shoulders below a head, upright whatever it does."""

from dataclasses import dataclass

import numpy as np

from faces.morphable import MorphableModel
from synth.head import neck_rim

# Half-width, and reach to the front and the back of the neck's middle, at drops below its rim, mm:
# by eye from people's outlines, broad, with what a shirt and its folds add
DROP_MM = np.array([0.0, 12, 22, 45, 90, 190, 420])
WIDTH_MM = np.array([94.0, 144, 180, 224, 250, 264, 270])
FRONT_MM = np.array([38.0, 53, 64, 80, 96, 121, 132])
BACK_MM = np.array([88.0, 103, 110, 117, 123, 128, 132])
EASE_MM = 18.0  # above the rim, over which hair meets the body instead of a step
POWER = 2.6  # of the outline, a little squarer than an ellipse


@dataclass(frozen=True, slots=True, eq=False)
class Shoulders:
    """Attributes:
    centre_mm: (3,) of the neck's rim, model frame.
    upright: (3, 3) orthogonal, from the model frame to one with x aside, y up and z ahead of
        the body.
    """

    centre_mm: np.ndarray
    upright: np.ndarray

    @classmethod
    def below(
        cls, model: MorphableModel, shape_mm: np.ndarray, upright: np.ndarray | None = None
    ) -> "Shoulders":
        """The shoulders below a shape (V, 3) mm; the head looks straight ahead by default."""
        turn = np.eye(3) if upright is None else np.asarray(upright, dtype=np.float64)
        return cls(shape_mm[neck_rim(model)].mean(0), turn)

    def inside(self, points_mm: np.ndarray) -> np.ndarray:
        """(N,) bool: points (N, 3) mm of the model frame within the body."""
        x, y, z = self._own(points_mm)
        width, front, back = self._outline(-y)
        depth = np.where(z > 0, front, back)
        return (y < 0) & (np.abs(x / width) ** POWER + np.abs(z / depth) ** POWER < 1)

    def parted(self, points_mm: np.ndarray, ahead: np.ndarray, gap_mm: np.ndarray) -> np.ndarray:
        """Points (..., 3) moved out of the body to its front where ``ahead``, else to its back.

        Args:
            points_mm: model frame.
            ahead: (...) bool.
            gap_mm: (...) between the point and the body.
        """
        x, y, z = self._own(points_mm)
        width, front, back = self._outline(-y)
        depth = np.where(ahead, front, back)
        share = 1 - np.minimum(np.abs(x) / (width + gap_mm), 1) ** POWER
        surface = np.where((y < EASE_MM) & (share > 0), (depth + gap_mm) * share ** (1 / POWER), 0)
        surface = surface * np.clip(1 - y / EASE_MM, 0, 1)
        moved = np.where(ahead, np.maximum(z, surface), np.minimum(z, -surface))
        z = np.where(surface > 0, moved, z)
        return np.stack([x, y, z], axis=-1) @ self.upright + self.centre_mm

    def _own(self, points_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        own = (points_mm - self.centre_mm) @ self.upright.T
        return own[..., 0], own[..., 1], own[..., 2]

    def _outline(self, drop: np.ndarray) -> list[np.ndarray]:
        return [np.interp(drop, DROP_MM, half) for half in (WIDTH_MM, FRONT_MM, BACK_MM)]
