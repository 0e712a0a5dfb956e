"""The whole image as one mesh: the registered head, bodies beside it, and a fringe of pixels."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from augment.bodies import BodySettings, make_bodies
from augment.foreground import Layers, cropped, slope_cosine
from augment.grid import compacted, grid_triangles
from augment.neck import lengthen_neck
from faces.camera import Camera
from faces.mesh import vertex_normals
from imaging.masks import box_of, opened
from imaging.wide_blur import wide_blur

SQUARE = np.ones((3, 3), np.uint8)
BESIDE_PX = 16  # of the person, that means and outlines need
GRID_OFFSET_MM = 2.0  # above what is left between the sensor's hair and the hull grown to it


@dataclass(frozen=True, slots=True)
class MeshSettings:
    """Attributes:
    bodies: hair, neck and shoulders as volumes.
    jump_mm: a cell whose corners' depths spread further is cut (tears at depth jumps).
    sliver_mm: what is narrower than this has no volume, and is shown as a fringe.
    crumb_mm2: so is what is smaller than this; a lock of hair is larger.
    soft_px: the fringe reaches so far into the bodies.
    thin_mm: the turned fringe fades out over this towards its tears.
    loose_mm: strands this far from a body begin to fade as the view turns, twice as far they go.
    far_fade_mm: so far before the background begins, shoulders begin to fade.
    agree_mm: where sensor and registered head are closer, the head alone is drawn.
    """

    bodies: BodySettings = field(default_factory=BodySettings)
    jump_mm: float = 30.0
    sliver_mm: float = 10.0
    crumb_mm2: float = 800.0
    soft_px: int = 6
    thin_mm: float = 6.0
    loose_mm: float = 6.0
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
        firm_triangles: how many are the head's and the bodies', which are opaque; the fringe's
            follow.
        is_head: (N,) float32, 1 on the registered head, 0 elsewhere.
        firm: (N,) float32, 1 on head and bodies, 0 on the fringe.
        cover: (N,) float32, opacity in the unturned view; 1 where firm.
        solid: (N,) float32, the same turned: the fringe thins out towards its tears, as hair does.
        second_px: (N, 2) float32, the source pixel where the mirrored vertex is seen.
        second_weight: (N,) float32 in [0, 1], how far that pixel stands in for the model's colour.
        second_gain: (N, 3) float32, what its colour is multiplied by.
    """

    vertices_mm: np.ndarray
    triangles: np.ndarray
    model_color: np.ndarray
    normals: np.ndarray
    head_triangles: int
    firm_triangles: int
    is_head: np.ndarray
    firm: np.ndarray
    cover: np.ndarray
    solid: np.ndarray
    second_px: np.ndarray
    second_weight: np.ndarray
    second_gain: np.ndarray


def build_scene(
    head_vertices_mm: np.ndarray,
    head_triangles: np.ndarray,
    head_color: np.ndarray,
    color: np.ndarray,
    layers: Layers,
    mm_per_px: float,
    camera: Camera,
    settings: MeshSettings = MeshSettings(),
    neck: np.ndarray | None = None,
    hair: np.ndarray | None = None,
) -> SceneMesh:
    """Head, bodies and fringe in one vertex and one index buffer.

    Args:
        head_vertices_mm: (V, 3) the grown head's vertices, camera frame.
        head_triangles: (t, 3) those of its triangles that are to be drawn.
        head_color: (V, 3) the model's colours in [0, 1].
        color: (H, W, 3) float32 image in [0, 1], the person's own colours.
        layers: the complete depth.
        mm_per_px: size of a pixel at the head.
        neck: (V,) bool, the head's vertices whose open end is continued downwards; None: none.
        hair: (3,) colour in [0, 1] of the head's hair; None: nothing is known of any.
    """
    sigma = camera.height / 60
    layers, color, camera = _person_alone(layers, color, camera, settings)
    shown = _beside_the_head(layers, mm_per_px, settings)
    core = _core(layers.body, mm_per_px, settings)
    beside = _large_parts((core & shown).astype(np.uint8), mm_per_px, settings) > 0
    bodies = make_bodies(
        core,
        beside,
        layers.head_mm,
        layers.surface_mm,
        color,
        head_vertices_mm,
        mm_per_px,
        camera,
        settings.bodies,
        hair,
    )
    fringe, fringe_px = _fringe(shown, beside, layers, mm_per_px, camera, settings)
    smooth = _masked_blur(color, shown & (layers.alpha > 0.9), sigma)
    neck = np.zeros(len(head_vertices_mm), bool) if neck is None else neck
    below = lengthen_neck(head_vertices_mm, head_triangles, head_color, neck)
    meshes = [
        (head_vertices_mm, head_triangles),
        (bodies.vertices_mm, bodies.triangles),
        (below.vertices_mm, below.triangles),
        fringe,
    ]
    column, row = fringe_px.T
    cover, solid = _opacities(shown, beside, layers, mm_per_px, settings)
    colors = [head_color, bodies.color, below.color, smooth[row, column]]
    return _stacked(meshes, colors, cover[row, column], solid[row, column])


def _person_alone(layers, color, camera, settings):
    """Layers, colour and camera of the image's part that shows the person, down to its border,
    below which the bodies go on; the bodies' grid stays where it is in the whole image."""
    person = layers.foreground | layers.mouth | (layers.head_mm > 0)
    rows, columns = box_of(person, BESIDE_PX, settings.bodies.stride_px)
    part = slice(rows.start, camera.height), columns
    size = columns.stop - columns.start, camera.height - rows.start
    return cropped(layers, part), color[part], camera.crop(columns.start, rows.start, *size)


