"""Hair, neck and shoulders as closed bodies: a front as seen, a back of plausible depth."""

from dataclasses import dataclass

import cv2
import numpy as np

from augment.grid import cells, compacted, lattice, triangles_of
from augment.mane import across, mane
from augment.spread import carried, spread
from augment.thickness import thickness
from faces.camera import Camera

RIM_CELLS = 3  # so near the outline the depth is that of the rim
BEHIND_MM = 4.0  # a back lies at least this far behind its front
CLOTH_MM = 8.0  # so far behind the nape, or before a cheek, a collar or a lock lies
FRAY_MM = 20.0  # a rim farther than this from the rims around it is noise
MIRROR_PX = 24  # below the image its last rows are shown to and fro
LEVEL = 0.5  # of the mask: the outline


@dataclass(frozen=True, slots=True)
class BodySettings:
    """Attributes:
    stride_px: pixels between vertices.
    half_depth_mm: half of what the thickest body is deep; a torso is about 200 mm deep.
    below_mm: a body that the image cuts at its lower border continues so far straight down.
    jump_mm: a cell of the front whose corners' depths spread further is cut.
    edge_mm: the back has the colours that the front has so near to the outline: a back has
        no neckline.
    overlap_cells: so far bodies reach below the registered head, to leave no gap.
    """

    stride_px: int = 4
    half_depth_mm: float = 100.0
    below_mm: float = 300.0
    jump_mm: float = 30.0
    edge_mm: float = 50.0
    overlap_cells: int = 2


@dataclass(frozen=True, slots=True, eq=False)
class Bodies:
    """A mesh of N vertices, closed along its outline.

    Attributes:
        vertices_mm: (N, 3) float64, source camera frame.
        triangles: (T, 3) int32, outward; the two of a cell are neighbours.
        color: (N, 3) float32 in [0, 1].
    """

    vertices_mm: np.ndarray
    triangles: np.ndarray
    color: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """The person on a coarse grid of (h, w), continued downwards.

    Attributes:
        inside: bool.
        rim: bool, the inside ones beside the outline.
        own: bool, those that the bodies have to show; the registered head shows the others.
        neck: bool, where the registered head reaches.
        head_mm: its depth; 0 beside it.
        painted: bool, where the colour is the person's alone.
        front_mm, color: depth and colour there.
        distance_mm: from the outline.
        pixels: (h, w, 2) in the source, the rim's moved onto the outline.
        drop_mm: (h, w) how far below the image.
    """

    inside: np.ndarray
    rim: np.ndarray
    own: np.ndarray
    neck: np.ndarray
    head_mm: np.ndarray
    painted: np.ndarray
    front_mm: np.ndarray
    color: np.ndarray
    distance_mm: np.ndarray
    pixels: np.ndarray
    drop_mm: np.ndarray


def make_bodies(
    mask: np.ndarray,
    own: np.ndarray,
    head: np.ndarray,
    depth_mm: np.ndarray,
    color: np.ndarray,
    head_mm: np.ndarray,
    mm_per_px: float,
    camera: Camera,
    settings: BodySettings = BodySettings(),
    hair: np.ndarray | None = None,
) -> Bodies:
    """The person, as far as the registered head does not show it, closed at the back.

    The back lies behind the outline by half an ellipse of the local width, up to
    ``half_depth_mm``, and shares the outline's vertices with the front, so that from the side
    there is a volume and no sheet. Its colours are those of the front before it.

    Args:
        mask: (H, W) bool, the person without loose hair.
        own: (H, W) bool, where bodies are to be shown; a subset of the mask.
        head: (H, W) float32, the registered head's z, 0 beside it: its skin is not the back's,
            and what is not to be shown goes on behind it.
        depth_mm: (H, W) float32, above 0 on the mask.
        color: (H, W, 3) float32 in [0, 1].
        head_mm: (V, 3) vertices of the registered head: what lies on both sides of it joins
            behind, and no farther behind than the head itself.
        mm_per_px: size of a pixel at the head.
        camera: of the image.
        hair: (3,) in [0, 1], what hair looks like, which goes on behind the neck; None: no hair.
    """
    coarse = _coarse(mask, own, head, depth_mm, color, mm_per_px, settings)
    if not coarse.own.any():
        return Bodies(np.zeros((0, 3)), np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32))
    reach = np.ones((2 * settings.overlap_cells + 1,) * 2, np.uint8)
    middle, hindmost = _head_cells(head_mm, coarse, camera, settings)
    hanging = None
    if hair is not None:
        seen = coarse.own & coarse.painted, coarse.inside, coarse.distance_mm, coarse.color
        hanging = mane(*seen, hindmost, middle, hair, settings.stride_px * mm_per_px)
    joined = _joined(coarse.own, middle)
    behind = coarse.inside & (cv2.dilate(joined.astype(np.uint8), reach) > 0)
    before = coarse.inside & (cv2.dilate(coarse.own.astype(np.uint8), reach) > 0)
    base = spread(coarse.front_mm[..., None], _near_rim(coarse, settings, mm_per_px))[..., 0]
    thick = thickness(coarse.distance_mm, coarse.inside, settings.half_depth_mm)
    front = _below_head(_steady_rim(coarse, base), coarse)
    steady = cv2.medianBlur(front.astype(np.float32), 5)
    back = np.minimum(base + thick, _behind_head(hindmost))
    if hanging is not None:
        behind = behind | (hanging.behind & coarse.inside)
        hung = base + hanging.reach * (hanging.depth_mm - base)
        back = np.where(hanging.behind, hung, back)
    back = np.where(coarse.rim, front, np.maximum(back, steady + BEHIND_MM))
    shells = [cells(before, front, settings.jump_mm), cells(behind, back, np.inf)]
    points = [_points(coarse, front, 0, camera), _points(coarse, base, back - base, camera)]
    return _sewn(coarse, shells, [front, back], points, _colors(coarse, settings, hanging))


