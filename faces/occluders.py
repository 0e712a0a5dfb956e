"""What lies before the face, by name: masks, hands, scarves and hair, from their colours.

A thing worn on the skin is as near to the model as skin is, so no distance tells it. Its colour
does, once texture and light are fitted to the skin alone (faces.appearance): what no skin of the
model in this light can be, over more than a feature's size, is an occluder. Its pixels are matched
to nothing, the vertices behind it follow the model, and texture and light are fitted without it.
"""

from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import cv2
import numpy as np

from faces.appearance import render_texture
from faces.camera import Camera
from faces.morphable import PARTS, MorphableModel
from faces.types import Appearance
from imaging.raster import rasterise


class ColoredDepth(Protocol):
    """An image of a face, (H, W) pixels of ``camera``.

    Attributes:
        valid: (H, W) bool, pixels that are looked at.
        colors: (H, W, 3) float32 sRGB in [0, 1].
        points_mm: (H, W, 3) camera frame; z = inf where nobody measured it.
    """

    camera: Camera
    valid: np.ndarray
    colors: np.ndarray
    points_mm: np.ndarray


Target = TypeVar("Target", bound=ColoredDepth)


@dataclass(frozen=True, slots=True)
class OccluderSettings:
    """What counts as an occluder; colours in [0, 1], lengths on the face.

    Attributes:
        grain_mm: distance between the pixels looked at, about.
        shade: least and largest brightness against the fitted light's that a shadow or a
            highlight explains: within it the hue alone counts.
        color: colour distance from which a pixel surely is no skin.
        front_mm: the same of its distance before the surface, along the ray.
        weak: share of these from which it may be none.
        smooth_mm: distances are averaged over this (σ): noise and pores are no occluders.
        core_mm: an occluder is nowhere narrower than a disc of this radius, or it is a feature:
            a brow, a lip, a nostril, a highlight.
        close_mm: gaps up to twice this within an occluder belong to it.
        margin_mm: how far beyond its seen edge it may reach: colours mix there.
    """

    grain_mm: float = 2.0
    shade: tuple[float, float] = (0.4, 1.15)
    color: float = 0.1
    front_mm: float = 12.0
    weak: float = 0.6
    smooth_mm: float = 1.5
    core_mm: float = 5.0
    close_mm: float = 5.0
    margin_mm: float = 2.0


def find_occluders(
    model: MorphableModel,
    vertices_mm: np.ndarray,
    appearance: Appearance,
    target: ColoredDepth,
    settings: OccluderSettings | None,
) -> np.ndarray | None:
    """(H, W) bool, pixels before the face's skin that show something else; None without settings.

    Args:
        vertices_mm: (V, 3) camera frame, on the face to a few mm.
        appearance: fitted to the skin.
    """
    if settings is None:
        return None
    step = max(int(settings.grain_mm * _px_per_mm(vertices_mm, target.camera)), 1)
    px = _px_per_mm(vertices_mm, target.camera) / step
    miss, skin = _misses(model, vertices_mm, appearance, target, settings, step)
    sigma = settings.smooth_mm * px
    share = np.maximum(cv2.GaussianBlur(skin.astype(np.float32), (0, 0), sigma), 1e-3)
    smooth = np.where(skin, cv2.GaussianBlur(miss, (0, 0), sigma) / share, 0)
    core = _opened(smooth > 1, settings.core_mm * px)
    found = _connected(smooth > settings.weak, core)
    found = _opened(found, 0.6 * settings.core_mm * px)
    closed = cv2.morphologyEx(found, cv2.MORPH_CLOSE, _disc(settings.close_mm * px))
    grown = cv2.dilate(closed, _disc(settings.margin_mm * px))
    height, width = target.valid.shape
    return np.repeat(np.repeat(grown, step, 0), step, 1)[:height, :width] > 0


def _px_per_mm(vertices_mm, camera):
    """Pixels a millimetre at the face, float."""
    if not camera.is_perspective:
        return 1 / camera.mm_per_px
    return float(camera.fx / np.median(vertices_mm[:, 2]))


def behind(occluder: np.ndarray | None, vertices_mm: np.ndarray, camera: Camera) -> np.ndarray:
    """(V,) bool: vertices (V, 3) mm whose pixels show an occluder (H, W); none where it is None."""
    if occluder is None or not occluder.any():
        return np.zeros(len(vertices_mm), dtype=bool)
    height, width = occluder.shape
    column, row = np.floor(np.nan_to_num(camera.project(vertices_mm), nan=-1.0)).astype(int).T
    inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    return inside & occluder[np.clip(row, 0, height - 1), np.clip(column, 0, width - 1)]


def without(target: Target, occluder: np.ndarray | None) -> Target:
    """The target without an occluder's pixels."""
    if occluder is None or not occluder.any():
        return target
    return replace(target, valid=target.valid & ~occluder)


def _misses(model, vertices_mm, appearance, target, settings, step):
    """Every ``step``-th pixel: how little of it (h, w) float32 is skin's, 1 where it surely is
    none, and where there is depth and the mesh shows skin (h, w) bool."""
    camera = target.camera
    screen = camera.screen(vertices_mm)
    screen[:, :2] = (screen[:, :2] - 0.5) / step + 0.5
    valid = target.valid[::step, ::step]
    fragments = rasterise(screen, model.triangles, valid.shape[::-1], camera.is_perspective)
    skin = (
        fragments.mask & valid & (model.triangle_part[fragments.triangle_id] == PARTS.index("skin"))
    )
    colors = render_texture(appearance, model, vertices_mm, camera)
    drawn = fragments.interpolate(colors, model.triangles)[skin]
    seen = target.colors[::step, ::step][skin]
    level = _dot(seen, drawn) / np.maximum(_dot(drawn, drawn), 1e-4)
    away = seen - np.clip(level, *settings.shade)[:, None] * drawn
    front = (fragments.depth - target.points_mm[::step, ::step, 2])[skin]
    miss = np.zeros(skin.shape, dtype=np.float32)
    miss[skin] = np.maximum(
        np.sqrt(_dot(away, away)) / settings.color, np.clip(front / settings.front_mm, 0, 2)
    )
    return miss, skin


def _dot(a, b):
    return np.einsum("ij,ij->i", a, b)


def _disc(radius_px):
    size = 2 * max(round(radius_px), 1) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def _opened(mask, radius_px):
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, _disc(radius_px))


def _connected(mask, core):
    """The connected parts of a mask that hold some of the core (hysteresis)."""
    _, labels = cv2.connectedComponents(mask.astype(np.uint8))
    kept = np.zeros(labels.max() + 1, dtype=bool)
    kept[np.unique(labels[core > 0])] = True
    kept[0] = False
    return kept[labels]
