"""The scan as the surface to match: V* and C* of Eq. 6."""

import numpy as np

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
