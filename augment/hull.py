"""The registered head, outside face and ears, grown to the hair and cloth that the sensor saw."""

import cv2
import numpy as np

from augment.foreground import Layers
from augment.harmonic import harmonic
from faces.camera import Camera
from faces.mesh import vertex_normals
from faces.visibility import seen_vertices, view_directions

FACING_MIN = 0.2  # flatter than 78° a pixel's step moves the surface by more than its size
RIM = 0.25  # cosine: flatter than 75° a vertex makes the outline
FRAYED_PX = 4  # a scan's edge frays into crumbs that are no surface
JUMP_MM = 30.0
OUTLINE_PX = 2.0  # outlines agree when they are as near as this
OUTLINE_MM = 60.0  # hair stands so far out at most; farther is another thing
GROW_MM = (-15.0, 70.0)  # a scalp lies this far outside or inside the hair; more is another thing
ROUNDS = 2  # a vertex that has moved lies on another pixel
CARVE_MM = (4.0, 40.0)  # a vertex this far before what the sensor measured was looked through
SMOOTH_HOLD = 1.0  # weight of a measured vertex against its six edges: evens out locks of hair


def grow_hull(
    vertices_mm: np.ndarray,
    triangles: np.ndarray,
    fixed: np.ndarray,
    layers: Layers,
    camera: Camera,
    scalp: np.ndarray | None = None,
) -> np.ndarray:
    """Scalp and neck moved along their normals onto the measured surface; the unseen back follows.

    Models have bald heads. Turned, the hair that the sensor saw from the front would float
    before such a head as a shell; so the head grows to meet it, and where nothing was seen as
    the growth's harmonic continuation says. Only pictures use this hull; labels never do.

    Args:
        vertices_mm: (V, 3) registered, camera frame.
        triangles: (T, 3) drawn ones.
        fixed: (V,) bool, vertices that stay (see ``anchored``).
        layers: the complete depth.
        camera: of the scan.
        scalp: (V,) bool, vertices that make the outline of the hair; they grow out to the
            body's in the image, which a depth sensor's flat flanks do not show. None: none.

    Returns:
        (V, 3) float64 mm.
    """
    scalp = np.zeros(len(fixed), bool) if scalp is None else scalp & ~fixed
    grown = vertices_mm
    for _ in range(ROUNDS):
        grown = _step(grown, triangles, fixed, layers, camera, scalp)
    return grown


def anchored(
    trusted: np.ndarray, vertices_mm: np.ndarray, layers: Layers, camera: Camera
) -> np.ndarray:
    """(V,) bool: trusted vertices without those under a fringe, which the hull may rise to."""
    column, row, inside = pixels_of(vertices_mm, camera)
    wide = cv2.dilate(layers.occluder.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return trusted & ~(inside & wide[row, column])


def _step(vertices_mm, triangles, fixed, layers, camera, scalp):
    """One projective step of the growth: matched by pixel, spread harmonically."""
    normals = vertex_normals(vertices_mm, triangles)
    facing = (normals * view_directions(vertices_mm, camera)).sum(1)
    gap = vertices_mm[:, 2] - _measured(vertices_mm, layers, camera)
    growth = (
        np.where(np.isfinite(gap), gap, np.nan) * facing
    )  # along the normal, for a gap along the ray
    seen = seen_vertices(vertices_mm, triangles, camera)
    told = seen & (facing > FACING_MIN) & ~fixed
    told &= (growth > GROW_MM[0]) & (growth < GROW_MM[1])
    outward = _to_outline(vertices_mm, layers, camera)
    rim = (
        scalp
        & seen
        & ~told
        & (np.abs(facing) < RIM)
        & (outward != 0)
        & (np.abs(outward) < OUTLINE_MM)
    )
    growth = np.where(rim, outward, growth)
    told |= rim
    if not told.any():
        return vertices_mm
    hold = np.where(fixed, 1e3, np.where(told, SMOOTH_HOLD, 1e-5))
    moved = harmonic(np.where(told, growth, 0)[:, None], hold, triangles)
    return vertices_mm + np.where(fixed[:, None], 0, moved * normals)


def set_back(
    vertices_mm: np.ndarray,
    triangles: np.ndarray,
    fixed: np.ndarray,
    layers: Layers,
    camera: Camera,
) -> np.ndarray:
    """The vertices (V, 3), those that the sensor looked through moved along their rays onto it."""
    column, row, inside = pixels_of(vertices_mm, camera)
    measured = np.where(layers.foreground & ~layers.hollow, layers.surface_mm, 0)
    # the nearest around counts: on a steep flank a pixel's own depth is that of another point
    gap = cv2.erode(measured, np.ones((5, 5), np.uint8))[row, column] - vertices_mm[:, 2]
    through = inside & ~fixed & (gap > CARVE_MM[0]) & (gap < CARVE_MM[1])
    if not through.any():
        return vertices_mm
    hold = np.where(fixed, 1e3, 1.0)
    moved = harmonic(np.where(through, gap, 0)[:, None], hold, triangles)[:, 0]
    depth = vertices_mm[:, 2] + np.where(fixed, 0, moved)
    return camera.unproject(camera.project(vertices_mm), depth)


def pixels_of(vertices_mm: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whole pixel (column, row) of each vertex, clipped, and whether it lies in the image."""
    pixels = np.nan_to_num(camera.project(vertices_mm), nan=-1.0)
    column, row = np.floor(pixels).astype(int).T
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    return np.clip(column, 0, camera.width - 1), np.clip(row, 0, camera.height - 1), inside


def _to_outline(vertices_mm, layers, camera):
    """(V,) mm from each vertex, in the image, to the person's outline; below 0 beyond it."""
    column, row, inside = pixels_of(vertices_mm, camera)
    body = layers.body.astype(np.uint8)
    distance = cv2.distanceTransform(body, cv2.DIST_L2, 5)
    distance = (distance - cv2.distanceTransform(1 - body, cv2.DIST_L2, 5))[row, column]
    scale = camera.mm_per_px or vertices_mm[:, 2] / camera.fx
    apart = np.sign(distance) * np.maximum(np.abs(distance) - OUTLINE_PX, 0)
    return np.where(inside, apart * scale, 0)


def _measured(vertices_mm, layers, camera):
    """(V,) depth of the measured surface at each vertex's pixel; inf where there is none."""
    pixels = np.nan_to_num(camera.project(vertices_mm), nan=-1.0).astype(np.float32)
    size = np.ones((2 * FRAYED_PX + 1,) * 2, np.uint8)
    inner = cv2.erode((layers.body & ~layers.hollow).astype(np.uint8), size) > 0
    surface = layers.surface_mm.astype(np.float32)
    # beside a jump (the throat below a chin) the nearer surface reaches over
    inner &= cv2.dilate(surface, size) - cv2.erode(surface, size) < JUMP_MM
    depth = np.where(inner, surface, np.inf).astype(np.float32)
    flat = (pixels - np.float32(0.5))[:, None]
    parts = [
        cv2.remap(depth, flat[k : k + 32000], None, cv2.INTER_NEAREST, borderValue=np.inf)
        for k in range(0, len(flat), 32000)  # OpenCV addresses at most 2^15 rows
    ]
    return np.concatenate(parts)[:, 0].astype(np.float64)
