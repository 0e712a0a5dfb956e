"""Depth for what the sensor did not measure: anchors, their triangulation, and Eq. 8."""

import itertools
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu
from scipy.spatial import Delaunay

from faces.mesh import unique_edges
from imaging.raster import rasterise


@dataclass(frozen=True, slots=True)
class BackgroundSettings:
    """How anchors are laid out and weighed.

    Attributes:
        norm: "l1" as Eq. 8 is printed (its norms are not squared; robust, by IRLS), or "l2".
        spacing_px: edge of the anchors' coarse cells.
        subdivision: a cell near the head, or one whose depth bends, gets this many anchors a side.
        bend_mm: a cell bends where its depth spreads further than this about a plane.
        smoothness: weight of the Connect term against the Mask term; 1 in Eq. 8.
        iterations: reweighted solves of the L1 norm; 10 bring it within 0.1 mm of its limit.
        floor_mm: residuals below this count as quadratic; keeps the IRLS weights finite.
    """

    norm: Literal["l1", "l2"] = "l1"
    spacing_px: int = 40
    subdivision: int = 3
    bend_mm: float = 15.0
    smoothness: float = 1.0
    iterations: int = 10
    floor_mm: float = 0.05


def complete_sheet(
    depth_mm: np.ndarray,
    near: np.ndarray,
    settings: BackgroundSettings = BackgroundSettings(),
    perspective: bool = True,
) -> np.ndarray:
    """One smooth surface through all the image that follows the measured depth (Eq. 8).

    Args:
        depth_mm: (H, W) float32, z; 0 where nothing was measured (the hollow).
        near: (H, W) bool, where anchors are wanted dense whatever the depth does.
        settings: layout and weights.
        perspective: whether the camera is a pinhole (1/z is then linear over the image).

    Returns:
        (H, W) float32 depth without holes, measured pixels included; all 0 where nothing at all
        was measured.
    """
    if not (depth_mm > 0).any():
        return np.zeros_like(depth_mm)
    anchors = place_anchors(depth_mm, near, settings)
    triangles = Delaunay(anchors).simplices
    measured = _depth_at(depth_mm, anchors)
    depths = solve_anchors(anchors, unique_edges(triangles), measured, settings)
    return _interpolated(anchors, triangles, depths, depth_mm.shape, perspective)


def place_anchors(
    depth_mm: np.ndarray, near: np.ndarray, settings: BackgroundSettings = BackgroundSettings()
) -> np.ndarray:
    """Anchor positions (N, 2) float64 px: a coarse grid, refined near the head and at bends.

    The grid reaches one pixel beyond the image, so that its triangles cover every pixel.
    """
    height, width = depth_mm.shape
    columns = np.linspace(-1, width + 1, max(2, round(width / settings.spacing_px)) + 1)
    rows = np.linspace(-1, height + 1, max(2, round(height / settings.spacing_px)) + 1)
    points = [np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)]
    inner = (np.arange(settings.subdivision) + 0.5) / settings.subdivision
    offsets = np.stack(np.meshgrid(inner, inner), -1).reshape(-1, 2)
    for top, bottom in itertools.pairwise(rows):
        for left, right in itertools.pairwise(columns):
            cell = np.s_[max(0, int(top)) : int(bottom), max(0, int(left)) : int(right)]
            if near[cell].any() or _bends(depth_mm[cell], settings.bend_mm):
                points.append([left, top] + offsets * [right - left, bottom - top])
    return np.concatenate(points)


