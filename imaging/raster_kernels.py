"""The rasteriser's inner loops: snapped corners, exact coverage, and what is seen where."""

import numba
import numpy as np

from imaging.cutout import is_there

SUBPIXEL_BITS = 8  # 1/256 px: fine enough that a 0.1 px sliver keeps its shape
MAX_COORDINATE_PX = 2.0**21  # 2^29 snapped: the int64 edge functions stay below 2^62
_ONE = 1 << SUBPIXEL_BITS
_HALF = _ONE // 2
_DROPPED = np.iinfo(np.int32).min  # snapped u of a vertex that no triangle may use


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


@numba.njit(nogil=True, cache=True)
def cover(
    snapped, near, triangles, cull, perspective, alpha, texture, uv, dithered, triangle_id, nearness
):
    """Write the nearest triangle's id and its nearness at every pixel centre."""
    height, width = triangle_id.shape
    cut_out = len(texture) > 0
    for t in range(len(triangles)):
        i, j, k = triangles[t]
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
        qa, qb, qc = near[i], near[j], near[k]
        turned = area < 0
        if turned:
            bx, by, qb, cx, cy, qc = cx, cy, qc, bx, by, qb
            area = -area
        bias_a, bias_b = _bias(cx - bx, cy - by), _bias(ax - cx, ay - cy)
        bias_c = _bias(bx - ax, by - ay)
        px, py = (left << SUBPIXEL_BITS) + _HALF, (top << SUBPIXEL_BITS) + _HALF
        row_a = _edge(bx, by, cx, cy, px, py) + bias_a
        row_b = _edge(cx, cy, ax, ay, px, py) + bias_b
        row_c = _edge(ax, ay, bx, by, px, py) + bias_c
        step_a, step_b, step_c = (by - cy) * _ONE, (cy - ay) * _ONE, (ay - by) * _ONE
        inverse = 1.0 / area
        for y in range(top, bottom + 1):
            wa, wb, wc = row_a, row_b, row_c
            entered = False
            for x in range(left, right + 1):
                if (wa | wb | wc) < 0:
                    if entered:  # a triangle is convex: the row has no more of it
                        break
                else:
                    entered = True
                    q = ((wa - bias_a) * qa + (wb - bias_b) * qb + (wc - bias_c) * qc) * inverse
                    if q > nearness[y, x]:
                        if cut_out and texture[t, 1] > 0:
                            a, b, c = wa - bias_a, wb - bias_b, wc - bias_c
                            if perspective:
                                a, b, c = a * qa, b * qb, c * qc
                            if turned:
                                b, c = c, b
                            if not is_there(texture[t], uv[t], alpha, a, b, c, dithered, x, y):
                                wa, wb, wc = wa + step_a, wb + step_b, wc + step_c
                                continue
                        nearness[y, x] = q
                        triangle_id[y, x] = t
                wa += step_a
                wb += step_b
                wc += step_c
            row_a += (cx - bx) * _ONE
            row_b += (ax - cx) * _ONE
            row_c += (bx - ax) * _ONE


@numba.njit(nogil=True, cache=True)
def resolve(snapped, near, triangles, perspective, triangle_id, barycentric, depth):
    """Barycentrics and depth of the visible triangle at every pixel centre."""
    height, width = triangle_id.shape
    for y in range(height):
        for x in range(width):
            t = triangle_id[y, x]
            if t < 0:
                continue
            i, j, k = triangles[t]
            ax, ay = np.int64(snapped[i, 0]), np.int64(snapped[i, 1])
            bx, by = np.int64(snapped[j, 0]), np.int64(snapped[j, 1])
            cx, cy = np.int64(snapped[k, 0]), np.int64(snapped[k, 1])
            px, py = (x << SUBPIXEL_BITS) + _HALF, (y << SUBPIXEL_BITS) + _HALF
            area = np.float64(_edge(ax, ay, bx, by, cx, cy))
            wa = _edge(bx, by, cx, cy, px, py) / area
            wb = _edge(cx, cy, ax, ay, px, py) / area
            wc = _edge(ax, ay, bx, by, px, py) / area
            q = wa * near[i] + wb * near[j] + wc * near[k]
            if perspective:
                wa, wb, wc = wa * near[i] / q, wb * near[j] / q, wc * near[k] / q
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
