"""Which triangle is nearest at each pixel's centre: exact edges, with and without holes."""

import numba
import numpy as np

from imaging.cutout import is_there
from imaging.raster_kernels import DROPPED, HALF, ONE, SUBPIXEL_BITS, edge

_WIDE = 6  # pixels of a triangle's box from which a row's first pixel is worth a multiplication


@numba.njit(nogil=True, cache=True)
def cover(
    snapped,
    near,
    triangles,
    culled,
    perspective,
    alpha,
    texture,
    uv,
    dithered,
    triangle_id,
    nearness,
):
    """Write the nearest triangle's id and its nearness at every pixel centre.

    Of the first ``culled`` triangles those that turn their back to the camera are left out.
    """
    height, width = triangle_id.shape
    holed = len(texture) > 0
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        a, b, c = _corner(snapped, i), _corner(snapped, j), _corner(snapped, k)
        if a[0] == DROPPED or b[0] == DROPPED or c[0] == DROPPED:
            continue
        box = _box(a, b, c, width, height)
        if box[0] > box[1] or box[2] > box[3]:
            continue
        area = edge(a[0], a[1], b[0], b[1], c[0], c[1])
        # outward normals look at the camera where the area is negative, since v points down
        if area == 0 or (area > 0 and t < culled):
            continue
        turned = area < 0
        if turned:
            b, c, j, k, area = c, b, k, j, -area
        edges, slopes, biases = _edges(a, b, c, box[0], box[2])
        single = box[0] == box[1] and box[2] == box[3]  # most of a fine mesh in a small image
        if single and _misses(edges, biases):
            continue
        nears, inverse = (near[i], near[j], near[k]), 1.0 / area
        triangle = (t, box, edges, biases, slopes, inverse, nears)
        if holed and texture[t, 1] > 0:
            holes = (alpha, texture, uv, dithered)
            _draw_cutout(triangle, turned, perspective, holes, triangle_id, nearness)
        else:
            _draw_whole(triangle, triangle_id, nearness)


@numba.njit(nogil=True, cache=True, inline="always")
def _corner(snapped, i):
    return np.int64(snapped[i, 0]), np.int64(snapped[i, 1])


@numba.njit(nogil=True, cache=True, inline="always")
def _box(a, b, c, width, height):
    """First and last column and row of the pixel centres within a triangle's bounds."""
    left = max(0, (min(a[0], b[0], c[0]) + HALF - 1) >> SUBPIXEL_BITS)
    right = min(width - 1, (max(a[0], b[0], c[0]) - HALF) >> SUBPIXEL_BITS)
    top = max(0, (min(a[1], b[1], c[1]) + HALF - 1) >> SUBPIXEL_BITS)
    bottom = min(height - 1, (max(a[1], b[1], c[1]) - HALF) >> SUBPIXEL_BITS)
    return left, right, top, bottom


@numba.njit(nogil=True, cache=True, inline="always")
def _edges(a, b, c, left, top):
    """Edge functions at a pixel's centre, their steps along x and along y, and their biases."""
    px, py = (left << SUBPIXEL_BITS) + HALF, (top << SUBPIXEL_BITS) + HALF
    (ax, ay), (bx, by), (cx, cy) = a, b, c
    edges = (
        edge(bx, by, cx, cy, px, py),
        edge(cx, cy, ax, ay, px, py),
        edge(ax, ay, bx, by, px, py),
    )
    slopes = (
        (by - cy) * ONE,
        (cy - ay) * ONE,
        (ay - by) * ONE,
        (cx - bx) * ONE,
        (ax - cx) * ONE,
        (bx - ax) * ONE,
    )
    return (
        edges,
        slopes,
        (_bias(cx - bx, cy - by), _bias(ax - cx, ay - cy), _bias(bx - ax, by - ay)),
    )


@numba.njit(nogil=True, cache=True, inline="always")
def _misses(edges, biases):
    """Whether the first centre lies outside: a sign bit of any edge."""
    return ((edges[0] + biases[0]) | (edges[1] + biases[1]) | (edges[2] + biases[2])) < 0


@numba.njit(nogil=True, cache=True, inline="always")
def _bias(dx, dy):
    """0 where a pixel exactly on an edge of direction (dx, dy) belongs to the triangle, else -1.

    Interior on the positive side, v down: top edges run to +u, left edges to -v.
    """
    return 0 if dy < 0 or (dy == 0 and dx > 0) else -1


