"""Correspondence in position and colour (Beyond 3DMM Space, Eq. 6), with rejections by name.

    k_corr = argmin_k ‖v_i − v*_k‖ + λ_tex ‖c_i − c*_k‖
    subject to ‖v_i − v*_k‖ < τ_v and ‖c_i − c*_k‖ < τ_c

The numbers, and how they are read, stand in registration.thresholds.
"""

from dataclasses import dataclass, field

import numba
import numpy as np
import scipy.spatial

from faces.camera import Camera
from registration.thresholds import Thresholds

REASONS = (
    *("matched", "back_face", "hidden", "distance", "color", "normal", "silhouette"),
    "occluder",
)
MATCHED, BACK_FACE, HIDDEN, DISTANCE, COLOR, NORMAL, SILHOUETTE, OCCLUDER = range(len(REASONS))


@dataclass(frozen=True, slots=True, eq=False)
class DepthTarget:
    """A depth image as the surface to match, V* and C* of Eq. 6.

    Attributes:
        camera: of the image.
        points_mm: (H, W, 3) float32, camera frame.
        colors: (H, W, 3) float32 in [0, 1].
        normals: (H, W, 3) float32, unit, towards the camera; zero where unknown.
        valid: (H, W) bool, where there is a point.
        rim: (H, W) bool, silhouette and depth-jump pixels: the closest point to whatever lies
            beyond the edge of what was seen, so a match there says nothing. Rims of holes are not
            among them.
    """

    camera: Camera
    points_mm: np.ndarray
    colors: np.ndarray
    normals: np.ndarray
    valid: np.ndarray
    rim: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class CloudTarget:
    """An unorganised cloud as the surface to match.

    Attributes:
        points_mm: (K, 3) float64, camera frame.
        colors: (K, 3) float32 in [0, 1].
        normals: (K, 3) float32, unit; zero where unknown.
        rim: (K,) bool, points on the edge of what was seen.
        trees: 6-D trees already built, by λ_tex in mm.
    """

    points_mm: np.ndarray
    colors: np.ndarray
    normals: np.ndarray
    rim: np.ndarray
    trees: dict[float, scipy.spatial.cKDTree] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """What Eq. 6 found for N vertices.

    Attributes:
        index: (N,) int64, pixel (row-major) or point of the target; -1 where rejected.
        reason: (N,) uint8, index into REASONS.
        points_mm: (N, 3) float64, matched points in the camera frame; 0 where rejected.
        normals: (N, 3) float64, the target's normals there.
        distance_mm: (N,) float64, ‖v − v*‖; NaN where rejected.
        color_distance: (N,) float64, ‖c − c*‖; NaN where rejected.
    """

    index: np.ndarray
    reason: np.ndarray
    points_mm: np.ndarray
    normals: np.ndarray
    distance_mm: np.ndarray
    color_distance: np.ndarray

    @property
    def found(self) -> np.ndarray:
        """(N,) bool."""
        return self.reason == MATCHED

    @property
    def rejected(self) -> dict[str, int]:
        """Counts by reason, without "matched"."""
        counts = np.bincount(self.reason, minlength=len(REASONS))
        return {name: int(n) for name, n in zip(REASONS[1:], counts[1:], strict=True)}


def match(
    vertices_mm: np.ndarray,
    colors: np.ndarray,
    normals: np.ndarray,
    seen: np.ndarray,
    target: DepthTarget | CloudTarget,
    thresholds: Thresholds,
) -> Matches:
    """Eq. 6 for every vertex that the camera sees.

    Args:
        vertices_mm: (N, 3) camera frame.
        colors: (N, 3) in [0, 1], the rendered texture C of Eq. 4.
        normals: (N, 3) unit outward normals.
        seen: (N,) uint8, MATCHED (0) where a match may be looked for, else BACK_FACE, HIDDEN or
            OCCLUDER.
        target: a depth image (projective window search) or a cloud (6-D tree).
        thresholds: λ_tex, τ_v, τ_c and the normals' largest angle.
    """
    search = _search_window if isinstance(target, DepthTarget) else _search_tree
    index, reason = search(np.asarray(vertices_mm, np.float64), colors, seen, target, thresholds)
    return _describe(vertices_mm, colors, normals, index, reason, target, thresholds)


def _describe(vertices_mm, colors, normals, index, reason, target, thresholds):
    """Drop matches on rims and against the normal, then look up what the others matched."""
    count = len(index)
    matches = Matches(
        index,
        reason,
        np.zeros((count, 3)),
        np.zeros((count, 3)),
        np.full(count, np.nan),
        np.full(count, np.nan),
    )
    _look_up(
        np.asarray(vertices_mm, np.float64),
        np.asarray(colors, np.float64),
        np.asarray(normals, np.float64),
        (target.points_mm.reshape(-1, 3), target.colors.reshape(-1, 3)),
        target.normals.reshape(-1, 3),
        target.rim.ravel(),
        np.cos(np.radians(thresholds.normal_deg)),
        index,
        reason,
        (matches.points_mm, matches.normals),
        (matches.distance_mm, matches.color_distance),
    )
    return matches


