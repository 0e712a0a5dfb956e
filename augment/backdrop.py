"""The background behind the head: completed once a scan, then shown still or turned with it."""

from dataclasses import dataclass

import cv2
import numpy as np

from augment.completion import completed
from augment.grid import grid_triangles
from faces.camera import Camera
from faces.errors import BadInput
from imaging.poisson import fill
from imaging.raster import rasterise

GRID_PX = 16  # the background's mesh; Eq. 8's anchors are no denser


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """Attributes:
    color: (H, W, 3) float32 in [0, 1], the image without its foreground.
    depth_mm: (H, W) float32, everywhere above 0; None: the background stays still.
    camera: of both.
    """

    color: np.ndarray
    depth_mm: np.ndarray | None
    camera: Camera


def complete_backdrop(
    color: np.ndarray,
    foreground: np.ndarray,
    depth_mm: np.ndarray | None,
    camera: Camera,
    rim_px: int = 5,
) -> Backdrop:
    """The background completed behind the person, as noisy as beside it.

    See augment.completion; the person's own colours and those mixed with them lend nothing.

    Args:
        color: (H, W, 3) float32 in [0, 1].
        foreground: (H, W) bool, to be replaced, with ``rim_px`` around it, where colours mix.
        depth_mm: (H, W) float32 of the background; None: it stays still.
    """
    size = np.ones((2 * rim_px + 1, 2 * rim_px + 1), np.uint8)
    gone = cv2.dilate(foreground.astype(np.uint8), size)
    if gone.all():
        return Backdrop(np.full_like(color, color.mean((0, 1))), depth_mm, camera)
    if not gone.any():
        return Backdrop(color, depth_mm, camera)
    filled = completed(color, gone > 0)
    soft = cv2.GaussianBlur(gone.astype(np.float32), (0, 0), rim_px / 2)
    rim, out = (soft > 0) & (gone == 0), color.copy()
    filled = np.clip(filled, 0, 1, out=filled)
    cv2.copyTo(filled, gone, out)
    part = soft[rim][:, None]
    out[rim] = part * filled[rim] + (1 - part) * color[rim]
    return Backdrop(out, depth_mm, camera)


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

    Raises:
        BadInput: the backdrop was made to stay still.
    """
    if backdrop.depth_mm is None:
        raise BadInput(
            "backdrop", "no depth", "one to turn it by", "prepare with background = 'turn' as well"
        )
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