def _stacked(meshes, colors, cover, solid):
    """The scene of head, bodies, neck and fringe, (vertices, triangles) each, in this order.

    ``colors`` are theirs; ``cover`` and ``solid`` the fringe's alone, for the rest is opaque. No
    vertex has a second photo yet (augment.symmetric).
    """
    counts = np.array([len(points) for points, _ in meshes])
    first = np.concatenate([[0], np.cumsum(counts)])
    firm, count = first[3], first[4]
    whole = np.ones(firm, np.float32)
    return SceneMesh(
        vertices_mm=np.concatenate([points for points, _ in meshes]),
        triangles=np.concatenate([t + k for (_, t), k in zip(meshes, first[:-1], strict=True)]),
        model_color=np.concatenate(colors),
        normals=np.concatenate(
            [vertex_normals(*mesh) if len(mesh[0]) else mesh[0] for mesh in meshes]
        ),
        head_triangles=len(meshes[0][1]),
        firm_triangles=sum(len(t) for _, t in meshes[:3]),
        is_head=np.repeat([1.0, 0.0], [counts[0], count - counts[0]]).astype(np.float32),
        cover=np.concatenate([whole, cover]),
        solid=np.concatenate([whole, solid]),
        firm=np.repeat([1.0, 0.0], [firm, count - firm]).astype(np.float32),
        second_px=np.zeros((count, 2), np.float32),
        second_weight=np.zeros(count, np.float32),
        second_gain=np.ones((count, 3), np.float32),
    )


def _beside_the_head(layers, mm_per_px, settings):
    """(H, W) bool: the person's pixels that the registered head does not show."""
    own = layers.trusted & ~layers.occluder
    cosine = slope_cosine(layers.head_mm, mm_per_px)
    apart = np.abs(layers.surface_mm - layers.head_mm) * cosine
    agreeing = (layers.head_mm > 0) & (apart < settings.agree_mm)
    return layers.foreground & ~own & ~agreeing


def _core(body, mm_per_px, settings):
    """The body (H, W) bool without what is too thin for a volume: strands, crumbs."""
    return _large_parts(body.astype(np.uint8), mm_per_px, settings) > 0


def _fringe(shown, beside, layers, mm_per_px, camera, settings):
    """The pixels outside the bodies and at their rims, where the person is thin, soft or torn,
    and between the lips: a mesh (points, triangles), and its pixels (n, 2)."""
    depth = layers.surface_mm
    inner = cv2.erode(beside.astype(np.uint8), SQUARE, iterations=settings.soft_px) > 0
    torn = cv2.dilate(_torn(depth, settings).astype(np.uint8), SQUARE, iterations=settings.soft_px)
    # the mouth goes on behind the lips by a pixel, or its steps would show
    mouth = cv2.dilate(layers.mouth.astype(np.uint8), SQUARE) > 0
    carried = cv2.dilate(np.where(layers.mouth, depth, 0).astype(np.float32), SQUARE)
    mouth &= layers.mouth | (carried > layers.head_mm)
    usable = (shown & (~inner | (torn > 0))) | mouth
    depth = np.where(mouth, carried, depth)
    triangles = grid_triangles(usable, depth, settings.jump_mm)
    used, triangles = compacted(triangles, depth.size)
    pixels = np.stack([used % depth.shape[1], used // depth.shape[1]], 1)
    points = camera.unproject(pixels + 0.5, depth.ravel()[used])
    return (points, triangles), pixels


def _torn(depth, settings):
    """(H, W) bool: beside a depth jump."""
    depth = depth.astype(np.float32)
    return cv2.dilate(depth, SQUARE) - cv2.erode(depth, SQUARE) > settings.jump_mm


def _opacities(shown, beside, layers, mm_per_px, settings):
    """(H, W) float32 each: the fringe's opacity at rest, which is the person's; and turned, when
    it also falls to 0 at tears, beside the head, where the background begins, and away from bodies:
    a loose strand turned is a paper strip in the air."""
    cover = np.where(layers.mouth, 1, layers.alpha).astype(np.float32)
    whole = (shown | ~layers.foreground) & ~_torn(layers.surface_mm, settings)
    distance = cv2.distanceTransform(whole.astype(np.uint8), cv2.DIST_L2, 5) * np.float32(mm_per_px)
    room = (layers.far_mm - layers.surface_mm) / settings.far_fade_mm
    loose = cv2.distanceTransform((~beside).astype(np.uint8), cv2.DIST_L2, 5)
    loose = np.minimum(loose, max(beside.shape)) * np.float32(mm_per_px)
    room = np.minimum(room, 2 - loose / settings.loose_mm)
    share = np.clip(np.minimum(distance / settings.thin_mm, room), 0, 1)
    mouth = cv2.dilate(layers.mouth.astype(np.uint8), SQUARE) > 0
    cover[mouth] = 1
    solid = cover * share * share * (3 - 2 * share)
    return cover, np.where(mouth, 1, solid).astype(np.float32)


def _large_parts(mask, mm_per_px, settings):
    """The mask (H, W) uint8 without slivers and crumbs: they are sensor noise between two
    surfaces, and would float in the air once turned."""
    radius = max(2, round(settings.sliver_mm / mm_per_px / 2))
    mask = opened(mask, radius).astype(np.uint8)
    _, label, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    kept = stats[:, cv2.CC_STAT_AREA] * mm_per_px**2 >= settings.crumb_mm2
    kept[0] = False
    return kept[label].astype(np.uint8)


def _masked_blur(color, mask, sigma):
    """Colours (H, W, 3) averaged over the mask alone, around each pixel."""
    weight = mask.astype(np.float32)
    total = wide_blur(color * weight[..., None], sigma)
    return total / np.maximum(wide_blur(weight, sigma), 1e-6)[..., None]
