"""Who is person in a scan or photo with its registered face."""

import cv2
import numpy as np

from faces.camera import FLIP, Camera
from faces.cutout import HeadImage, cut_out
from faces.morphable import MorphableModel
from faces.types import RegisteredFace, Scan
from imaging.raster import Fragments, rasterise

TRUSTED_REGIONS = ("face", "ears")
# no teeth, gums or tongue: of them the image's grid shows what the camera saw, where it saw it
DRAWN_PARTS = ("skin", "mouth_socket", "eye_socket", "eye")
# mm behind the head's farthest point and before its nearest: a chin-high shoulder is person, a
# wall, a desk and an arm are not
BEHIND_MM, BEFORE_MM = 200.0, 120.0


def scan_person(scan: Scan, face: RegisteredFace, model: MorphableModel) -> np.ndarray:
    """(H, W) float32 in [0, 1], how much of each pixel of a scan or photo is the person."""
    triangles = model.part_triangles(*DRAWN_PARTS)
    size = (scan.camera.width, scan.camera.height)
    screen = scan.camera.screen(face.vertices_mm)
    shown = rasterise(screen, triangles, size, scan.camera.is_perspective)
    head = head_image(shown, face, model, triangles)
    smooth = denoise(scan.depth_mm)
    near, far = person_range(head.depth_mm, BEHIND_MM, BEFORE_MM)
    measured = (smooth > near) & (smooth < far)
    color = scan.color.astype(np.float32) / 255
    return cut_out(color, smooth, measured, head, far, mm_per_px_at(head.depth_mm, scan.camera))


def head_image(
    shown: Fragments, face: RegisteredFace, model: MorphableModel, triangles: np.ndarray
) -> HeadImage:
    """The registered head's triangles (T, 3) as its camera shows them."""
    ears = model.regions.get("ears", np.zeros(model.vertex_count, bool))
    marks = [trusted_vertices(model), ears, model.part_vertices("mouth_socket")]
    shares = shown.interpolate(np.stack(marks, 1).astype(np.float32), triangles) > 0.5
    x, y, _ = FLIP @ face.pose.rotation @ [0, -1, 0]
    return HeadImage(shown.depth, *np.moveaxis(shares, -1, 0), (x, y))


def trusted_vertices(model: MorphableModel) -> np.ndarray:
    """(V,) bool: vertices whose registered place is the geometry, whatever the sensor says."""
    regions = [model.regions[name] for name in TRUSTED_REGIONS if name in model.regions]
    inner = model.part_vertices(*DRAWN_PARTS[1:])
    return np.logical_or.reduce([*regions, inner])


def mm_per_px_at(head_mm: np.ndarray, camera: Camera) -> float:
    """Size of a pixel at a head of depths (H, W) mm, 0 beside it."""
    if not camera.is_perspective:
        return camera.mm_per_px
    return float(np.median(head_mm[head_mm > 0])) / camera.fx


def denoise(depth_mm: np.ndarray) -> np.ndarray:
    """Depth (H, W) float32 with a sensor's speckle removed; jumps and holes stay.

    A median takes single spikes, a bilateral filter (σ = 6 mm in depth) the noise.
    """
    median = cv2.medianBlur(np.ascontiguousarray(depth_mm, dtype=np.float32), 5)
    smooth = cv2.bilateralFilter(median, 7, 6.0, 2.0)
    return np.where((depth_mm > 0) & (median > 0), smooth, 0).astype(np.float32)


def person_range(head_mm: np.ndarray, behind_mm: float, before_mm: float) -> tuple[float, float]:
    """Depths between which pixels may belong to the person of a head (H, W) mm, 0 beside it."""
    seen = head_mm[head_mm > 0]
    return seen.min() - before_mm, seen.max() + behind_mm