@numba.njit(nogil=True, cache=True, inline="always")
def _plane(a, b, c, edges, slopes, inverse):
    """A quantity linear over a triangle: its value at the box's first centre, and a pixel's steps.

    Args:
        a, b, c: its values at the corners.
        edges: 3 edge functions at that centre; slopes: their 3 steps along x and 3 along y.
        inverse: 1 over the triangle's doubled area.
    """
    start = (edges[0] * a + edges[1] * b + edges[2] * c) * inverse
    along = (slopes[0] * a + slopes[1] * b + slopes[2] * c) * inverse
    down = (slopes[3] * a + slopes[4] * b + slopes[5] * c) * inverse
    return start, along, down


@numba.njit(nogil=True, cache=True, inline="always")
def _first(edges, slopes, width):
    """A pixel of a row, counted in its box, before which the triangle cannot be."""
    skip = 0
    if width > _WIDE:
        for k in range(3):
            if edges[k] < 0 and slopes[k] > 0:  # one less: the quotient is rounded
                skip = max(skip, int(-np.float64(edges[k]) / slopes[k]) - 1)
    return skip


@numba.njit(nogil=True, cache=True, inline="always")
def _draw_whole(triangle, triangle_id, nearness):
    """The pixels of a triangle without holes."""
    t, box, edges, biases, slopes, inverse, nears = triangle
    left, right, top, bottom = box
    start, along, down = _plane(nears[0], nears[1], nears[2], edges, slopes, inverse)
    row_a, row_b, row_c = edges[0] + biases[0], edges[1] + biases[1], edges[2] + biases[2]
    for y in range(top, bottom + 1):
        skip = _first((row_a, row_b, row_c), slopes, right - left)
        wa = row_a + skip * slopes[0]
        wb = row_b + skip * slopes[1]
        wc = row_c + skip * slopes[2]
        entered = False
        for x in range(left + skip, right + 1):
            if (wa | wb | wc) >= 0:
                entered = True
                q = np.float32(start + along * (x - left))
                if q > nearness[y, x]:
                    nearness[y, x] = q
                    triangle_id[y, x] = t
            elif entered:  # a triangle is convex: the row has no more of it
                break
            wa, wb, wc = wa + slopes[0], wb + slopes[1], wc + slopes[2]
        row_a, row_b, row_c = row_a + slopes[3], row_b + slopes[4], row_c + slopes[5]
        start += down


@numba.njit(nogil=True, cache=True, inline="always")
def _draw_cutout(triangle, turned, perspective, holes, triangle_id, nearness):
    """The pixels of a triangle where its texture says that it is.

    Texture coordinates over depth, and one over depth, are linear over a perspective image.
    """
    t, box, edges, biases, slopes, inverse, nears = triangle
    alpha, texture, uv, dithered = holes
    left, right, top, bottom = box
    place = (texture[t, 0], texture[t, 1], texture[t, 2])
    j, k = (2, 1) if turned else (1, 2)
    ra, rb, rc = nears if perspective else (1.0, 1.0, 1.0)
    q0, qx, qy = _plane(nears[0], nears[1], nears[2], edges, slopes, inverse)
    w0, wx, wy = _plane(ra, rb, rc, edges, slopes, inverse)
    u0, ux, uy = _plane(
        uv[t, 0, 0] * ra, uv[t, j, 0] * rb, uv[t, k, 0] * rc, edges, slopes, inverse
    )
    v0, vx, vy = _plane(
        uv[t, 0, 1] * ra, uv[t, j, 1] * rb, uv[t, k, 1] * rc, edges, slopes, inverse
    )
    row_a, row_b, row_c = edges[0] + biases[0], edges[1] + biases[1], edges[2] + biases[2]
    for y in range(top, bottom + 1):
        skip = _first((row_a, row_b, row_c), slopes, right - left)
        wa = row_a + skip * slopes[0]
        wb = row_b + skip * slopes[1]
        wc = row_c + skip * slopes[2]
        entered = False
        for x in range(left + skip, right + 1):
            if (wa | wb | wc) >= 0:
                entered = True
                n = x - left
                q = np.float32(q0 + qx * n)
                if q > nearness[y, x]:
                    scale = 1 / (w0 + wx * n)
                    u, v = (u0 + ux * n) * scale, (v0 + vx * n) * scale
                    if is_there(place, alpha, u, v, dithered, x, y):
                        nearness[y, x] = q
                        triangle_id[y, x] = t
            elif entered:
                break
            wa, wb, wc = wa + slopes[0], wb + slopes[1], wc + slopes[2]
        row_a, row_b, row_c = row_a + slopes[3], row_b + slopes[4], row_c + slopes[5]
        q0, w0, u0, v0 = q0 + qy, w0 + wy, u0 + uy, v0 + vy
