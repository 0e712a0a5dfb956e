"""The scan as the surface to match: V* and C* of Eq. 6, and the landmarks' points on it."""

import numpy as np

from faces.types import Scan
from registration.correspond import DepthTarget
from registration.depth import clean_depth


def depth_target(scan: Scan) -> DepthTarget:
    """Cleaned depth of a scan with colours, normals and the rim of what was seen."""
    clean = clean_depth(scan)
    colors = scan.color.astype(np.float32) / 255
    return DepthTarget(
        scan.camera, clean.points_mm, colors, clean.normals, clean.valid, clean.silhouette
    )


def landmark_points(target: DepthTarget, landmarks_px: np.ndarray, reach_px: int = 2) -> np.ndarray:
    """(L, 3) float64 mm, camera frame, of landmarks (L, 2) px: NaN where no depth is near.

    The depth is the median of the valid pixels within ``reach_px``; the direction is the
    landmark's own.
    """
    height, width = target.valid.shape
    points = np.full((len(landmarks_px), 3), np.nan)
    for i, (u, v) in enumerate(landmarks_px):
        if not (0 <= u < width and 0 <= v < height):  # NaN fails too
            continue
        row, column = int(v), int(u)
        window = (
            slice(max(row - reach_px, 0), row + reach_px + 1),
            slice(max(column - reach_px, 0), column + reach_px + 1),
        )
        depth = target.points_mm[window][target.valid[window]][:, 2]
        if len(depth):
            points[i] = target.camera.unproject(np.array([u, v]), np.median(depth))
    return points