def _colors(coarse, settings, hanging):
    """(h, w, 3) of the front, and of the back: as the front near its outline, or hanging hair."""
    lit = coarse.own & coarse.painted
    edge = lit & ~coarse.neck & (coarse.distance_mm < settings.edge_mm)
    back = carried(coarse.color, edge if edge.any() else lit)
    if hanging is not None:
        back = across(np.where(hanging.hair[..., None], coarse.color, back), hanging)
    return [carried(coarse.color, lit), back]


def _sewn(coarse, shells, depths, points, colors):
    """Bodies of a front and a back, which meet in the front's vertices at the rim.

    Each of ``shells`` (h-1, w-1) bool says which of its cells are whole.
    """
    count = coarse.inside.size
    index = np.arange(count, dtype=np.int32).reshape(coarse.inside.shape)
    twin = np.where(coarse.rim, index, index + count)
    triangles = [
        triangles_of(shells[0], index, depths[0]),
        triangles_of(shells[1], twin, depths[1])[:, ::-1],
    ]
    used, triangles = compacted(np.concatenate(triangles), 2 * count)
    color = np.concatenate(colors).reshape(-1, 3)[used]
    return Bodies(np.concatenate(points)[used], triangles, color.astype(np.float32))


def _coarse(mask, own, head, depth_mm, color, mm_per_px, settings):
    """The person in cells, with an empty rim around it and its lower end continued."""
    height, width = mask.shape
    size = (max(1, round(width / settings.stride_px)), max(1, round(height / settings.stride_px)))
    step = np.array([width / size[0], height / size[1]])
    below = int(np.ceil(settings.below_mm / (mm_per_px * step[1])))

    def reduced(image):
        return cv2.resize(np.asarray(image, np.float32), size, interpolation=cv2.INTER_AREA)

    def nearest(image):
        return cv2.resize(np.asarray(image, np.float32), size, interpolation=cv2.INTER_NEAREST)

    def padded(image):
        # the person goes on below the image; on the other sides, and at the far end, it closes
        tall = cv2.copyMakeBorder(image, 0, below, 0, 0, cv2.BORDER_REPLICATE)
        return cv2.copyMakeBorder(tall, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)

    share = cv2.GaussianBlur(padded(reduced(mask)), (0, 0), 0.8)
    share[0] = share[-1] = share[:, 0] = share[:, -1] = 0
    inside = share > LEVEL
    rim = inside & (cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0)
    clean = cv2.erode(mask.astype(np.float32), np.ones((5, 5), np.uint8), borderValue=1)
    weight = reduced(clean)[..., None]
    mixed = reduced(color * clean[..., None]) / np.maximum(weight, 1e-3)
    rows = _to_and_fro(inside.shape[0], size[1], max(1, round(MIRROR_PX / step[1])))
    pixels, drop = lattice(inside.shape, step, height, mm_per_px)
    return _Cells(
        inside=inside,
        rim=rim,
        own=(padded(reduced(own)) > LEVEL) & inside,
        neck=cv2.dilate(padded(reduced(head > 0)), np.ones((7, 7), np.uint8)) > 0,
        head_mm=padded(nearest(head)),
        painted=padded((weight[..., 0] > 0.2).astype(np.float32))[rows] > 0,
        front_mm=_completed(padded(nearest(depth_mm)), inside),
        color=padded(mixed)[rows],
        distance_mm=cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 5)
        * np.float32(mm_per_px * step.mean()),
        pixels=pixels + np.where(rim[..., None], _to_level(share), 0) * step,
        drop_mm=drop,
    )


