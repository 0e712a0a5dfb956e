"""The registered head, outside face and ears, grown to the hair and cloth that the sensor saw."""

from dataclasses import dataclass

import cv2
import numpy as np

from augment.foreground import Layers
from augment.outline import inside_px, rim_shifts
from augment.whole_head import WholeHead
from faces.camera import Camera
from faces.harmonic import harmonic
from faces.mesh import vertex_normals
from faces.visibility import unhidden_points, view_directions
from imaging.raster import Coverage, covered

FACING_MIN = 0.2  # flatter than 78° a pixel's step moves the surface by more than its size
FRAYED_PX = 4  # a scan's edge frays into crumbs that are no surface
JUMP_MM = 30.0
OUTLINE_MM = 60.0  # hair stands so far out at most; farther is another thing
BARE_MM = 3.0  # ears and cheeks stand so far out of the registered ones; more is hair
NECK_MM = 3.0  # the same of the neck, beside which collars are
GROW_MM = (-15.0, 70.0)  # a scalp lies this far outside or inside the hair; more is another thing
ROUNDS = 2  # a vertex that has moved lies on another pixel
CARVE_MM = (4.0, 40.0)  # a vertex this far before what the sensor measured was looked through
# weights of a vertex against its six edges
FIXED_HOLD = 1e3
SMOOTH_HOLD = 1.0  # measured: evens out locks of hair
KEPT_HOLD = 0.02  # a correction at the outline dies away over seven edges
EAR_HOLD = 1e-3  # an ear bends as a whole
UNSEEN_HOLD = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class HullParts:
    """What of a head may move; all (V,) bool.

    Attributes:
        fixed: stays where it was registered: the face as the sensor saw it well.
        kept: stays but for the photograph's outline: the face's flanks, and ears, which are
            folded sheets that would puff up along their normals.
        ears: of these.
        scalp: what hair may stand on.
    """

    fixed: np.ndarray
    kept: np.ndarray
    ears: np.ndarray
    scalp: np.ndarray


def grow_hull(
    vertices_mm: np.ndarray,
    triangles: np.ndarray,
    parts: HullParts,
    layers: Layers,
    camera: Camera,
    whole: WholeHead | None = None,
    drawn: Coverage | None = None,
) -> np.ndarray:
    """The head moved onto the measured surface and into the photograph's outline; what nobody saw
    follows.

    Models have bald heads. Turned, the hair that the sensor saw from the front would float
    before such a head as a shell; so the head grows to meet it. Where nothing was seen it is the
    head that is likely with what was seen (see WholeHead), and what that leaves over continues
    harmonically. Only pictures use this hull; labels never do.

    Args:
        vertices_mm: (V, 3) registered, camera frame.
        triangles: (T, 3) drawn ones.
        parts: what may move, and how.
        layers: the complete depth.
        camera: of the scan.
        whole: of the registered face; None: the registered head stands for the unseen.
        drawn: the registered head in the scan's image, where that is at hand.

    Returns:
        (V, 3) float64 mm.
    """
    grown, target = vertices_mm, (_surface_of(layers), inside_px(layers.body))
    for _ in range(ROUNDS):
        grown = _step(grown, vertices_mm, triangles, parts, target, camera, whole, drawn)
        drawn = None  # it has moved
    return grown


