"""Keys of imaging.keys for the triangles that another back end found."""

import numba
import numpy as np

from imaging.keys import IDS, SCALE
from imaging.raster_kernels import DROPPED, doubled_area, weights_at


@numba.njit(nogil=True, cache=True)
def write_keys(ids, bits, geometry, cuts, keys):
    """Write the key of each sample that shows a triangle.

    Args:
        ids: (h, w) int, of a whole triangle, or of a part of one that was cut; -1 for none.
        bits: samples lie 2^bits / 256 px apart.
        geometry: snapped (V, 2) int32 and near (V,) of imaging.projection, triangles (T + C, 3).
        cuts: number T of whole triangles; source (C,) of imaging.clipping.
        keys: of blank_shape, written where there is a triangle.
    """
    snapped, near, triangles = geometry
    half = (1 << bits) >> 1
    for y in range(ids.shape[0]):
        for x in range(ids.shape[1]):
            if ids[y, x] < 0:
                continue
            px, py = (x << bits) + half, (y << bits) + half
            t = _drawn(ids[y, x], px, py, geometry, cuts)
            if t < 0:
                continue
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            _, _, _, q = weights_at(snapped, near, i, j, k, px, py, False)
            q = min(max(q, 1e-9), 1.0)  # a sample may lie a rounding beside its triangle
            keys[y, x] = (np.int64(q * SCALE) & ~IDS) | (IDS - t)


@numba.njit(nogil=True, cache=True)
def _drawn(t, px, py, geometry, cuts):
    """The triangle itself, or that part of it which holds a place best; -1 where it has no area."""
    if _is_there(t, geometry):
        return t
    whole, source = cuts
    best, found = -np.inf, -1
    for n in range(np.searchsorted(source, t), len(source)):
        if source[n] != t:
            break
        if not _is_there(whole + n, geometry):
            continue
        snapped, near, triangles = geometry
        i, j, k = triangles[whole + n, 0], triangles[whole + n, 1], triangles[whole + n, 2]
        a, b, c, _ = weights_at(snapped, near, i, j, k, px, py, False)
        if min(a, b, c) > best:
            best, found = min(a, b, c), whole + n
    return found


@numba.njit(nogil=True, cache=True, inline="always")
def _is_there(t, geometry):
    """Whether no corner was dropped and the triangle has an area."""
    snapped, _, triangles = geometry
    i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    if snapped[i, 0] == DROPPED or snapped[j, 0] == DROPPED or snapped[k, 0] == DROPPED:
        return False
    return doubled_area(snapped, i, j, k) > 0
