"""The whole image as one mesh: the registered head, and the image's own grid around it."""

from dataclasses import dataclass

import cv2
import numpy as np

from augment.foreground import Layers
from augment.hull import grow_hull
from faces.camera import Camera
from faces.mesh import vertex_normals

CRUMB_SHARE = 1e-3  # 300 px of 640×480: a lock of hair is larger
GRID_OFFSET_MM = 2.0  # above the step between sensor and model at a feathered seam


@dataclass(frozen=True, slots=True)
class MeshSettings:
    """Attributes:
    stride_px: pixels between grid vertices.
    jump_mm: a cell whose corners' depths spread further is cut (tears at depth jumps): above
        what lies between two locks of hair (38 mm on a real head), below head and wall.
    seam_px: how far the grid runs in under the registered head.
    agree_mm: where sensor and registered head are closer, the head alone is drawn.
    carve_mm: model vertices outside face and ears that lie this much before what the sensor
        measured are set back onto it: the sensor looked through them.
    """

    stride_px: int = 1
    jump_mm: float = 45.0
    seam_px: int = 8
    agree_mm: float = 5.0
    carve_mm: float = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class SceneMesh:
    """One mesh of N vertices, the head's first, in the source camera's frame.

    Attributes:
        vertices_mm: (N, 3) float64.
        triangles: (T, 3) int32; the two triangles of a grid cell are neighbours.
        model_color: (N, 3) float32 in [0, 1]: what to show where the image cannot be used.
        normals: (N, 3) float64, unit, outwards.
        is_head: (N,) float32, 1 on the registered head, 0 on the grid.
    """

    vertices_mm: np.ndarray
    triangles: np.ndarray
    model_color: np.ndarray
    normals: np.ndarray
    is_head: np.ndarray


def grid_triangles(usable: np.ndarray, depth_mm: np.ndarray, jump_mm: float) -> np.ndarray:
    """Triangles (2C, 3) int32 over the vertices of a grid, each cell's two side by side.

    Args:
        usable: (h, w) bool, vertices that may be used.
        depth_mm: (h, w) their depths.
        jump_mm: no cell spans more than this.

    The diagonal is the one whose ends are nearer to each other in depth, and the winding faces
    the camera (outward normals, as in the model).
    """
    index = np.arange(usable.size, dtype=np.int32).reshape(usable.shape)
    corners = [np.s_[:-1, :-1], np.s_[:-1, 1:], np.s_[1:, 1:], np.s_[1:, :-1]]
    depths = np.stack([depth_mm[c] for c in corners])
    whole = np.all([usable[c] for c in corners], axis=0)
    whole &= depths.max(0) - depths.min(0) <= jump_mm
    a, b, c, d = (index[k][whole] for k in corners)
    za, zb, zc, zd = depths[:, whole]
    main = np.abs(za - zc) <= np.abs(zb - zd)
    first = np.where(main[:, None], np.stack([a, d, c], 1), np.stack([a, d, b], 1))
    second = np.where(main[:, None], np.stack([a, c, b], 1), np.stack([b, d, c], 1))
    return np.stack([first, second], 1).reshape(-1, 3)


def build_scene(
    head_vertices_mm: np.ndarray,
    head_triangles: np.ndarray,
    fixed: np.ndarray,
    head_color: np.ndarray,
    color: np.ndarray,
    layers: Layers,
    camera: Camera,
    settings: MeshSettings = MeshSettings(),
) -> SceneMesh:
    """Head and image grid in one vertex and one index buffer.

    Args:
        head_vertices_mm: (V, 3) registered vertices, camera frame.
        head_triangles: (t, 3) those of its triangles that are to be drawn.
        fixed: (V,) bool, vertices that are never carved (face and ears).
        head_color: (V, 3) the model's colours in [0, 1].
        color: (H, W, 3) float32 image in [0, 1].
        layers: the complete depth.
    """
    head_vertices_mm = grow_hull(head_vertices_mm, head_triangles, fixed, layers, camera)
    head_vertices_mm = _set_back(head_vertices_mm, fixed, layers, camera, settings)
    points, triangles, pixels, own = _grid(layers, camera, settings)
    normals = [
        vertex_normals(head_vertices_mm, head_triangles),
        vertex_normals(points, triangles) if len(points) else points,
    ]
    smooth = _masked_blur(color, own, camera.height / 60)
    return SceneMesh(
        vertices_mm=np.concatenate([head_vertices_mm, points]),
        triangles=np.concatenate([head_triangles, triangles + len(head_vertices_mm)]),
        model_color=np.concatenate([head_color, smooth[pixels[:, 1], pixels[:, 0]]]),
        normals=np.concatenate(normals),
        is_head=np.repeat([1.0, 0.0], [len(head_vertices_mm), len(points)]).astype(np.float32),
    )


