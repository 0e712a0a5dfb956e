"""Textures and reliefs at two resolutions, read inside of compiled loops."""

import cv2
import numba
import numpy as np

_NO_IMAGE = (np.zeros((0, 0, 3), np.float32), np.zeros((0, 0, 3), np.float32))
_NO_RELIEF = (np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32))


def halved(image: np.ndarray | None, channels: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """An image (H, W[, 3]) float32 and its box average at half the size; two empty ones for None.

    An image of an odd or tiny size is its own half.
    """
    if image is None:
        return _NO_IMAGE if channels == 3 else _NO_RELIEF
    whole = np.ascontiguousarray(image, dtype=np.float32)
    height, width = whole.shape[:2]
    if height % 2 or width % 2 or min(height, width) < 8:
        return whole, whole
    # at a factor of two the bilinear sample is the mean of four texels, and the faster filter
    return whole, cv2.resize(whole, (width // 2, height // 2), interpolation=cv2.INTER_LINEAR)


@numba.njit(nogil=True, cache=True, fastmath=True)
def is_coarse(texture, uv, chart, area, weight):
    """Whether a sample spans two texels or more, and the half-size texture is to be read.

    ``area`` is the triangle's doubled area in pixels, ``weight`` the sample's share of one.
    """
    i, j, k = chart
    a, b = uv[j, 0] - uv[i, 0], uv[j, 1] - uv[i, 1]
    c, d = uv[k, 0] - uv[i, 0], uv[k, 1] - uv[i, 1]
    texels = abs(a * d - b * c) * texture.shape[0] * texture.shape[1]
    return texels * weight > 4 * area


@numba.njit(nogil=True, cache=True, fastmath=True)
def look_up(texture, u, v):
    """Bilinear look-up of three channels, held at the border."""
    height, width = texture.shape[:2]
    x = min(max(u * width - 0.5, 0.0), width - 1.001)
    y = min(max(v * height - 0.5, 0.0), height - 1.001)
    i, j = int(y), int(x)
    a, b = np.float32(x - j), np.float32(y - i)
    one = np.float32(1)
    w00, w01, w10, w11 = (one - a) * (one - b), a * (one - b), (one - a) * b, a * b
    return (
        _mixed(texture, i, j, 0, w00, w01, w10, w11),
        _mixed(texture, i, j, 1, w00, w01, w10, w11),
        _mixed(texture, i, j, 2, w00, w01, w10, w11),
    )


@numba.njit(nogil=True, cache=True, inline="always")
def _mixed(texture, i, j, channel, w00, w01, w10, w11):
    """A channel's weighted mean over four neighbouring texels."""
    upper = texture[i, j, channel] * w00 + texture[i, j + 1, channel] * w01
    return upper + texture[i + 1, j, channel] * w10 + texture[i + 1, j + 1, channel] * w11


@numba.njit(nogil=True, cache=True, fastmath=True)
def slope(relief, u, v, vertices, corners, uv, chart):
    """Gradient (3 values, mm a mm) of a relief over a triangle, in the triangle's plane.

    Args:
        relief: (H, W) mm; u, v: where on it.
        vertices: (V, 3 or more), mm; corners: the triangle's three.
        uv: (U, 2); chart: its three there.
    """
    height, width = relief.shape
    x = min(max(int(u * width), 1), width - 2)
    y = min(max(int(v * height), 1), height - 2)
    du = (relief[y, x + 1] - relief[y, x - 1]) * 0.5 * width
    dv = (relief[y + 1, x] - relief[y - 1, x]) * 0.5 * height
    e1x, e1y, e1z = _side(vertices, corners[0], corners[1])
    e2x, e2y, e2z = _side(vertices, corners[0], corners[2])
    a, b = uv[chart[1], 0] - uv[chart[0], 0], uv[chart[1], 1] - uv[chart[0], 1]
    c, d = uv[chart[2], 0] - uv[chart[0], 0], uv[chart[2], 1] - uv[chart[0], 1]
    # along the sides the relief rises by s1 and s2; its gradient is g = α e1 + β e2
    s1, s2 = du * a + dv * b, du * c + dv * d
    m11 = e1x * e1x + e1y * e1y + e1z * e1z
    m12 = e1x * e2x + e1y * e2y + e1z * e2z
    m22 = e2x * e2x + e2y * e2y + e2z * e2z
    determinant = m11 * m22 - m12 * m12
    if determinant < 1e-12:
        return 0.0, 0.0, 0.0
    alpha = (m22 * s1 - m12 * s2) / determinant
    beta = (m11 * s2 - m12 * s1) / determinant
    return alpha * e1x + beta * e2x, alpha * e1y + beta * e2y, alpha * e1z + beta * e2z


@numba.njit(nogil=True, cache=True, inline="always")
def _side(vertices, i, j):
    return (
        vertices[j, 0] - vertices[i, 0],
        vertices[j, 1] - vertices[i, 1],
        vertices[j, 2] - vertices[i, 2],
    )
