"""The rings of a head model's neck, from the open rim below upwards."""

from functools import lru_cache

import numpy as np

from faces.morphable import MorphableModel
from synth.head import neck_rim

RINGS = 8  # a collar reaches no higher


@lru_cache(maxsize=4)
def neck_rings(model: MorphableModel) -> tuple[np.ndarray, ...]:
    """Vertices (N,) int of each ring of the neck, the rim first, then its neighbours upwards.

    Each goes once around, from behind over the person's right side; the rings of a regular mesh
    have as many vertices as each other, those of another need not.
    """
    skin = model.part_triangles("skin")
    used = np.zeros(model.vertex_count, dtype=bool)
    ring, rings = neck_rim(model), []
    while len(ring) and len(rings) < RINGS:
        rings.append(_around(model.mean_mm, ring))
        used[ring] = True
        near = np.zeros_like(used)
        near[ring] = True
        touched = np.unique(skin[near[skin].any(axis=1)])
        ring = touched[~used[touched]]
    return tuple(rings)


def _around(points, ring) -> np.ndarray:
    x, _, z = (points[ring] - points[ring].mean(0)).T
    return ring[np.argsort(np.arctan2(x, z))]
