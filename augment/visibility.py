"""Which pixels of a rotated view the source image can be trusted for."""

from dataclasses import dataclass

import cv2
import numpy as np

from augment.foreground import Layers
from faces.camera import Camera

SQUARE = np.ones((3, 3), np.uint8)


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
    jump_mm: what counts as a jump between neighbouring source pixels.
    island_share: patches of trusted pixels smaller than this share of a view are noise, and
        would shine through the fill as blots; 79 px of 256².
    """

    stretched_deg: float = 74.0
    feather_deg: float = 14.0
    hidden_mm: float = 3.0
    enlarged: tuple[float, float] = (1.1, 1.6)
    rim_px: int = 2
    jump_mm: float = 8.0
    island_share: float = 1.2e-3


@dataclass(frozen=True, slots=True, eq=False)
class SourceMaps:
    """What each source pixel is good for.

    Attributes:
        own: (H, W, 2) float32, for the head and for the grid: 1 where the pixel and those beside
            it show that surface, 0 where bilinear sampling would mix in another one.
        clean: (H, W, 2) float32 in [0, 1], the same without rims, where colours mix.
        depth: (H, W, 2) float32 mm, the nearest surface of the head and of the grid; 0 = none.
        hollow: (H, W) float32, 1 where no sensor measured the foreground.
    """

    own: np.ndarray
    clean: np.ndarray
    depth: np.ndarray
    hollow: np.ndarray


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
    return np.where(small[label], np.float32(0), weight)


def source_maps(layers: Layers, settings: VisibilitySettings = VisibilitySettings()) -> SourceMaps:
    """Cleanliness and depth of the source image, made once for all views."""
    surface = layers.surface_mm
    head = (layers.head_mm > 0) & layers.photographed
    head &= ~(layers.occluder | layers.disputed | layers.mouth)
    grid = layers.foreground
    smooth = [
        _eroded(own & ~_jumps(depth, settings.jump_mm), settings.rim_px)
        for own, depth in ((head, layers.head_mm), (grid, surface))
    ]
    seen_first = np.where(layers.occluder, surface, layers.head_mm)
    inner = cv2.erode(np.stack([head, grid], -1).astype(np.float32), SQUARE, borderValue=1)
    return SourceMaps(
        own=inner,
        clean=np.stack(smooth, -1),
        depth=np.stack([_nearest(seen_first, surface), surface], -1).astype(np.float32),
        hollow=layers.hollow.astype(np.float32),
    )


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
    """Trust in the source at every pixel (H, W) of a view.

    Args:
        source_points_mm: (H, W, 3) float32, the view's surface in the source's camera frame.
        facing: (H, W) cosine between its normal and the ray to the source camera.
        view_facing: (H, W) the same to the view's camera. Only what is enlarged is stretched.
        is_head, covered: (H, W) in [0, 1], head or grid; bool, whether a surface shows at all.
        maps, camera: the source's.

    Returns:
        Trust, and the source pixels (H, W, 2) float32.
    """
    pixels = np.nan_to_num(camera.project(source_points_mm), nan=-1e6).astype(np.float32)
    own, clean, depth, hollow = _looked_up(maps, pixels, is_head > 0.5)
    # a pixel's depth may differ by its own slope: half a pixel's width over the cosine
    slack = settings.hidden_mm / np.clip(facing, 0.25, 1)
    hidden = (depth <= 0) | (source_points_mm[..., 2] > depth + slack)
    low, high = np.cos(np.radians(settings.stretched_deg - np.array([0, settings.feather_deg])))
    larger = enlarged(facing, view_facing, settings.enlarged)
    weight = _smoothstep((facing - low) / (high - low)) * _smoothstep(2 * clean - 1)
    weight = np.where(facing > 0, own * (1 - larger * (1 - weight)), 0)
    trust = Trust(
        stretched=covered & (facing > 0) & (facing < low) & (larger > 0.5),
        back_facing=covered & (facing <= 0),
        hidden=covered & hidden,
        unclean=covered & ((own < 0.5) | (larger * (1 - clean) > 0.5)),
        hollow=covered & (hollow > 0.5),
        weight=np.where(covered & ~hidden, weight, 0).astype(np.float32),
    )
    return trust, pixels


def _looked_up(maps, pixels, head):
    """The maps' own, clean, depth and hollow (H, W) at the source pixels (H, W, 2)."""

    def of_surface(image, interpolation):
        both = _sample(image, pixels, interpolation)
        return np.where(head, both[..., 0], both[..., 1])

    return (
        of_surface(maps.own, cv2.INTER_NEAREST),
        of_surface(maps.clean, cv2.INTER_LINEAR),
        of_surface(maps.depth, cv2.INTER_NEAREST),
        _sample(maps.hollow, pixels, cv2.INTER_NEAREST),
    )


def enlarged(
    facing: np.ndarray, view_facing: np.ndarray, ratios: tuple[float, float]
) -> np.ndarray:
    """0 where the view shows a surface no larger than the source did, 1 where clearly larger."""
    ratio = view_facing / np.maximum(facing, 1e-3)
    return _smoothstep((ratio - ratios[0]) / (ratios[1] - ratios[0]))


def _smoothstep(t):
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def _sample(image, pixels, interpolation):
    """Image at pixel coordinates; 0 outside."""
    return cv2.remap(
        image, pixels[..., 0] - 0.5, pixels[..., 1] - 0.5, interpolation, borderValue=0
    )


def _jumps(depth_mm, jump_mm):
    """(H, W) bool: pixels beside a depth jump, on the farther side of which colours bleed."""
    filled = np.where(depth_mm > 0, depth_mm, 0).astype(np.float32)
    return (cv2.dilate(filled, SQUARE) - cv2.erode(filled, SQUARE) > jump_mm) & (depth_mm > 0)


def _eroded(mask, pixels):
    """1 inside the mask, 0 within ``pixels`` of its rim, a soft step between; float32."""
    size = 2 * pixels + 1
    inner = cv2.erode(mask.astype(np.float32), np.ones((size, size), np.uint8), borderValue=1)
    return cv2.GaussianBlur(inner, (0, 0), max(pixels / 2, 0.5))


def _nearest(first, second):
    """The nearer of two depths (H, W), 0 meaning none."""
    far = np.float32(np.inf)
    near = np.minimum(np.where(first > 0, first, far), np.where(second > 0, second, far))
    return np.where(np.isfinite(near), near, 0)
