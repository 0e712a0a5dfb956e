"""The background behind the head: completed once a scan, and shown where it was."""

from dataclasses import dataclass

import cv2
import numpy as np

from faces.camera import Camera
from imaging.completion import completed


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

    See imaging.completion; the person's own colours and those mixed with them lend nothing.

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
    zoom = zoom_of(backdrop.camera, camera)
    left = backdrop.camera.cx - camera.cx / zoom
    top = backdrop.camera.cy - camera.cy / zoom
    u = left + (np.arange(camera.width, dtype=np.float32) + 0.5) / zoom - 0.5
    v = top + (np.arange(camera.height, dtype=np.float32) + 0.5) / zoom - 0.5
    return look_up(backdrop.color, *np.meshgrid(u, v), zoom)


def zoom_of(source: Camera, crop: Camera) -> float:
    """How much larger a crop shows what the source does."""
    return source.mm_per_px / crop.mm_per_px if source.mm_per_px else crop.fx / source.fx


def look_up(color: np.ndarray, u: np.ndarray, v: np.ndarray, zoom: float) -> np.ndarray:
    """Colours (h, w, 3) of an image at columns and rows (h, w), centres at whole numbers.

    Bilinear, after a blur where the crop shrinks the image (else it would alias).
    """
    if zoom < 0.7:
        color = cv2.GaussianBlur(color, (0, 0), 0.4 / zoom)
    return cv2.remap(
        color,
        u.astype(np.float32),
        v.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
