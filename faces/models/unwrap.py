"""Texture coordinates for a head that brings none: a cylinder about its vertical axis."""

import numpy as np

SKIN_HEIGHT = 0.84  # of the texture; eyeballs have the rest, side by side
TILE = 0.14  # width and height of an eyeball's square


def unwrap(vertices: np.ndarray, triangles: np.ndarray, eyes: np.ndarray):
    """Coordinates (U, 2) float64 in [0, 1], u right, v down, and (T, 3) int32 into them.

    Args:
        vertices: (V, 3) mm, model frame; the face looks along +z.
        triangles: (T, 3).
        eyes: (V,) bool, vertices of eyeballs: each becomes a square seen from the front.

    The seam runs down the back; a vertex on it has a coordinate a side.
    """
    middle = vertices[:, 2].min() / 2 + vertices[:, 2].max() / 2
    angle = np.arctan2(vertices[:, 0], vertices[:, 2] - middle)
    corners = angle[triangles]
    # A triangle over the seam has its negative angles a turn further on.
    beyond = ((np.ptp(corners, axis=1) > np.pi) & ~eyes[triangles].all(1))[:, None] & (corners < 0)
    code, place = np.unique(triangles.astype(np.int64) * 2 + beyond, return_inverse=True)
    vertex = code // 2
    along = angle[vertex] + 2 * np.pi * (code % 2)
    height = vertices[vertex, 1]
    uv = np.stack([_unit(along), SKIN_HEIGHT * (1 - _unit(height))], 1)
    for side, left in ((-1, 0.0), (1, 0.5)):
        own = eyes[vertex] & (side * vertices[vertex, 0] > 0)
        if own.any():
            ball = vertices[vertex[own], :2]
            flat = np.stack([_unit(ball[:, 0]), 1 - _unit(ball[:, 1])], 1)
            uv[own] = np.array([left, SKIN_HEIGHT + 0.01]) + TILE * flat
    return uv, place.reshape(-1, 3).astype(np.int32)


def _unit(x: np.ndarray) -> np.ndarray:
    """Numbers (N,) moved and scaled into [0, 1]."""
    span = np.ptp(x)
    return (x - x.min()) / (span if span > 0 else 1)
