"""The inner loop of the judgement: how far a source pixel can be trusted to show a point.

A source pixel is a row of eight float32 a surface: own, clean, depth, hollow (see
augment.visibility.SourceMaps), and its colour, so that one look-up finds all of them.
"""

import numba
import numpy as np

OWN, CLEAN, DEPTH, HOLLOW, COLOR = 0, 1, 2, 3, 4
COLUMNS = 8
STRETCHED, BACK_FACING, HIDDEN, UNCLEAN, NO_DEPTH = 1, 2, 4, 8, 16  # bits of "reasons"


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _smoothstep(t):
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def enlarged_at(facing, view_facing, ratios):
    """0 where the view shows a surface no larger than the source did, 1 where clearly larger."""
    return _smoothstep((view_facing / max(facing, 1e-3) - ratios[0]) / (ratios[1] - ratios[0]))


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def project(point, lens):
    """The pixel (u, v) of a point of a camera's frame; NaN behind a pinhole."""
    x, y, z = point
    fx, fy, cx, cy, perspective = lens
    if not perspective:
        return fx * x + cx, fy * y + cy
    inverse = 1 / z if z > 0 else np.nan
    return fx * x * inverse + cx, fy * y * inverse + cy


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def photo_at(depth, facing, view_facing, maps, surface, u, v, rules):
    """Colour of the source's pixel of a surface point, trust in it, and the reasons against it.

    Args:
        depth: of the point in the source's camera frame, mm.
        facing, view_facing: cosines to the source and to the view.
        maps: (2, H, W, 8) float32, the source's; surface: 0 for the head's, 1 for the grid's.
        u, v: the pixel, beyond the image or NaN where the source cannot show the point.
        rules: hidden_mm; cosines at which trust is 0 and 1; ratios of enlarged_at; share of the
            rim's rules that counts at this turn.
    """
    height, width = maps.shape[1:3]
    if not (0 <= u < width and 0 <= v < height):  # false for NaN
        return color_at(maps, surface, u, v), 0.0, HIDDEN
    x, y, a, b, inside = _between(u, v, width, height)
    wa, wb, wc, wd = _shares(a, b)
    color = _mixed(maps, surface, x, y, (wa, wb, wc, wd))
    clean = wa * maps[surface, y, x, CLEAN] + wb * maps[surface, y, x + 1, CLEAN]
    clean += wc * maps[surface, y + 1, x, CLEAN] + wd * maps[surface, y + 1, x + 1, CLEAN]
    farthest = max(
        max(maps[surface, y, x, DEPTH], maps[surface, y, x + 1, DEPTH]),
        max(maps[surface, y + 1, x, DEPTH], maps[surface, y + 1, x + 1, DEPTH]),
    )
    row, column = int(v), int(u)
    own, hollow = maps[surface, row, column, OWN], maps[surface, row, column, HOLLOW]
    trust, flags = _judged(
        depth, facing, view_facing, (own, clean * inside, farthest, hollow), rules
    )
    return color, trust, flags


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def color_at(maps, surface, u, v):
    """Colour of the source between pixel centres at +0.5; the border goes on outside."""
    height, width = maps.shape[1:3]
    x, y, a, b, _ = _between(min(max(u, 0.0), width), min(max(v, 0.0), height), width, height)
    return _mixed(maps, surface, x, y, _shares(a, b))


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _between(u, v, width, height):
    """The first of the four pixels around a place, how far it lies to the next ones, and how far
    it lies inside of the image's outermost centres: 1, and 0.5 on the border."""
    s, t = min(max(u - 0.5, 0.0), width - 1.0), min(max(v - 0.5, 0.0), height - 1.0)
    x, y = min(int(s), width - 2), min(int(t), height - 2)
    inside = (1 - abs(u - 0.5 - s)) * (1 - abs(v - 0.5 - t))
    return x, y, np.float32(s - x), np.float32(t - y), inside


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _shares(a, b):
    one = np.float32(1)
    return (one - a) * (one - b), a * (one - b), (one - a) * b, a * b


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _mixed(maps, surface, x, y, shares):
    """The colour of the four pixels from (x, y) on, by their shares."""
    wa, wb, wc, wd = shares
    red = wa * maps[surface, y, x, COLOR] + wb * maps[surface, y, x + 1, COLOR]
    red += wc * maps[surface, y + 1, x, COLOR] + wd * maps[surface, y + 1, x + 1, COLOR]
    green = wa * maps[surface, y, x, COLOR + 1] + wb * maps[surface, y, x + 1, COLOR + 1]
    green += wc * maps[surface, y + 1, x, COLOR + 1] + wd * maps[surface, y + 1, x + 1, COLOR + 1]
    blue = wa * maps[surface, y, x, COLOR + 2] + wb * maps[surface, y, x + 1, COLOR + 2]
    blue += wc * maps[surface, y + 1, x, COLOR + 2] + wd * maps[surface, y + 1, x + 1, COLOR + 2]
    return red, green, blue


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _judged(depth, facing, view_facing, found, rules):
    """Trust in what was found of a source pixel (own, clean, farthest, hollow), and reasons."""
    hidden_mm, low, high, ratios, turned = rules
    own, clean, farthest, hollow = found
    larger = enlarged_at(facing, view_facing, ratios)
    flat = _smoothstep((facing - low) / (high - low)) * _smoothstep(2 * clean - 1)
    weight = own * (1 - larger * (1 - flat)) if facing > 0 else 0.0
    weight = 1 - turned * (1 - weight)
    # a pixel's depth may differ by its own slope: half a pixel's width over the cosine
    hidden = depth > farthest + hidden_mm / min(max(facing, 0.25), 1.0)
    flags = 0
    if facing <= 0:
        flags |= BACK_FACING
    elif facing < low and larger > 0.5:
        flags |= STRETCHED
    if own < 0.5 or larger * (1 - clean) > 0.5:
        flags |= UNCLEAN
    if turned < 0.5:
        flags = 0
    if hidden:
        weight, flags = 0.0, flags | HIDDEN
    if hollow > 0.5:
        flags |= NO_DEPTH
    return weight, flags


@numba.njit(nogil=True, cache=True, error_model="numpy")
def judge_points(points, facing, view_facing, heads, maps, lens, rules, weight, flags, pixels):
    """photo_at of many points (N, 3), in place: weight (N,), flags (N,), pixels (N, 2)."""
    height, width = maps.shape[1:3]
    for i in range(len(points)):
        u, v = project((points[i, 0], points[i, 1], points[i, 2]), lens)
        surface = 0 if heads[i] else 1
        _, weight[i], flags[i] = photo_at(
            points[i, 2], facing[i], view_facing[i], maps, surface, u, v, rules
        )
        pixels[i, 0], pixels[i, 1] = min(max(u, 0.0), width), min(max(v, 0.0), height)
