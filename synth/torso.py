"""Shoulders in a plain shirt under a head model that ends at its neck."""

import numpy as np
from scipy.interpolate import PchipInterpolator

# Half-width and half-depth of a body below the neck's cut, mm, by eye from people's outlines
DROP_MM = np.array([-14.0, -4, 16, 45, 90, 190, 420])
WIDTH_MM = np.array([0.0, 0, 118, 166, 202, 215, 220])
DEPTH_MM = np.array([0.0, 0, 72, 84, 94, 105, 110])
INSET = 0.9  # the top ring lies inside the neck, whose skin is drawn over it
RIM_MM = 40.0  # the lowest vertices of the head up to this height are the rim of its neck
RINGS, SIDES = 48, 96


def make_torso(
    vertices_mm: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A body that faces the camera, whatever the head does.

    Args:
        vertices_mm: (V, 3) mm of the posed head in the camera frame.
        rng: draws the shirt's colour.

    Returns:
        (N, 3) vertices in the camera frame, (T, 3) int32 triangles with outward normals, and
        (N, 3) albedo in [0, 1], darker in the shade of the chin.
    """
    low = vertices_mm[vertices_mm[:, 1] > vertices_mm[:, 1].max() - RIM_MM]
    centre = (low.min(0) + low.max(0)) / 2
    neck = (low.max(0) - low.min(0)) / 2
    drop = np.linspace(0, 1, RINGS) ** 2 * np.ptp(DROP_MM) + DROP_MM[0]  # denser at the neck
    width = PchipInterpolator(DROP_MM, np.maximum(WIDTH_MM, INSET * neck[0]))(drop)
    depth = PchipInterpolator(DROP_MM, np.maximum(DEPTH_MM, INSET * neck[2]))(drop)
    angle = np.linspace(0, 2 * np.pi, SIDES, endpoint=False)
    cosine, sine = (np.sign(f) * np.abs(f) ** 0.85 for f in (np.cos(angle), np.sin(angle)))
    points = np.stack(
        [
            width[:, None] * cosine,
            np.broadcast_to(drop[:, None], (RINGS, SIDES)),
            depth[:, None] * sine,
        ],
        axis=-1,
    )
    shade = 0.55 + 0.45 * np.clip((drop + 10) / 60, 0, 1)
    albedo = rng.uniform(0.12, 0.75) + rng.uniform(-0.12, 0.12, 3)
    colors = np.repeat(shade[:, None] * np.clip(albedo, 0.05, 0.9), SIDES, axis=0)
    return points.reshape(-1, 3) + centre, _tube(), colors


def _tube() -> np.ndarray:
    """Triangles (T, 3) int32 between neighbouring rings, closed around, normals outwards."""
    ring, side = np.meshgrid(np.arange(RINGS - 1), np.arange(SIDES), indexing="ij")
    a = ring * SIDES + side
    b = ring * SIDES + (side + 1) % SIDES
    c, d = b + SIDES, a + SIDES
    return np.stack([a, c, b, a, d, c], axis=-1).reshape(-1, 3).astype(np.int32)
