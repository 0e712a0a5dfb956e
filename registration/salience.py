"""How much a vertex's colour tells of where it lies: brows, lids and lips against plain skin.

A cheek's vertex is like every pixel near it, so its match says nothing along the surface; a brow's
edge has one place. Without more weight the many plain matches around a feature hold it back where
the model put it.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from faces.solver import Factor
from registration.template import Template


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """What counts as a feature of the skin.

    Attributes:
        weight: what full contrast adds to a match's weight of 1; 0 asks no colour.
        contrast: difference of brightness from the surroundings that counts as full, in [0, 1].
        reach_mm: r, how far the surroundings reach.
    """

    weight: float = 4.0
    contrast: float = 0.15
    reach_mm: float = 8.0


def salience(template: Template, albedo: np.ndarray, settings: FeatureSettings) -> np.ndarray:
    """(n,) float64 factors in [1, 1 + weight] of the template's n vertices.

    The surroundings' brightness x̄ solves (M + r² L) x̄ = M x.

    Args:
        albedo: (n, 3) in [0, 1], fitted to this face.
    """
    if settings.weight == 0:
        return np.ones(len(template.vertices))
    brightness = albedo.mean(1, dtype=np.float64)[:, None]
    smoothing = _smoothing(template, settings.reach_mm)
    around = smoothing.solve(template.area_mm2[:, None] * brightness)
    contrast = np.abs(brightness - around)[:, 0] / settings.contrast
    return 1 + settings.weight * np.minimum(contrast, 1)


@lru_cache(maxsize=4)
def _smoothing(template: Template, reach_mm: float) -> Factor:
    """Factor of M + r² L."""
    matrix = template.system(template.area_mm2, reach_mm**2, 0.0)
    return template.symbolic.factorise(matrix, np.float32)
