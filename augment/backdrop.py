"""The background behind the head: completed once a scan, then shown still or turned with it."""

from dataclasses import dataclass

import cv2
import numpy as np

from augment.grid import grid_triangles
from faces.camera import Camera
from imaging.poisson import fill
from imaging.raster import rasterise

REDUCTION = 4  # a membrane is smooth: solved at a quarter of the size, shown at the full one
GRAIN_SIGMAS = 3.0
GRID_PX = 16  # the background's mesh; Eq. 8's anchors are no denser


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """Attributes:
    color: (H, W, 3) float32 in [0, 1], the image without its foreground.
    depth_mm: (H, W) float32, everywhere above 0.
    camera: of both.
    """

    color: np.ndarray
    depth_mm: np.ndarray
    camera: Camera


def complete_backdrop(
    color: np.ndarray, foreground: np.ndarray, depth_mm: np.ndarray, camera: Camera, rim_px: int = 5
) -> Backdrop:
    """The background completed behind the person, as noisy as beside it.

    The colours of all sides meet in a membrane; what lies beside the outline lends its grain.

    Args:
        color: (H, W, 3) float32 in [0, 1].
        foreground: (H, W) bool, to be replaced, with ``rim_px`` around it, where colours mix.
    """
    size = np.ones((2 * rim_px + 1, 2 * rim_px + 1), np.uint8)
    gone = cv2.dilate(foreground.astype(np.uint8), size)
    if gone.all():
        return Backdrop(np.full_like(color, color.mean((0, 1))), depth_mm, camera)
    if not gone.any():
        return Backdrop(color, depth_mm, camera)
    filled = _completed(color, gone)
    soft = cv2.GaussianBlur(gone.astype(np.float32), (0, 0), rim_px / 2)
    share = np.maximum(soft, gone)[..., None]
    return Backdrop(np.clip(share * filled + (1 - share) * color, 0, 1), depth_mm, camera)


def _completed(color, gone):
    """The background (H, W, 3): its shapes from a small solve, its grain from the mirror image."""
    small = _reduced(color, gone)
    membrane = fill(np.nan_to_num(small), np.isnan(small[..., 0]), np.full_like(small, np.nan))
    shapes = cv2.resize(membrane, color.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return shapes + _grain(color, gone)


def _grain(color, gone):
    """(H, W, 3) the noise of the background, mirrored at its rim into what is gone; 0 elsewhere."""
    _, label = cv2.distanceTransformWithLabels(gone, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    kept, holes = (np.flatnonzero(gone == k).astype(np.int32) for k in (0, 1))
    nearest = np.zeros(label.max() + 1, np.int32)
    nearest[label.ravel()[kept]] = kept
    rim = nearest[label.ravel()[holes]]
    height, width = gone.shape
    row = _mirrored(2 * (rim // width) - holes // width, height)
    column = _mirrored(2 * (rim % width) - holes % width, width)
    source = row * np.int32(width) + column
    fine = (color - cv2.GaussianBlur(color, (0, 0), 1.5)).reshape(-1, 3)
    # an object's edge is no grain: mirrored it would be a crumb
    limit = GRAIN_SIGMAS * 1.48 * np.median(np.abs(fine[kept[::7]]), axis=0)
    grain = np.zeros_like(fine)
    grain[holes] = np.clip(fine[source], -limit, limit) * (1 - gone.ravel()[source])[:, None]
    return grain.reshape(color.shape)


def _mirrored(index, count):
    """Whole numbers between -count and 2 count, mirrored into [0, count) about its first and last
    as OpenCV's BORDER_REFLECT_101."""
    return (count - 1) - np.abs((count - 1) - np.abs(index))


def _reduced(color, gone):
    """The background alone, averaged over blocks; NaN where a block has none."""
    size = (color.shape[1] // REDUCTION, color.shape[0] // REDUCTION)
    kept = (1 - gone).astype(np.float32)
    weight = cv2.resize(kept, size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(color * kept[..., None], size, interpolation=cv2.INTER_AREA)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight[..., None] > 0.05, total / weight[..., None], np.nan)


def show_still(backdrop: Backdrop, camera: Camera) -> np.ndarray:
    """The background as the standing camera sees it, in a crop of it: (h, w, 3) float32.

    Beyond the image's border it is mirrored.
    """
    zoom = _zoom(backdrop.camera, camera)
    left = backdrop.camera.cx - camera.cx / zoom
    top = backdrop.camera.cy - camera.cy / zoom
    u = left + (np.arange(camera.width, dtype=np.float32) + 0.5) / zoom - 0.5
    v = top + (np.arange(camera.height, dtype=np.float32) + 0.5) / zoom - 0.5
    return _look_up(backdrop.color, *np.meshgrid(u, v), zoom)


def show_turned(backdrop: Backdrop, camera: Camera, turn, linear: np.ndarray) -> np.ndarray:
    """The background's mesh turned with the head (§3.2), (h, w, 3) float32; what it leaves bare
    is closed by a membrane.

    Args:
        turn: callable, source-camera points (N, 3) mm to the turned ones.
        linear: (3,) colour where nothing of the background is in view.
    """
    rows, columns = np.mgrid[
        : backdrop.camera.height + GRID_PX : GRID_PX, : backdrop.camera.width + GRID_PX : GRID_PX
    ]
    inner_rows = np.minimum(rows, backdrop.camera.height - 1)
    inner_columns = np.minimum(columns, backdrop.camera.width - 1)
    depth = backdrop.depth_mm[inner_rows, inner_columns]
    pixels = np.stack([columns.ravel(), rows.ravel()], 1).astype(np.float64)
    points = backdrop.camera.unproject(pixels, depth.ravel())
    triangles = grid_triangles(np.ones(depth.shape, bool), depth, np.inf)
    size = (camera.width, camera.height)
    shown = rasterise(camera.screen(turn(points)), triangles, size, camera.is_perspective)
    where = shown.interpolate(points, triangles)
    source = np.nan_to_num(backdrop.camera.project(where)).astype(np.float32) - 0.5
    zoom = _zoom(backdrop.camera, camera)
    color = _look_up(backdrop.color, source[..., 0], source[..., 1], zoom)
    if not shown.mask.any():
        return np.broadcast_to(linear, color.shape).astype(np.float32)
    bare = ~shown.mask
    return fill(color, bare, np.full_like(color, np.nan))


def _zoom(source, crop):
    return source.mm_per_px / crop.mm_per_px if source.mm_per_px else crop.fx / source.fx


def _look_up(color, u, v, zoom):
    """Bilinear, after a blur where the crop shrinks the image (else it would alias)."""
    if zoom < 0.7:
        color = cv2.GaussianBlur(color, (0, 0), 0.4 / zoom)
    return cv2.remap(
        color,
        u.astype(np.float32),
        v.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
