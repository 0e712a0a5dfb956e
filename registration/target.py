"""The scan as the surface to match: V* and C* of Eq. 6."""

import numpy as np

from faces.camera import Camera
from faces.types import Scan
from registration.alignment import depth_shift
from registration.correspond import DepthTarget
from registration.depth import CleanDepth, DepthSettings, check_depth, clean_depth, face_box


def depth_target(scan: Scan, settings: DepthSettings | None = None) -> DepthTarget:
    """Cleaned depth of a scan with colours, normals and the rim of what was seen.

    Depth that lies beside its colours (registration.alignment) is moved under them.

    Raises:
        BadInput: no depth on the face, or a face of an impossible size.
    """
    check_depth(scan)
    settings = settings or DepthSettings()
    clean = clean_depth(scan.depth_mm, scan.camera, settings)
    colors = scan.color.astype(np.float32) / 255
    shift = depth_shift(scan.color, clean.depth_mm, _face_mm(scan, clean), settings.align)
    if not shift.any():
        images = (clean.points_mm, colors, clean.normals, clean.valid, clean.silhouette)
        return DepthTarget(scan.camera, *images)
    points = clean.points_mm + _aside(shift, clean, scan.camera)
    images = (_rolled(a, shift) for a in (points, clean.normals, clean.valid, clean.silhouette))
    points, normals, valid, rim = images
    return DepthTarget(scan.camera, points, colors, normals, valid, rim)


def _face_mm(scan: Scan, clean: CleanDepth) -> float:
    """Median depth in the box of the landmarks; NaN where there is none."""
    left, top, right, bottom = face_box(scan.landmarks, scan.depth_mm.shape)
    window = clean.depth_mm[top:bottom, left:right]
    return float(np.median(window[window > 0])) if (window > 0).any() else np.nan


def _aside(shift_px: np.ndarray, clean: CleanDepth, camera: Camera) -> np.ndarray:
    """(H, W, 3) float32 mm: what a shift in the image is at each valid pixel's depth."""
    focal = np.array([camera.fx, camera.fy]) if camera.is_perspective else np.ones(2)
    depth = clean.depth_mm if camera.is_perspective else clean.valid * camera.mm_per_px
    return depth[..., None] * np.append(shift_px / focal, 0).astype(np.float32)


def _rolled(image: np.ndarray, shift_px: np.ndarray) -> np.ndarray:
    """The image moved by whole pixels; nothing where nothing comes in."""
    across, down = np.rint(shift_px).astype(int)
    out = np.roll(image, (down, across), axis=(0, 1))
    height, width = image.shape[:2]
    out[: max(down, 0)] = out[height + min(down, 0) :] = 0
    out[:, : max(across, 0)] = out[:, width + min(across, 0) :] = 0
    return out
