"""The end of a neck without a body below, as a bust has it."""

import numpy as np

from faces.mesh import vertex_normals
from synth.clothes.body import closed_rows
from synth.head import SHINE, SKIN_GLOSS, SKIN_SHININESS
from synth.scene import Piece

# Rings inwards from the rim: share of its radius, and how far below it, of its mean radius
RINGS = ((1.0, 0.0), (0.93, 0.05), (0.75, 0.11), (0.4, 0.15), (0.0, 0.16))


def end_rings(rim_mm: np.ndarray, down: np.ndarray) -> np.ndarray:
    """(R, N, 3) rings of a shallow dome that closes a neck from below.

    Args:
        rim_mm: (N, 3) mm once around, as synth.clothes.neck.neck_rings has it; the first ring.
        down: (3,) unit, away from the head, in the same frame.
    """
    centre = rim_mm.mean(0)
    spokes = rim_mm - centre
    radius = np.linalg.norm(spokes, axis=1).mean()
    return np.array([centre + share * spokes + depth * radius * down for share, depth in RINGS])


def neck_end(rim_mm: np.ndarray, tones: np.ndarray, down: np.ndarray) -> Piece:
    """That dome as a piece; it keeps no light off what is above it.

    Args:
        rim_mm, down: of end_rings.
        tones: (N, 3) sRGB of the rim's skin.

    Returns:
        Skin in the frame of the rim, normals down; its first N vertices are the rim.
    """
    points, mean = end_rings(rim_mm, down).reshape(-1, 3), tones.mean(0)
    triangles = closed_rows(len(RINGS), len(rim_mm))
    normals = vertex_normals(points, triangles)
    if normals[-1] @ down < 0:
        triangles = np.ascontiguousarray(triangles[:, ::-1])
    return Piece(
        "skin",
        points,
        triangles,
        np.concatenate([mean + share * (tones - mean) for share, _ in RINGS]).astype(np.float32),
        gloss=np.full(len(points), SKIN_GLOSS * SHINE["neck"], dtype=np.float32),
        shininess=SKIN_SHININESS,
        scatter=1.0,
        occluder=np.zeros((0, 3), dtype=np.int32),
    )
