"""Which pixels of a rotated view the source image can be trusted for."""

from dataclasses import dataclass

import cv2
import numpy as np

from augment import trust_kernels as kernels
from augment.foreground import Layers, cropped
from faces.camera import Camera
from imaging.masks import box_of

REASONS = {  # the bits of a view's buffer "reasons"
    "stretched": kernels.STRETCHED,
    "back_facing": kernels.BACK_FACING,
    "hidden": kernels.HIDDEN,
    "unclean": kernels.UNCLEAN,
    "hollow": kernels.NO_DEPTH,
}
SQUARE = np.ones((3, 3), np.uint8)
BESIDE_PX = 8  # more than the squares and discs here reach
WIDE = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))


@dataclass(frozen=True, slots=True)
class VisibilitySettings:
    """Attributes:
    stretched_deg: beyond this angle between normal and ray to the source camera a surface is
        stretched where the view enlarges it: a pixel covers 1/cos of its length on the skin,
        three times at 70°.
    enlarged: ratios of the view's to the source's cosine between which "enlarged" sets in.
    feather_deg: trust falls from 1 to 0 over this many degrees before ``stretched_deg``.
    hidden_mm: a point this far behind what the source saw at its pixel was hidden there.
    rim_px: source pixels this close to an outline or a depth jump mix two surfaces.
    vote_px: whether a pixel shows the head is told by the sensor's pixels so far around it (σ).
    jump_mm: what counts as a jump between neighbouring source pixels.
    settled_deg: turned by this, rims and flat flanks count fully; less, in proportion, for the
        unturned view is the photo itself.
    island_share: patches of trusted pixels smaller than this share of a view are noise, and
        would shine through the fill as blots; 79 px of 256².
    """

    stretched_deg: float = 74.0
    feather_deg: float = 14.0
    hidden_mm: float = 3.0
    enlarged: tuple[float, float] = (1.1, 1.6)
    rim_px: int = 2
    vote_px: float = 2.5
    jump_mm: float = 8.0
    settled_deg: float = 8.0
    island_share: float = 1.2e-3


@dataclass(frozen=True, slots=True, eq=False)
class SourceMaps:
    """What each source pixel is good for.

    Attributes:
        surfaces: (2, H, W, 8) float32, for the head and for the grid:
            own, 1 where the pixel and those beside it show that surface, 0 where bilinear sampling
            would mix in another one;
            clean, in [0, 1], the same without rims, where colours mix;
            depth, mm, of what hides a point of that surface that lies farther; inf = nothing;
            hollow, 1 where no sensor measured the foreground;
            red, green, blue, of the source's pixel, the same for both; and one without a use.
    """

    surfaces: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Trust:
    """Per-pixel reasons, each (H, W) bool on the view's pixels, and the sum of them.

    Attributes:
        stretched: seen at too flat an angle by the source.
        back_facing: turned away from the source.
        hidden: behind something in the source, or beyond its image.
        unclean: its source pixel mixes surfaces or shows another one.
        hollow: no sensor depth there: the colour is good, the place is guessed.
        weight: (H, W) float32 in [0, 1], trust in the image's pixel, feathered by the normals.
    """

    stretched: np.ndarray
    back_facing: np.ndarray
    hidden: np.ndarray
    unclean: np.ndarray
    hollow: np.ndarray
    weight: np.ndarray


def without_islands(weight: np.ndarray, smallest_px: float) -> np.ndarray:
    """The trust (H, W) float32 without trusted patches of fewer pixels than ``smallest_px``."""
    held = (weight > 0.5).astype(np.uint8)
    _, label, stats, _ = cv2.connectedComponentsWithStats(held, connectivity=4)
    small = stats[:, cv2.CC_STAT_AREA] < smallest_px
    small[0] = False
    if not small.any():
        return weight
    return np.where(small[label], np.float32(0), weight)


def source_maps(
    layers: Layers,
    settings: VisibilitySettings = VisibilitySettings(),
    color: np.ndarray | None = None,
) -> SourceMaps:
    """Cleanliness and depth of the source image, made once for all views.

    ``color`` is the image, (H, W, 3) float32; without it, it is black.
    """
    shown = layers.foreground | (layers.head_mm > 0)
    whole = np.zeros((2, *shown.shape, kernels.COLUMNS), np.float32)
    if color is not None:
        whole[..., kernels.COLOR : kernels.COLOR + 3] = color
    whole[..., kernels.DEPTH] = np.inf
    part = box_of(shown, int(4 * settings.vote_px) + settings.rim_px + BESIDE_PX)
    layers, maps = cropped(layers, part), whole[(slice(None), *part)]
    head = (layers.head_mm > 0) & ~layers.mouth & _voted(layers, settings)
    _surface(head, layers.head_mm, settings, maps[0])
    _surface(layers.foreground, layers.surface_mm, settings, maps[1])
    maps[0, ..., kernels.DEPTH] = _head_cover(layers)
    maps[1, ..., kernels.DEPTH] = _grid_cover(layers)
    maps[..., kernels.HOLLOW] = layers.hollow
    return SourceMaps(whole)


