"""The light stays in the room while the head turns: shading by the fitted illumination (Eq. 4)."""

from functools import lru_cache

import numpy as np

from augment.image_mesh import SceneMesh
from faces.types import Appearance

BOUNDS = (0.4, 2.5)  # of a gain: beyond them one side lies in a shadow that Eq. 4 does not know
TERMINATOR = (
    0.15  # cosines over which the lit side goes over in the dark one, as a lamp's size does
)
ROUNDS = 6  # of averaging the grid's normals: the sensor's noise is not to be lit


def gains(
    normals: np.ndarray,
    turn: np.ndarray,
    appearance: Appearance,
    terminator: float = TERMINATOR,
    bounds: tuple[float, float] = BOUNDS,
) -> np.ndarray:
    """What the colours of a surface are multiplied by when it turns under a light that stays.

    The ratio of Eq. 4's matt shading, Amb + Dir·⟨n, l⟩, at the turned normal and at the source's;
    the albedo drops out. Eq. 4 is fitted to sRGB as it is, so the gains are for sRGB too. The
    highlight stays on the skin, as part of the photo.

    Args:
        normals: (N, 3) unit, in the source's camera frame.
        turn: (3, 3) rotation of the camera frame, from the source's pose to the view's.
        appearance: the fitted light.
        terminator: width, in cosines, of the step from lit to unlit.
        bounds: least and largest gain.

    Returns:
        (N, 3) float32.
    """
    light = np.stack([appearance.light, turn.T @ appearance.light], 1)
    before, after = _lit(normals @ light, terminator).T[..., None]
    shading = [appearance.ambient + appearance.directional * lit for lit in (before, after)]
    ratio = np.maximum(shading[1], 1e-3) / np.maximum(shading[0], 1e-3)
    return np.clip(ratio, *bounds).astype(np.float32)


@lru_cache(maxsize=1)
def lit_normals(scene: SceneMesh) -> np.ndarray:
    """(N, 3) float64, unit: the scene's normals, those of the image's grid averaged."""
    grid = scene.triangles[scene.head_triangles :]
    normals = scene.normals.copy()
    if not len(grid):
        return normals
    used = np.unique(grid)
    for _ in range(ROUNDS):
        total = np.zeros_like(normals)
        middle = normals[grid].sum(1)
        for axis in range(3):
            for corner in grid.T:
                total[:, axis] += np.bincount(corner, middle[:, axis], len(normals))
        length = np.linalg.norm(total[used], axis=1, keepdims=True)
        normals[used] = total[used] / np.maximum(length, 1e-12)
    return normals


def _lit(cosine, width):
    """The clamped cosine, its corner at 0 rounded over ``width``."""
    return (cosine + np.sqrt(cosine**2 + width**2)) / 2
