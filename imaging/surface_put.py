"""A block of imaging.surface_block into the image: labels at pixels' centres, and colours."""

import numba
import numpy as np

from imaging.raster_kernels import SUBPIXEL_BITS
from imaging.surface_block import (
    BLOCK,
    NX,
    NY,
    NZ,
    OWNER,
    PIXEL,
    PX,
    PY,
    SHARES,
    WEIGHT,
    B,
    G,
    R,
    U,
    V,
    Z,
)
from imaging.surface_gather import CODE, PART


@numba.njit(nogil=True, cache=True)
def put_labels(w, marks, count, triangles, rows, chart, buffers):
    """Write the buffers of imaging.surface.shade_image, those that are not empty."""
    depth, normals, code, uv, mask, part, triangle = buffers
    _put_numbers(w, marks, count, chart, depth, mask, part, triangle)
    if normals.size > 0:
        _put_three(w, marks, count, normals)
    if uv.size > 0:
        _put_places(w, marks, count, uv)
    if code.size > 0:
        _put_code(w, marks, count, triangles, rows, code)


@numba.njit(nogil=True, cache=True, inline="always")
def _pixel(marks, n):
    """Row and column; never below 0, and typed so that no index is taken for one from the end."""
    return np.uint64(marks[PY + n] >> SUBPIXEL_BITS), np.uint64(marks[PX + n] >> SUBPIXEL_BITS)


@numba.njit(nogil=True, cache=True)
def _put_numbers(w, marks, count, chart, depth, mask, part, triangle):
    for n in range(count):
        pixel = marks[PIXEL + n]
        if pixel < 0:
            continue
        y, x = _pixel(marks, n)
        t = np.uint64(marks[OWNER + n])
        depth[y, x] = w[Z + n]
        if mask.size > 0:
            mask[y, x] = 255
        if part.size > 0:
            part[y, x] = np.uint8(chart[t, PART])
        if triangle.size > 0:
            triangle[y, x] = t


@numba.njit(nogil=True, cache=True)
def _put_three(w, marks, count, normals):
    for n in range(count):
        pixel = marks[PIXEL + n]
        if pixel >= 0:
            y, x = _pixel(marks, n)
            normals[y, x, 0], normals[y, x, 1] = w[NX + n], w[NY + n]
            normals[y, x, 2] = w[NZ + n]


@numba.njit(nogil=True, cache=True)
def _put_places(w, marks, count, uv):
    for n in range(count):
        pixel = marks[PIXEL + n]
        if pixel >= 0:
            y, x = _pixel(marks, n)
            uv[y, x, 0], uv[y, x, 1] = w[U + n], w[V + n]


@numba.njit(nogil=True, cache=True, fastmath=True)
def _put_code(w, marks, count, triangles, rows, code):
    for n in range(count):
        pixel = marks[PIXEL + n]
        if pixel < 0:
            continue
        y, x = _pixel(marks, n)
        t = np.uint64(marks[OWNER + n])
        i, j = np.uint64(triangles[t, 0]), np.uint64(triangles[t, 1])
        k = np.uint64(triangles[t, 2])
        a, b, c = w[SHARES + n], w[SHARES + BLOCK + n], w[SHARES + 2 * BLOCK + n]
        for m in range(CODE, CODE + 3):
            code[y, x, m - CODE] = a * rows[i, m] + b * rows[j, m] + c * rows[k, m]


@numba.njit(nogil=True, cache=True, fastmath=True)
def put_colors(w, marks, count, out):
    """Write or blend colours in 0..255 over the image's; those of one pixel follow each other."""
    half, one = np.float32(0.5), np.float32(1)
    r, g, b, behind = np.float32(0), np.float32(0), np.float32(0), one
    for n in range(count):
        pixel, weight = marks[PIXEL + n], w[WEIGHT + n]
        if weight == 0:
            continue
        r, g, b = r + weight * w[R + n], g + weight * w[G + n], b + weight * w[B + n]
        behind -= weight
        if n + 1 < count and marks[PIXEL + n + 1] == pixel:
            continue
        behind = max(behind, np.float32(0))
        y, x = _pixel(marks, n)
        out[y, x, 0] = np.uint8(r + behind * out[y, x, 0] + half)
        out[y, x, 1] = np.uint8(g + behind * out[y, x, 1] + half)
        out[y, x, 2] = np.uint8(b + behind * out[y, x, 2] + half)
        r, g, b, behind = np.float32(0), np.float32(0), np.float32(0), one
