"""Images of keys: how near the nearest triangle is and which one, in one number a sample.

The upper bits are nearness as a fixed-point number, the lower ones the triangle's id, counted
downwards. The nearest triangle is then the largest key, and of equally near ones the first.
"""

import numba
import numpy as np

from imaging.raster_kernels import edge

ID_BITS = 22  # four million triangles
IDS = (1 << ID_BITS) - 1
SCALE = 2.0**61  # keys of a nearness of 1; 39 bits of it are left above the id
LANES = 4
# Samples along and in a box up to which they are tried one after another. Most triangles of a face
# hold one or two: setting a row of vectors up costs more than these.
NARROW, FEW = 3, 9


def blank_shape(width: int, height: int) -> tuple[int, int]:
    """Shape of an image's keys, int64: rows end in a few that are drawn on and never read."""
    return height, (width // LANES + 2) * LANES


@numba.njit(nogil=True, cache=True, inline="always")
def triangle_of(key):
    """The triangle of a key; -1 where nothing is."""
    return IDS - (key & IDS) if key > 0 else -1


@numba.njit(nogil=True, cache=True, inline="always")
def nearness_of(key):
    """The nearness of a key, to 2^-39."""
    return (key & ~IDS) / SCALE


@numba.njit(nogil=True, cache=True, inline="always")
def draw_keys(t, corners, nears, area, span, bits, flat, width):
    """Raise the keys of a triangle's samples, by exact edges and the top-left rule.

    Args:
        t: its number.
        corners: ax, ay, bx, by, cx, cy in 1/256 px; a sample is inside where all edges are ≥ 0.
        nears: nearness at the corners.
        area: twice its area, not 0; the corners of one below 0 are taken the other way round.
        span: (left, top, right, bottom), samples that its box holds, not empty.
        bits: samples lie 2^bits / 256 px apart.
        flat, width: keys of blank_shape in one row, reshape(-1), and the shape's width. A
            reshape costs as much as a small triangle does.
    """
    ax, ay, bx, by, cx, cy = corners
    na, nb, nc = nears
    if area < 0:
        bx, by, cx, cy, nb, nc, area = cx, cy, bx, by, nc, nb, -area
    turned = ax, ay, bx, by, cx, cy
    across, down = span[2] - span[0] + 1, span[3] - span[1] + 1
    if across <= NARROW and across * down <= FEW:
        _draw_few(IDS - t, turned, (na, nb, nc), area, span, bits, flat, width)
    else:
        _draw_rows(IDS - t, turned, (na, nb, nc), area, span, bits, flat, width)


@numba.njit(nogil=True, cache=True, inline="always")
def _draw_few(own, corners, nears, area, span, bits, flat, width):
    """Sample after sample."""
    ax, ay, bx, by, cx, cy = corners
    na, nb, nc = nears
    half = (1 << bits) >> 1
    bias_a, bias_b = _bias(cx - bx, cy - by), _bias(ax - cx, ay - cy)
    bias_c = _bias(bx - ax, by - ay)
    scale = SCALE / area
    for y in range(span[1], span[3] + 1):
        py, row = (y << bits) + half, y * width
        for x in range(span[0], span[2] + 1):
            px = (x << bits) + half
            a, b = edge(bx, by, cx, cy, px, py), edge(cx, cy, ax, ay, px, py)
            c = area - a - b
            if ((a + bias_a) | (b + bias_b) | (c + bias_c)) >= 0:
                near = np.int64((a * na + b * nb + c * nc) * scale)
                place = np.uint64(row + x)  # so that no index is taken for one from the end
                flat[place] = max(flat[place], (near & ~IDS) | own)


@numba.njit(nogil=True, cache=True)
def _draw_rows(own, corners, nears, area, span, bits, flat, width):
    """Row after row: a handful of integer additions and a maximum, without a branch, which
    compilers turn into vector instructions."""
    ax, ay, bx, by, cx, cy = corners
    na, nb, nc = nears
    left, top, right, bottom = span
    half, scale = (1 << bits) >> 1, SCALE / area
    px, py = (left << bits) + half, (top << bits) + half
    row_a = edge(bx, by, cx, cy, px, py) + _bias(cx - bx, cy - by)
    row_b = edge(cx, cy, ax, ay, px, py) + _bias(ax - cx, ay - cy)
    row_c = edge(ax, ay, bx, by, px, py) + _bias(bx - ax, by - ay)
    step_a, step_b, step_c = (by - cy) << bits, (cy - ay) << bits, (ay - by) << bits
    down_a, down_b, down_c = (cx - bx) << bits, (ax - cx) << bits, (bx - ax) << bits
    spacing = np.float64(1 << bits)
    across = ((by - cy) * na + (cy - ay) * nb + (ay - by) * nc) * scale
    under = ((cx - bx) * na + (ax - cx) * nb + (bx - ax) * nc) * scale
    first_near = na * SCALE + across * (px - ax) + under * (py - ay)
    along_near, down_near = across * spacing, under * spacing
    # a sliver so steep that no integer holds its plane's first value is flat; what grows beyond
    # integers from there on, outside of the triangle, wraps and comes back
    if abs(first_near) + abs(along_near) + abs(down_near) > 3.9 * SCALE:
        first_near, along_near, down_near = na * SCALE, 0.0, 0.0
    start, along, down = np.int64(first_near), np.int64(along_near), np.int64(down_near)
    for y in range(top, bottom + 1):
        for x in range(0, right - left + 1, LANES):
            a, b, c = row_a + x * step_a, row_b + x * step_b, row_c + x * step_c
            near, first = start + x * along, y * width + left + x
            for n in range(LANES):
                signs = (a + n * step_a) | (b + n * step_b) | (c + n * step_c)
                key = (((near + n * along) & ~IDS) | own) & ~(signs >> 63)  # 0 outside
                place = np.uint64(first + n)  # so that no index is taken for one from the end
                flat[place] = max(flat[place], key)
        row_a, row_b, row_c = row_a + down_a, row_b + down_b, row_c + down_c
        start += down


@numba.njit(nogil=True, cache=True, inline="always")
def _bias(dx, dy):
    """0 where a sample exactly on an edge of direction (dx, dy) belongs to the triangle, else -1.

    Interior on the positive side, v down: top edges run to +u, left edges to -v.
    """
    return 0 if dy < 0 or (dy == 0 and dx > 0) else -1