def _to_and_fro(count, last, period):
    """(count,) rows 0 to ``last``, then back and forth over the last ``period`` of them."""
    row = np.arange(count)
    swing = np.abs((row - last + period) % (2 * period) - period)
    return np.where(row <= last, row, last - (period - swing)).clip(0, last)


def _to_level(share):
    """(h, w, 2) cells to the right and down from each vertex to the outline near it."""
    slope = np.stack([cv2.Sobel(share, cv2.CV_32F, *d, scale=1 / 8) for d in ((1, 0), (0, 1))], -1)
    steep = np.maximum(np.linalg.norm(slope, axis=-1, keepdims=True), 0.15)
    return -slope / steep * np.clip((share[..., None] - LEVEL) / steep, 0, 1.2)


def _joined(own, middle):
    """The cells (h, w) bool, and those between them in rows that they take on both sides of the
    head: hair on both cheeks goes on behind the neck."""
    column = np.arange(own.shape[1])
    first = np.where(own.any(1), own.argmax(1), own.shape[1])[:, None]
    last = np.where(own.any(1), own.shape[1] - 1 - own[:, ::-1].argmax(1), -1)[:, None]
    both = (first < middle) & (last > middle)
    return own | (both & (column >= first) & (column <= last))


def _head_cells(head_mm, coarse, camera, settings):
    """The column of the head's middle, and (h, w) float32 its hindmost depth; 0 beside it."""
    pixels = np.nan_to_num(camera.project(head_mm)) / settings.stride_px + 1
    column = np.clip(pixels[:, 0].astype(int), 0, coarse.inside.shape[1] - 1)
    row = np.clip(pixels[:, 1].astype(int), 0, coarse.inside.shape[0] - 1)
    hindmost = np.zeros(coarse.inside.shape, np.float32)
    np.maximum.at(hindmost, (row, column), head_mm[:, 2])
    return np.median(column), hindmost


def _behind_head(hindmost):
    """(h, w) the depth that a back may have behind the head, for cloth lies on the nape; inf
    beside it."""
    hindmost = cv2.dilate(hindmost, np.ones((9, 9), np.uint8))
    return np.where(hindmost > 0, hindmost + CLOTH_MM, np.inf)


def _near_rim(coarse, settings, mm_per_px):
    near = RIM_CELLS * settings.stride_px * mm_per_px
    return coarse.own & (coarse.distance_mm < near)


def _steady_rim(coarse, base):
    """The front's depth (h, w), its frayed rim replaced by that of the cells just inside."""
    whole = coarse.inside & ~coarse.rim
    weight = whole.astype(np.float32)
    total = cv2.GaussianBlur(np.where(whole, coarse.front_mm, 0).astype(np.float32), (0, 0), 1.5)
    mass = cv2.GaussianBlur(weight, (0, 0), 1.5)
    inner = np.where(mass > 1e-3, total / np.maximum(mass, 1e-3), base)
    straight = np.clip(inner, base - FRAY_MM, base + FRAY_MM)
    return np.where(coarse.rim, straight, coarse.front_mm)


def _below_head(front_mm, coarse):
    """The front's depth (h, w), not drawn out towards the head before it.

    Close beside the head's outline it is that of the bodies farther off; where the head is shown
    instead of them it goes on behind the head, through which it would break otherwise.
    """
    head = coarse.head_mm
    close = cv2.dilate((head > 0).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    beside = coarse.own & close & ~((head > 0) & (front_mm < head - CLOTH_MM))
    free = coarse.own & ~beside & ~coarse.rim
    far = spread(front_mm[..., None], free if free.any() else coarse.own)[..., 0]
    front = np.where(beside & (front_mm < far - FRAY_MM), far, front_mm)
    farthest = cv2.dilate(head, np.ones((3, 3), np.uint8)) + BEHIND_MM
    below = coarse.inside & ~coarse.own & (farthest > BEHIND_MM)
    return np.where(below, np.maximum(far, farthest), front)


def _completed(depth_mm, inside):
    """The depth (h, w), completed where the person has none."""
    known = inside & (depth_mm > 0)
    return np.where(known, depth_mm, spread(depth_mm[..., None], known)[..., 0])


def _points(coarse, depth_mm, behind_mm, camera: Camera):
    """(h·w, 3) mm: the cells at a depth, and so far straight behind it."""
    points = camera.unproject(coarse.pixels.reshape(-1, 2), depth_mm.ravel().astype(np.float64))
    points[:, 1] += coarse.drop_mm.ravel()
    points[:, 2] += np.ravel(behind_mm)
    return points
