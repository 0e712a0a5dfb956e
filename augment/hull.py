"""The registered head, outside face and ears, grown to the hair and cloth that the sensor saw."""

import cv2
import numpy as np

from augment.foreground import Layers
from augment.texture import harmonic
from faces.camera import Camera
from faces.mesh import vertex_normals
from faces.visibility import view_directions, visible_vertices

FACING_MIN = 0.3  # flatter than 72° a pixel's step moves the surface by more than its size
GROW_MM = (-15.0, 45.0)  # a scalp lies this far outside or inside the hair; more is another thing
SMOOTH_HOLD = 1.0  # weight of a measured vertex against its six edges: evens out locks of hair


def grow_hull(
    vertices_mm: np.ndarray,
    triangles: np.ndarray,
    fixed: np.ndarray,
    layers: Layers,
    camera: Camera,
) -> np.ndarray:
    """Scalp and neck moved along their normals onto the measured surface; the unseen back follows.

    Models have bald heads. Turned, the hair that the sensor saw from the front would float
    before such a head as a shell; so the head grows to meet it, and where nothing was seen as
    the growth's harmonic continuation says. Only pictures use this hull; labels never do.

    Args:
        vertices_mm: (V, 3) registered, camera frame.
        triangles: (T, 3) drawn ones.
        fixed: (V,) bool, vertices that stay (face and ears).
        layers: the complete depth.
        camera: of the scan.

    Returns:
        (V, 3) float64 mm.
    """
    normals = vertex_normals(vertices_mm, triangles)
    facing = (normals * view_directions(vertices_mm, camera)).sum(1)
    gap = vertices_mm[:, 2] - _measured(vertices_mm, layers, camera)
    growth = gap * facing  # along the normal, for a gap along the ray
    told = visible_vertices(vertices_mm, triangles, camera, cos_min=FACING_MIN) & ~fixed
    told &= (growth > GROW_MM[0]) & (growth < GROW_MM[1])
    if not told.any():
        return vertices_mm
    hold = np.where(fixed, 1e3, np.where(told, SMOOTH_HOLD, 1e-5))
    moved = harmonic(np.where(told, growth, 0)[:, None], hold, triangles)
    return vertices_mm + np.where(fixed[:, None], 0, moved * normals)


def _measured(vertices_mm, layers, camera):
    """(V,) depth of the measured surface at each vertex's pixel; inf where there is none."""
    pixels = np.nan_to_num(camera.project(vertices_mm), nan=-1.0).astype(np.float32)
    depth = np.where(layers.body & ~layers.hollow, layers.surface_mm, np.inf).astype(np.float32)
    flat = (pixels - np.float32(0.5))[:, None]
    parts = [
        cv2.remap(depth, flat[k : k + 32000], None, cv2.INTER_NEAREST, borderValue=np.inf)
        for k in range(0, len(flat), 32000)  # OpenCV addresses at most 2^15 rows
    ]
    return np.concatenate(parts)[:, 0].astype(np.float64)
