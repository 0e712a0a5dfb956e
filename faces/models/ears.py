"""Where the ears of a head are, by what stands out of the skull, and how deep their hollows lie."""

import cv2
import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from faces.mesh import soften, unique_edges
from faces.models.fields import smooth
from imaging.raster import rasterise


def find_ears(head, triangles: np.ndarray) -> np.ndarray:
    """What stands out of the skull beside the jaw's upper ends (V,) bool, with its hollows.

    None where the surface does not go on behind the ears: a face cut out before them.

    Args:
        head: a Head (faces.models.anatomy) whose ears nobody knows. triangles: (T, 3).
    """
    side, p, d, v = np.abs(head.vertices[:, 0]), head.points, head.d, head.vertices
    top = p[[0, 16]].mean(0)
    z = (v[:, 2] - (top[2] - 0.30 * d)) / d
    y = (v[:, 1] - (top[1] - 0.25 * d)) / d
    radius = np.hypot((z + 0.16 * y) / 0.27, y / 0.42)  # the ear leans back
    lateral = head.skin & (side > 0.4 * np.abs(p[[0, 16], 0]).mean())
    # The skull under the ear: a quadric through the skin round it.
    terms = np.stack([np.ones_like(y), y, z, y * y, y * z, z * z], 1)
    ring = lateral & (radius > 1.15) & (radius < 1.9) & (v[:, 0] * head.normals[:, 0] > 0)
    if not all((ring & own & (z < -0.15)).any() for own in (v[:, 0] > 0, v[:, 0] < 0)):
        return np.zeros(len(v), dtype=bool)  # a mask that ends before the ears
    skull = terms @ np.linalg.lstsq(terms[ring], side[ring], rcond=None)[0]
    auricle = lateral & (radius < 1) & (side - skull > 0.035 * d)
    ears = auricle | (lateral & _framed(v, auricle, triangles))
    return head.skin & (soften(_without_holes(ears, triangles), triangles, 4) > 0.5)


def _framed(v: np.ndarray, auricle: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Vertices (V,) seen from their own side within the outline of that side's auricle."""
    framed = np.zeros(len(v), dtype=bool)
    for sign in (-1, 1):
        own = sign * v[:, 0] > 0
        if not (auricle & own).any():
            continue
        corner = v[auricle & own].min(0) - 5
        view = np.stack([v[:, 2] - corner[2], v[:, 1] - corner[1], -sign * v[:, 0]], 1)
        size = tuple(np.ceil(view[auricle & own, :2].max(0)).astype(int) + 5)
        view[:, 2] += 1000 - view[own, 2].min()
        depth = rasterise(view, triangles, size, perspective=False).depth
        column, row = np.clip(view[:, :2].astype(int), 0, np.array(size) - 1).T
        seen = view[:, 2] < depth[row, column] + 2
        hull = cv2.convexHull(view[auricle & own, :2].astype(np.float32))
        inside = [cv2.pointPolygonTest(hull, (float(a), float(b)), False) >= 0 for a, b, _ in view]
        framed |= own & seen & np.array(inside)
    return framed


def _without_holes(mask: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The mask's two largest pieces (V,), with every piece of the rest that they cut off."""
    kept = np.isin(_pieces(mask, triangles), np.arange(2)) & mask
    return kept | (_pieces(~kept, triangles) != 0)


def _pieces(mask: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Rank (V,) by size, 0 the largest, of the connected piece of the mask that holds a vertex."""
    edges = unique_edges(triangles)
    edges = edges[mask[edges].all(1)]
    size = len(mask)
    graph = sp.csr_matrix((np.ones(len(edges)), edges.T), shape=(size, size))
    labels = connected_components(graph, directed=False)[1]
    count = np.bincount(labels[mask], minlength=labels.max() + 1)
    rank = np.argsort(np.argsort(-count, kind="stable"), kind="stable")
    return np.where(mask, rank[labels], 0)


def ear_hollow(head, triangles: np.ndarray) -> np.ndarray:
    """How deep (V,) in [0, 1] a point of the ear lies under the rim around it."""
    own = np.flatnonzero(head.ears)
    side = np.abs(head.vertices[own, 0])
    tree = cKDTree(head.vertices[own] * [0.3, 1, 1])
    around = tree.query_ball_point(head.vertices[own] * [0.3, 1, 1], 0.13 * head.d)
    rim = np.array([side[near].max() for near in around])
    outwards = head.normals[own, 0] * np.sign(head.vertices[own, 0]) > -0.2
    hollow = np.zeros(len(head.vertices))
    hollow[own] = outwards * smooth((rim - side) / (0.16 * head.d))
    return head.ears * soften(hollow, triangles, 3)
