"""What a view's pixels look up: one place of a smooth surface, or one for each of their samples.

A row of pixels becomes a list of places, which later loops run over one task at a time, so that the
memory that a place waits for is on its way while the next ones are worked on.
"""

import numba
import numpy as np

from augment.turn_kernels import OPACITY
from imaging.raster_kernels import HALF, SUBPIXEL_BITS, edge

STEEPEST = 1.5  # depth over a pixel, in widths of it, up to which one sample does: 56°
ROUGHEST = 0.25  # the same of what the samples differ from a plane
PIXEL, SURFACE = 3, 4  # columns of a place behind its three corners


@numba.njit(nogil=True, cache=True, error_model="numpy")
def list_places(corners, triangles, ids, nearness, varying, sampling, y, places, shares):
    """List the places of a row of pixels, from left to right; returns how many.

    Args:
        corners, triangles, ids, nearness, varying, sampling: of resolve_view.
        y: the row.
        places: (P, 5) int32, in place: a triangle's corners, the pixel, and the surface, 0 for the
            head's, 1 for others; P is what all samples of both layers may come to.
        shares: (P, 4) float32, in place: the corners' weights, and the place's in the pixel,
            counted in samples.
    """
    snapped, near, perspective = corners
    firm, fringe = triangles
    firm_ids, fringe_ids, heads = ids
    factor, edge_mm = sampling
    count, top = 0, y * factor
    for x in range(firm_ids.shape[1] // factor):
        left = x * factor
        if _is_empty(firm_ids, fringe_ids, top, left, factor):
            continue
        if _is_one(firm_ids, fringe_ids, heads, nearness, top, left, factor, edge_mm, perspective):
            t, a, b, c = _central(snapped, near, firm, perspective, firm_ids, top, left, factor)
            whole = np.float32(factor * factor)
            surface = 0 if t < heads else 1
            count = _put(places, shares, count, firm, t, (a, b, c), x, surface, whole)
            continue
        for row in range(top, top + factor):
            for column in range(left, left + factor):
                px, py = (column << SUBPIXEL_BITS) + HALF, (row << SUBPIXEL_BITS) + HALF
                clear = np.float32(1)  # what is left for the layer behind
                t = fringe_ids[row, column] if len(fringe_ids) > 0 else -1
                if t >= 0:
                    weights = _weights(snapped, near, fringe, perspective, t, px, py)
                    cover = _opacity(varying, fringe, t, weights)
                    count = _put(places, shares, count, fringe, t, weights, x, 1, cover)
                    clear -= cover
                t = firm_ids[row, column]
                if t >= 0 and clear > 0:
                    weights = _weights(snapped, near, firm, perspective, t, px, py)
                    surface = 0 if t < heads else 1
                    count = _put(places, shares, count, firm, t, weights, x, surface, clear)
    return count


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _put(places, shares, count, triangles, t, weights, x, surface, part):
    """Write a place down; returns how many there are now."""
    places[count, 0], places[count, 1] = triangles[t, 0], triangles[t, 1]
    places[count, 2], places[count, PIXEL] = triangles[t, 2], x
    places[count, SURFACE] = surface
    shares[count, 0], shares[count, 1], shares[count, 2] = weights
    shares[count, 3] = part
    return count + 1


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _opacity(varying, triangles, t, weights):
    a = weights[0] * varying[triangles[t, 0], OPACITY]
    b = weights[1] * varying[triangles[t, 1], OPACITY]
    return np.float32(a + b + weights[2] * varying[triangles[t, 2], OPACITY])


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _edges(snapped, triangles, t, px, py):
    """Edge functions of a triangle at a place in 1/256 px, int64: all of one sign inside."""
    i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
    ax, ay = np.int64(snapped[i, 0]), np.int64(snapped[i, 1])
    bx, by = np.int64(snapped[j, 0]), np.int64(snapped[j, 1])
    cx, cy = np.int64(snapped[k, 0]), np.int64(snapped[k, 1])
    return edge(bx, by, cx, cy, px, py), edge(cx, cy, ax, ay, px, py), edge(ax, ay, bx, by, px, py)


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _weighed(near, triangles, perspective, t, edges):
    """Perspective-correct weights of a triangle's corners from its edge functions.

    The triangle's area and the place's depth fall out where they are made to sum to 1.
    """
    a, b, c = np.float64(edges[0]), np.float64(edges[1]), np.float64(edges[2])
    if perspective:
        a, b, c = a * near[triangles[t, 0]], b * near[triangles[t, 1]], c * near[triangles[t, 2]]
    scale = 1 / (a + b + c)
    return a * scale, b * scale, c * scale


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _weights(snapped, near, triangles, perspective, t, px, py):
    """Perspective-correct weights of a triangle's corners at a place in 1/256 px."""
    return _weighed(near, triangles, perspective, t, _edges(snapped, triangles, t, px, py))


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _is_empty(firm_ids, fringe_ids, top, left, factor):
    """Whether none of a pixel's samples lies on anything."""
    for row in range(top, top + factor):
        for column in range(left, left + factor):
            if firm_ids[row, column] >= 0:
                return False
            if len(fringe_ids) > 0 and fringe_ids[row, column] >= 0:
                return False
    return True


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _is_one(firm_ids, fringe_ids, heads, nearness, top, left, factor, edge, perspective):
    """Whether a pixel's samples lie on one firm surface without a fold or a jump.

    ``edge`` is the change of depth that a slope of 45° makes over a pixel, at depth 1 of a pinhole.
    """
    if edge <= 0:
        return False
    is_head = firm_ids[top, left] < heads
    for row in range(top, top + factor):
        for column in range(left, left + factor):
            t = firm_ids[row, column]
            if t < 0 or (t < heads) != is_head:
                return False
            if len(fringe_ids) > 0 and fringe_ids[row, column] >= 0:
                return False
    bottom, right = top + factor - 1, left + factor - 1
    a, b = nearness[top, left], nearness[top, right]
    c, d = nearness[bottom, left], nearness[bottom, right]
    step = edge * abs(a) if perspective else edge
    if abs(a + d - b - c) > 2 * ROUGHEST * step:
        return False
    return max(a, b, c, d) - min(a, b, c, d) <= STEEPEST * step


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _central(snapped, near, triangles, perspective, ids, top, left, factor):
    """Of the triangles of a pixel's samples the one that its centre lies on, or lies nearest to,
    and its corners' weights at the centre."""
    px, py = (left << SUBPIXEL_BITS) + HALF * factor, (top << SUBPIXEL_BITS) + HALF * factor
    best, chosen, shares = -np.inf, ids[top, left], (0.0, 0.0, 0.0)
    last = -1
    for row in range(top, top + factor):
        for column in range(left, left + factor):
            t = ids[row, column]
            if t == last:
                continue
            last = t
            edges = _edges(snapped, triangles, t, px, py)
            weights = _weighed(near, triangles, perspective, t, edges)
            # told from whole numbers: the weights need not be waited for
            if (edges[0] | edges[1] | edges[2]) >= 0 or max(edges[0], edges[1], edges[2]) <= 0:
                return t, weights[0], weights[1], weights[2]
            least = min(weights[0], weights[1], weights[2])
            if least > best:
                best, chosen, shares = least, t, weights
    return chosen, shares[0], shares[1], shares[2]