def anchored(
    trusted: np.ndarray, vertices_mm: np.ndarray, layers: Layers, camera: Camera
) -> np.ndarray:
    """(V,) bool: trusted vertices without those under a fringe, which the hull may rise to."""
    column, row, inside = pixels_of(vertices_mm, camera)
    wide = cv2.dilate(layers.occluder.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    return trusted & ~(inside & wide[row, column])


def _step(vertices_mm, start_mm, triangles, parts, target, camera, whole, drawn):
    """One projective step: matched by pixel to ``target``, the surface and the outline, spread
    harmonically."""
    surface_mm, body_px = target
    normals = vertex_normals(vertices_mm, triangles)
    facing = (normals * view_directions(vertices_mm, camera)).sum(1)
    size = (camera.width, camera.height)
    if drawn is None:
        drawn = covered(camera.screen(vertices_mm), triangles, size, camera.is_perspective)
    told, growth = _to_surface(vertices_mm, facing, drawn, parts, surface_mm, camera)
    rim, shift = _to_outline(vertices_mm, facing, drawn, parts, body_px, camera)
    rim &= ~told
    if not (told | rim).any():
        return vertices_mm
    wanted = vertices_mm + np.where(told, growth, 0)[:, None] * normals
    wanted[rim, :2] += shift[rim]
    base = vertices_mm
    if whole is not None:
        base = whole.likely(np.flatnonzero((told | rim) & ~parts.ears), wanted, normals)
    return base + _left_over(wanted - base, start_mm - base, normals, told, rim, parts, triangles)


def _left_over(wanted, back, normals, told, rim, parts, triangles):
    """(V, 3) offsets: wanted at told vertices and on the rim, back at those that stay."""
    along = (wanted * normals).sum(1, keepdims=True) * normals
    free = told | (rim & ~parts.kept)
    offset = np.where(free[:, None], along, np.where(rim[:, None], wanted, 0))
    stay = parts.fixed | (parts.kept & ~rim)
    hold = np.where(told | rim, SMOOTH_HOLD, np.where(parts.kept, KEPT_HOLD, UNSEEN_HOLD))
    hold = np.where(parts.ears & ~rim, EAR_HOLD, hold)
    hold = np.where(parts.fixed, FIXED_HOLD, hold)
    moved = harmonic(np.where(stay[:, None], back, offset), hold, triangles, np.float32)
    return np.where(parts.fixed[:, None], back, moved)


def _to_surface(vertices_mm, facing, drawn, parts, surface_mm, camera):
    """(V,) bool, what the sensor measured, and mm along the normal to it."""
    gap = vertices_mm[:, 2] - _measured(vertices_mm, surface_mm, camera)
    # along the normal, for a gap along the ray
    growth = np.where(np.isfinite(gap), gap, np.nan) * facing
    told = (growth > GROW_MM[0]) & (growth < GROW_MM[1]) & (facing > FACING_MIN)
    told &= ~parts.fixed & ~parts.kept
    told[told] = unhidden_points(vertices_mm[told], camera, drawn)
    return told, growth


def _to_outline(vertices_mm, facing, drawn, parts, body_px, camera):
    """(V,) bool, what makes the outline, and (V, 2) mm across the image to the person's."""
    rim, apart, outward = rim_shifts(vertices_mm, facing, drawn, body_px, camera)
    most = np.where(parts.scalp, OUTLINE_MM, np.where(parts.kept, BARE_MM, NECK_MM))
    rim &= ~parts.fixed & (apart > -OUTLINE_MM) & (apart < most)
    return rim, apart[:, None] * outward


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
    moved = harmonic(np.where(through, gap, 0)[:, None], hold, triangles, np.float32)[:, 0]
    depth = vertices_mm[:, 2] + np.where(fixed, 0, moved)
    return camera.unproject(camera.project(vertices_mm), depth)


def pixels_of(vertices_mm: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whole pixel (column, row) of each vertex, clipped, and whether it lies in the image."""
    pixels = np.nan_to_num(camera.project(vertices_mm), nan=-1.0)
    column, row = np.floor(pixels).astype(int).T
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    return np.clip(column, 0, camera.width - 1), np.clip(row, 0, camera.height - 1), inside


def _surface_of(layers):
    """(H, W) float32 mm of the measured surface; inf where there is none, or a frayed one."""
    size = np.ones((2 * FRAYED_PX + 1,) * 2, np.uint8)
    inner = cv2.erode((layers.body & ~layers.hollow).astype(np.uint8), size) > 0
    surface = layers.surface_mm.astype(np.float32)
    # beside a jump (the throat below a chin) the nearer surface reaches over
    inner &= cv2.dilate(surface, size) - cv2.erode(surface, size) < JUMP_MM
    return np.where(inner, surface, np.float32(np.inf))


def _measured(vertices_mm, surface_mm, camera):
    """(V,) depth of the measured surface at each vertex's pixel; inf where there is none."""
    pixels = np.nan_to_num(camera.project(vertices_mm), nan=-1.0).astype(np.float32)
    flat = (pixels - np.float32(0.5))[:, None]
    parts = [
        cv2.remap(surface_mm, flat[k : k + 32000], None, cv2.INTER_NEAREST, borderValue=np.inf)
        for k in range(0, len(flat), 32000)  # OpenCV addresses at most 2^15 rows
    ]
    return np.concatenate(parts)[:, 0].astype(np.float64)
