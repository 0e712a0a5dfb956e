"""The nearest of many triangles, exactly: a k-d tree of boxes in Morton order.

Sorting the centroids by Morton's interleaved bits (1966) orders them as a k-d tree that halves each
axis in turn; consecutive leaves share a parent, so that the tree is an array without links.
"""

from typing import NamedTuple

import numba
import numpy as np

LEAF = 2  # triangles
DEEP = 64  # nodes that may wait: two a level, of trees of up to 2³² leaves
BITS = 20  # of a point's place along an axis


class TriangleTree(NamedTuple):
    """A heap of boxes: node k has the children 2k and 2k + 1, node 1 holds all; L leaves.

    Attributes:
        corners: (T, 3, 3) float64, triangles in the order of the leaves.
        low, high: (2L, 3) float64, the nodes' boxes; an empty leaf's is turned inside out.
    """

    corners: np.ndarray
    low: np.ndarray
    high: np.ndarray


def triangle_tree(corners: np.ndarray) -> TriangleTree:
    """The tree of T ≥ 1 triangles (T, 3, 3)."""
    corners = np.ascontiguousarray(corners[morton_order(corners.mean(1))], dtype=np.float64)
    leaves = 1 << int(np.ceil(np.log2(max(-(-len(corners) // LEAF), 1))))
    return TriangleTree(corners, *_boxes(corners, leaves))


@numba.njit(cache=True, nogil=True)
def _boxes(corners, leaves):
    """Least and largest coordinates (2L, 3) of the nodes, leaves first and then up to the root."""
    low, high = np.full((2 * leaves, 3), np.inf), np.full((2 * leaves, 3), -np.inf)
    for t in range(len(corners)):
        k = leaves + t // LEAF
        for corner in range(3):
            for axis in range(3):
                low[k, axis] = min(low[k, axis], corners[t, corner, axis])
                high[k, axis] = max(high[k, axis], corners[t, corner, axis])
    for k in range(leaves - 1, 0, -1):
        for axis in range(3):
            low[k, axis] = min(low[2 * k, axis], low[2 * k + 1, axis])
            high[k, axis] = max(high[2 * k, axis], high[2 * k + 1, axis])
    return low, high


def morton_order(points: np.ndarray) -> np.ndarray:
    """(N,) int64 indices that sort points (N, 3) by Morton's code: neighbours mostly follow."""
    if len(points) == 0:
        return np.zeros(0, dtype=np.int64)
    size = max(np.ptp(points, axis=0).max(), 1e-12)
    cells = ((points - points.min(0)) * ((2**BITS - 1) / size)).astype(np.uint64)
    code = sum(_spread(cells[:, k]) << np.uint64(k) for k in range(3))
    return np.argsort(code, kind="stable")


def _spread(x):
    """The lowest 20 bits of uint64 numbers, two zeros between each and the next."""
    masks = (0x1F00000000FFFF, 0x1F0000FF0000FF, 0x100F00F00F00F00F, 0x10C30C30C30C30C3)
    for shift, mask in zip((32, 16, 8, 4), masks, strict=True):
        x = (x | (x << np.uint64(shift))) & np.uint64(mask)
    return (x | (x << np.uint64(2))) & np.uint64(0x1249249249249249)


@numba.njit(cache=True, nogil=True)
def distances(tree: TriangleTree, points: np.ndarray) -> np.ndarray:
    """Distance (N,) float64 from points (N, 3) float64 to the nearest of the tree's triangles."""
    leaves, count = len(tree.low) // 2, len(tree.corners)
    node, bound = np.zeros(DEEP, np.int64), np.zeros(DEEP)
    out, last = np.zeros(len(points)), 0
    for i in range(len(points)):
        # Where points follow their neighbours, the last one's triangle is a good bound.
        point, waiting, best = points[i], 1, _to_triangle(points[i], tree.corners[last])
        node[0], bound[0] = 1, 0.0
        while waiting > 0:
            waiting -= 1
            k = node[waiting]
            if bound[waiting] >= best:
                continue
            if k >= leaves:
                first = (k - leaves) * LEAF
                for t in range(first, min(first + LEAF, count)):
                    square = _to_triangle(point, tree.corners[t])
                    if square < best:
                        best, last = square, t
                continue
            near, far = 2 * k, 2 * k + 1
            to_near, to_far = _to_box(point, tree, near), _to_box(point, tree, far)
            if to_far < to_near:
                near, far, to_near, to_far = far, near, to_far, to_near
            for child, square in ((far, to_far), (near, to_near)):  # the nearer is next
                if square < best:
                    node[waiting], bound[waiting] = child, square
                    waiting += 1
        out[i] = np.sqrt(best)
    return out


@numba.njit(cache=True, nogil=True)
def _to_box(point, tree, k):
    square = 0.0
    for axis in range(3):
        gap = max(tree.low[k, axis] - point[axis], point[axis] - tree.high[k, axis], 0.0)
        square += gap * gap
    return square


@numba.njit(cache=True, nogil=True)
def _to_triangle(point, corners):
    """Squared distance to a triangle: to its plane where the foot lies inside, else to its edges.

    A triangle without area is its edges.
    """
    a, b, c = corners[0], corners[1], corners[2]
    px, py, pz = point[0] - a[0], point[1] - a[1], point[2] - a[2]
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    square = nx * nx + ny * ny + nz * nz
    if square > 0:
        # Barycentric coordinates of the foot, times the square.
        v = (py * vz - pz * vy) * nx + (pz * vx - px * vz) * ny + (px * vy - py * vx) * nz
        w = (uy * pz - uz * py) * nx + (uz * px - ux * pz) * ny + (ux * py - uy * px) * nz
        if v >= 0 and w >= 0 and v + w <= square:
            height = px * nx + py * ny + pz * nz
            return height * height / square
    return min(_to_edge(point, a, b), _to_edge(point, b, c), _to_edge(point, c, a))


@numba.njit(cache=True, nogil=True)
def _to_edge(point, a, b):
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    px, py, pz = point[0] - a[0], point[1] - a[1], point[2] - a[2]
    square = ux * ux + uy * uy + uz * uz
    t = (px * ux + py * uy + pz * uz) / square if square > 0 else 0.0
    t = min(max(t, 0.0), 1.0)
    px, py, pz = px - t * ux, py - t * uy, pz - t * uz
    return px * px + py * py + pz * pz
