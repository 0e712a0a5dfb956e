"""The inner loops of a view: vertices turned, samples looked up and averaged.

A vertex is a row of 16 float32 (STATIC): its point in the source's camera frame (mm), the model's
colour, the cosine to the source, the second photo's pixel, weight and gain; and a row of two that
change with the view: the cosine to the view's camera, and opacity.
"""

import numba
import numpy as np

from augment.trust_kernels import enlarged_at, trust_at
from imaging.raster_kernels import HALF, SUBPIXEL_BITS, weights_at

POINT, COLOR, FACING, SECOND_PX, SECOND_WEIGHT, SECOND_GAIN = 0, 3, 6, 7, 9, 10
STATIC = 16  # 13 of them used: a row is a cache line
STEEPEST = 1.5  # depth over a pixel, in widths of it, up to which one sample does: 56°
ROUGHEST = 0.25  # the same of what the samples differ from a plane


@numba.njit(nogil=True, cache=True, error_model="numpy")
def turn_vertices(
    points, static, normals, opacity, counts, turn, shift, lens, back_mm, thin, screen, varying
):
    """Screen places (N, 3) float64 and what changes with the view (N, 2) float32, in place.

    Args:
        points, static, normals: (N, 3) float64, for a label's place shows what float32 loses;
            (N, 16), (N, 3) float32; source frame.
        opacity: (N, 2) float32, unturned and turned.
        counts: how many vertices are the head's, and how many are opaque; they come first.
        turn, shift: (3, 3), (3,) float64, source frame to view frame, a similarity.
        lens: fx, fy, cx, cy and perspective of the view's camera; fx = 1 / mm_per_px of an
            orthographic one.
        back_mm: what is not the head is set back by this.
        thin: how far the turned opacity counts; cosines between which flanks come in; ratios of
            enlarged_at.
    """
    fx, fy, cx, cy, perspective = lens
    share, flank, ratios = thin
    heads, firm = counts
    size = np.sqrt(turn[0, 0] ** 2 + turn[1, 0] ** 2 + turn[2, 0] ** 2)
    for i in range(len(static)):
        px, py, pz = points[i, 0], points[i, 1], points[i, 2]
        x = turn[0, 0] * px + turn[0, 1] * py + turn[0, 2] * pz + shift[0]
        y = turn[1, 0] * px + turn[1, 1] * py + turn[1, 2] * pz + shift[1]
        z = turn[2, 0] * px + turn[2, 1] * py + turn[2, 2] * pz + shift[2]
        nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
        across = turn[0, 0] * nx + turn[0, 1] * ny + turn[0, 2] * nz
        down = turn[1, 0] * nx + turn[1, 1] * ny + turn[1, 2] * nz
        away = turn[2, 0] * nx + turn[2, 1] * ny + turn[2, 2] * nz
        if perspective:
            inverse = 1 / z if z > 0 else np.nan  # the rasteriser drops it
            screen[i, 0], screen[i, 1] = fx * x * inverse + cx, fy * y * inverse + cy
            cosine = -(across * x + down * y + away * z) / (size * np.sqrt(x * x + y * y + z * z))
        else:
            screen[i, 0], screen[i, 1] = fx * x + cx, fy * y + cy
            cosine = -away / size
        screen[i, 2] = z if i < heads else z + back_mm
        varying[i, 0], varying[i, 1] = cosine, 1.0
        if i >= firm:
            facing = static[i, FACING]
            flat = min(max((facing - flank[0]) / (flank[1] - flank[0]), 0.0), 1.0)
            kept = 1 - enlarged_at(facing, cosine, ratios) * (1 - flat)
            varying[i, 1] = (1 - share) * opacity[i, 0] + share * opacity[i, 1] * kept


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _bilinear(image, u, v):
    """Colour between pixel centres at +0.5; the border goes on outside."""
    height, width = image.shape[:2]
    u, v = min(max(u - 0.5, 0.0), width - 1.0), min(max(v - 0.5, 0.0), height - 1.0)
    x, y = min(int(u), width - 2), min(int(v), height - 2)
    a, b = np.float32(u - x), np.float32(v - y)
    one = np.float32(1)
    wa, wb, wc, wd = (one - a) * (one - b), a * (one - b), (one - a) * b, a * b
    red = wa * image[y, x, 0] + wb * image[y, x + 1, 0]
    red += wc * image[y + 1, x, 0] + wd * image[y + 1, x + 1, 0]
    green = wa * image[y, x, 1] + wb * image[y, x + 1, 1]
    green += wc * image[y + 1, x, 1] + wd * image[y + 1, x + 1, 1]
    blue = wa * image[y, x, 2] + wb * image[y, x + 1, 2]
    blue += wc * image[y + 1, x, 2] + wd * image[y + 1, x + 1, 2]
    return red, green, blue


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _mix(values, column, corners, shares):
    """A column of the vertices' values, carried to a place between a triangle's corners."""
    total = shares[0] * values[corners[0], column] + shares[1] * values[corners[1], column]
    return total + shares[2] * values[corners[2], column]


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _mix3(values, column, corners, shares):
    return (
        _mix(values, column, corners, shares),
        _mix(values, column + 1, corners, shares),
        _mix(values, column + 2, corners, shares),
    )


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _donor(static, color, corners, shares):
    """The model's colour, and as far as there is one, the second photo's."""
    tone = _mix3(static, COLOR, corners, shares)
    weight = _mix(static, SECOND_WEIGHT, corners, shares)
    if weight <= 0:
        return tone
    u, v = 0.0, 0.0  # corners without a second photo have no pixel of their own
    for k in range(3):
        part = shares[k] * static[corners[k], SECOND_WEIGHT] / weight
        u += part * static[corners[k], SECOND_PX]
        v += part * static[corners[k], SECOND_PX + 1]
    gain = _mix3(static, SECOND_GAIN, corners, shares)
    other = _bilinear(color, u, v)
    return (
        tone[0] + weight * (gain[0] * other[0] - tone[0]),
        tone[1] + weight * (gain[1] * other[1] - tone[1]),
        tone[2] + weight * (gain[2] * other[2] - tone[2]),
    )


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _shade(static, varying, gain, maps, surface, color, lens, rules, corners, shares):
    """Photo, donor, trust, opacity and reasons at a place of a triangle."""
    point = _mix3(static, POINT, corners, shares)
    facing = _mix(static, FACING, corners, shares)
    view_facing = _mix(varying, 0, corners, shares)
    trust, flags, u, v = trust_at(point, facing, view_facing, maps, surface, lens, rules)
    photo = _bilinear(color, u, v)
    donor = _donor(static, color, corners, shares)
    if len(gain) > 0:
        lit = _mix3(gain, 0, corners, shares)
        photo = photo[0] * lit[0], photo[1] * lit[1], photo[2] * lit[2]
        donor = donor[0] * lit[0], donor[1] * lit[1], donor[2] * lit[2]
    return photo, donor, trust, _mix(varying, 1, corners, shares), flags


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _at(snapped, near, triangles, perspective, triangle, px, py):
    """Corners and weights of a triangle at a place in 1/256 px of the fine image."""
    i, j, k = triangles[triangle, 0], triangles[triangle, 1], triangles[triangle, 2]
    a, b, c, _ = weights_at(snapped, near, i, j, k, px, py, perspective)
    return (i, j, k), (a, b, c)


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
    """Of the triangles of a pixel's samples the one that its centre lies on, or lies nearest to:
    its corners, and their weights at the centre."""
    px, py = (left << SUBPIXEL_BITS) + HALF * factor, (top << SUBPIXEL_BITS) + HALF * factor
    best, corners, shares = -np.inf, (0, 0, 0), (0.0, 0.0, 0.0)
    last = -1
    for row in range(top, top + factor):
        for column in range(left, left + factor):
            t = ids[row, column]
            if t == last:
                continue
            last = t
            places, weights = _at(snapped, near, triangles, perspective, t, px, py)
            least = min(weights[0], weights[1], weights[2])
            if least > best:
                best, corners, shares = least, places, weights
            if best >= 0:
                return corners, shares
    return corners, shares


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _plus(total, share, color):
    return total[0] + share * color[0], total[1] + share * color[1], total[2] + share * color[2]


