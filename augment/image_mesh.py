"""The whole image as one mesh: the registered head, and the image's own grid around it."""

from dataclasses import dataclass

import cv2
import numpy as np

from augment.foreground import Layers, slope_cosine
from faces.camera import Camera
from faces.mesh import vertex_normals

SQUARE = np.ones((3, 3), np.uint8)
GRID_OFFSET_MM = 2.0  # above what is left between the sensor's hair and the hull grown to it


@dataclass(frozen=True, slots=True)
class MeshSettings:
    """Attributes:
    stride_px: pixels between grid vertices.
    jump_mm: a cell whose corners' depths spread further is cut (tears at depth jumps).
    sliver_mm: parts of the grid narrower than this are left out.
    crumb_mm2: parts of the grid smaller than this are left out; a lock of hair is larger.
    thin_mm: the grid fades out over this towards its tears.
    far_fade_mm: so far before the background begins, shoulders begin to fade.
    agree_mm: where sensor and registered head are closer, the head alone is drawn.
    """

    stride_px: int = 1
    jump_mm: float = 30.0
    sliver_mm: float = 10.0
    crumb_mm2: float = 800.0
    thin_mm: float = 6.0
    far_fade_mm: float = 40.0
    agree_mm: float = 6.0


@dataclass(frozen=True, slots=True, eq=False)
class SceneMesh:
    """One mesh of N vertices, the head's first, in the source camera's frame.

    Attributes:
        vertices_mm: (N, 3) float64.
        triangles: (T, 3) int32; the two triangles of a grid cell are neighbours.
        model_color: (N, 3) float32 in [0, 1]: what to show where the image cannot be used.
        normals: (N, 3) float64, unit, outwards.
        head_triangles: how many of the triangles are the head's; they come first.
        is_head: (N,) float32, 1 on the registered head, 0 on the grid.
        solid: (N,) float32, opacity: the grid thins out towards its tears, as hair does.
        second_px: (N, 2) float32, the source pixel where the mirrored vertex is seen.
        second_weight: (N,) float32 in [0, 1], how far that pixel stands in for the model's colour.
        second_gain: (N, 3) float32, what its colour is multiplied by.
    """

    vertices_mm: np.ndarray
    triangles: np.ndarray
    model_color: np.ndarray
    normals: np.ndarray
    head_triangles: int
    is_head: np.ndarray
    solid: np.ndarray
    second_px: np.ndarray
    second_weight: np.ndarray
    second_gain: np.ndarray


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
    head_color: np.ndarray,
    color: np.ndarray,
    layers: Layers,
    mm_per_px: float,
    camera: Camera,
    settings: MeshSettings = MeshSettings(),
) -> SceneMesh:
    """Head and image grid in one vertex and one index buffer.

    Args:
        head_vertices_mm: (V, 3) the grown head's vertices, camera frame.
        head_triangles: (t, 3) those of its triangles that are to be drawn.
        head_color: (V, 3) the model's colours in [0, 1].
        color: (H, W, 3) float32 image in [0, 1].
        layers: the complete depth.
        mm_per_px: size of a pixel at the head.
    """
    sheet = _grid_sheet(layers, mm_per_px, settings)
    points, triangles, pixels = _grid(*sheet, camera, settings)
    normals = [
        vertex_normals(head_vertices_mm, head_triangles),
        vertex_normals(points, triangles) if len(points) else points,
    ]
    own = sheet[0] > 0
    smooth = _masked_blur(color, own, camera.height / 60)
    count = len(head_vertices_mm) + len(points)
    solid = [np.ones(len(head_vertices_mm)), sheet[0][pixels[:, 1], pixels[:, 0]]]
    return SceneMesh(
        vertices_mm=np.concatenate([head_vertices_mm, points]),
        triangles=np.concatenate([head_triangles, triangles + len(head_vertices_mm)]),
        model_color=np.concatenate([head_color, smooth[pixels[:, 1], pixels[:, 0]]]),
        normals=np.concatenate(normals),
        head_triangles=len(head_triangles),
        is_head=np.repeat([1.0, 0.0], [len(head_vertices_mm), len(points)]).astype(np.float32),
        solid=np.concatenate(solid).astype(np.float32),
        second_px=np.zeros((count, 2), np.float32),
        second_weight=np.zeros(count, np.float32),
        second_gain=np.ones((count, 3), np.float32),
    )


def _grid(solid, usable, depth, camera, settings):
    """Used grid vertices (n, 3) mm, triangles, and whole pixels (n, 2), of a sheet."""
    step = settings.stride_px
    rows, columns = np.mgrid[: camera.height : step, : camera.width : step]
    usable, depth = usable[::step, ::step], depth[::step, ::step]
    triangles = grid_triangles(usable, depth, settings.jump_mm * max(1, step / 2))
    used, triangles = np.unique(triangles, return_inverse=True)
    pixels = np.stack([columns.ravel()[used], rows.ravel()[used]], 1)
    points = camera.unproject(pixels + 0.5, depth.ravel()[used])
    return points, triangles.reshape(-1, 3).astype(np.int32), pixels


def _grid_sheet(layers, mm_per_px, settings):
    """What the grid draws: its opacity, its pixels, and the depth, each (H, W).

    Under its thin rim lies the grown head, so that no gap opens between the two when they turn.
    """
    own = layers.trusted & ~layers.occluder
    cosine = slope_cosine(layers.head_mm, mm_per_px)
    apart = np.abs(layers.surface_mm - layers.head_mm) * cosine
    agreeing = (layers.head_mm > 0) & (apart < settings.agree_mm)
    beside = (layers.foreground & ~own & ~agreeing).astype(np.uint8)
    beside = _large_parts(beside, mm_per_px, settings)
    solid = _opacity(beside, layers, mm_per_px, settings)
    # the mouth goes on behind the lips by a pixel, or its steps would show
    mouth = cv2.dilate(layers.mouth.astype(np.uint8), SQUARE) > 0
    carried = cv2.dilate(np.where(layers.mouth, layers.surface_mm, 0).astype(np.float32), SQUARE)
    mouth &= layers.mouth | (carried > layers.head_mm)
    solid[mouth] = 1
    return solid, (beside > 0) | mouth, np.where(mouth, carried, layers.surface_mm)


def _opacity(beside, layers, mm_per_px, settings):
    """(H, W) float32: 1 inside, falling to 0 at rim and tears, and where the background begins."""
    depth = layers.surface_mm.astype(np.float32)
    torn = cv2.dilate(depth, SQUARE) - cv2.erode(depth, SQUARE) > settings.jump_mm
    whole = beside & ~torn
    distance = cv2.distanceTransform(whole, cv2.DIST_L2, 5) * np.float32(mm_per_px)
    share = np.minimum(distance / settings.thin_mm, (layers.far_mm - depth) / settings.far_fade_mm)
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)


def _large_parts(mask, mm_per_px, settings):
    """The mask (H, W) uint8 without slivers and crumbs: they are sensor noise between two
    surfaces, and would float in the air once turned."""
    radius = max(2, round(settings.sliver_mm / mm_per_px / 2))
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, disc)
    _, label, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    kept = stats[:, cv2.CC_STAT_AREA] * mm_per_px**2 >= settings.crumb_mm2
    kept[0] = False
    return kept[label].astype(np.uint8)


def _masked_blur(color, mask, sigma):
    """Colours (H, W, 3) averaged over the mask alone, around each pixel."""
    weight = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), sigma)
    total = cv2.GaussianBlur(color * mask[..., None].astype(np.float32), (0, 0), sigma)
    return total / np.maximum(weight, 1e-6)[..., None]
