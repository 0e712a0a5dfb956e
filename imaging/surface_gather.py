"""What a block's places have from their triangles' corners: the only part that jumps in memory."""

import numba
import numpy as np

from imaging.projection import depth_of
from imaging.raster_kernels import ONE, edge
from imaging.surface_block import BLOCK, DRAWN, NX, OWNER, PX, PY, SHARES, SPREAD, R, U, V, X, Y, Z

# Columns of a vertex's row and of a triangle's
NORMAL, CODE, COLUMNS = 0, 3, 8
AREA, PART, CHART_COLUMNS = 6, 7, 8
PIXELS, SQUARES = np.float32(1 / ONE), np.float32(1 / ONE**2)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def place_block(w, marks, count, snapped, near, triangles, perspective):
    """Fill the corners' weights, X, Y, Z and, into SPREAD, the triangle's doubled area in px².

    Edges are exact integers, so that float32 is off by its own rounding alone.
    """
    for n in range(count):
        drawn, px, py = np.uint64(marks[DRAWN + n]), np.int64(marks[PX + n]), marks[PY + n]
        i, j = np.uint64(triangles[drawn, 0]), np.uint64(triangles[drawn, 1])
        k = np.uint64(triangles[drawn, 2])
        ax, ay = np.int64(snapped[i, 0]), np.int64(snapped[i, 1])
        bx, by = np.int64(snapped[j, 0]), np.int64(snapped[j, 1])
        cx, cy = np.int64(snapped[k, 0]), np.int64(snapped[k, 1])
        area = edge(ax, ay, bx, by, cx, cy)
        a, b = edge(bx, by, cx, cy, px, py), edge(cx, cy, ax, ay, px, py)
        c = area - a - b
        p, q, r = a * near[i], b * near[j], c * near[k]
        total, whole = p + q + r, np.float64(area)
        if perspective:
            scale = 1 / total
            p, q, r = p * scale, q * scale, r * scale
        else:
            scale = 1 / whole
            p, q, r = a * scale, b * scale, c * scale
        w[SHARES + n], w[SHARES + BLOCK + n], w[SHARES + 2 * BLOCK + n] = p, q, r
        w[X + n], w[Y + n] = np.float32(px) * PIXELS, np.float32(py) * PIXELS
        w[Z + n] = depth_of(total / whole, perspective)
        w[SPREAD + n] = abs(np.float32(area)) * SQUARES


@numba.njit(nogil=True, cache=True)
def own_block(w, marks, count, whole, source, weights):
    """Fill OWNER; of parts of triangles that were cut, the weights become the whole ones'."""
    for n in range(count):
        drawn = np.int64(marks[DRAWN + n])
        marks[OWNER + n] = drawn
        if drawn < whole:
            continue
        part = drawn - whole
        marks[OWNER + n] = source[part]
        a, b, c = w[SHARES + n], w[SHARES + BLOCK + n], w[SHARES + 2 * BLOCK + n]
        for m in range(3):
            own = a * weights[part, 0, m] + b * weights[part, 1, m] + c * weights[part, 2, m]
            w[SHARES + m * BLOCK + n] = own


@numba.njit(nogil=True, cache=True, fastmath=True)
def gather_block(w, marks, count, triangles, rows, colors, chart, size):
    """Fill the normal, and U, V, SPREAD of a texture of ``size`` texels or, for 0, the colour."""
    for n in range(count):
        t = np.uint64(marks[OWNER + n])
        i, j = np.uint64(triangles[t, 0]), np.uint64(triangles[t, 1])
        k = np.uint64(triangles[t, 2])
        a, b, c = w[SHARES + n], w[SHARES + BLOCK + n], w[SHARES + 2 * BLOCK + n]
        for m in range(3):
            w[NX + m * BLOCK + n] = a * rows[i, m] + b * rows[j, m] + c * rows[k, m]
        w[U + n] = a * chart[t, 0] + b * chart[t, 2] + c * chart[t, 4]
        w[V + n] = a * chart[t, 1] + b * chart[t, 3] + c * chart[t, 5]
        if size > 0:
            w[SPREAD + n] = np.sqrt(chart[t, AREA] * size / max(w[SPREAD + n], np.float32(1e-6)))
        else:
            for m in range(3):
                w[R + m * BLOCK + n] = a * colors[i, m] + b * colors[j, m] + c * colors[k, m]
