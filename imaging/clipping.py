"""Triangles that reach behind the camera's near plane, cut at it instead of dropped."""

from dataclasses import dataclass

import numba
import numpy as np


@dataclass(frozen=True, slots=True, eq=False)
class Cuts:
    """The parts in front of a plane of triangles that cross it.

    Attributes:
        points: (N, 3) float32, new corners in the frame of the points; triangles: (C, 3) int32,
            into the old points followed by the new ones.
        source: (C,) int32, the triangle that each is a part of.
        weights: (C, 3, 3) float64, the source's barycentrics at each of the part's corners.
    """

    points: np.ndarray
    triangles: np.ndarray
    source: np.ndarray
    weights: np.ndarray


NO_CUTS = Cuts(
    np.zeros((0, 3), np.float32),
    np.zeros((0, 3), np.int32),
    np.zeros(0, np.int32),
    np.zeros((0, 3, 3)),
)


def cut_at(points: np.ndarray, triangles: np.ndarray, depth: np.ndarray, nearest: float) -> Cuts:
    """What lies beyond ``nearest`` of the triangles that cross that depth (Sutherland and Hodgman
    1974, one plane): one triangle where one corner does, two where two do.

    Args:
        points: (V, 3) in any frame. triangles: (T, 3) int32.
        depth: (V,) of each point, linear over a triangle.
        nearest: the plane's depth. New corners lie a millionth beyond it, so that none is rounded
            to before it.
    """
    beyond = depth >= nearest
    count = beyond[triangles].sum(1)
    crossing = np.flatnonzero((count > 0) & (count < 3))
    if len(crossing) == 0:
        return NO_CUTS
    limit = nearest * (1 + 1e-6)
    corners, source, weights = _parts(triangles[crossing], beyond, depth, limit, crossing)
    ends = points.astype(np.float64)[triangles[source]]
    new = np.einsum("cij,cjk->cik", weights, ends).reshape(-1, 3)
    corners = np.where(corners < 0, np.arange(corners.size).reshape(-1, 3) + len(points), corners)
    return Cuts(new.astype(np.float32), corners.astype(np.int32), source, weights)


@numba.njit(nogil=True, cache=True)
def _parts(triangles, beyond, depth, limit, crossing):
    """Old corners (C, 3), -1 where new; source (C,); weights (C, 3, 3)."""
    most = 2 * len(triangles)
    corners, source = np.full((most, 3), -1, np.int32), np.zeros(most, np.int32)
    weights = np.zeros((most, 3, 3))
    polygon, old, n = np.zeros((4, 3)), np.zeros(4, np.int32), 0
    for t in range(len(triangles)):
        sides = 0
        for k in range(3):
            here, there = triangles[t, k], triangles[t, (k + 1) % 3]
            if beyond[here]:
                polygon[sides] = 0
                polygon[sides, k], old[sides] = 1, here
                sides += 1
            if beyond[here] != beyond[there]:
                share = (limit - depth[here]) / (depth[there] - depth[here])
                polygon[sides] = 0
                polygon[sides, k], polygon[sides, (k + 1) % 3] = 1 - share, share
                old[sides] = -1
                sides += 1
        for last in range(2, sides):
            source[n] = crossing[t]
            for k, side in enumerate((0, last - 1, last)):
                corners[n, k] = old[side]
                weights[n, k] = polygon[side]
            n += 1
    return corners[:n], source[:n], weights[:n]
