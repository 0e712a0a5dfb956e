"""Clean a depth image: spikes out, points and normals in, silhouettes flagged."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from faces.camera import Camera
from faces.errors import BadInput
from faces.types import Landmarks, Scan
from registration.alignment import AlignSettings
from registration.depth_kernels import (
    fit_planes,
    hole_sides,
    mark_jumps,
    pinhole_normals,
    reject_spikes,
)

# The diagonal of a face's landmark box, mm: from a child's eyes, nose and mouth at a steep angle
# to an adult's whole jaw with the mouth open.
FACE_DIAGONAL_MM = (40.0, 400.0)
MIN_VALID_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class DepthSettings:
    """How depth is cleaned.

    Attributes:
        near_mm, far_mm: depths outside are no measurement.
        noise_mm: depth differences between neighbours below it mean nothing (3σ of the sensor).
        max_slope_deg: two neighbouring pixels belong to one surface up to this angle between the
            surface and the image plane; a steeper step is a jump.
        min_support: share of a pixel's valid neighbours (8) on its own surface, below which it is
            a spike or a flying pixel.
        island_px: groups of up to this many connected pixels, apart from all else, are spikes too.
        window: half width, px, of the plane fit that gives the normals.
        smooth: whether depth becomes the fitted plane's depth; for noisy sensors.
        silhouette_px: pixels this near to a depth jump, or to the outline, are flagged.
        align: how depth that lies beside its colours is moved under them.
    """

    near_mm: float = 150.0
    far_mm: float = 5000.0
    noise_mm: float = 4.0
    max_slope_deg: float = 80.0
    min_support: float = 0.4
    island_px: int = 20
    window: int = 2
    smooth: bool = False
    silhouette_px: int = 1
    align: AlignSettings = field(default_factory=AlignSettings)


@dataclass(frozen=True, slots=True, eq=False)
class CleanDepth:
    """Depth that can be matched against.

    Attributes:
        depth_mm: (H, W) float32; 0 where invalid.
        valid: (H, W) bool: measured, and no spike. Silhouette pixels are among them.
        points_mm: (H, W, 3) float32, camera frame; 0 where invalid.
        normals: (H, W, 3) float32, unit, towards the camera; 0 where invalid or too few
            neighbours say which way it goes.
        silhouette: (H, W) bool: at a depth jump or at the outline against nothing, where a match
            would slide off the face. The rim of a hole in a surface is not flagged.
    """

    depth_mm: np.ndarray
    valid: np.ndarray
    points_mm: np.ndarray
    normals: np.ndarray
    silhouette: np.ndarray


def clean_depth(
    depth_mm: np.ndarray, camera: Camera, settings: DepthSettings | None = None
) -> CleanDepth:
    """Reject spikes, back-project, estimate normals and flag the silhouette.

    Args:
        depth_mm: (H, W), z in the camera frame, mm; 0 or NaN where there is none.
        camera: of this image, without distortion.
        settings: defaults where None.

    Raises:
        BadInput: the image's size is not the camera's.
    """
    settings = settings or DepthSettings()
    if depth_mm.shape != (camera.height, camera.width):
        got = f"depth of shape {depth_mm.shape}"
        expected = f"({camera.height}, {camera.width}), the camera's size"
        raise BadInput("depth", got, expected, "give the camera of this image")
    raw = np.nan_to_num(depth_mm, nan=0.0, posinf=0.0, neginf=0.0).astype(np.float32)
    raw[(raw < settings.near_mm) | (raw > settings.far_mm)] = 0
    slope, floor = _steps(camera, settings), np.float32(settings.noise_mm)
    depth = reject_spikes(raw, slope, floor, np.float32(settings.min_support))
    depth[_islands(depth, slope, floor, settings.island_px)] = 0
    silhouette = _silhouette(depth, slope, floor, settings.silhouette_px)
    smooth, normals = _planes(depth, camera, slope, floor, settings.window)
    if settings.smooth:
        depth = smooth
    valid = depth > 0
    return CleanDepth(depth, valid, _back_project(depth, camera), normals, silhouette)


def check_depth(scan: Scan) -> None:
    """Depth of the face is there and has a face's size.

    The face box is the one of the scan's landmarks; without them the whole image, where only
    emptiness can be told.

    Raises:
        BadInput: no valid depth in the face box, or a face of an impossible size.
    """
    box = face_box(scan.landmarks, scan.depth_mm.shape)
    window = scan.depth_mm[box[1] : box[3], box[0] : box[2]]
    known = window[np.isfinite(window) & (window > 0)]
    if known.size <= MIN_VALID_SHARE * window.size:
        where = "in the face box" if scan.landmarks is not None else "in the image"
        state = "all zero" if known.size == 0 else "almost empty"
        got = f"depth is {state} {where} ({known.size:,} of {window.size:,} pixels valid)"
        remedy = "check the depth file, and pass --depth-scale if its unit is not the millimetre"
        raise BadInput(f"scan '{scan.key}'", got, "depth of the face in mm", remedy)
    if scan.landmarks is not None and scan.camera.is_perspective:
        _check_scale(scan, float(np.median(known)))


def face_box(landmarks: Landmarks | None, shape: tuple[int, int]) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) in whole px of the landmarks inside an (H, W) image.

    The whole image where there are no landmarks, or none in it.
    """
    whole = (0, 0, shape[1], shape[0])
    if landmarks is None or not np.isfinite(landmarks.points_px).all(1).any():
        return whole
    left, top = np.floor(np.nanmin(landmarks.points_px, axis=0)).astype(int).clip(0)
    right, bottom = np.ceil(np.nanmax(landmarks.points_px, axis=0)).astype(int).clip(0)
    box = (left, top, min(right, shape[1]), min(bottom, shape[0]))
    return box if box[2] > box[0] and box[3] > box[1] else whole


