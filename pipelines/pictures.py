"""Pictures for people: landmarks, shaded meshes and error maps over an image; contact sheets."""

from collections.abc import Sequence

import cv2
import numpy as np

from faces.camera import Camera
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from imaging.raster import rasterise

ERROR_SPAN_MM = 3.0  # full scale of the map of distances to the scan
TRUTH_SPAN_MM = 6.0  # and of distances to the truth, which hold sliding along the surface too


def draw_landmarks(color: np.ndarray, points_px: np.ndarray, visible=None) -> np.ndarray:
    """A copy of the image (H, W, 3) uint8 with points (L, 2) px as dots: green, red if hidden."""
    out = color.copy()
    radius = max(1, round(min(color.shape[:2]) / 240))
    seen = np.ones(len(points_px), bool) if visible is None else visible
    for (x, y), ok in zip(points_px, seen, strict=True):
        if np.isfinite(x + y):
            # OpenCV's pixel centres are whole numbers, ours lie at +0.5.
            centre = (round(x - 0.5), round(y - 0.5))
            tint = (40, 230, 60) if ok else (230, 50, 40)
            cv2.circle(out, centre, radius, tint, -1, cv2.LINE_AA)
    return out


def draw_mesh(
    color: np.ndarray,
    vertices_mm: np.ndarray,
    model: MorphableModel,
    camera: Camera,
    tint: np.ndarray | None = None,
    opacity: float = 1.0,
) -> np.ndarray:
    """The mesh, lit from the camera, over the image.

    Args:
        color: (H, W, 3) uint8, the camera's image.
        vertices_mm: (V, 3) camera frame.
        tint: (V, 3) float in [0, 1]; clay where None.
        opacity: of the mesh, in [0, 1].
    """
    fragments = rasterise(camera.screen(vertices_mm), model.triangles, color.shape[1::-1])
    facing = np.clip(-vertex_normals(vertices_mm, model.triangles)[:, 2:], 0, 1)
    base = np.full((len(vertices_mm), 3), 0.78) if tint is None else tint
    shaded = fragments.interpolate(
        (base * (0.25 + 0.75 * facing)).astype(np.float32), model.triangles
    )
    blend = color * (1 - opacity) + shaded * 255 * opacity
    return np.where(fragments.mask[..., None], blend, color).round().clip(0, 255).astype(np.uint8)


def error_tint(error_mm: np.ndarray, span_mm: float = ERROR_SPAN_MM) -> np.ndarray:
    """Colours (V, 3) in [0, 1] of errors (V,) mm: blue at 0, red at ``span_mm``, grey for NaN."""
    level = np.nan_to_num(np.clip(error_mm / span_mm, 0, 1) * 255).astype(np.uint8)
    tint = cv2.applyColorMap(level[:, None], cv2.COLORMAP_TURBO)[:, 0, ::-1] / 255.0
    return np.where(np.isfinite(error_mm)[:, None], tint, 0.6)


def crop_to(
    color: np.ndarray, points_px: np.ndarray, size: int, margin: float = 0.35
) -> np.ndarray:
    """A square (size, size, 3) around points (N, 2) px, with a margin in shares of their extent."""
    finite = points_px[np.isfinite(points_px).all(1)]
    low, high = finite.min(0), finite.max(0)
    half = (high - low).max() * (0.5 + margin)
    scale = size / (2 * half)
    left, top = (low + high) / 2 - half
    matrix = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]])
    return cv2.warpAffine(
        color, matrix, (size, size), flags=cv2.INTER_AREA, borderValue=(255, 255, 255)
    )


def tile(images: Sequence[np.ndarray], columns: int, gap: int = 4) -> np.ndarray:
    """Images of one size (h, w, 3) uint8 as a white-gapped grid, row by row."""
    height, width = images[0].shape[:2]
    rows = -(-len(images) // columns)
    shape = (rows * (height + gap) + gap, columns * (width + gap) + gap, 3)
    sheet = np.full(shape, 255, dtype=np.uint8)
    for index, image in enumerate(images):
        top, left = (
            k * n + gap
            for k, n in zip(divmod(index, columns), (height + gap, width + gap), strict=True)
        )
        sheet[top : top + height, left : left + width] = image
    return sheet


def draw_colors(
    color: np.ndarray,
    vertices_mm: np.ndarray,
    model: MorphableModel,
    camera: Camera,
    vertex_colors: np.ndarray,
) -> np.ndarray:
    """The mesh in its own colours (V, 3) in [0, 1], unlit, over the image (H, W, 3) uint8."""
    fragments = rasterise(camera.screen(vertices_mm), model.triangles, color.shape[1::-1])
    painted = fragments.interpolate(vertex_colors.astype(np.float32), model.triangles) * 255
    return np.where(fragments.mask[..., None], painted, color).round().clip(0, 255).astype(np.uint8)
