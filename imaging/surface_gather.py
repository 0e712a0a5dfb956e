"""What a block's places have from their triangles' corners: the only part that jumps in memory."""

import numba
import numpy as np

from imaging.places import (
    AREA,
    BLOCK,
    DRAWN,
    NX,
    NY,
    NZ,
    OWNER,
    PX,
    PY,
    SHARES,
    SPREAD,
    B,
    G,
    R,
    U,
    V,
    X,
    Y,
    Z,
)
from imaging.projection import FAR_MM, NEAR_MM
from imaging.raster_kernels import ONE, edge

# Columns of a vertex's row and of a triangle's
NORMAL, CODE, COLUMNS = 0, 3, 8
CHART_AREA, PART, CHART_COLUMNS = 6, 7, 8


@numba.njit(nogil=True, cache=True, error_model="numpy")
def place_block(w, marks, count, snapped, near, triangles, perspective):
    """Fill OWNER, the corners' weights, X, Y, Z and AREA, the triangle's doubled area in px².

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
        marks[OWNER + n], w[AREA + n] = marks[DRAWN + n], area
        c = area - a - b
        p, q, r = a * near[i], b * near[j], c * near[k]
        if not perspective:
            w[Z + n] = (1 - (p + q + r) / area) * FAR_MM  # float32 would keep a tenth of a mm
            p, q, r = np.float64(a), np.float64(b), np.float64(c)
        w[SHARES + n], w[SHARES + BLOCK + n], w[SHARES + 2 * BLOCK + n] = p, q, r
    _weigh(w, marks, perspective)


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def _weigh(w, marks, perspective):
    """Edges times nearness, and the area in squares of 1/256 px, become what place_block() says."""
    one, pixels, squares = np.float32(1), np.float32(1 / ONE), np.float32(1 / ONE**2)
    nearest = np.float32(NEAR_MM)
    for n in range(BLOCK):
        p, q, r = w[SHARES + n], w[SHARES + BLOCK + n], w[SHARES + 2 * BLOCK + n]
        total = p + q + r
        scale = one / total
        w[SHARES + n], w[SHARES + BLOCK + n] = p * scale, q * scale
        w[SHARES + 2 * BLOCK + n] = r * scale
        if perspective:
            w[Z + n] = nearest * w[AREA + n] * scale
        w[AREA + n] = abs(w[AREA + n]) * squares
        w[X + n] = np.float32(marks[PX + n]) * pixels
        w[Y + n] = np.float32(marks[PY + n]) * pixels


@numba.njit(nogil=True, cache=True)
def own_block(w, marks, count, whole, source, weights):
    """The weights of parts of triangles that were cut become the whole ones', and so OWNER."""
    for n in range(count):
        part = np.int64(marks[DRAWN + n]) - whole
        if part < 0:
            continue
        marks[OWNER + n] = source[part]
        a, b, c = w[SHARES + n], w[SHARES + BLOCK + n], w[SHARES + 2 * BLOCK + n]
        for m in range(3):
            own = a * weights[part, 0, m] + b * weights[part, 1, m] + c * weights[part, 2, m]
            w[SHARES + m * BLOCK + n] = own


@numba.njit(nogil=True, cache=True, fastmath=True, error_model="numpy")
def gather_block(w, marks, count, triangles, rows, colors, chart, size):
    """Fill the normal, and U, V, SPREAD of a texture of ``size`` texels or, for 0, the colour."""
    tiny = np.float32(1e-6)
    for n in range(count):
        t = np.uint64(marks[OWNER + n])
        i, j = np.uint64(triangles[t, 0]), np.uint64(triangles[t, 1])
        k = np.uint64(triangles[t, 2])
        a, b, c = w[SHARES + n], w[SHARES + BLOCK + n], w[SHARES + 2 * BLOCK + n]
        w[NX + n] = a * rows[i, 0] + b * rows[j, 0] + c * rows[k, 0]
        w[NY + n] = a * rows[i, 1] + b * rows[j, 1] + c * rows[k, 1]
        w[NZ + n] = a * rows[i, 2] + b * rows[j, 2] + c * rows[k, 2]
        w[U + n] = a * chart[t, 0] + b * chart[t, 2] + c * chart[t, 4]
        w[V + n] = a * chart[t, 1] + b * chart[t, 3] + c * chart[t, 5]
        w[SPREAD + n] = chart[t, CHART_AREA]
        if size == 0:
            w[R + n] = a * colors[i, 0] + b * colors[j, 0] + c * colors[k, 0]
            w[G + n] = a * colors[i, 1] + b * colors[j, 1] + c * colors[k, 1]
            w[B + n] = a * colors[i, 2] + b * colors[j, 2] + c * colors[k, 2]
    for n in range(BLOCK):
        w[SPREAD + n] = np.sqrt(w[SPREAD + n] * size / max(w[AREA + n], tiny))
