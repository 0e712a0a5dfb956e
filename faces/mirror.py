"""Which vertices of a model lie opposite each other."""

from functools import lru_cache

import numpy as np

from faces.morphable import MorphableModel

APART_MM = 2.0  # a mirrored vertex farther than this from its partner has none; half an edge


@lru_cache(maxsize=4)
def mirrored_vertices(model: MorphableModel) -> tuple[np.ndarray, np.ndarray]:
    """Each vertex's partner (V,) int32 on the other half of the mean, and (V,) bool where it has
    one: a model's halves need not have the same topology."""
    apart = np.linalg.norm(model.mean_mm * [-1, 1, 1] - model.mean_mm[model.mirror], axis=1)
    other = model.mirror != np.arange(model.vertex_count)
    return model.mirror, other & (apart < APART_MM)
