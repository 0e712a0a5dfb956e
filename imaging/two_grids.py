"""The nearest triangle at pixels' centres and at the samples between them, in one visit each.

Labels are read at the centres, colour at ``factor``² samples a pixel. Both grids share a triangle's
corners, area, edges and plane of depth. A grid is one array of keys: the upper bits are nearness as
a fixed-point number, the lower ones the triangle's id, counted downwards. The nearest triangle is
then the largest key, and of equally near ones the first: a row of samples is a handful of integer
additions and a maximum, without a branch, which compilers turn into vector instructions.

What no camera can see is not drawn: after the triangles that face it, coarse tiles know their
farthest sample, and whatever lies behind that is left out, which changes no pixel.
"""

import numba
import numpy as np

from imaging.raster_kernels import DROPPED, SUBPIXEL_BITS, edge

ID_BITS = 22  # four million triangles
IDS = (1 << ID_BITS) - 1
SCALE = 2.0**61  # keys of a nearness of 1; 39 bits of it are left above the id
TILE_BITS = 3  # 8 × 8 pixels: a few triangles of a face
LANES = 8


def blank_shape(width: int, height: int) -> tuple[int, int]:
    """Shape of an image's keys, int64: rows end in a few that are drawn on and never read."""
    return height, (width // LANES + 2) * LANES


def tile_shape(width: int, height: int) -> tuple[int, int]:
    """Shape of an image's tiles, int64."""
    return (height >> TILE_BITS) + 1, (width >> TILE_BITS) + 1


@numba.njit(nogil=True, cache=True, inline="always")
def triangle_of(key):
    """The triangle of a key; -1 where nothing is."""
    return IDS - (key & IDS) if key > 0 else -1


@numba.njit(nogil=True, cache=True, inline="always")
def nearness_of(key):
    """The nearness of a key, to 2^-39."""
    return (key & ~IDS) / SCALE


@numba.njit(nogil=True, cache=True, error_model="numpy")
def find_nearest(snapped, near, triangles, outer, box, bits, centre, fine, waiting, tiles):
    """Write the key of the nearest triangle at every centre and sample.

    Args:
        snapped, near: of imaging.projection.project.
        triangles: (T, 3) int32, outward normals.
        outer: the first triangles that hide most of the others, drawn first where they face the
            camera; only speed depends on it.
        box: (left, top, right, bottom) in whole pixels, the part of the image that is written.
        bits: samples lie 2^bits / 256 px apart; 8 where the centres are the samples.
        centre, fine: keys of both grids, of blank_shape, all 0; ``fine`` is not touched where bits
            is 8.
        waiting: (T,) int32 and tiles int64 of tile_shape, scratch.
    """
    count = 0
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = np.int64(snapped[i, 0]), np.int64(snapped[i, 1])
        bx, by = np.int64(snapped[j, 0]), np.int64(snapped[j, 1])
        cx, cy = np.int64(snapped[k, 0]), np.int64(snapped[k, 1])
        if ax == DROPPED or bx == DROPPED or cx == DROPPED:
            continue
        area = edge(ax, ay, bx, by, cx, cy)
        if area == 0:
            continue
        if t >= outer or area > 0:
            waiting[count] = t
            count += 1
            continue
        corners = ax, ay, cx, cy, bx, by
        _draw(t, corners, (near[i], near[k], near[j]), -area, box, bits, centre, fine)
    _farthest(box, bits, centre, fine, tiles)
    for n in range(count):
        t = waiting[n]
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = np.int64(snapped[i, 0]), np.int64(snapped[i, 1])
        bx, by = np.int64(snapped[j, 0]), np.int64(snapped[j, 1])
        cx, cy = np.int64(snapped[k, 0]), np.int64(snapped[k, 1])
        corners, nears = (ax, ay, bx, by, cx, cy), (near[i], near[j], near[k])
        if _is_behind(corners, max(nears[0], nears[1], nears[2]), box, tiles):
            continue
        area = edge(ax, ay, bx, by, cx, cy)
        if area < 0:
            corners, nears, area = (ax, ay, cx, cy, bx, by), (near[i], near[k], near[j]), -area
        _draw(t, corners, nears, area, box, bits, centre, fine)


@numba.njit(nogil=True, cache=True, inline="always")
def _draw(t, corners, nears, area, box, bits, centre, fine):
    """A triangle of positive area on both grids."""
    ax, ay, bx, by, cx, cy = corners
    left, right = min(ax, bx, cx), max(ax, bx, cx)
    top, bottom = min(ay, by, cy), max(ay, by, cy)
    bounds = left, top, right, bottom
    scale, (na, nb, nc) = SCALE / area, nears
    along = ((by - cy) * na + (cy - ay) * nb + (ay - by) * nc) * scale
    down = ((cx - bx) * na + (ax - cx) * nb + (bx - ax) * nc) * scale
    # a sliver so steep that its plane leaves all depths around a sample is flat
    if abs(along) * (right - left + _REACH) + abs(down) * (bottom - top + _REACH) > SCALE:
        along, down = 0.0, 0.0
    plane = na * SCALE, along, down
    _draw_grid(t, corners, bounds, plane, box, SUBPIXEL_BITS, centre)
    if bits != SUBPIXEL_BITS:
        _draw_grid(t, corners, bounds, plane, box, bits, fine)


_REACH = 2 << SUBPIXEL_BITS  # beyond a triangle's bounds, to the first sample


@numba.njit(nogil=True, cache=True, inline="always")
def _draw_grid(t, corners, bounds, plane, box, bits, keys):
    """A triangle's samples 2^bits / 256 px apart, by exact edges and the top-left rule."""
    half, more = (1 << bits) >> 1, SUBPIXEL_BITS - bits
    left = max(box[0] << more, (bounds[0] + half - 1) >> bits)
    right = min(((box[2] + 1) << more) - 1, (bounds[2] - half) >> bits)
    top = max(box[1] << more, (bounds[1] + half - 1) >> bits)
    bottom = min(((box[3] + 1) << more) - 1, (bounds[3] - half) >> bits)
    if left > right or top > bottom:
        return
    ax, ay, bx, by, cx, cy = corners
    px, py = (left << bits) + half, (top << bits) + half
    row_a = edge(bx, by, cx, cy, px, py) + _bias(cx - bx, cy - by)
    row_b = edge(cx, cy, ax, ay, px, py) + _bias(ax - cx, ay - cy)
    row_c = edge(ax, ay, bx, by, px, py) + _bias(bx - ax, by - ay)
    step_a, step_b, step_c = (by - cy) << bits, (cy - ay) << bits, (ay - by) << bits
    down_a, down_b, down_c = (cx - bx) << bits, (ax - cx) << bits, (bx - ax) << bits
    spacing = np.float64(1 << bits)
    start = np.int64(plane[0] + plane[1] * (px - ax) + plane[2] * (py - ay))
    along, down = np.int64(plane[1] * spacing), np.int64(plane[2] * spacing)
    count = ((right - left) // LANES + 1) * LANES
    own, width, flat = IDS - t, keys.shape[1], keys.reshape(-1)
    for y in range(top, bottom + 1):
        a, b, c, near = row_a, row_b, row_c, start
        first = y * width + left
        for n in range(count):
            key = ((near & ~IDS) | own) & ~((a | b | c) >> 63)  # 0 outside: a sign of any edge
            place = np.uint64(first + n)  # so that no index is taken for one from the end
            flat[place] = max(flat[place], key)
            a, b, c, near = a + step_a, b + step_b, c + step_c, near + along
        row_a, row_b, row_c = row_a + down_a, row_b + down_b, row_c + down_c
        start += down


@numba.njit(nogil=True, cache=True, inline="always")
def _bias(dx, dy):
    """0 where a sample exactly on an edge of direction (dx, dy) belongs to the triangle, else -1.

    Interior on the positive side, v down: top edges run to +u, left edges to -v.
    """
    return 0 if dy < 0 or (dy == 0 and dx > 0) else -1


@numba.njit(nogil=True, cache=True)
def _farthest(box, bits, centre, fine, tiles):
    """The least key of any centre or sample of each tile that the box touches."""
    for row in range(box[1] >> TILE_BITS, (box[3] >> TILE_BITS) + 1):
        for column in range(box[0] >> TILE_BITS, (box[2] >> TILE_BITS) + 1):
            least = _least(centre, box, row, column, 0)
            if bits != SUBPIXEL_BITS:
                least = min(least, _least(fine, box, row, column, SUBPIXEL_BITS - bits))
            tiles[row, column] = least


@numba.njit(nogil=True, cache=True, inline="always")
def _least(keys, box, row, column, more):
    """The least key of a tile's samples within the box, 2^more of them along a pixel."""
    top = max(row << TILE_BITS, box[1]) << more
    bottom = min((row + 1) << TILE_BITS, box[3] + 1) << more
    left = max(column << TILE_BITS, box[0]) << more
    right = min((column + 1) << TILE_BITS, box[2] + 1) << more
    least = keys[top, left]
    for y in range(top, bottom):
        for x in range(left, right):
            least = min(least, keys[y, x])
    return least


@numba.njit(nogil=True, cache=True, inline="always")
def _is_behind(corners, nearest, box, tiles):
    """Whether every tile that a triangle touches is covered by what is nearer than all of it."""
    ax, ay, bx, by, cx, cy = corners
    key = np.int64(nearest * SCALE) | IDS
    left = max(min(ax, bx, cx) >> SUBPIXEL_BITS, box[0]) >> TILE_BITS
    right = min(max(ax, bx, cx) >> SUBPIXEL_BITS, box[2]) >> TILE_BITS
    top = max(min(ay, by, cy) >> SUBPIXEL_BITS, box[1]) >> TILE_BITS
    bottom = min(max(ay, by, cy) >> SUBPIXEL_BITS, box[3]) >> TILE_BITS
    for row in range(top, bottom + 1):
        for column in range(left, right + 1):
            if key >= tiles[row, column]:
                return False
    return True
