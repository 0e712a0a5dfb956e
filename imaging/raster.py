"""Deferred triangle rasteriser: one pass finds the nearest triangle, every buffer is a gather.

Vertices are snapped to 1/256 px and covered by exact int64 edge functions with the top-left rule,
so two triangles that share an edge cover each pixel on it exactly once. Only ids and depths are
written per triangle; barycentrics are computed once per visible pixel afterwards.
"""

from dataclasses import dataclass

import cv2
import numba
import numpy as np

from imaging.cutout import WHOLE, Cutout, is_there

SUBPIXEL_BITS = 8  # 1/256 px: fine enough that a 0.1 px sliver keeps its shape
MAX_COORDINATE_PX = 2.0**21  # 2^29 snapped: the int64 edge functions stay below 2^62
_ONE = 1 << SUBPIXEL_BITS
_HALF = _ONE // 2
_DROPPED = np.iinfo(np.int32).min  # snapped u of a vertex that no triangle may use


@dataclass(frozen=True, slots=True, eq=False)
class Fragments:
    """What is seen at each pixel's centre.

    Attributes:
        triangle_id: (H, W) int32, index of the nearest triangle; -1 = background.
        barycentric: (H, W, 3) float32 weights of its three corners, perspective-correct, sum 1;
            0 on the background.
        depth: (H, W) float32, z in mm; 0 on the background.
    """

    triangle_id: np.ndarray
    barycentric: np.ndarray
    depth: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool: pixels that a triangle covers."""
        return self.triangle_id >= 0

    def interpolate(self, attributes: np.ndarray, triangles: np.ndarray) -> np.ndarray:
        """Corner attributes carried to the pixels: (H, W, C) float32, 0 on the background.

        Args:
            attributes: (V, C) values, e.g. colours, normals or texture coordinates.
            triangles: (T, 3) int into ``attributes``, in the order that was rasterised; may be
                another index buffer than the one of the positions (``triangle_uv``).

        Raises:
            ValueError: where the shapes do not fit, or an index lies outside ``attributes``.
        """
        values = np.ascontiguousarray(attributes, dtype=np.float32)
        if values.ndim != 2:
            raise ValueError(f"attributes: shape {values.shape}; expected (V, C); reshape them")
        corners = _checked_triangles(triangles, len(values))
        if self.triangle_id.max(initial=-1) >= len(corners):
            raise ValueError(
                f"triangles: {len(corners)} of them; expected more than the largest id "
                f"{self.triangle_id.max()}; pass an index buffer in the order that was rasterised"
            )
        out = np.zeros((*self.triangle_id.shape, values.shape[1]), dtype=np.float32)
        _gather(self.triangle_id, self.barycentric, values, corners, out)
        return out


def rasterise(
    screen: np.ndarray,
    triangles: np.ndarray,
    size: tuple[int, int],
    perspective: bool = True,
    cull: bool = False,
    cutout: Cutout | None = None,
) -> Fragments:
    """The nearest triangle at every pixel centre.

    Args:
        screen: (V, 3) float, (u px, v px, z mm) with pixel centres at +0.5 (Camera.screen).
        triangles: (T, 3) int vertex indices. One with a vertex at z <= 0, with a non-finite
            coordinate, or farther than MAX_COORDINATE_PX from the origin is dropped.
        size: (width, height), px.
        perspective: whether 1/z (pinhole) or z (orthographic) is linear over the image.
        cull: leave out triangles that turn their back (clockwise from outside) to the camera.
        cutout: holes in the triangles.

    Returns:
        Fragments of the image. Of equally near triangles the first one wins.

    Raises:
        ValueError: where a shape or an index does not fit.
    """
    points = np.ascontiguousarray(screen, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"screen: shape {points.shape}; expected (V, 3); stack (u, v, z)")
    corners = _checked_triangles(triangles, len(points))
    width, height = int(size[0]), int(size[1])
    if width <= 0 or height <= 0:
        raise ValueError(f"size: {size}; expected (width, height) above 0; check the camera")
    triangle_id = np.full((height, width), -1, dtype=np.int32)
    nearness = np.full((height, width), -np.inf)
    barycentric = np.zeros((height, width, 3), dtype=np.float32)
    depth = np.zeros((height, width), dtype=np.float32)
    snapped, near = _snap(points, perspective)
    holes = WHOLE if cutout is None else cutout
    holes = (holes.alpha, holes.texture, holes.uv, holes.dithered)
    _cover(snapped, near, corners, cull, perspective, *holes, triangle_id, nearness)
    _resolve(snapped, near, corners, perspective, triangle_id, barycentric, depth)
    return Fragments(triangle_id, barycentric, depth)


def downsample(image: np.ndarray, factor: int) -> np.ndarray:
    """Box average of colour or alpha by a whole factor; never of depth, normals or labels.

    Args:
        image: (H·factor, W·factor[, C]) uint8 or float.
        factor: pixels averaged along each axis.

    Returns:
        (H, W[, C]) of the same dtype; integers are rounded to the nearest.

    Raises:
        ValueError: where the size is no multiple of the factor.
    """
    if factor == 1:
        return image
    height, width = image.shape[:2]
    if height % factor or width % factor:
        raise ValueError(
            f"image: {width}×{height}; expected multiples of {factor}; render at factor × size"
        )
    if np.issubdtype(image.dtype, np.floating):
        size = (width // factor, height // factor)
        averaged = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return averaged.reshape(size[1], size[0], *image.shape[2:])  # OpenCV drops a last axis of 1
    blocks = image.reshape(height // factor, factor, width // factor, factor, *image.shape[2:])
    total = blocks.sum(axis=(1, 3), dtype=np.int64)
    return ((total + factor**2 // 2) // factor**2).astype(image.dtype)


def _checked_triangles(triangles: np.ndarray, count: int) -> np.ndarray:
    """Contiguous (T, 3) int32, its indices inside [0, count)."""
    corners = np.ascontiguousarray(triangles, dtype=np.int32)
    if corners.ndim != 2 or corners.shape[1] != 3:
        raise ValueError(f"triangles: shape {corners.shape}; expected (T, 3); triangulate first")
    if corners.size and (corners.min() < 0 or corners.max() >= count):
        raise ValueError(
            f"triangles: indices {corners.min()}..{corners.max()}; expected 0..{count - 1}; "
            "pass the vertices that they belong to"
        )
    return corners


@numba.njit(nogil=True, cache=True)
def _snap(points, perspective):
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
def _cover(
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
            for x in range(left, right + 1):
                if (wa | wb | wc) >= 0:
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
def _resolve(snapped, near, triangles, perspective, triangle_id, barycentric, depth):
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
def _gather(triangle_id, barycentric, attributes, triangles, out):
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
