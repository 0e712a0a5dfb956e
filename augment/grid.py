"""Meshes over the pixels of a depth image."""

import numpy as np

CORNERS = (np.s_[:-1, :-1], np.s_[:-1, 1:], np.s_[1:, 1:], np.s_[1:, :-1])


def grid_triangles(usable: np.ndarray, depth_mm: np.ndarray, jump_mm: float) -> np.ndarray:
    """Triangles (2C, 3) int32 over the vertices of a grid, each cell's two side by side.

    Args:
        usable: (h, w) bool, vertices that may be used.
        depth_mm: (h, w) their depths.
        jump_mm: no cell spans more than this.

    The diagonal is the one whose ends are nearer to each other in depth, and the winding faces
    the camera (outward normals, as in the model).
    """
    index = np.arange(usable.size, dtype=np.int32).reshape(usable.shape)
    return triangles_of(cells(usable, depth_mm, jump_mm), index, depth_mm)


def cells(usable: np.ndarray, depth_mm: np.ndarray, jump_mm: float) -> np.ndarray:
    """(h-1, w-1) bool: cells with usable corners only, whose depths spread by jump_mm at most."""
    corner = [depth_mm[c] for c in CORNERS]
    low, high = np.minimum(corner[0], corner[1]), np.maximum(corner[0], corner[1])
    whole = usable[CORNERS[0]] & usable[CORNERS[1]]
    for k in (2, 3):
        low, high = np.minimum(low, corner[k]), np.maximum(high, corner[k])
        whole = whole & usable[CORNERS[k]]
    return whole & (high - low <= jump_mm)


def triangles_of(whole: np.ndarray, index: np.ndarray, depth_mm: np.ndarray) -> np.ndarray:
    """(2C, 3) int32, two for each whole cell (h-1, w-1), of the vertices' numbers (h, w)."""
    a, b, c, d = (index[k][whole] for k in CORNERS)
    za, zb, zc, zd = (depth_mm[k][whole] for k in CORNERS)
    main = (np.abs(za - zc) <= np.abs(zb - zd))[:, None]
    first = np.where(main, np.stack([a, d, c], 1), np.stack([a, d, b], 1))
    second = np.where(main, np.stack([a, c, b], 1), np.stack([b, d, c], 1))
    return np.stack([first, second], 1).reshape(-1, 3)


def compacted(triangles: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The vertices that triangles use, (n,) ascending, of ``count``; and the triangles (T, 3) int32
    into these."""
    marked = np.zeros(count, bool)
    marked[triangles] = True
    number = np.cumsum(marked, dtype=np.int32) - np.int32(1)
    return np.flatnonzero(marked), number[triangles]


def lattice(
    shape: tuple[int, int], step: np.ndarray, height: int, mm_per_px: float
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (h, w) at cells' centres, a cell beyond the image all around and more below it.

    Returns:
        (h, w, 2) their pixels, at most the image's lower border; and (h, w) mm below that.
    """
    row = (np.arange(shape[0]) - 0.5) * step[1]
    column = (np.arange(shape[1]) - 0.5) * step[0]
    u, v = np.meshgrid(column, np.minimum(row, height - 0.5))
    drop = np.broadcast_to(np.maximum(row - (height - 0.5), 0)[:, None] * mm_per_px, shape)
    return np.stack([u, v], -1), drop
