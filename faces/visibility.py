"""Which vertices of a mesh a camera sees."""

import numpy as np

from faces.camera import Camera
from faces.mesh import vertex_normals
from imaging.raster import rasterise


def visible_vertices(
    vertices_mm: np.ndarray,
    triangles: np.ndarray,
    camera: Camera,
    tolerance_mm: float = 2.0,
    cos_min: float = 0.0,
) -> np.ndarray:
    """Vertices in the image, facing the camera, and not hidden by the mesh itself.

    Args:
        vertices_mm: (V, 3) mm in the camera frame.
        triangles: (T, 3) int, outward normals.
        camera: of the image.
        tolerance_mm: how far behind the surface seen around its pixel a vertex may lie.
        cos_min: least cosine between its normal and the direction to the camera.

    Returns:
        (V,) bool; False for vertices that no triangle uses.
    """
    fragments = rasterise(
        camera.screen(vertices_mm),
        triangles,
        (camera.width, camera.height),
        camera.is_perspective,
        cull=False,
    )
    return unhidden_vertices(vertices_mm, triangles, camera, fragments.depth, tolerance_mm, cos_min)


def unhidden_vertices(
    vertices_mm: np.ndarray,
    triangles: np.ndarray,
    camera: Camera,
    depth_mm: np.ndarray,
    tolerance_mm: float = 2.0,
    cos_min: float = 0.0,
) -> np.ndarray:
    """As visible_vertices, where the depth (H, W) mm of a whole scene is known; 0 is nothing."""
    normals = vertex_normals(vertices_mm, triangles)
    facing = np.einsum("ij,ij->i", normals, view_directions(vertices_mm, camera)) > cos_min
    screen = camera.screen(np.asarray(vertices_mm)[facing])
    facing[facing] = _unhidden(screen, depth_mm, tolerance_mm)
    return facing


def view_directions(points_mm: np.ndarray, camera: Camera) -> np.ndarray:
    """Unit vectors (N, 3) float64 from camera-frame points (N, 3) mm towards the camera."""
    points = np.asarray(points_mm, dtype=np.float64)
    if not camera.is_perspective:
        return np.broadcast_to([0.0, 0.0, -1.0], points.shape)
    return points / -np.sqrt(np.einsum("...i,...i->...", points, points))[..., None]


def _unhidden(screen: np.ndarray, depth: np.ndarray, tolerance_mm: float) -> np.ndarray:
    """(V,) bool: no nearer surface than ``tolerance_mm`` before all four pixels around.

    The farthest of the four counts: a vertex on the rim of what hides the background has its own
    surface in at least one of them. Background counts as infinitely far.
    """
    height, width = depth.shape
    with np.errstate(invalid="ignore"):
        inside = (screen[:, 0] >= 0) & (screen[:, 0] < width) & (screen[:, 2] > 0)
        inside &= (screen[:, 1] >= 0) & (screen[:, 1] < height)
    corner = np.floor(screen[inside, :2] - 0.5).astype(np.intp)
    far = np.where(depth > 0, depth, np.inf)
    farthest = np.zeros(len(corner))
    for row in (0, 1):
        for column in (0, 1):
            x = np.clip(corner[:, 0] + column, 0, width - 1)
            y = np.clip(corner[:, 1] + row, 0, height - 1)
            farthest = np.maximum(farthest, far[y, x])
    unhidden = np.zeros(len(screen), dtype=bool)
    unhidden[inside] = screen[inside, 2] <= farthest + tolerance_mm
    return unhidden