def _bends(depth_mm, bend_mm):
    """Whether the measured depth of a cell leaves its middle plane, by two tests at its rows."""
    valid = depth_mm > 0
    if valid.sum() < 16:
        return False
    y, x = np.nonzero(valid)
    spots = slice(None, None, max(1, len(x) // 64))  # 64 pixels tell a bend from a plane
    design = np.stack([x[spots], y[spots], np.ones(len(x[spots]))], 1)
    values = depth_mm[valid][spots]
    plane = np.linalg.lstsq(design, values, rcond=None)[0]
    return np.abs(values - design @ plane).mean() > bend_mm


def solve_anchors(
    anchors_px: np.ndarray,
    edges: np.ndarray,
    measured_mm: np.ndarray,
    settings: BackgroundSettings = BackgroundSettings(),
) -> np.ndarray:
    """The anchors' depths d (N,) float64 mm that minimise Eq. 8.

    Σ_i Mask_i ‖d_i − Depth_i‖ + smoothness · Σ_ij Connect_ij ‖d_i − d_j‖, the differences taken
    after the plane through the measured anchors is removed: a slanted wall costs nothing, where
    the printed term would flatten its rim.

    Args:
        anchors_px: (N, 2) positions.
        edges: (E, 2) connected anchors.
        measured_mm: (N,) Depth; 0 where Mask is 0 (the hollow). At least one is above 0.
        settings: the norm and its weights.
    """
    mask = measured_mm > 0
    plane = _plane(anchors_px, measured_mm, mask, settings.bend_mm)
    wanted = np.where(mask, measured_mm - plane, 0)
    residual = np.full(len(mask), np.median(wanted[mask]))
    data, link = mask.astype(float), np.full(len(edges), settings.smoothness)
    weights = (data, link)
    for _ in range(settings.iterations if settings.norm == "l1" else 1):
        residual = _weighted_solve(edges, wanted, *weights)
        jumps = np.abs(residual[edges[:, 0]] - residual[edges[:, 1]])
        misfit = np.abs(residual - wanted)
        floor = settings.floor_mm
        weights = (data / np.maximum(misfit, floor), link / np.maximum(jumps, floor))
    return residual + plane


def _plane(anchors_px, measured_mm, mask, bend_mm):
    """The plane (N,) of the measured anchors at all of them; level where they lie on none."""
    level = np.full(len(mask), np.median(measured_mm[mask]))
    if mask.sum() < 3:
        return level
    design = np.concatenate([anchors_px, np.ones((len(mask), 1))], 1)
    weight = mask.astype(float)
    for _ in range(6):
        root = np.sqrt(weight)[:, None]
        plane = np.linalg.lstsq(design * root, measured_mm * root[:, 0], rcond=None)[0]
        misfit = np.abs(measured_mm - design @ plane)
        weight = mask / np.maximum(misfit, 1.0)
    return design @ plane if np.median(misfit[mask]) < bend_mm else level


def _weighted_solve(edges, wanted, data, link):
    """argmin Σ data (d − wanted)² + Σ link (d_i − d_j)²: one sparse SPD system."""
    count = len(wanted)
    i, j = edges.T
    off = sp.coo_matrix((np.concatenate([link, link]), (np.r_[i, j], np.r_[j, i])), (count, count))
    degree = np.bincount(i, link, count) + np.bincount(j, link, count)
    # anchors that no measured one reaches keep the plane: a whisper of data at 0
    matrix = sp.diags(degree + data + 1e-9) - off
    factor = splu(
        matrix.tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    return factor.solve(data * wanted)


def _depth_at(depth_mm, anchors_px):
    """Median of the measured depths in the 3×3 pixels around each anchor; 0 in the hollow."""
    height, width = depth_mm.shape
    column = np.clip(np.floor(anchors_px[:, 0]).astype(int), 0, width - 1)
    row = np.clip(np.floor(anchors_px[:, 1]).astype(int), 0, height - 1)
    padded = cv2.copyMakeBorder(depth_mm, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    around = np.stack([padded[row + dy, column + dx] for dy in range(3) for dx in range(3)], 1)
    around = np.where(around > 0, around, np.nan).astype(np.float64)
    around[np.isnan(around).all(axis=1)] = 0
    return np.nanmedian(around, axis=1)


def _interpolated(anchors_px, triangles, depths, shape, perspective):
    """The triangulation's depth at every pixel centre (H, W) float32."""
    screen = np.concatenate([anchors_px, np.maximum(depths, 1.0)[:, None]], 1)
    fragments = rasterise(screen, triangles, shape[::-1], perspective)
    return fragments.depth
