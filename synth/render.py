"""A face in the camera frame to an image with its labels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from faces.camera import Camera
from faces.morphable import MorphableModel
from imaging.raster import Fragments, downsample, rasterise


@dataclass(frozen=True, slots=True, eq=False)
class Render:
    """One rendered image; everything but the colour is read at the pixel's centre.

    Attributes:
        color: (H, W, 3) uint8 sRGB, supersampled.
        depth_mm: (H, W) float32, z in the camera frame; 0 on the background.
        mask: (H, W) bool, pixels whose centre the face covers.
        fragments: triangle ids and barycentrics into model.triangles.
    """

    color: np.ndarray
    depth_mm: np.ndarray
    mask: np.ndarray
    fragments: Fragments


def render_face(
    model: MorphableModel,
    vertices_mm: np.ndarray,
    colors: np.ndarray,
    camera: Camera,
    background: np.ndarray | None = None,
    supersample: int = 2,
    detail: Callable[[Fragments], np.ndarray] | None = None,
) -> Render:
    """The face over a background.

    Args:
        model: gives the triangles.
        vertices_mm: (V, 3) mm in the camera frame.
        colors: (V, 3) in [0, 1], as lit.
        camera: of the image, without distortion.
        background: (H, W, 3) uint8; black where None.
        supersample: colour samples along each pixel axis; depth and labels are never averaged.
        detail: from the supersampled fragments (h, w) to factors (h, w, 1 or 3) on the colour,
            for what is finer than the mesh.
    """
    return render_mesh(
        model.triangles, vertices_mm, colors, camera, background, supersample, detail
    )


def render_mesh(
    triangles: np.ndarray,
    vertices_mm: np.ndarray,
    colors: np.ndarray,
    camera: Camera,
    background: np.ndarray | None = None,
    supersample: int = 2,
    detail: Callable[[Fragments], np.ndarray] | None = None,
) -> Render:
    """As render_face, of any mesh with triangles (T, 3)."""
    fragments = _rasterise(triangles, vertices_mm, camera)
    fine = fragments
    if supersample > 1:
        size = (camera.width * supersample, camera.height * supersample)
        fine = _rasterise(triangles, vertices_mm, camera.crop(0, 0, *size, zoom=supersample))
    samples = fine.interpolate(colors, triangles)
    if detail is not None:
        samples = samples * detail(fine)
    covered = downsample(np.clip(samples, 0, 1), supersample)  # 0 where nothing covers
    alpha = downsample(fine.mask[..., None].astype(np.float32), supersample)
    behind = 0.0 if background is None else background.astype(np.float32) / 255
    color = np.rint(255 * (covered + (1 - alpha) * behind)).astype(np.uint8)
    return Render(color, fragments.depth, fragments.mask, fragments)


def _rasterise(triangles: np.ndarray, vertices_mm: np.ndarray, camera: Camera) -> Fragments:
    size = (camera.width, camera.height)
    return rasterise(camera.screen(vertices_mm), triangles, size, camera.is_perspective)
