"""The neck continued below the end of the model, so that no head floats."""

from functools import lru_cache

import numpy as np

from augment.bodies import Bodies

BELOW_MM = 200.0


def lengthen_neck(
    vertices_mm: np.ndarray, triangles: np.ndarray, color: np.ndarray, neck: np.ndarray
) -> Bodies:
    """A wall of triangles straight down (the image's y) from the open lower end of the neck.

    Where the sensor saw a torso it lies inside of that.

    Args:
        vertices_mm: (V, 3) camera frame.
        triangles: (T, 3) drawn ones, outward.
        color: (V, 3) float32 in [0, 1].
        neck: (V,) bool, vertices of the neck.
    """
    triangles = np.ascontiguousarray(triangles, np.int32)
    edges = _open_edges(triangles.tobytes())
    edges = edges[neck[edges].all(1)]
    used, ends = np.unique(edges, return_inverse=True)
    ends = ends.reshape(-1, 2).astype(np.int32)
    top = vertices_mm[used]
    bottom = top + np.array([0, BELOW_MM, 0])
    a, b = ends.T
    count = len(used)
    # an edge a-b of an outward triangle is met by b-a of its outward neighbour
    wall = np.stack([b, a, a + count, b, a + count, b + count], 1).reshape(-1, 3)
    return Bodies(
        np.concatenate([top, bottom]),
        wall.astype(np.int32),
        np.concatenate([color[used]] * 2).astype(np.float32),
    )


@lru_cache(maxsize=4)
def _open_edges(triangles):
    """(E, 2) directed edges that no second one shares of triangles, the bytes of (T, 3) int32."""
    triangles = np.frombuffer(triangles, np.int32).reshape(-1, 3)
    directed = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    count = int(triangles.max()) + 1 if len(triangles) else 1
    low, high = directed.min(1).astype(np.int64), directed.max(1)
    _, first, times = np.unique(low * count + high, return_index=True, return_counts=True)
    return directed[first[times == 1]]