@numba.njit(cache=True, nogil=True)
def _look_up(
    vertices, colors, normals, target, facing, rim, least_cosine, index, reason, where, distances
):
    """Fill points and normals (N, 3), ‖v − v*‖ and ‖c − c*‖ (N,) of the matches that stay."""
    for i in range(len(index)):
        if reason[i] != MATCHED:
            continue
        k = index[i]
        x, y, z = float(facing[k, 0]), float(facing[k, 1]), float(facing[k, 2])
        known = x != 0 or y != 0 or z != 0
        cosine = normals[i, 0] * x + normals[i, 1] * y + normals[i, 2] * z
        if rim[k] or (known and cosine < least_cosine):
            reason[i] = SILHOUETTE if rim[k] else NORMAL
            index[i] = -1
            continue
        space, tint = 0.0, 0.0
        for c in range(3):
            where[0][i, c], where[1][i, c] = target[0][k, c], facing[k, c]
            space += (vertices[i, c] - target[0][k, c]) ** 2
            tint += (colors[i, c] - target[1][k, c]) ** 2
        distances[0][i], distances[1][i] = np.sqrt(space), np.sqrt(tint)


def _search_window(vertices_mm, colors, seen, target, thresholds):
    """Eq. 6, exactly: among all the pixels that can lie within τ_v of each vertex."""
    camera = target.camera
    pixels = np.nan_to_num(camera.project(vertices_mm), nan=-1e6)
    if camera.is_perspective:
        depth = np.maximum(vertices_mm[:, 2], 2 * thresholds.tau_v_mm)
        slope = np.sqrt(1 + (vertices_mm[:, :2] ** 2).sum(1) / depth**2)
        # A point τ_v nearer to the camera projects further out: hence the depth less τ_v.
        px_per_mm = max(camera.fx, camera.fy) * slope / (depth - thresholds.tau_v_mm)
    else:
        px_per_mm = np.full(len(vertices_mm), 1 / camera.mm_per_px)
    index = np.full(len(vertices_mm), -1, dtype=np.int64)
    reason = np.array(seen, dtype=np.uint8)
    _window_kernel(
        np.hstack([vertices_mm, colors]),
        pixels,
        px_per_mm,
        (target.points_mm, target.colors, target.valid),
        (thresholds.lambda_mm, thresholds.tau_v_mm, thresholds.tau_c),
        index,
        reason,
    )
    return index, reason


@numba.njit(cache=True, nogil=True)
def _window_kernel(queries, pixels, px_per_mm, target, numbers, index, reason):
    """Fill index and reason of the queries (N, 6), positions and colours.

    Rows and columns are visited from the middle as far as a pixel can still be nearer than the
    best cost so far, which is far less than the window once a match is found.
    """
    height = len(target[2])
    for i in range(len(queries)):
        if reason[i] != MATCHED:
            continue
        row, column = int(np.floor(pixels[i, 1])), int(np.floor(pixels[i, 0]))
        # A pixel's point lies anywhere in it, and half a pixel out where depth was moved.
        radius = np.floor(numbers[1] * px_per_mm[i] + 1.5)
        best = (np.inf, -1, False)
        if 0 <= row < height:  # a first bound, before a whole row is read
            best = _visit(queries[i], row, column - 1, column + 2, target, numbers, best)
        for n in range(2 * int(radius) + 1):
            down = (n + 1) // 2
            far = min(radius, best[0] * px_per_mm[i] + 1.5)
            if down > far:
                break
            r = row + (down if n % 2 else -down)
            if 0 <= r < height:
                first, end = column - int(far), column + int(far) + 1
                best = _visit(queries[i], r, first, end, target, numbers, best)
        if best[1] >= 0:
            index[i] = best[1]
        else:
            reason[i] = COLOR if best[2] else DISTANCE


@numba.njit(cache=True, nogil=True)
def _visit(query, row, first, end, target, numbers, best):
    """The better of ``best`` and a row's pixels from ``first`` to before ``end``.

    Either is (Eq. 6 within the thresholds, pixel, whether one was within τ_v).
    """
    points, colors, valid = target
    weight, tau_v, tau_c = numbers
    cost, pixel, near = best
    for c in range(max(first, 0), min(end, valid.shape[1])):
        if not valid[row, c]:
            continue
        x, y = query[0] - points[row, c, 0], query[1] - points[row, c, 1]
        z = query[2] - points[row, c, 2]
        square, bound = x * x + y * y + z * z, min(tau_v, cost)
        if square < bound * bound:
            near, tint = True, 0.0
            for k in range(3):
                tint += (query[3 + k] - colors[row, c, k]) ** 2
            total = np.sqrt(square) + weight * np.sqrt(tint)
            if tint < tau_c * tau_c and total < cost:
                cost, pixel = total, row * valid.shape[1] + c
    return cost, pixel, near


def _search_tree(vertices_mm, colors, seen, target, thresholds, neighbours=16):
    """Eq. 6 among the nearest points in [x, y, z, λ·r, λ·g, λ·b], re-ranked by Eq. 6 itself."""
    weight = thresholds.lambda_mm
    if weight not in target.trees:
        target.trees[weight] = scipy.spatial.cKDTree(
            np.hstack([target.points_mm, weight * target.colors])
        )
    wanted = np.flatnonzero(np.asarray(seen) == MATCHED)
    query = np.hstack([vertices_mm[wanted], weight * colors[wanted]])
    count = min(neighbours, len(target.points_mm))
    near = target.trees[weight].query(query, k=np.arange(1, count + 1))[1]
    space = np.linalg.norm(vertices_mm[wanted, None] - target.points_mm[near], axis=2)
    tint = np.linalg.norm(colors[wanted, None] - target.colors[near], axis=2)
    close = space < thresholds.tau_v_mm
    cost = np.where(close & (tint < thresholds.tau_c), space + weight * tint, np.inf)
    best = cost.argmin(1)
    passed = np.isfinite(cost.min(1))
    index = np.full(len(vertices_mm), -1, dtype=np.int64)
    reason = np.array(seen, dtype=np.uint8)
    index[wanted[passed]] = near[passed, best[passed]]
    reason[wanted[~passed]] = np.where(close.any(1), COLOR, DISTANCE)[~passed]
    return index, reason
