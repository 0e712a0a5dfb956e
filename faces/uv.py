"""Vertices ↔ UV maps as fixed sparse gathers: made once a model and size, then two products."""

import numpy as np
import scipy.sparse as sp
from scipy.spatial import cKDTree

from faces.morphable import MorphableModel
from imaging.raster import rasterise


class UvAtlas:
    """Carries values on a model's vertices into its texture and back.

    Texels lie as pixels do in an image: the centre of texel (row i, column j) is at
    u = (j + 0.5) / size, v = (i + 0.5) / size.

    Attributes:
        size: edge of the square map, texels.
        mask: (size, size) bool, texels whose centre a triangle covers.
        gather: (N, V) sparse float32, from the vertices to the mask's texels in their order.
    """

    def __init__(self, model: MorphableModel, size: int):
        """Rasterise the model's chart; ``size`` in texels."""
        self.size = size
        depth = np.ones((len(model.uv), 1))
        screen = np.concatenate([model.uv.astype(np.float64) * size, depth], axis=1)
        chart = rasterise(screen, model.triangle_uv, (size, size), perspective=False)
        self.mask = chart.mask
        triangles = chart.triangle_id[self.mask]
        self.gather = _rows(
            model.triangles[triangles],
            chart.barycentric[self.mask],
            model.vertex_count,
        )
        self._sample = _bilinear(self.mask, _one_uv_a_vertex(model) * size)

    def to_map(self, values: np.ndarray) -> np.ndarray:
        """Values (V, C) on the vertices to a map (size, size, C) float32; 0 outside the mask."""
        result = np.zeros((self.size, self.size, values.shape[1]), dtype=np.float32)
        result[self.mask] = self.gather @ np.asarray(values, dtype=np.float32)
        return result

    def sample(self, texture: np.ndarray) -> np.ndarray:
        """A map (size, size, C) read at the vertices (V, C) float32, bilinear among the mask's
        texels; where a vertex has several texture vertices (on a seam), at one of them."""
        flat = np.asarray(texture, dtype=np.float32).reshape(self.size * self.size, -1)
        return self._sample @ flat


def _rows(columns: np.ndarray, weights: np.ndarray, count: int) -> sp.csr_matrix:
    """CSR (N, count) float32 of ``weights`` (N, K) at ``columns`` (N, K), each row summing to 1."""
    size = len(columns)
    row = np.repeat(np.arange(size), columns.shape[1])
    weights = weights / weights.sum(1, keepdims=True)
    triplet = (weights.ravel().astype(np.float32), (row, columns.ravel()))
    return sp.csr_matrix(triplet, shape=(size, count))


def _one_uv_a_vertex(model: MorphableModel) -> np.ndarray:
    """(V, 2) float64: the first texture vertex of each vertex; 0 where no triangle uses it."""
    chosen = np.zeros((model.vertex_count, 2))
    order = np.argsort(model.triangle_uv.ravel(), kind="stable")[::-1]
    chosen[model.triangles.ravel()[order]] = model.uv[model.triangle_uv.ravel()[order]]
    return chosen


def _bilinear(mask: np.ndarray, places: np.ndarray) -> sp.csr_matrix:
    """CSR (V, size²): the four texels around each place (V, 2) in px, those outside the mask left
    out, or the nearest texel of the mask where all four are."""
    size = len(mask)
    corner = np.floor(places - 0.5)
    share = places - 0.5 - corner
    columns, weights = [], []
    for dy, dx in ((0, 0), (0, 1), (1, 0), (1, 1)):
        x, y = np.clip(corner + np.array([dx, dy]), 0, size - 1).astype(np.int64).T
        weight = np.abs(1 - dx - share[:, 0]) * np.abs(1 - dy - share[:, 1])
        columns.append(y * size + x)
        weights.append(np.maximum(weight, 1e-6) * mask[y, x])
    columns, weights = np.stack(columns, 1), np.stack(weights, 1)
    lost = weights.sum(1) == 0
    if lost.any():
        columns[lost, 0] = _nearest_texel(mask, places[lost])
        weights[lost, 0] = 1
    return _rows(columns, weights, size * size)


def _nearest_texel(mask: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Flat index (N,) of the masked texel nearest to each place (N, 2) in px."""
    rows, columns = np.nonzero(mask)
    centres = np.stack([columns, rows], 1) + 0.5
    return np.flatnonzero(mask)[cKDTree(centres).query(places)[1]]