def _surface(own, depth_mm, settings, maps):
    """Write a surface's own and clean to its maps (H, W, 4)."""
    maps[..., kernels.OWN] = cv2.erode(own.astype(np.uint8), SQUARE, borderValue=1)
    clean = own & ~_jumps(depth_mm, settings.jump_mm)
    maps[..., kernels.CLEAN] = _eroded(clean, settings.rim_px)


def _voted(layers, settings):
    """(H, W) bool: the head's pixels whose colours are its own, as the sensor around them says.

    A sensor loses single pixels and misses the depth of others, on a flank most of all; only where
    more of it around a pixel speaks against the head than for it does the pixel show something
    else. A single pixel without a depth says nothing; beside an ear the wall shines through it,
    and a wide hole (the shadow below a chin) leaves open where its colours belong.
    """
    measured = layers.measured_mm > 0
    holes = (~measured & ~layers.trusted & ~layers.photographed).astype(np.uint8)
    holes = cv2.morphologyEx(holes, cv2.MORPH_OPEN, WIDE)
    against = ~layers.body | layers.disputed | (holes > 0)
    against |= layers.trusted & ~layers.photographed
    speaks = (layers.head_mm > 0) & ~layers.occluder & (measured | against)
    votes = cv2.GaussianBlur(
        (speaks & ~against).astype(np.float32) - (speaks & against), (0, 0), settings.vote_px
    )
    return ~layers.occluder & (votes >= 0)


def _head_cover(layers):
    """(H, W) mm: what hides a point of the head that lies behind it, the head itself or what lies
    before it; inf = nothing. The sensor's noise has no say in it."""
    depth = np.where(layers.occluder, layers.surface_mm, layers.head_mm)
    return np.where(depth > 0, depth, np.inf)


def _grid_cover(layers):
    """(H, W) mm: the same for the rest of the foreground, the farthest of its depths around."""
    depth = np.where(layers.surface_mm > 0, layers.surface_mm, np.inf).astype(np.float32)
    return cv2.dilate(depth, np.ones((5, 5), np.uint8))


def judge(
    source_points_mm: np.ndarray,
    facing: np.ndarray,
    view_facing: np.ndarray,
    is_head: np.ndarray,
    covered: np.ndarray,
    maps: SourceMaps,
    camera: Camera,
    settings: VisibilitySettings = VisibilitySettings(),
) -> tuple[Trust, np.ndarray]:
    """Trust in the source at every pixel (H, W) of a view that is turned far.

    Args:
        source_points_mm: (H, W, 3) float32, the view's surface in the source's camera frame.
        facing: (H, W) cosine between its normal and the ray to the source camera.
        view_facing: (H, W) the same to the view's camera. Only what is enlarged is stretched.
        is_head, covered: (H, W) in [0, 1], head or grid; bool, whether a surface shows at all.
        maps, camera: the source's.

    Returns:
        Trust, and the source pixels (H, W, 2) float32.
    """
    shape = facing.shape
    weight, flags = np.zeros(facing.size, np.float32), np.zeros(facing.size, np.uint8)
    pixels = np.zeros((facing.size, 2), np.float32)
    kernels.judge_points(
        source_points_mm.reshape(-1, 3),
        facing.ravel(),
        view_facing.ravel(),
        (is_head > 0.5).ravel(),
        maps.surfaces,
        lens_of(camera),
        rules_of(settings, settings.settled_deg),
        weight,
        flags,
        pixels,
    )
    flags = flags.reshape(shape)
    reasons = {name: covered & ((flags & bit) > 0) for name, bit in REASONS.items()}
    weight = np.where(covered, weight.reshape(shape), np.float32(0))
    return Trust(**reasons, weight=weight), pixels.reshape(*shape, 2)


def lens_of(camera: Camera) -> tuple[float, float, float, float, bool]:
    """The camera as the kernels take it: pixels per mm at depth 1, the centre, perspective."""
    if camera.is_perspective:
        return float(camera.fx), float(camera.fy), float(camera.cx), float(camera.cy), True
    scale = 1.0 / camera.mm_per_px
    return scale, scale, float(camera.cx), float(camera.cy), False


def rules_of(settings: VisibilitySettings, turn_deg: float) -> tuple:
    """The settings as the kernels take them, for a view turned by so many degrees."""
    stretched = settings.stretched_deg - np.array([0, settings.feather_deg])
    low, high = np.cos(np.radians(stretched)).tolist()
    turned = min(turn_deg / settings.settled_deg, 1.0)
    return float(settings.hidden_mm), low, high, tuple(settings.enlarged), float(turned)


def _jumps(depth_mm, jump_mm):
    """(H, W) bool: pixels beside a depth jump, on the farther side of which colours bleed."""
    filled = np.where(depth_mm > 0, depth_mm, 0).astype(np.float32)
    return (cv2.dilate(filled, SQUARE) - cv2.erode(filled, SQUARE) > jump_mm) & (depth_mm > 0)


def _eroded(mask, pixels):
    """1 inside the mask, 0 within ``pixels`` of its rim, a soft step between; float32."""
    size = 2 * pixels + 1
    inner = cv2.erode(mask.astype(np.uint8), np.ones((size, size), np.uint8), borderValue=1)
    return cv2.GaussianBlur(inner.astype(np.float32), (0, 0), max(pixels / 2, 0.5))
