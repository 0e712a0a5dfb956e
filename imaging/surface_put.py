"""A block of imaging.places into the image: labels of pixels' centres, and colours."""

import numba
import numpy as np

from imaging.places import BLOCK, NX, NY, NZ, OWNER, PIXEL, SHARES, WEIGHT, B, G, R, U, V, Z
from imaging.surface_gather import CODE, PART


@numba.njit(nogil=True, cache=True, fastmath=True)
def put_labels(w, marks, count, triangles, rows, chart, buffers):
    """Write the buffers of imaging.surface.shade_image, those that are not empty."""
    depth, normals, code, uv, mask, part, triangle = buffers
    has_normals, has_code, has_uv = len(normals) > 0, len(code) > 0, len(uv) > 0
    has_mask, has_part, has_triangle = len(mask) > 0, len(part) > 0, len(triangle) > 0
    for n in range(count):
        pixel, t = np.uint64(marks[PIXEL + n]), np.uint64(marks[OWNER + n])
        depth[pixel] = w[Z + n]
        if has_mask:
            mask[pixel] = 255
        if has_part:
            part[pixel] = np.uint8(chart[t, PART])
        if has_triangle:
            triangle[pixel] = t
        if has_normals:
            normals[pixel, 0], normals[pixel, 1] = w[NX + n], w[NY + n]
            normals[pixel, 2] = w[NZ + n]
        if has_uv:
            uv[pixel, 0], uv[pixel, 1] = w[U + n], w[V + n]
        if has_code:
            i, j = np.uint64(triangles[t, 0]), np.uint64(triangles[t, 1])
            k = np.uint64(triangles[t, 2])
            a, b, c = w[SHARES + n], w[SHARES + BLOCK + n], w[SHARES + 2 * BLOCK + n]
            x = a * rows[i, CODE] + b * rows[j, CODE] + c * rows[k, CODE]
            y = a * rows[i, CODE + 1] + b * rows[j, CODE + 1] + c * rows[k, CODE + 1]
            z = a * rows[i, CODE + 2] + b * rows[j, CODE + 2] + c * rows[k, CODE + 2]
            code[pixel, 0], code[pixel, 1], code[pixel, 2] = x, y, z


@numba.njit(nogil=True, cache=True, fastmath=True)
def put_colors(w, marks, count, out):
    """Write colours in 0..255 of whole pixels."""
    half = np.float32(0.5)
    for n in range(count):
        pixel = np.uint64(marks[PIXEL + n])
        out[pixel, 0] = np.uint8(np.int32(w[R + n] + half))
        out[pixel, 1] = np.uint8(np.int32(w[G + n] + half))
        out[pixel, 2] = np.uint8(np.int32(w[B + n] + half))


@numba.njit(nogil=True, cache=True, fastmath=True)
def mix_colors(w, marks, count, pixels):
    """Write colours by WEIGHT over those of ``pixels`` (N, 3). PIXEL is the number among these;
    the places of one follow each other."""
    half, one = np.float32(0.5), np.float32(1)
    r, g, b, rest = np.float32(0), np.float32(0), np.float32(0), one
    for n in range(count):
        weight = w[WEIGHT + n]
        r, g, b = r + weight * w[R + n], g + weight * w[G + n], b + weight * w[B + n]
        rest -= weight
        if n + 1 < count and marks[PIXEL + n + 1] == marks[PIXEL + n]:
            continue
        slot, rest = np.uint64(marks[PIXEL + n]), max(rest, np.float32(0))
        pixels[slot, 0] = np.uint8(r + rest * pixels[slot, 0] + half)
        pixels[slot, 1] = np.uint8(g + rest * pixels[slot, 1] + half)
        pixels[slot, 2] = np.uint8(b + rest * pixels[slot, 2] + half)
        r, g, b, rest = np.float32(0), np.float32(0), np.float32(0), one
