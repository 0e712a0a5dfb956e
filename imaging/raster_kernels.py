"""The rasteriser's inner loops: snapped corners, exact coverage, and what is seen where."""

import numba
import numpy as np

from imaging.cutout import is_there

SUBPIXEL_BITS = 8  # 1/256 px: fine enough that a 0.1 px sliver keeps its shape
MAX_COORDINATE_PX = 2.0**21  # 2^29 snapped: the int64 edge functions stay below 2^62
_ONE = 1 << SUBPIXEL_BITS
_HALF = _ONE // 2
_DROPPED = np.iinfo(np.int32).min  # snapped u of a vertex that no triangle may use
_WIDE = 6  # pixels of a triangle's box from which a row's first pixel is worth a multiplication


@numba.njit(nogil=True, cache=True)
def snap(points, perspective):
    """Snapped (V, 2) int32 positions and a nearness (V,) that is linear over the image."""
    count = len(points)
    snapped = np.empty((count, 2), dtype=np.int32)
    near = np.zeros(count)
    for i in range(count):
        u, v, z = points[i]
        inside = abs(u) < MAX_COORDINATE_PX and abs(v) < MAX_COORDINATE_PX
        if not (inside and 0 < z < np.inf):  # also false for NaN
            snapped[i, 0] = snapped[i, 1] = _DROPPED
            continue
        snapped[i, 0] = np.int32(np.floor(u * _ONE + 0.5))
        snapped[i, 1] = np.int32(np.floor(v * _ONE + 0.5))
        near[i] = 1 / z if perspective else -z
    return snapped, near


@numba.njit(nogil=True, cache=True, inline="always")
def _edge(ax, ay, bx, by, px, py):
    """Twice the signed area of (a, b, p), exact in int64."""
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


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


@numba.njit(nogil=True, cache=True)
def cover(
    snapped, near, triangles, cull, perspective, alpha, texture, uv, dithered, triangle_id, nearness
):
    """Write the nearest triangle's id and its nearness at every pixel centre."""
    height, width = triangle_id.shape
    holed = len(texture) > 0
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay = np.int64(snapped[i, 0]), np.int64(snapped[i, 1])
        bx, by = np.int64(snapped[j, 0]), np.int64(snapped[j, 1])
        cx, cy = np.int64(snapped[k, 0]), np.int64(snapped[k, 1])
        if ax == _DROPPED or bx == _DROPPED or cx == _DROPPED:
            continue
        left = max(0, (min(ax, bx, cx) + _HALF - 1) >> SUBPIXEL_BITS)
        right = min(width - 1, (max(ax, bx, cx) - _HALF) >> SUBPIXEL_BITS)
        top = max(0, (min(ay, by, cy) + _HALF - 1) >> SUBPIXEL_BITS)
        bottom = min(height - 1, (max(ay, by, cy) - _HALF) >> SUBPIXEL_BITS)
        if left > right or top > bottom:
            continue
        area = _edge(ax, ay, bx, by, cx, cy)
        # outward normals look at the camera where the area is negative, since v points down
        if area == 0 or (cull and area > 0):
            continue
        if area < 0:
            bx, by, cx, cy = cx, cy, bx, by
            j, k = k, j
            area = -area
        px, py = (left << SUBPIXEL_BITS) + _HALF, (top << SUBPIXEL_BITS) + _HALF
        edges = (
            _edge(bx, by, cx, cy, px, py),
            _edge(cx, cy, ax, ay, px, py),
            _edge(ax, ay, bx, by, px, py),
        )
        slopes = (
            (by - cy) * _ONE,
            (cy - ay) * _ONE,
            (ay - by) * _ONE,
            (cx - bx) * _ONE,
            (ax - cx) * _ONE,
            (bx - ax) * _ONE,
        )
        biases = (_bias(cx - bx, cy - by), _bias(ax - cx, ay - cy), _bias(bx - ax, by - ay))
        if left == right and top == bottom:  # most of a fine mesh in a small image
            inside = (edges[0] + biases[0]) | (edges[1] + biases[1]) | (edges[2] + biases[2])
            if inside < 0:
                continue
        box, inverse = (left, right, top, bottom), 1.0 / area
        nears = (near[i], near[j], near[k])
        if holed and texture[t, 1] > 0:
            second, third = (1, 2) if j == triangles[t, 1] else (2, 1)
            chart = (
                (uv[t, 0, 0], uv[t, second, 0], uv[t, third, 0]),
                (uv[t, 0, 1], uv[t, second, 1], uv[t, third, 1]),
            )
            seen = nears if perspective else (1.0, 1.0, 1.0)
            place = (texture[t, 0], texture[t, 1], texture[t, 2])
            _draw_cutout(
                t,
                box,
                edges,
                biases,
                slopes,
                inverse,
                nears,
                seen,
                chart,
                place,
                alpha,
                dithered,
                triangle_id,
                nearness,
            )
        else:
            _draw_whole(t, box, edges, biases, slopes, inverse, nears, triangle_id, nearness)


