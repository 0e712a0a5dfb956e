"""Smooth unions of round-ended rods as one closed mesh, by naive surface nets.

Gibson, "Constrained Elastic Surface Nets" (MICCAI 1998): one vertex a cell that the surface
crosses, in the middle of its crossings, and one quad an edge of the grid that crosses it.
"""

import numpy as np

NEAR = 9.0
EDGES = tuple((a, a | 1 << axis) for axis in range(3) for a in range(8) if not a >> axis & 1)


def union_mesh(
    starts: np.ndarray, ends: np.ndarray, radii: np.ndarray, step_mm: float, blend_mm: float
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) mm and triangles (T, 3) int32, outward normals.

    Args:
        starts, ends: (N, 3) mm, the rods' axes.
        radii: (N, 2) mm at start and end.
        step_mm: of the grid.
        blend_mm: over how much neighbouring rods flow into each other.
    """
    reach = radii.max() + 2 * step_mm
    low = np.minimum(starts, ends).min(0) - reach
    counts = np.ceil((np.maximum(starts, ends).max(0) + reach - low) / step_mm).astype(int)
    axes = [low[k] + step_mm * np.arange(counts[k]) for k in range(3)]
    field = _distance(axes, starts, ends, radii, blend_mm)
    vertices, triangles = _nets(field)
    return low + step_mm * vertices, triangles


def _distance(axes, starts, ends, radii, blend_mm) -> np.ndarray:
    """Signed distance (X, Y, Z) to the union, rounded where rods meet (a soft minimum).

    A rod is counted up to NEAR blends from its surface: what is farther adds e^-NEAR at most.
    """
    total = np.zeros([len(axis) for axis in axes])
    for start, end, (first, last) in zip(starts, ends, radii, strict=True):
        reach = max(first, last) + NEAR * blend_mm
        low, high = np.minimum(start, end) - reach, np.maximum(start, end) + reach
        box = tuple(slice(*np.searchsorted(axis, (low[k], high[k]))) for k, axis in enumerate(axes))
        own = (axis[part] for axis, part in zip(axes, box, strict=True))
        points = np.stack(np.meshgrid(*own, indexing="ij"), axis=-1)
        axis = end - start
        share = np.clip((points - start) @ axis / (axis @ axis), 0, 1)
        gap = np.linalg.norm(points - start - share[..., None] * axis, axis=-1)
        total[box] += np.exp(-(gap - first - share * (last - first)) / blend_mm)
    return -blend_mm * np.log(np.maximum(total, 1e-12))


def _nets(field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) in cells of the grid and triangles (T, 3) of the zero surface."""
    inside = field < 0
    cells = tuple(n - 1 for n in field.shape)
    corners = [_shifted(field, k, cells) for k in range(8)]
    total, crossings = np.zeros((*cells, 3)), np.zeros(cells)
    for a, b in EDGES:
        crossed = (corners[a] < 0) != (corners[b] < 0)
        share = np.where(crossed, corners[a] / np.where(crossed, corners[a] - corners[b], 1), 0)
        ends = np.array([[c >> axis & 1 for axis in range(3)] for c in (a, b)], dtype=float)
        at = ends[0] + share[..., None] * (ends[1] - ends[0])
        total += np.where(crossed[..., None], at, 0)
        crossings += crossed
    used = crossings > 0
    number = np.cumsum(used.ravel()).reshape(cells) - 1
    vertices = np.argwhere(used) + total[used] / crossings[used][:, None]
    return vertices, np.concatenate([_quads(inside, number, axis) for axis in range(3)])


def _shifted(field, corner: int, cells) -> np.ndarray:
    return field[tuple(slice(corner >> k & 1, (corner >> k & 1) + cells[k]) for k in range(3))]


def _quads(inside, number, axis: int) -> np.ndarray:
    """Two triangles around each edge along ``axis`` that goes through the surface."""
    one, two = (axis + 1) % 3, (axis + 2) % 3
    last = np.moveaxis(inside, (axis, one, two), (0, 1, 2))
    cell = np.moveaxis(number, (axis, one, two), (0, 1, 2))
    low, high = last[:-1, 1:-1, 1:-1], last[1:, 1:-1, 1:-1]
    i, j, k = np.nonzero(low != high)
    a, b, c, d = cell[i, j, k], cell[i, j + 1, k], cell[i, j + 1, k + 1], cell[i, j, k + 1]
    leaving = low[i, j, k]  # the surface faces along the axis
    b, d = np.where(leaving, b, d), np.where(leaving, d, b)
    return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
