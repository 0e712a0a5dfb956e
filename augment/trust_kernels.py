"""The inner loop of the judgement: how far a source pixel can be trusted to show a point.

A source pixel is a row of four float32 a surface: own, clean, depth, hollow (see
augment.visibility.SourceMaps).
"""

import numba
import numpy as np

OWN, CLEAN, DEPTH, HOLLOW = 0, 1, 2, 3
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
def _project(point, lens):
    x, y, z = point
    fx, fy, cx, cy, perspective = lens
    if not perspective:
        return fx * x + cx, fy * y + cy
    inverse = 1 / z if z > 0 else np.nan
    return fx * x * inverse + cx, fy * y * inverse + cy


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def trust_at(point, facing, view_facing, maps, surface, lens, rules):
    """Trust in the source's pixel of a surface point, the reasons against it, and the pixel.

    Args:
        point: of the source's camera frame, mm.
        facing, view_facing: cosines to the source and to the view.
        maps: (2, H, W, 4) float32, the source's; surface: 0 for the head's, 1 for the grid's.
        lens: of the source's camera, as in turn_vertices.
        rules: hidden_mm; cosines at which trust is 0 and 1; ratios of enlarged_at; share of the
            rim's rules that counts at this turn.
    """
    hidden_mm, low, high, ratios, turned = rules
    height, width = maps.shape[1:3]
    u, v = _project(point, lens)
    if not (0 <= u < width and 0 <= v < height):  # false for NaN
        return 0.0, HIDDEN, min(max(u, 0.0), width), min(max(v, 0.0), height)
    own, hollow = maps[surface, int(v), int(u), OWN], maps[surface, int(v), int(u), HOLLOW]
    clean, farthest = _clean_and_farthest(maps, surface, u, v)
    larger = enlarged_at(facing, view_facing, ratios)
    flat = _smoothstep((facing - low) / (high - low)) * _smoothstep(2 * clean - 1)
    weight = own * (1 - larger * (1 - flat)) if facing > 0 else 0.0
    weight = 1 - turned * (1 - weight)
    # a pixel's depth may differ by its own slope: half a pixel's width over the cosine
    hidden = point[2] > farthest + hidden_mm / min(max(facing, 0.25), 1.0)
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
    return weight, flags, u, v


@numba.njit(nogil=True, cache=True, inline="always", error_model="numpy")
def _clean_and_farthest(maps, surface, u, v):
    """Cleanness between four pixels, 0 beyond the border; and the farthest of their depths."""
    height, width = maps.shape[1:3]
    left, top = int(np.floor(u - 0.5)), int(np.floor(v - 0.5))
    a, b = u - 0.5 - left, v - 0.5 - top
    clean, farthest = 0.0, 0.0
    for row in range(2):
        for column in range(2):
            x, y = left + column, top + row
            if 0 <= x < width and 0 <= y < height:
                share = (a if column else 1 - a) * (b if row else 1 - b)
                clean += share * maps[surface, y, x, CLEAN]
                farthest = max(farthest, maps[surface, y, x, DEPTH])
    return clean, farthest


@numba.njit(nogil=True, cache=True, error_model="numpy")
def judge_points(points, facing, view_facing, heads, maps, lens, rules, weight, flags, pixels):
    """trust_at of many points (N, 3), in place: weight (N,), flags (N,), pixels (N, 2)."""
    for i in range(len(points)):
        point = points[i, 0], points[i, 1], points[i, 2]
        surface = 0 if heads[i] else 1
        got = trust_at(point, facing[i], view_facing[i], maps, surface, lens, rules)
        weight[i], flags[i], pixels[i, 0], pixels[i, 1] = got
