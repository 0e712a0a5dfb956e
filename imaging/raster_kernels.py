"""The rasteriser's inner loops around coverage: snapped corners, and what is seen where."""

import numba
import numpy as np

SUBPIXEL_BITS = 8  # 1/256 px: fine enough that a 0.1 px sliver keeps its shape
MAX_COORDINATE_PX = 2.0**21  # 2^29 snapped: the int64 edge functions stay below 2^62
ONE = 1 << SUBPIXEL_BITS
HALF = ONE // 2
DROPPED = np.iinfo(np.int32).min  # snapped u of a vertex that no triangle may use


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
            snapped[i, 0] = snapped[i, 1] = DROPPED
            continue
        snapped[i, 0] = np.int32(np.floor(u * ONE + 0.5))
        snapped[i, 1] = np.int32(np.floor(v * ONE + 0.5))
        near[i] = 1 / z if perspective else -z
    return snapped, near


@numba.njit(nogil=True, cache=True, inline="always")
def edge(ax, ay, bx, by, px, py):
    """Twice the signed area of (a, b, p), exact in int64."""
    return (bx - ax) * (py - ay) - (by - ay) * (px - ax)


@numba.njit(nogil=True, cache=True, inline="always")
def doubled_area(snapped, i, j, k):
    """Twice the area of the triangle of three corners, unsigned, in squares of 1/256 px."""
    ax, ay = np.int64(snapped[i, 0]), np.int64(snapped[i, 1])
    bx, by = np.int64(snapped[j, 0]), np.int64(snapped[j, 1])
    return abs(edge(ax, ay, bx, by, np.int64(snapped[k, 0]), np.int64(snapped[k, 1])))


@numba.njit(nogil=True, cache=True, inline="always")
def weights_at(snapped, near, i, j, k, px, py, perspective):
    """Perspective-correct weights of a triangle's corners, and 1/depth or -depth, at a place.

    ``px, py`` in 1/256 px: int64, exact, or float64.
    """
    ax, ay = np.int64(snapped[i, 0]), np.int64(snapped[i, 1])
    bx, by = np.int64(snapped[j, 0]), np.int64(snapped[j, 1])
    cx, cy = np.int64(snapped[k, 0]), np.int64(snapped[k, 1])
    area = np.float64(edge(ax, ay, bx, by, cx, cy))
    wa = edge(bx, by, cx, cy, px, py) / area
    wb = edge(cx, cy, ax, ay, px, py) / area
    wc = edge(ax, ay, bx, by, px, py) / area
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
            px, py = (x << SUBPIXEL_BITS) + HALF, (y << SUBPIXEL_BITS) + HALF
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
        area = edge(ax, ay, bx, by, cx, cy)
        if left > right or top > bottom or abs(area) < 1e-12:
            continue
        inverse = 1 / area
        az, bz, cz = screen[i, 2], screen[j, 2], screen[k, 2]
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                wa = edge(bx, by, cx, cy, x + 0.5, y + 0.5) * inverse
                wb = edge(cx, cy, ax, ay, x + 0.5, y + 0.5) * inverse
                wc = 1 - wa - wb
                if wa >= 0 and wb >= 0 and wc >= 0:
                    z = np.float32(wa * az + wb * bz + wc * cz)
                    nearest[y, x] = min(nearest[y, x], z)
                    farthest[y, x] = max(farthest[y, x], z)
