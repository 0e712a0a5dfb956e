"""Depth for what the sensor did not measure: anchors, their triangulation, and Eq. 8."""

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from augment.anchors import HALVINGS, quadtree_mesh
from augment.sheet import draw_sheet
from augment.sparse_ldl import GraphSystem
from faces.mesh import unique_edges


@dataclass(frozen=True, slots=True)
class BackgroundSettings:
    """How anchors are laid out and weighed.

    Attributes:
        norm: "l1" as Eq. 8 is printed (its norms are not squared; robust, by IRLS), or "l2".
        spacing_px: edge of the anchors' coarse cells; the finest are an eighth of it.
        near_px: edge of the cells near the head.
        bend_mm: a cell splits where that brings its depth nearer to planes by more than this.
        level_mm: measured anchors that spread further than this about a plane lie on none.
        smoothness: weight of the Connect term against the Mask term; 1 in Eq. 8.
        iterations: reweighted solves of the L1 norm, at most.
        settled_mm: a solve that moves no anchor further than this is the last.
        floor_mm: residuals below this count as quadratic; keeps the IRLS weights finite.
    """

    norm: Literal["l1", "l2"] = "l1"
    spacing_px: int = 40
    near_px: int = 10
    bend_mm: float = 5.0
    level_mm: float = 15.0
    smoothness: float = 1.0
    iterations: int = 10
    settled_mm: float = 1.0
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
    anchors, triangles = place_anchors(depth_mm, near, settings)
    measured = _depth_at(depth_mm, anchors)
    edges = unique_edges(triangles)
    edges = edges[edges[:, 0] != edges[:, 1]]  # at the border triangles may have no area
    depths = np.maximum(solve_anchors(anchors, edges, measured, settings), 1.0)
    sheet = np.zeros(depth_mm.shape, np.float32)
    draw_sheet(anchors, triangles, 1 / depths if perspective else depths, sheet)
    return 1 / sheet if perspective else sheet


def place_anchors(
    depth_mm: np.ndarray, near: np.ndarray, settings: BackgroundSettings = BackgroundSettings()
) -> tuple[np.ndarray, np.ndarray]:
    """Anchors (N, 2) float64 px, denser near the head and at bends, and triangles (T, 3)."""
    finest = max(1, round(settings.spacing_px / 2**HALVINGS))
    return quadtree_mesh(depth_mm, near, finest, settings.near_px, settings.bend_mm)


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
    plane = _plane(anchors_px, measured_mm, mask, settings.level_mm)
    wanted = np.where(mask, measured_mm - plane, 0)
    data, link = mask.astype(float), np.full(len(edges), settings.smoothness)
    weights = (data, link)
    system, last = GraphSystem(edges, len(mask)), np.inf
    for _ in range(settings.iterations if settings.norm == "l1" else 1):
        # anchors that no measured one reaches keep the plane: a whisper of data at 0
        residual = system.solve(weights[0] + 1e-9, weights[1], weights[0] * wanted)
        if np.abs(residual - last).max() < settings.settled_mm:
            break
        last = residual
        jumps = np.abs(residual[edges[:, 0]] - residual[edges[:, 1]])
        misfit = np.abs(residual - wanted)
        floor = settings.floor_mm
        weights = (data / np.maximum(misfit, floor), link / np.maximum(jumps, floor))
    return residual + plane


def _plane(anchors_px, measured_mm, mask, level_mm):
    """The plane (N,) of the measured anchors at all of them; level where they lie on none."""
    level = np.full(len(mask), np.median(measured_mm[mask]))
    if mask.sum() < 3:
        return level
    design = np.concatenate([anchors_px - anchors_px.mean(0), np.ones((len(mask), 1))], 1)
    weight = mask.astype(float)
    for _ in range(6):  # the plane of least distance, not of least squares
        weighted = design * weight[:, None]
        plane = design @ np.linalg.lstsq(weighted.T @ design, weighted.T @ measured_mm)[0]
        misfit = np.abs(measured_mm - plane)
        weight = mask / np.maximum(misfit, 1.0)
    return plane if np.median(misfit[mask]) < level_mm else level


def _depth_at(depth_mm, anchors_px):
    """Median of the measured depths in the 3×3 pixels around each anchor; 0 in the hollow."""
    height, width = depth_mm.shape
    column = np.clip(np.floor(anchors_px[:, 0]).astype(int), 0, width - 1)
    row = np.clip(np.floor(anchors_px[:, 1]).astype(int), 0, height - 1)
    padded = cv2.copyMakeBorder(depth_mm, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    around = np.stack([padded[row + dy, column + dx] for dy in range(3) for dx in range(3)], 1)
    around = np.sort(np.where(around > 0, around, np.inf), axis=1)
    count = np.isfinite(around).sum(1)
    each = np.arange(len(around))
    median = (around[each, (np.maximum(count, 1) - 1) // 2] + around[each, count // 2]) / 2
    return np.where(count > 0, median, 0).astype(np.float64)
