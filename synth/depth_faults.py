"""Where a depth camera fails: masks (H, W) bool of pixels without depth, and pixels that fly."""

import cv2
import numpy as np

from faces.camera import Camera

HEAD_MM = 120.0  # from the nose tip back to the ears: where a blind spot matters
SQUARE = np.ones((3, 3), np.uint8)


def steps(depth_mm: np.ndarray, jump_mm: float) -> np.ndarray:
    """(H, W) float32: the span of depths around a pixel that lies beside a jump, 0 elsewhere."""
    z = np.asarray(depth_mm, dtype=np.float32)
    span = cv2.dilate(z, SQUARE) - cv2.erode(z, SQUARE)
    return np.where(span > jump_mm, span, 0)


def jump_loss(beside: np.ndarray, rng: np.random.Generator, share: float) -> np.ndarray:
    """A share of the pixels beside a jump, where two cameras see different things."""
    return (beside > 0) & (rng.random(beside.shape, dtype=np.float32) < share)


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
    flies = (beside > 0) & (near > 0) & (rng.random(beside.shape, dtype=np.float32) < share)
    mix = rng.random(beside.shape, dtype=np.float32)
    return np.where(flies, near + mix * (far - near), measured_mm)


def grazing(
    depth_mm: np.ndarray, camera: Camera, rng: np.random.Generator, limit: float
) -> np.ndarray:
    """Drop-outs where the cosine to the view is below ``limit``, surely below a third of it."""
    if limit <= 0:
        return np.zeros(depth_mm.shape, dtype=bool)
    cosine = _view_cosine(depth_mm, camera)
    keep = np.clip((3 * cosine - limit) / (2 * limit), 0, 1)
    return rng.random(depth_mm.shape, dtype=np.float32) >= keep


def dark_loss(reflectance: np.ndarray, rng: np.random.Generator, limit: float) -> np.ndarray:
    """Drop-outs where too little light comes back, in patches: surely below a third of it."""
    if limit <= 0:
        return np.zeros(reflectance.shape, dtype=bool)
    keep = np.clip((3 * reflectance - limit) / (2 * limit), 0, 1)
    patches = cv2.GaussianBlur(rng.standard_normal(reflectance.shape, dtype=np.float32), (0, 0), 2)
    ranks = cv2.GaussianBlur(keep.astype(np.float32), (0, 0), 1) + 0.25 * patches / patches.std()
    return (keep < 1) & (ranks < 0.5)


def shadowed(depth_mm: np.ndarray, camera: Camera, baseline_mm: float) -> np.ndarray:
    """What a projector ``baseline_mm`` to the right (left where negative) does not light.

    Along a row, a point at column u and depth z lies at u − f·b/z from there; it is hidden where
    one that comes from further right lies further left.
    """
    if baseline_mm == 0:
        return np.zeros(depth_mm.shape, dtype=bool)
    if baseline_mm < 0:
        return shadowed(depth_mm[:, ::-1], camera, -baseline_mm)[:, ::-1]
    there = depth_mm > 0
    if camera.is_perspective:
        shift = camera.fx * baseline_mm / np.maximum(depth_mm, 1)
    else:  # at the same angle as at 700 mm
        shift = baseline_mm / 700 * (2000 - depth_mm) / camera.mm_per_px
    column = np.where(there, np.arange(depth_mm.shape[1]) - shift, np.inf)
    beyond = np.minimum.accumulate(column[:, ::-1], axis=1)[:, ::-1]
    hidden = np.zeros(depth_mm.shape, dtype=bool)
    hidden[:, :-1] = there[:, :-1] & (beyond[:, 1:] < column[:, :-1] - 0.5)
    return hidden


def blind_spots(
    depth_mm: np.ndarray,
    rng: np.random.Generator,
    most: int,
    radius_px: tuple[float, float],
) -> np.ndarray:
    """Up to ``most`` ragged holes, placed on what is nearest: the face."""
    holes = np.zeros(depth_mm.shape, dtype=bool)
    seen = depth_mm > 0
    count = int(rng.integers(most + 1))
    if count == 0 or not seen.any():
        return holes
    near = np.flatnonzero(seen & (depth_mm < np.percentile(depth_mm[seen][::7], 1) + HEAD_MM))
    ragged = cv2.GaussianBlur(rng.standard_normal(depth_mm.shape, dtype=np.float32), (0, 0), 2.0)
    for _ in range(count):
        row, column = divmod(int(near[rng.integers(len(near))]), depth_mm.shape[1])
        radius = rng.uniform(*radius_px)
        reach = int(2 * radius) + 1
        rows = slice(max(row - reach, 0), row + reach + 1)
        columns = slice(max(column - reach, 0), column + reach + 1)
        part = holes[rows, columns]
        y, x = np.ogrid[: part.shape[0], : part.shape[1]]
        away = np.hypot(y + rows.start - row, x + columns.start - column)
        part |= away < radius * (1 + 4 * ragged[rows, columns])
    return holes


def _view_cosine(depth, camera: Camera):
    """Cosine (H, W) between the surface's normal, from depth differences, and the view."""
    z = depth.astype(np.float32)
    if not camera.is_perspective:
        slope = cv2.magnitude(*_gradients(z, 1 / camera.mm_per_px))
        return 1 / np.sqrt(1 + slope**2)
    # for z(u, v) of a pinhole the normal is (−f·z_u, −f·z_v, z + (u−cx)·z_u + (v−cy)·z_v)
    across, down = _gradients(z, 1.0)
    u = np.arange(z.shape[1], dtype=np.float32)[None] + np.float32(0.5 - camera.cx)
    v = np.arange(z.shape[0], dtype=np.float32)[:, None] + np.float32(0.5 - camera.cy)
    along = z + u * across + v * down
    length = np.sqrt((camera.fx * across) ** 2 + (camera.fy * down) ** 2 + along**2)
    ray = np.sqrt((u / camera.fx) ** 2 + (v / camera.fy) ** 2 + 1)
    # normal · ray: the terms in z_u and z_v cancel and leave z
    return z / np.maximum(length * ray, 1e-9)


def _gradients(z, scale):
    """Central differences (H, W) along columns and rows, one-sided at the border."""
    down, across = np.gradient(z)
    return across * np.float32(scale), down * np.float32(scale)