def _check_scale(scan: Scan, distance_mm: float) -> None:
    """The landmarks' box at the face's distance has the size of a face."""
    extent = np.nanmax(scan.landmarks.points_px, axis=0) - np.nanmin(scan.landmarks.points_px, 0)
    diagonal = np.hypot(extent[0] / scan.camera.fx, extent[1] / scan.camera.fy) * distance_mm
    low, high = FACE_DIAGONAL_MM
    if low <= diagonal <= high:
        return
    if diagonal == 0:
        got, remedy = "its landmarks are all at one place", "mend or delete its landmark file"
        raise BadInput(f"scan '{scan.key}'", got, "the landmarks of a face", remedy)
    usual = np.sqrt(low * high)
    factor = 10.0 ** np.round(np.log10(usual / diagonal))
    got = f"wrong depth scale: the face is {diagonal:.4g} mm long at {distance_mm:.4g} mm"
    remedy = f"multiply --depth-scale by {factor:g}, or check the focal length in camera.json"
    raise BadInput(f"scan '{scan.key}'", got, f"{low:.0f} to {high:.0f} mm", remedy)


def _steps(camera: Camera, settings: DepthSettings) -> tuple[np.float32, np.float32]:
    """(a, b): neighbouring pixels on one surface differ by at most a + b·z mm a pixel."""
    slope = np.tan(np.radians(settings.max_slope_deg))
    if camera.mm_per_px is not None:
        return np.float32(slope * camera.mm_per_px), np.float32(0)
    return np.float32(0), np.float32(slope / min(camera.fx, camera.fy))


def _islands(depth: np.ndarray, slope, floor: np.float32, island_px: int) -> np.ndarray:
    """(H, W) bool: pixels of small groups, connected by the step of the median depth."""
    if not (depth > 0).any():
        return np.zeros(depth.shape, dtype=bool)
    step = float(floor + slope[0] + slope[1] * np.median(depth[depth > 0]))
    # Whole steps in 16 bits, which is what OpenCV filters; only the labels are used.
    levels = np.clip(depth, 0, np.iinfo(np.int16).max).astype(np.int16)
    filtered, _ = cv2.filterSpeckles(levels.copy(), 0, island_px, step)
    return filtered != levels


def _silhouette(depth: np.ndarray, slope, floor: np.float32, width_px: int) -> np.ndarray:
    """Pixels at jumps, and at the outline: holes count by what lies on their other side."""
    edge = mark_jumps(depth, slope, floor) | hole_sides(depth, slope, floor)
    if width_px > 1:
        edge = _grow(edge, width_px - 1)
    return edge & (depth > 0)


def _grow(mask: np.ndarray, by_px: int) -> np.ndarray:

    kernel = np.ones((2 * by_px + 1, 2 * by_px + 1), dtype=np.uint8)
    return cv2.dilate(mask.astype(np.uint8), kernel) > 0


def _planes(depth: np.ndarray, camera: Camera, slope, floor: np.float32, window: int):
    """Depth (H, W) and normals (H, W, 3), float32, of the local planes.

    A plane's inverse depth is linear in the pixel for a pinhole, its depth for an orthographic
    camera; both are exact fits, not first-order ones.
    """
    if not camera.is_perspective:
        planes = fit_planes(depth, depth, slope, floor, window)
        known = np.isfinite(planes[0])
        gradient = np.where(known, planes[1:] / np.float32(camera.mm_per_px), 0)
        normals = np.stack([*gradient, -known.astype(np.float32)], -1)
        length = np.linalg.norm(normals, axis=-1, keepdims=True)
        normals = np.divide(normals, length, out=np.zeros_like(normals), where=length > 0)
        return np.where(known, planes[0], depth), normals
    inverse = np.divide(1, depth, out=np.zeros_like(depth), where=depth > 0)
    planes = fit_planes(depth, inverse, slope, floor, window)
    intrinsics = np.array([camera.fx, camera.fy, camera.cx, camera.cy], dtype=np.float32)
    smooth = np.divide(1, planes[0], out=depth.copy(), where=planes[0] > 0)
    return smooth, pinhole_normals(planes, *intrinsics)


def _back_project(depth: np.ndarray, camera: Camera) -> np.ndarray:
    """Points (H, W, 3) float32 mm at the pixel centres; 0 where depth is 0."""
    u, v = np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5
    along = camera.unproject(np.stack([u, u], -1), np.ones(len(u)))[:, 0].astype(np.float32)
    down = camera.unproject(np.stack([v, v], -1), np.ones(len(v)))[:, 1].astype(np.float32)
    far = depth if camera.is_perspective else (depth > 0).astype(np.float32)
    points = np.empty((*depth.shape, 3), dtype=np.float32)
    np.multiply(along, far, out=points[..., 0])
    np.multiply(down[:, None], far, out=points[..., 1])
    points[..., 2] = depth
    return points
