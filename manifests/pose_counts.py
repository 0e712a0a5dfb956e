"""How many poses fall where: bins of |yaw|, and a grid of yaw and pitch; grows batch by batch."""

from dataclasses import dataclass, field

import numpy as np

# The bins of "Detailed 3D face reconstruction in large pose scenarios" (supplement, Table 3), each
# without its lower and with its upper end. A yaw of exactly 0 counts in the first. The last is for
# heads turned further than a profile, which the paper has none of.
EDGES_DEG = (15.0, 30.0, 45.0, 60.0, 75.0, 90.0)
BINS = ("(0,15]", "(15,30]", "(30,45]", "(45,60]", "(60,75]", "(75,90]", "(90,180]")
SMALL_BINS = 3  # up to and with 45°; what lies in the others is a large pose

# 45° written in float32, or as the arcsine of a rotation's entry, is 45° still.
ROUNDING_DEG = 1e-4

CELL_DEG = 5.0
CELLS = 37  # along either axis: centres at -90°, -85°, …, 90°


@dataclass(slots=True, eq=False)
class PoseCounts:
    """Attributes:
    bins: (7,) int64, of BINS.
    grid: (37, 37) int64, rows by pitch and columns by yaw, cells of CELL_DEG around their
        centres; a value on the border of two cells counts in the one farther from 0, a yaw or
        pitch beyond ±92.5° in none.
    """

    bins: np.ndarray = field(default_factory=lambda: np.zeros(len(BINS), np.int64))
    grid: np.ndarray = field(default_factory=lambda: np.zeros((CELLS, CELLS), np.int64))

    def add(self, yaw_deg: np.ndarray, pitch_deg: np.ndarray | None = None) -> None:
        """Count poses.

        Args:
            yaw_deg: (N,), finite.
            pitch_deg: (N,), NaN where unknown; None where no pose has one. Without a pitch a pose
                is in no cell of the grid.
        """
        self.bins += np.bincount(bin_of(yaw_deg), minlength=len(BINS))
        if pitch_deg is not None:
            known = np.isfinite(pitch_deg)
            cells = np.stack([_cell(pitch_deg[known]), _cell(np.asarray(yaw_deg)[known])])
            inside = ((cells >= 0) & (cells < CELLS)).all(0)
            np.add.at(self.grid, tuple(cells[:, inside]), 1)

    @property
    def total(self) -> int:
        return int(self.bins.sum())

    @property
    def large(self) -> int:
        """Poses with |yaw| > 45°."""
        return int(self.bins[SMALL_BINS:].sum())

    @property
    def large_share(self) -> float:
        """Share of large poses in [0, 1]; NaN where there is no pose."""
        return self.large / self.total if self.total else float("nan")


def bin_of(yaw_deg: np.ndarray) -> np.ndarray:
    """Index into BINS (N,) of yaws (N,) in degrees; the sign does not count.

    Yaws are taken modulo 360°: -350° is 10°.
    """
    turned = np.abs((np.asarray(yaw_deg, np.float64) + 180) % 360 - 180)
    return np.searchsorted(EDGES_DEG, turned - ROUNDING_DEG, side="left")


def is_large(yaw_deg: np.ndarray) -> np.ndarray:
    """(N,) bool: |yaw| > 45°."""
    return bin_of(yaw_deg) >= SMALL_BINS


def _cell(angle_deg: np.ndarray) -> np.ndarray:
    """Index of the grid's cell (N,) int64, below 0 or from CELLS on outside."""
    away = np.floor(np.abs(angle_deg) / CELL_DEG + 0.5 + ROUNDING_DEG / CELL_DEG)
    return (np.sign(angle_deg) * away).astype(np.int64) + CELLS // 2
