"""The guided filter: smooths a map along a colour image's edges."""

import cv2
import numpy as np

FIRST, SECOND = np.triu_indices(3)  # channels of a symmetric matrix's six entries


def guided_filter(
    guide: np.ndarray, values: np.ndarray, radius_px: float, epsilon: float, reduction: int = 4
) -> np.ndarray:
    """The values as a locally linear function of the guide's colour (He et al. 2013, Eq. 14-16).

    The linear coefficients vary slowly, so they are found at a reduced size and used at the full
    one (He & Sun 2015): the result has the guide's edges whatever the size of the values.

    Args:
        guide: (H, W, 3) float32 in [0, 1].
        values: (h, w) float32, of any size, over the same field of view.
        radius_px: half the window's edge, px of the guide.
        epsilon: variance of the colour below which the values are averaged.
        reduction: of both sides while the coefficients are found.

    Returns:
        (H, W) float32.
    """
    height, width = guide.shape[:2]
    size = (max(width // reduction, 1), max(height // reduction, 1))
    small = cv2.resize(guide, size, interpolation=cv2.INTER_AREA)
    target = cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    window = (2 * max(round(radius_px / reduction), 1) + 1,) * 2
    slope = _slopes(small, target, window, epsilon)
    offset = _mean(target, window) - (slope * _mean(small, window)).sum(2)
    lines = _mean(np.dstack([slope, offset]), window)
    lines = cv2.resize(lines, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.transform(lines[..., :3] * guide, np.ones((1, 3))) + lines[..., 3]


def _slopes(guide, target, window, epsilon):
    """(h, w, 3): how the target changes with each channel, by least squares in each window."""
    mean = _mean(guide, window)
    products = _mean(guide[..., FIRST] * guide[..., SECOND], window)
    variance = (products - mean[..., FIRST] * mean[..., SECOND]).astype(np.float64)
    covariance = _mean(guide * target[..., None], window) - mean * _mean(target, window)[..., None]
    return _solved(variance + epsilon * (FIRST == SECOND), covariance.astype(np.float64))


def _solved(upper, right):
    """(h, w, 3) float32: symmetric 3×3 systems, of their upper triangles (h, w, 6), by cofactors:
    LAPACK takes five times as long for as many small ones."""
    a, b, c, d, e, f = np.moveaxis(upper, -1, 0)
    x, y, z = np.moveaxis(right, -1, 0)
    p, q, r = d * f - e * e, c * e - b * f, b * e - c * d
    s, t, u = a * f - c * c, b * c - a * e, a * d - b * b
    solved = np.stack([p * x + q * y + r * z, q * x + s * y + t * z, r * x + t * y + u * z], -1)
    return (solved / (a * p + b * q + c * r)[..., None]).astype(np.float32)


def _mean(image, window):
    """Window means of (h, w, ...) float32."""
    flat = image.reshape(*image.shape[:2], -1)
    parts = [
        cv2.blur(np.ascontiguousarray(flat[..., k : k + 4]), window)
        for k in range(0, flat.shape[2], 4)
    ]
    parts = [part if part.ndim == 3 else part[..., None] for part in parts]
    return np.concatenate(parts, 2).reshape(image.shape)
