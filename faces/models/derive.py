"""The 68 landmarks of a topology nobody has marked, from a dozen points of it that are known."""

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.spatial import cKDTree

from faces.mesh import similarity, vertex_normals
from faces.models import reference_face

FACING = 0.3  # cosine between the normals that a landmark and its vertex may have at least


def derive_landmarks(
    named: dict[int, np.ndarray], mean: np.ndarray, triangles: np.ndarray
) -> np.ndarray:
    """(68,) int64 vertices: the default model's points, warped onto the known ones.

    A similarity, then the spline of least bending in 3D, which is linear in distance, then the
    nearest vertex that faces the same way (or the opposite: triangles may be wound either way).

    Args:
        named: places (3,) mm by number in ibug68; at least five, not in one plane.
        mean: (V, 3) mm. triangles: (T, 3).
    """
    points, facing = reference_face()
    known = sorted(named)
    places = np.array([named[number] for number in known])
    scale, rotation, shift = similarity(points[known], places)
    moved = scale * points @ rotation.T + shift
    moved = moved + RBFInterpolator(moved[known], places - moved[known], kernel="linear")(moved)
    normals = vertex_normals(mean, triangles)
    near = cKDTree(mean).query(moved, k=min(30, len(mean)))[1]
    turn = np.abs(np.einsum("lkc,lc->lk", normals[near], facing @ rotation.T))
    return near[np.arange(68), (turn > FACING).argmax(1)]
