"""Which vertices of a mesh a camera sees."""

import numba
import numpy as np

from faces.camera import Camera
from faces.mesh import vertex_normals
from imaging.raster import Coverage, covered


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
    facing = facing_camera(vertices_mm, triangles, camera, cos_min)
    return facing & seen_vertices(vertices_mm, triangles, camera, tolerance_mm)


def seen_vertices(
    vertices_mm: np.ndarray, triangles: np.ndarray, camera: Camera, tolerance_mm: float = 2.0
) -> np.ndarray:
    """(V,) bool: in the image and not hidden by the mesh, whichever way a vertex faces.

    Arguments as of visible_vertices. Only the mesh's own box of the image is drawn.
    """
    screen = camera.screen(vertices_mm)
    screen[~np.isfinite(screen).all(1), 2] = 0
    left, top, width, height = _box(screen, camera)
    if width == 0 or height == 0:
        return np.zeros(len(screen), dtype=bool)
    screen[:, :2] -= (left, top)
    drawn = covered(screen, triangles, (width, height), camera.is_perspective)
    depth = _depth(drawn.nearness, camera.is_perspective)
    return unhidden(screen, depth, tolerance_mm)


def unhidden_points(
    points_mm: np.ndarray, camera: Camera, drawn: Coverage, tolerance_mm: float = 2.0
) -> np.ndarray:
    """(N,) bool: camera-frame points (N, 3) mm in an image and not behind what is drawn in it."""
    depth = _depth(drawn.nearness, drawn.perspective)
    return unhidden(camera.screen(points_mm), depth, tolerance_mm)


def facing_camera(
    vertices_mm: np.ndarray, triangles: np.ndarray, camera: Camera, cos_min: float = 0.0
) -> np.ndarray:
    """(V,) bool: vertices whose normals turn to the camera; arguments as of visible_vertices."""
    normals = vertex_normals(vertices_mm, triangles)
    return np.einsum("ij,ij->i", normals, view_directions(vertices_mm, camera)) > cos_min


def _box(screen, camera):
    """(left, top, width, height), whole px: where points before the camera lie in the image."""
    ahead = screen[screen[:, 2] > 0, :2]
    if len(ahead) == 0:
        return 0, 0, 0, 0
    size = (camera.width, camera.height)
    low = np.clip(np.floor(ahead.min(0)) - 1, 0, size).astype(int)
    high = np.clip(np.ceil(ahead.max(0)) + 1, 0, size).astype(int)
    return (*low.tolist(), *(high - low).tolist())


def _depth(nearness, perspective):
    """Depth (H, W) float32 mm of the drawn pixels; infinite where nothing is."""
    if not perspective:
        return -nearness
    with np.errstate(divide="ignore"):
        return np.where(nearness > 0, 1 / nearness, np.float32(np.inf))


def unhidden_vertices(
    vertices_mm: np.ndarray,
    triangles: np.ndarray,
    camera: Camera,
    depth_mm: np.ndarray,
    tolerance_mm: float = 2.0,
    cos_min: float = 0.0,
) -> np.ndarray:
    """As visible_vertices, where the depth (H, W) mm of a whole scene is known; 0 is nothing."""
    facing = facing_camera(vertices_mm, triangles, camera, cos_min)
    return facing & unhidden(camera.screen(vertices_mm), depth_mm, tolerance_mm)


def view_directions(points_mm: np.ndarray, camera: Camera) -> np.ndarray:
    """Unit vectors (N, 3) float64 from camera-frame points (N, 3) mm towards the camera."""
    points = np.asarray(points_mm, dtype=np.float64)
    if not camera.is_perspective:
        return np.broadcast_to([0.0, 0.0, -1.0], points.shape)
    return points / -np.sqrt(np.einsum("...i,...i->...", points, points))[..., None]


@numba.njit(cache=True, nogil=True)
def unhidden(screen, depth, tolerance_mm):
    """(V,) bool: no nearer surface than ``tolerance_mm`` before all four pixels around.

    The farthest of the four counts: a vertex on the rim of what hides the background has its own
    surface in at least one of them. Background, of depth 0 or inf, is infinitely far.

    Args:
        screen: (V, 3) float64, u and v in px, z in mm (Camera.screen).
        depth: (H, W) float mm of what is drawn.
        tolerance_mm: how far behind it a vertex may lie.
    """
    height, width = depth.shape
    visible = np.zeros(len(screen), dtype=np.bool_)
    for i in range(len(screen)):
        u, v, z = screen[i, 0], screen[i, 1], screen[i, 2]
        if not (z > 0 and 0 <= u < width and 0 <= v < height):
            continue
        x, y = int(np.floor(u - 0.5)), int(np.floor(v - 0.5))
        right, below = min(x + 1, width - 1), min(y + 1, height - 1)
        x, y = max(x, 0), max(y, 0)
        four = depth[y, x], depth[y, right], depth[below, x], depth[below, right]
        visible[i] = min(four) <= 0 or z <= max(four) + tolerance_mm
    return visible
