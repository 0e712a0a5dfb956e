"""Where a depth camera fails: masks (H, W) bool of pixels without depth, and pixels that fly."""

import cv2
import numpy as np

from faces.camera import Camera
from synth.noise import grain, levels, normals
from synth.sensors import kernels

HEAD_MM = 120.0  # from the nose tip back to the ears: where a blind spot matters
SQUARE = np.ones((3, 3), np.uint8)


def steps(depth_mm: np.ndarray, jump_mm: float) -> np.ndarray:
    """(H, W) float32: the span of depths around a pixel that lies beside a jump, 0 elsewhere."""
    z = np.asarray(depth_mm, dtype=np.float32)
    span = cv2.dilate(z, SQUARE) - cv2.erode(z, SQUARE)
    return cv2.threshold(span, jump_mm, 0, cv2.THRESH_TOZERO)[1]


def jump_loss(beside: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """A share of the pixels beside a jump, where two cameras see different things."""
    lost = beside > 0
    lost[lost] = rng.random(np.count_nonzero(lost), dtype=np.float32) < share
    return lost


def flying(
    measured_mm: np.ndarray,
    depth_mm: np.ndarray,
    beside: np.ndarray,
    rng: np.random.Generator,
    share: float,
) -> np.ndarray:
    """Depth with a share of the pixels beside a jump anywhere between its two sides.

    Their light comes from both; a side that is nothing (0) has none.
    """
    if share <= 0:
        return measured_mm
    near, far = cv2.erode(depth_mm, SQUARE), cv2.dilate(depth_mm, SQUARE)
    at = np.flatnonzero((beside > 0) & (near > 0))
    at = at[rng.random(len(at), dtype=np.float32) < share]
    mix = rng.random(len(at), dtype=np.float32)
    flown = measured_mm.copy()
    flown.flat[at] = near.flat[at] + mix * (far.flat[at] - near.flat[at])
    return flown


def grazing(
    depth_mm: np.ndarray, camera: Camera, rng: np.random.Generator, limit: float
) -> np.ndarray:
    """Drop-outs where the cosine to the view is below ``limit``, surely below a third of it.

    The normal comes from the differences of depth; a pixel without depth is not lost, it is none.
    """
    if limit <= 0:
        return np.zeros(depth_mm.shape, dtype=bool)
    return kernels.turned_away(
        np.ascontiguousarray(depth_mm, dtype=np.float32),
        levels(rng, depth_mm.shape),
        limit,
        (camera.fx, camera.fy),
        (camera.cx, camera.cy),
        0.0 if camera.is_perspective else camera.mm_per_px,
    )


def dark_loss(reflectance: np.ndarray, rng: np.random.Generator, limit: float) -> np.ndarray:
    """Drop-outs where too little light comes back, in patches: surely below a third of it."""
    lost = np.zeros(reflectance.shape, dtype=bool)
    dark = reflectance < limit
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    if len(rows) == 0:
        return lost
    part = np.s_[max(rows[0] - 3, 0) : rows[-1] + 4, max(columns[0] - 3, 0) : columns[-1] + 4]
    keep = np.clip((3 * reflectance[part] - limit) / (2 * limit), 0, 1).astype(np.float32)
    ranks = cv2.GaussianBlur(keep, (0, 0), 1) + 0.25 * grain(rng, keep.shape, 2.0)
    lost[part] = dark[part] & (ranks < 0.5)
    return lost


def shadowed(depth_mm: np.ndarray, camera: Camera, baseline_mm: float) -> np.ndarray:
    """What a projector ``baseline_mm`` to the right (left where negative) does not light.

    Along a row, a point at column u and depth z lies at u − f·b/z from there; it is hidden where
    one that comes from further right lies further left.
    """
    if baseline_mm == 0:
        return np.zeros(depth_mm.shape, dtype=bool)
    if baseline_mm < 0:
        return shadowed(depth_mm[:, ::-1], camera, -baseline_mm)[:, ::-1]
    depth = np.ascontiguousarray(depth_mm, dtype=np.float32)
    if camera.is_perspective:
        shift = camera.fx * baseline_mm / np.maximum(depth, 1)
    else:  # at the same angle as at 700 mm
        shift = baseline_mm / 700 * (2000 - depth) / camera.mm_per_px
    return kernels.hidden_from(depth, shift.astype(np.float32))


def blind_spots(
    depth_mm: np.ndarray,
    rng: np.random.Generator,
    most: int,
    radius_px: tuple[float, float],
) -> np.ndarray:
    """Up to ``most`` ragged holes, placed on what is nearest: the face."""
    holes = np.zeros(depth_mm.shape, dtype=bool)
    some = depth_mm[::3, ::3]
    seen = some[some > 0]
    count = int(rng.integers(most + 1))
    if count == 0 or len(seen) == 0:
        return holes
    near = np.argwhere((some > 0) & (some < np.percentile(seen, 1) + HEAD_MM))
    for _ in range(count):
        row, column = 3 * near[rng.integers(len(near))]
        radius = rng.uniform(*radius_px)
        reach = int(2 * radius) + 1
        size = 2 * reach + 1
        y, x = np.ogrid[-reach : reach + 1, -reach : reach + 1]
        ragged = cv2.GaussianBlur(normals(rng, (size, size)), (0, 0), 2.0)
        hole = np.hypot(y, x) < radius * (1 + 4 * ragged)
        top, left = row - reach, column - reach
        part = holes[max(top, 0) : top + size, max(left, 0) : left + size]
        inside = hole[max(-top, 0) :, max(-left, 0) :]
        part |= inside[: part.shape[0], : part.shape[1]]
    return holes
