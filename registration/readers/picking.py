"""Which frames of a recording become scans: "every:10" or "sharpest:10"."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import cv2
import numpy as np

from faces.errors import BadInput


@dataclass(frozen=True, slots=True)
class Picking:
    """One frame of each run of ``step``: the first, or the sharpest.

    Attributes:
        step: frames in a run.
        sharpest: whether the sharpest is taken.
    """

    step: int = 1
    sharpest: bool = False

    def runs(self, count: int) -> list[range]:
        """The runs of a recording of ``count`` frames; the last may be shorter."""
        return [range(i, min(i + self.step, count)) for i in range(0, count, self.step)]

    def pick(self, run: Iterable[int], color_of: Callable[[int], np.ndarray]) -> int:
        """The frame of a run.

        Args:
            run: frame numbers.
            color_of: the colour image (H, W, 3) uint8 of a frame; asked only for the sharpest.
        """
        run = list(run)
        if not self.sharpest or len(run) == 1:
            return run[0]
        return max(run, key=lambda index: (sharpness(color_of(index)), -index))


def read_picking(words: str | None) -> Picking:
    """From "every:N" or "sharpest:N"; every frame where None.

    Raises:
        BadInput: anything else.
    """
    if words is None:
        return Picking()
    match = re.fullmatch(r"(every|sharpest):([1-9]\d{0,6})", words)
    if match is None:
        raise BadInput("--frames", f"'{words}'", "every:N or sharpest:N", "mend --frames")
    return Picking(int(match.group(2)), match.group(1) == "sharpest")


def sharpness(color: np.ndarray) -> float:
    """Variance of the Laplacian of the grey image (Pech-Pacheco et al. 2000)."""
    return float(cv2.Laplacian(cv2.cvtColor(color, cv2.COLOR_RGB2GRAY), cv2.CV_32F).var())
