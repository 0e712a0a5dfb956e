"""Head poses that are asked for: one of them, when it counts as large, and a known grid."""

from collections.abc import Iterable
from dataclasses import dataclass

# Beyond it a yaw is a large pose: [0, 45] is small to medium (3DDFA, Zhu et al. 2016).
LARGE_YAW_DEG = 45.0

# The Florence protocol's grid (Beyond 3DMM Space, section 5.1): 13 yaws of 3 pitches.
FLORENCE_STEP_DEG = 15.0
FLORENCE_YAW_LIMIT_DEG = 90.0
FLORENCE_PITCHES_DEG = (-20.0, 0.0, 20.0)


@dataclass(frozen=True, slots=True, order=True)
class TargetPose:
    """A pose that an image shall show, degrees (faces.rotation's convention)."""

    yaw_deg: float
    pitch_deg: float = 0.0
    roll_deg: float = 0.0

    @property
    def is_large(self) -> bool:
        """Whether |yaw| > LARGE_YAW_DEG; pitch and roll do not count."""
        return abs(self.yaw_deg) > LARGE_YAW_DEG


def large_share(poses: Iterable[TargetPose]) -> float:
    """Share of the poses that are large, in [0, 1]; 0 where there are none."""
    large = [pose.is_large for pose in poses]
    return sum(large) / len(large) if large else 0.0
