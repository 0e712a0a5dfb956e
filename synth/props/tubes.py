"""Small closed surfaces that props are made of: tubes, boxes and sheets."""

from functools import lru_cache

import numpy as np


def tube(
    path_mm: np.ndarray, radius_mm: np.ndarray | float, sides: int = 8, closed: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (N · sides, 3) and triangles of a tube around a path (N, 3).

    Args:
        path_mm: (N, 3), without repeated points.
        radius_mm: (N,) or one.
        sides: of the cross-section.
        closed: whether the path's end meets its start.
    """
    path = np.asarray(path_mm, dtype=np.float64)
    ends = (
        (path[-1:], path[:1]) if closed else (2 * path[:1] - path[1:2], 2 * path[-1:] - path[-2:-1])
    )
    around = np.concatenate([ends[0], path, ends[1]])
    along = unit(around[2:] - around[:-2])
    reference = np.eye(3)[np.argmin(np.abs(along).sum(0))]  # the axis that the path least follows
    first = unit(np.cross(along, reference))
    second = np.cross(along, first)
    angle = np.linspace(0, 2 * np.pi, sides, endpoint=False)[None, :, None]
    radius = np.broadcast_to(radius_mm, len(path))[:, None, None]
    ring = np.cos(angle) * first[:, None] + np.sin(angle) * second[:, None]
    points = path[:, None] + radius * ring
    return points.reshape(-1, 3), tube_triangles(len(path), sides, closed)


def box(size_mm, bevel_mm: float = 1.5) -> tuple[np.ndarray, np.ndarray]:
    """A box about the origin (2 · 24 points, rounded in x and y), its z faces closed by fans."""
    width, height, depth = (np.asarray(size_mm, dtype=np.float64)) / 2
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    corner = 4 * bevel_mm
    x = np.sign(np.cos(angle)) * (width - corner) + corner * np.cos(angle)
    y = np.sign(np.sin(angle)) * (height - corner) + corner * np.sin(angle)
    rings = [
        np.column_stack([s * x, s * y, np.full(24, z)])
        for s, z in ((0.0, -depth), (0.97, -depth), (1.0, 0.6 - depth), (1.0, depth - 0.6))
    ]
    rings += [np.column_stack([s * x, s * y, np.full(24, depth)]) for s in (0.97, 0.0)]
    return np.concatenate(rings), tube_triangles(len(rings), 24, False)


def merged(parts) -> tuple[np.ndarray, np.ndarray]:
    """One mesh of several (vertices, triangles)."""
    points, triangles, start = [], [], 0
    for vertices, faces in parts:
        points.append(vertices)
        triangles.append(faces + start)
        start += len(vertices)
    return np.concatenate(points), np.concatenate(triangles).astype(np.int32)


@lru_cache(maxsize=64)
def tube_triangles(rings: int, sides: int, closed: bool) -> np.ndarray:
    """Triangles (T, 3) int32 between rings of ``sides`` points, outward for tube's rings."""
    spans = rings if closed else rings - 1
    ring, side = np.meshgrid(np.arange(spans), np.arange(sides), indexing="ij")
    after = (ring + 1) % rings
    a, b = ring * sides + side, ring * sides + (side + 1) % sides
    c, d = after * sides + (side + 1) % sides, after * sides + side
    return np.stack([a, b, c, a, c, d], -1).reshape(-1, 3).astype(np.int32)


@lru_cache(maxsize=16)
def sheet_triangles(rows: int, columns: int) -> np.ndarray:
    """Triangles (T, 3) int32 of a grid whose rows go down and columns to the right, facing us."""
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    a = row * columns + column
    b, c, d = a + 1, a + columns + 1, a + columns
    return np.stack([a, d, c, a, c, b], -1).reshape(-1, 3).astype(np.int32)


def unit(vectors: np.ndarray) -> np.ndarray:
    """The vectors (..., 3) at length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