def _set_back(vertices_mm, fixed, layers, camera, settings):
    """The vertices (V, 3), those that the sensor looked through moved along their rays onto it."""
    column, row, inside = _pixels_of(vertices_mm, camera)
    measured = np.where(layers.foreground & ~layers.hollow, layers.surface_mm, 0)
    # the nearest around counts: on a steep flank a pixel's own depth is that of another point
    nearest = cv2.erode(measured, np.ones((5, 5), np.uint8))[row, column]
    through = inside & ~fixed & (nearest > vertices_mm[:, 2] + settings.carve_mm)
    out = vertices_mm.copy()
    out[through] = camera.unproject(camera.project(vertices_mm[through]), nearest[through])
    return out


def _pixels_of(vertices_mm, camera):
    """Whole pixel (column, row) of each vertex, clipped, and whether it lies in the image."""
    pixels = np.nan_to_num(camera.project(vertices_mm), nan=-1.0)
    column, row = np.floor(pixels).astype(int).T
    inside = (column >= 0) & (column < camera.width) & (row >= 0) & (row < camera.height)
    return np.clip(column, 0, camera.width - 1), np.clip(row, 0, camera.height - 1), inside


def _grid(layers, camera, settings):
    """Used grid vertices (n, 3) mm, triangles, whole pixels (n, 2), and own pixels (H, W)."""
    step = settings.stride_px
    rows, columns = np.mgrid[: camera.height : step, : camera.width : step]
    own, usable, depth = _grid_sheet(layers, settings)
    usable, depth = usable[::step, ::step], depth[::step, ::step]
    triangles = grid_triangles(usable, depth, settings.jump_mm * max(1, step / 2))
    used, triangles = np.unique(triangles, return_inverse=True)
    pixels = np.stack([columns.ravel()[used], rows.ravel()[used]], 1)
    points = camera.unproject(pixels + 0.5, depth.ravel()[used])
    return points, triangles.reshape(-1, 3).astype(np.int32), pixels, own


def _grid_sheet(layers, settings):
    """What the grid draws: its own pixels, those with the seam, and the depth, each (H, W).

    The seam runs some pixels in under the registered head, at the depth of the hair or cloth
    beside it, so that no gap opens between the two when they turn. Slivers are left out: along
    the face's outline the sensor's rim and the model's lie a pixel apart, and would hang beside
    the cheek as whiskers.
    """
    square = np.ones((5, 5), np.uint8)
    own = layers.trusted & ~layers.occluder
    agreeing = (layers.head_mm > 0) & (
        np.abs(layers.surface_mm - layers.head_mm) < settings.agree_mm
    )
    beside = (layers.foreground & ~own & ~agreeing).astype(np.uint8)
    beside = _without_crumbs(cv2.morphologyEx(beside, cv2.MORPH_OPEN, square))
    wide = np.ones((2 * settings.seam_px + 1,) * 2, np.uint8)
    seam = layers.foreground & (cv2.dilate(beside, wide) > beside)
    carried = _from_nearest(layers.surface_mm, beside > 0)
    under = seam & (layers.head_mm > 0) & (carried > layers.head_mm)
    depth = np.where(under, carried, layers.surface_mm)
    near = cv2.dilate(beside, square) > 0
    return beside > 0, (beside > 0) | under | (seam & near), depth


def _from_nearest(values, mask):
    """Each pixel's (H, W) value at the nearest pixel of the mask; itself where that is empty."""
    if not mask.any():
        return values
    _, label = cv2.distanceTransformWithLabels(
        (~mask).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(label.max() + 1, dtype=values.dtype)
    table[label[mask]] = values[mask]
    return table[label]


def _without_crumbs(mask):
    """The mask (H, W) uint8 without parts under CRUMB_SHARE of the image: they are sensor noise
    between two surfaces, and would float in the air once turned."""
    _, label, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    kept = stats[:, cv2.CC_STAT_AREA] >= CRUMB_SHARE * mask.size
    kept[0] = False
    return kept[label].astype(np.uint8)


def _masked_blur(color, mask, sigma):
    """Colours (H, W, 3) averaged over the mask alone, around each pixel."""
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)
    total = cv2.GaussianBlur(color * mask[..., None].astype(np.float32), (0, 0), sigma)
    return total / np.maximum(weight, 1e-6)[..., None]


def turned_screen(scene: SceneMesh, vertices_mm: np.ndarray, camera: Camera) -> np.ndarray:
    """(N, 3) u px, v px, z mm of the scene's turned vertices, as imaging.raster takes them.

    The grid is set back by GRID_OFFSET_MM: where it overlaps the head, the head must win.
    """
    screen = camera.screen(vertices_mm)
    screen[:, 2] += GRID_OFFSET_MM * (1 - scene.is_head)
    return screen
