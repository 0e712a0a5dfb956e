"""The scan as the surface to match: V* and C* of Eq. 6, and the landmarks' points on it."""

import numpy as np

from faces.fit_evidence import depth_near
from faces.types import Scan
from registration.correspond import DepthTarget
from registration.depth import DepthSettings, check_depth, clean_depth


def depth_target(scan: Scan, settings: DepthSettings | None = None) -> DepthTarget:
    """Cleaned depth of a scan with colours, normals and the rim of what was seen.

    Raises:
        BadInput: no depth on the face, or a face of an impossible size.
    """
    check_depth(scan)
    clean = clean_depth(scan.depth_mm, scan.camera, settings)
    colors = scan.color.astype(np.float32) / 255
    return DepthTarget(
        scan.camera, clean.points_mm, colors, clean.normals, clean.valid, clean.silhouette
    )


def landmark_points(target: DepthTarget, landmarks_px: np.ndarray) -> np.ndarray:
    """(L, 3) float64 mm, camera frame, of landmarks (L, 2) px: NaN where no depth is near."""
    known = np.isfinite(landmarks_px).all(1)
    depth = depth_near(target.points_mm[..., 2], np.where(known[:, None], landmarks_px, -9.0))
    return target.camera.unproject(landmarks_px, depth)
