"""The inner loops of a view's pixels: places listed, turned back into the source, looked up.

Every loop does one task for a whole row of pixels, so that it has many look-ups under way at once.
"""

import numba
import numpy as np

from augment.sample_kernels import PIXEL, SURFACE, list_places
from augment.trust_kernels import color_at, photo_at, project
from augment.turn_kernels import (
    COLOR,
    FACING,
    POINT,
    SECOND_GAIN,
    SECOND_PX,
    SECOND_WEIGHT,
    STATIC,
    VIEW_FACING,
)

_CARRIED = STATIC + 4  # columns of a place: the vertices' row, the view's cosine and the gain
_GAIN = STATIC + 1


@numba.njit(nogil=True, cache=True, error_model="numpy")
def resolve_view(corners, triangles, ids, nearness, mesh, maps, lens, rules, sampling, out):
    """Photo, donor, trust, alpha and reasons of the view's pixels, in place.

    Args:
        corners: snapped, near and perspective of imaging.raster.Coverage.
        triangles: of what is firm, and of the fringe, (T, 3) int32.
        ids: the fine image's triangles, (h·k, w·k) int32 each, of what is firm and of the fringe
            where that is nearer, or (0, 0) without one; how many of the firm are the head's.
        nearness: of the first.
        mesh: static (N, 16), varying (N, 2), gain (N, 3) or (0, 3), float32.
        maps: (2, H, W, 8) float32, of augment.visibility.SourceMaps.
        lens: of the source's camera, as in turn_vertices.
        rules: of photo_at.
        sampling: k; a pixel's edge at depth 1 of a pinhole or in mm; 0 takes every sample.
        out: (h, w, 3), (h, w, 3), (h, w), (h, w) float32 and (h, w) uint8, zeros.
    """
    static, varying, gain = mesh
    height, width = out[2].shape
    area = sampling[0] ** 2
    most = 2 * width * area
    places, shares = np.empty((most, 5), np.int32), np.empty((most, 4), np.float32)
    carried, pixels = np.empty((most, _CARRIED), np.float32), np.empty((most, 2))
    for y in range(height):
        count = list_places(corners, triangles, ids, nearness, varying, sampling, y, places, shares)
        _carry(static, varying, gain, lens, count, places, shares, carried, pixels)
        _average(count, places, shares, carried, pixels, len(gain) > 0, maps, rules, area, y, out)


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _carry(static, varying, gain, lens, count, places, shares, carried, pixels):
    """The vertices' values at ``count`` places (P, 20), and their source pixels (P, 2) float64."""
    for n in range(count):
        i, j, k = places[n, 0], places[n, 1], places[n, 2]
        a, b, c = shares[n, 0], shares[n, 1], shares[n, 2]
        for m in range(STATIC):
            carried[n, m] = a * static[i, m] + b * static[j, m] + c * static[k, m]
        carried[n, STATIC] = (
            a * varying[i, VIEW_FACING] + b * varying[j, VIEW_FACING] + c * varying[k, VIEW_FACING]
        )
        if len(gain) > 0:
            for m in range(3):
                carried[n, _GAIN + m] = a * gain[i, m] + b * gain[j, m] + c * gain[k, m]
        if carried[n, SECOND_WEIGHT] > 0:
            _second_place(static, places, shares, n, carried)
        point = carried[n, POINT], carried[n, POINT + 1], carried[n, POINT + 2]
        pixels[n, 0], pixels[n, 1] = project(point, lens)


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _second_place(static, places, shares, n, carried):
    """The second photo's pixel; corners without a second photo have no pixel of their own."""
    u, v = np.float32(0), np.float32(0)
    for m in range(3):
        i = places[n, m]
        part = shares[n, m] * static[i, SECOND_WEIGHT]
        u += part * static[i, SECOND_PX]
        v += part * static[i, SECOND_PX + 1]
    weight = carried[n, SECOND_WEIGHT]
    carried[n, SECOND_PX], carried[n, SECOND_PX + 1] = u / weight, v / weight


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _average(count, places, shares, carried, pixels, is_lit, maps, rules, area, y, out):
    """The mean over the places of each pixel of a row, in place.

    A photo counts as far as it is trusted, and where none is, as far as it is seen; the fringe
    lies over the rest as thin as it is.
    """
    n = 0
    while n < count:
        x = places[n, PIXEL]
        if n + 1 == count or places[n + 1, PIXEL] != x:  # alone: nothing to average
            photo, tone, weight, flags = _shade(carried, n, is_lit, pixels, maps, places, rules)
            part = shares[n, 3]
            if part > 1e-6:
                _write(out, y, x, photo, tone, weight, part / area, flags if part > 0.5 else 0)
            n += 1
            continue
        trusted, any_photo, donor = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
        trust, alpha, reasons = 0.0, 0.0, 0
        while n < count and places[n, PIXEL] == x:
            photo, tone, weight, flags = _shade(carried, n, is_lit, pixels, maps, places, rules)
            part = shares[n, 3]
            trusted, any_photo = _plus(trusted, part * weight, photo), _plus(any_photo, part, photo)
            donor, trust, alpha = _plus(donor, part, tone), trust + part * weight, alpha + part
            if part > 0.5:
                reasons |= flags
            n += 1
        if alpha > 1e-6:
            photo = _scaled(trusted, 1 / trust) if trust > 1e-6 else _scaled(any_photo, 1 / alpha)
            tone = _scaled(donor, 1 / alpha)
            _write(out, y, x, photo, tone, trust / alpha, alpha / area, reasons)


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _write(out, y, x, photo, donor, trust, alpha, reasons):
    photos, donors, trusts, alphas, why = out
    for n in range(3):
        photos[y, x, n], donors[y, x, n] = photo[n], donor[n]
    trusts[y, x], alphas[y, x], why[y, x] = trust, alpha, reasons


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _shade(carried, n, is_lit, pixels, maps, places, rules):
    """Photo, donor, trust and reasons at a place."""
    u, v, surface = pixels[n, 0], pixels[n, 1], places[n, SURFACE]
    depth, facing = carried[n, POINT + 2], carried[n, FACING]
    photo, trust, flags = photo_at(depth, facing, carried[n, STATIC], maps, surface, u, v, rules)
    tone = carried[n, COLOR], carried[n, COLOR + 1], carried[n, COLOR + 2]
    weight = carried[n, SECOND_WEIGHT]
    if weight > 0:
        other = color_at(maps, surface, carried[n, SECOND_PX], carried[n, SECOND_PX + 1])
        tone = (
            tone[0] + weight * (carried[n, SECOND_GAIN] * other[0] - tone[0]),
            tone[1] + weight * (carried[n, SECOND_GAIN + 1] * other[1] - tone[1]),
            tone[2] + weight * (carried[n, SECOND_GAIN + 2] * other[2] - tone[2]),
        )
    if is_lit:
        photo, tone = _lit(carried, n, photo), _lit(carried, n, tone)
    return photo, tone, trust, flags


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _lit(carried, n, color):
    return (
        color[0] * carried[n, _GAIN],
        color[1] * carried[n, _GAIN + 1],
        color[2] * carried[n, _GAIN + 2],
    )


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _plus(total, share, color):
    return total[0] + share * color[0], total[1] + share * color[1], total[2] + share * color[2]


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _scaled(color, share):
    return color[0] * share, color[1] * share, color[2] * share
