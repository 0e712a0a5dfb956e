"""Who is person in a scan: told by the sensor, the registered head, and colour together."""

from dataclasses import dataclass

import cv2
import numpy as np

from faces.person import person_mask
from faces.portrait import portrait
from imaging.masks import box_of, closed, grown, opened, shrunk
from imaging.matte import keyed
from imaging.wide_blur import wide_blur

WALL_SHARE = 0.3  # of a head's surroundings: a sensor that sees so much of the wall sees walls
TRACE = 0.03  # less of a person in a pixel is noise of the matte
WALL_MM = 30.0  # a wall is as it is so near around
PLAIN = 0.06  # difference of colours in [0, 1] up to which a plain wall's shades and noise go
HALF = 2  # of the image's size suffices for colours
SPECK_PX = 2  # single pixels are hair's own highlights
FLIPS = (np.s_[:, :], np.s_[:, ::-1])
SHADOW_SPREAD = 1.1  # of its width, by the depths of head and shoulders
SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True)
class CutoutSettings:
    """Attributes:
    closing_mm: holes in the person narrower than this are closed (dark hair, ear gaps).
    rim_px: so far from an outline or a jump the sensor's depth frays and colours mix.
    reach_mm: hair and cloth that the sensor missed lie so near to what it saw; an afro's height.
    blind_mm: holes of a sensor that sees the wall, so near to the person, are likely hair.
    crown_mm: so near around the skull they are hair with a good chance.
    skull_mm: the registered skull lies so near to the true one; further inside it is the person,
        whatever hair took from the sensor.
    hole, crown: chances of a hole to be the person, beside it and around the skull.
    """

    closing_mm: float = 12.0
    rim_px: int = 4
    reach_mm: float = 130.0
    blind_mm: float = 60.0
    crown_mm: float = 25.0
    skull_mm: float = 5.0
    hole: float = 0.6
    crown: float = 0.95


@dataclass(frozen=True, slots=True, eq=False)
class HeadImage:
    """The registered head as the scan's camera sees it.

    Attributes:
        depth_mm: (H, W) float32 z; 0 beside the head.
        trusted: (H, W) bool, see Layers.
        ears: (H, W) bool, where it shows an ear.
        mouth: (H, W) bool, where it shows the mouth's inside.
        down: (x, y) in the image, from the crown to the chin.
    """

    depth_mm: np.ndarray
    trusted: np.ndarray
    ears: np.ndarray
    mouth: np.ndarray
    down: tuple[float, float] = (0.0, 1.0)


def cut_out(
    color: np.ndarray | None,
    depth_mm: np.ndarray,
    measured: np.ndarray,
    head: HeadImage,
    far_mm: float,
    mm_per_px: float,
    settings: CutoutSettings = CutoutSettings(),
) -> np.ndarray:
    """(H, W) float32 in [0, 1]: what belongs to the person and hangs together with the head.

    Args:
        color: (H, W, 3) float32 in [0, 1]; None: the sensor and the head tell alone.
        depth_mm: (H, W) float32, the sensor's z; 0 = nothing.
        measured: (H, W) bool, depths at which the person may be.
        head: the registered mesh.
        far_mm: what lies beyond it is background.
        mm_per_px: size of a pixel at the head.
    """
    closing = settings.closing_mm / mm_per_px
    own = head.trusted | head.mouth
    solid = _attached(measured, own, closing) | own
    if color is None:
        return solid.astype(np.float32)
    person, other, likely, beside = _seeds(
        depth_mm, measured, solid, head, own, far_mm, mm_per_px, settings
    )
    alpha = keyed(color, person_mask(color, person, other, likely), person, settings.rim_px)
    alpha = np.where(person, 1, np.where(other, 0, alpha)).astype(np.float32)
    if beside is not None:
        alpha[_as_the_wall(color, alpha, beside, mm_per_px)] = 0
    near = grown(_attached(alpha > 0.5, own, closing), settings.rim_px)
    return np.where(near & (alpha > TRACE), alpha, 0)