@numba.njit(nogil=True, cache=True, error_model="numpy")
def _averaged(
    snapped,
    near,
    firm_triangles,
    fringe_triangles,
    perspective,
    firm_ids,
    fringe_ids,
    heads,
    place,
    static,
    varying,
    gain,
    maps,
    color,
    lens,
    rules,
):
    """Photo, donor, trust, alpha and reasons of a pixel from all of its samples.

    The fringe lies over the rest as thin as it is; a photo counts as far as it is trusted.
    """
    top, left, factor = place
    trusted, any_photo, donor = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    trust, alpha, reasons = 0.0, 0.0, 0
    for row in range(top, top + factor):
        for column in range(left, left + factor):
            px, py = (column << SUBPIXEL_BITS) + HALF, (row << SUBPIXEL_BITS) + HALF
            clear = 1.0  # what is left for the layer behind
            for layer in range(1, -1, -1):
                if layer == 1:
                    t = fringe_ids[row, column] if len(fringe_ids) > 0 else -1
                else:
                    t = firm_ids[row, column]
                if t < 0 or clear <= 0:
                    continue
                if layer == 1:
                    corners, shares = _at(snapped, near, fringe_triangles, perspective, t, px, py)
                else:
                    corners, shares = _at(snapped, near, firm_triangles, perspective, t, px, py)
                surface = 0 if layer == 0 and t < heads else 1
                here = _shade(
                    static, varying, gain, maps, surface, color, lens, rules, corners, shares
                )
                part = clear * here[3]
                trusted, any_photo = (
                    _plus(trusted, part * here[2], here[0]),
                    _plus(any_photo, part, here[0]),
                )
                donor, trust, alpha = (
                    _plus(donor, part, here[1]),
                    trust + part * here[2],
                    alpha + part,
                )
                if part > 0.5:
                    reasons |= here[4]
                clear -= part
    if alpha <= 1e-6:
        return (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.0, 0.0, 0
    photo = _scaled(trusted, 1 / trust) if trust > 1e-6 else _scaled(any_photo, 1 / alpha)
    return photo, _scaled(donor, 1 / alpha), trust / alpha, alpha / factor**2, reasons


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _scaled(color, share):
    return color[0] * share, color[1] * share, color[2] * share


@numba.njit(nogil=True, cache=True, error_model="numpy")
def resolve_view(corners, triangles, ids, nearness, mesh, maps, source, rules, sampling, out):
    """Photo, donor, trust, alpha and reasons of the view's pixels, in place.

    The arrays are taken out of their tuples before the loops: inside, each would be counted anew.

    Args:
        corners: snapped, near and perspective of imaging.raster.Coverage.
        triangles: of what is firm, and of the fringe, (T, 3) int32.
        ids: the fine image's triangles, (h·k, w·k) int32 each, of what is firm and of the fringe
            where that is nearer, or (0, 0) without one; how many of the firm are the head's.
        nearness: of the first.
        mesh: static (N, 16), varying (N, 2), gain (N, 3) or (0, 3), float32.
        maps: (2, H, W, 4) float32; source: colour (H, W, 3) float32 and lens.
        rules: of trust_at.
        sampling: k; a pixel's edge at depth 1 of a pinhole or in mm; 0 takes every sample.
        out: (h, w, 3), (h, w, 3), (h, w), (h, w) float32 and (h, w) uint8, zeros.
    """
    snapped, near, perspective = corners
    firm, fringe = triangles
    firm_ids, fringe_ids, heads = ids
    static, varying, gain = mesh
    color, lens = source
    factor, edge = sampling
    photos, donors, trusts, alphas, reasons = out
    height, width = trusts.shape
    for y in range(height):
        for x in range(width):
            top, left = y * factor, x * factor
            if _is_empty(firm_ids, fringe_ids, top, left, factor):
                continue
            if _is_one(firm_ids, fringe_ids, heads, nearness, top, left, factor, edge, perspective):
                places, shares = _central(
                    snapped, near, firm, perspective, firm_ids, top, left, factor
                )
                surface = 0 if firm_ids[top, left] < heads else 1
                photo, donor, trust, alpha, flags = _shade(
                    static, varying, gain, maps, surface, color, lens, rules, places, shares
                )
            else:
                photo, donor, trust, alpha, flags = _averaged(
                    snapped,
                    near,
                    firm,
                    fringe,
                    perspective,
                    firm_ids,
                    fringe_ids,
                    heads,
                    (top, left, factor),
                    static,
                    varying,
                    gain,
                    maps,
                    color,
                    lens,
                    rules,
                )
            for n in range(3):
                photos[y, x, n], donors[y, x, n] = photo[n], donor[n]
            trusts[y, x], alphas[y, x], reasons[y, x] = trust, alpha, flags