@numba.njit(nogil=True, cache=True, inline="always")
def _draw_whole(t, box, edges, biases, slopes, inverse, nears, triangle_id, nearness):
    """The pixels of a triangle without holes."""
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
def _draw_cutout(
    t,
    box,
    edges,
    biases,
    slopes,
    inverse,
    nears,
    seen,
    chart,
    place,
    alpha,
    dithered,
    triangle_id,
    nearness,
):
    """The pixels of a triangle where its texture says that it is.

    ``seen`` are the corners' 1/z, or ones: chart · seen and seen itself are linear over the image.
    """
    left, right, top, bottom = box
    (ra, rb, rc), (ua, ub, uc), (va, vb, vc) = seen, chart[0], chart[1]
    q0, qx, qy = _plane(nears[0], nears[1], nears[2], edges, slopes, inverse)
    w0, wx, wy = _plane(ra, rb, rc, edges, slopes, inverse)
    u0, ux, uy = _plane(ua * ra, ub * rb, uc * rc, edges, slopes, inverse)
    v0, vx, vy = _plane(va * ra, vb * rb, vc * rc, edges, slopes, inverse)
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


@numba.njit(nogil=True, cache=True, inline="always")
def doubled_area(snapped, i, j, k):
    """Twice the area of the triangle of three corners, unsigned, in squares of 1/256 px."""
    ax, ay = np.int64(snapped[i, 0]), np.int64(snapped[i, 1])
    bx, by = np.int64(snapped[j, 0]), np.int64(snapped[j, 1])
    return abs(_edge(ax, ay, bx, by, np.int64(snapped[k, 0]), np.int64(snapped[k, 1])))


@numba.njit(nogil=True, cache=True, inline="always")
def weights_at(snapped, near, i, j, k, px, py, perspective):
    """Perspective-correct weights of a triangle's corners, and 1/depth or -depth, at a place.

    ``px, py`` in 1/256 px: int64, exact, or float64.
    """
    ax, ay = np.int64(snapped[i, 0]), np.int64(snapped[i, 1])
    bx, by = np.int64(snapped[j, 0]), np.int64(snapped[j, 1])
    cx, cy = np.int64(snapped[k, 0]), np.int64(snapped[k, 1])
    area = np.float64(_edge(ax, ay, bx, by, cx, cy))
    wa = _edge(bx, by, cx, cy, px, py) / area
    wb = _edge(cx, cy, ax, ay, px, py) / area
    wc = _edge(ax, ay, bx, by, px, py) / area
    q = wa * near[i] + wb * near[j] + wc * near[k]
    if perspective:
        wa, wb, wc = wa * near[i] / q, wb * near[j] / q, wc * near[k] / q
    return wa, wb, wc, q


@numba.njit(nogil=True, cache=True)
def resolve(snapped, near, triangles, perspective, triangle_id, barycentric, depth):
    """Barycentrics and depth of the visible triangle at every pixel centre."""
    height, width = triangle_id.shape
    for y in range(height):
        for x in range(width):
            t = triangle_id[y, x]
            if t < 0:
                continue
            px, py = (x << SUBPIXEL_BITS) + _HALF, (y << SUBPIXEL_BITS) + _HALF
            i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            wa, wb, wc, q = weights_at(snapped, near, i, j, k, px, py, perspective)
            barycentric[y, x, 0] = wa
            barycentric[y, x, 1] = wb
            barycentric[y, x, 2] = wc
            depth[y, x] = 1 / q if perspective else -q


@numba.njit(nogil=True, cache=True)
def gather(triangle_id, barycentric, attributes, triangles, out):
    """out[y, x] = Σ_k barycentric[y, x, k] · attributes[corner k]."""
    height, width = triangle_id.shape
    channels = attributes.shape[1]
    for y in range(height):
        for x in range(width):
            t = triangle_id[y, x]
            if t < 0:
                continue
            i, j, k = triangles[t]
            a, b, c = barycentric[y, x]
            for n in range(channels):
                out[y, x, n] = a * attributes[i, n] + b * attributes[j, n] + c * attributes[k, n]


@numba.njit(nogil=True, cache=True, fastmath=True)
def span(screen, triangles, nearest, farthest):
    """Nearest and farthest depth at every pixel centre, both sides of a triangle alike."""
    height, width = nearest.shape
    for t in range(len(triangles)):
        i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
        ax, ay, bx, by = screen[i, 0], screen[i, 1], screen[j, 0], screen[j, 1]
        cx, cy = screen[k, 0], screen[k, 1]
        left = max(0, int(np.ceil(min(ax, bx, cx) - 0.5)))
        right = min(width - 1, int(np.floor(max(ax, bx, cx) - 0.5)))
        top = max(0, int(np.ceil(min(ay, by, cy) - 0.5)))
        bottom = min(height - 1, int(np.floor(max(ay, by, cy) - 0.5)))
        area = _edge(ax, ay, bx, by, cx, cy)
        if left > right or top > bottom or abs(area) < 1e-12:
            continue
        inverse = 1 / area
        az, bz, cz = screen[i, 2], screen[j, 2], screen[k, 2]
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                wa = _edge(bx, by, cx, cy, x + 0.5, y + 0.5) * inverse
                wb = _edge(cx, cy, ax, ay, x + 0.5, y + 0.5) * inverse
                wc = 1 - wa - wb
                if wa >= 0 and wb >= 0 and wc >= 0:
                    z = np.float32(wa * az + wb * bz + wc * cz)
                    nearest[y, x] = min(nearest[y, x], z)
                    farthest[y, x] = max(farthest[y, x], z)