def _seeds(smooth, measured, solid, head, own, far, mm_per_px, settings):
    """(H, W) bool surely the person, surely not, float32 the chance of it by place, and bool, where
    a photo shows hair or wall; or None."""
    drawn = head.depth_mm > 0
    if not measured.any() and own.any():
        known = portrait(drawn, own, head.ears, head.down)
        return shrunk(known.person, settings.rim_px), known.other, known.likely, known.beside
    wall = _whole(smooth >= far)
    # registered flanks may stand out of the person: where the sensor is blind, colour decides
    sure = shrunk(_whole(measured) & solid, settings.rim_px) | shrunk(own, 2 * settings.rim_px)
    apart = _distance(solid) * mm_per_px
    other = shrunk(wall & ~solid, settings.rim_px) | (apart > settings.reach_mm)
    beside = (apart > 0) & (apart < settings.blind_mm)
    if (wall & beside).sum() <= WALL_SHARE * beside.sum():
        return sure, other, None, None  # a hole says nothing where the sensor sees no wall either
    skull = drawn & ~wall & _above(own)
    sure |= shrunk(skull, settings.skull_mm / mm_per_px)
    other |= shrunk(_shadow(smooth, wall, solid | skull) | wall, settings.rim_px) & ~solid
    crown = _distance(skull) * mm_per_px < settings.crown_mm
    chance = np.where(crown, settings.crown, settings.hole)
    holes = beside & (smooth == 0)
    sparse = solid & crown  # hair that gave a depth here and there
    return sure, other & ~sure, np.where(holes | sparse, chance, 0).astype(np.float32), None


def _as_the_wall(color, alpha, beside, mm_per_px):
    """(H, W) bool: the part of ``beside`` that looks like a plain wall around it, seen between
    locks and neck."""
    beside = beside & (alpha > TRACE)
    if not beside.any():
        return beside
    reach = WALL_MM / mm_per_px / HALF
    part, out = box_of(beside, int(2 * HALF * reach)), np.zeros(beside.shape, bool)
    half = tuple(max(1, side // HALF) for side in beside[part].shape[::-1])
    image = cv2.resize(color[part], half, interpolation=cv2.INTER_AREA)
    cell = max(1, int(reach / 4))
    size = tuple(max(1, side // cell) for side in half)
    wall = (alpha[part] < TRACE).astype(np.float32)
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    pure = cv2.resize(wall, size, interpolation=cv2.INTER_AREA)[..., None] > 0.99
    sums = wide_blur(np.concatenate([pure, pure * small, pure * small**2], -1), reach / cell)
    mean, square = np.split(sums[..., 1:] / np.maximum(sums[..., :1], 1e-4), 2, axis=-1)
    shades = np.sqrt(np.maximum(square - mean**2, 0).max(-1))
    mean, shades = (cv2.resize(np.float32(a), half) for a in (mean, shades))
    apart = np.maximum(cv2.absdiff(image, mean).max(-1), shades)
    apart = cv2.resize(apart, beside[part].shape[::-1])
    out[part] = opened(beside[part] & (apart < PLAIN), SPECK_PX)
    return out


def _above(mask):
    """(H, W) bool: the rows above the mask's middle."""
    rows = np.flatnonzero(mask.any(1))
    middle = rows.mean() if len(rows) else -1
    return np.broadcast_to((np.arange(len(mask)) < middle)[:, None], mask.shape)


def _shadow(smooth, wall, solid):
    """(H, W) bool: where the person alone hides the wall from a projector beside the camera.

    Such a shadow is about as wide in every row. Hair that the sensor lost widens the hole beside
    the person on both sides, so the lower quartiles' difference is the shadow's width, and a hole
    that is much wider holds more than the shadow.
    """
    sides = [_gaps(wall[flip], solid[flip]) for flip in FLIPS]
    usual = [np.percentile(w[w >= 0], 25) if (w >= 0).any() else 0 for _, w in sides]
    out = np.zeros(solid.shape, bool)
    for k, (flip, (last, width)) in enumerate(zip(FLIPS, sides, strict=True)):
        most = SHADOW_SPREAD * (usual[k] - usual[1 - k])
        column = np.arange(solid.shape[1])
        bare = ((width > 0) & (width <= most))[:, None]
        gap = (column > last[:, None]) & (column <= (last + width)[:, None])
        out[flip] |= bare & gap
    return out & (smooth == 0)


def _gaps(wall, solid):
    """(H,) the last column of the wall before the first of the person, and the hole's width
    between them; -1 in rows that lack either."""
    first, column = solid.argmax(1), np.arange(wall.shape[1], dtype=np.int16)
    last = np.maximum.accumulate(np.where(wall, column, np.int16(-1)), axis=1)
    last = last[np.arange(len(wall)), first].astype(int)
    both = solid.any(1) & (first > 0) & (last >= 0)
    return last, np.where(both, first - last - 1, -1)


def _distance(mask):
    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)


def _whole(mask):
    """The mask without a sensor's single lost pixels, which say nothing."""
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, SQUARE) > 0


def _attached(mask, head, closing_px):
    """The mask, its narrow gaps closed, without parts that do not hang together with the head."""
    part, out = box_of(mask, int(closing_px) + 2), np.zeros(mask.shape, bool)
    whole = closed(mask[part], closing_px)
    count, label = cv2.connectedComponents(whole.view(np.uint8), connectivity=4, ltype=cv2.CV_16U)
    wanted = np.zeros(count, dtype=bool)
    wanted[label[head[part] & whole]] = True
    out[part] = wanted[label]
    return out
