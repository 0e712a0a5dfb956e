"""Depth of one camera on the pixels of another."""

import numpy as np

from faces.camera import Camera
from imaging.raster import rasterise
from registration.readers.organised import grid_mesh, pixel_uv


def align_depth(
    depth_mm: np.ndarray,
    depth_camera: Camera,
    color_camera: Camera,
    rotation: np.ndarray,
    translation_mm: np.ndarray,
) -> np.ndarray:
    """Depth (H, W) float32 mm as the colour camera would see it, 0 where it sees nothing.

    The depth image is taken as a surface and rendered, so that a colour image of higher resolution
    gets no holes between the depth pixels, and a hidden point does not show through.

    Args:
        depth_mm: (H', W') float32, 0 where there is none.
        depth_camera: of it; distortion already removed.
        color_camera: a pinhole; its distortion is not applied.
        rotation: (3, 3) and translation_mm (3,): x_color = rotation @ x_depth + translation_mm.
    """
    height, width = depth_mm.shape
    v, u = np.mgrid[:height, :width] + 0.5
    points = depth_camera.unproject(np.stack([u, v], -1), depth_mm)
    points[depth_mm <= 0] = np.nan
    size = (color_camera.width, color_camera.height)
    if np.isfinite(points).sum() < 3 * 4:
        return np.zeros(size[::-1], dtype=np.float32)
    mesh = grid_mesh(points, pixel_uv(height, width), np.zeros((1, 1, 3), dtype=np.uint8))
    screen = color_camera.screen(mesh.vertices_mm @ rotation.T + translation_mm)
    return rasterise(screen, mesh.triangles, size, cull=False).depth
