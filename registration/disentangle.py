"""Rigid and non-rigid motion told apart (Beyond 3DMM Space, Eq. 7).

    S_morph* = argmin ‖V_regist − (f R (S̄ + S_morph) + t3d)‖

Left alone, Eq. 7 is solved by any f, R and t3d, each with its own S_morph. The one meant is the
one whose S_morph is smallest: the similarity that best carries S̄ onto V_regist is removed, and
what remains is the shape.
"""

import numpy as np

from faces.camera import FLIP, Pose
from faces.mesh import similarity
from faces.morphable import MorphableModel


def anchor_vertices(model: MorphableModel) -> np.ndarray:
    """(V,) bool: the fixed subset on which Eq. 7's similarity is measured.

    It is always the same vertices, whatever the scan saw: a subset that changed with visibility
    would let scale and pose leak into shape. It is the narrow face above the base of the nose:
    ears, neck and scalp are mostly guessed, and jaw and lips move with expression.
    """
    inner = model.regions.get("narrow_face", model.regions["face"])
    nose_base = model.mean_mm[model.landmarks["ibug68"][33], 1]
    upper = (model.mean_mm[:, 1] > nose_base) & ~model.regions["mouth"]
    return inner & upper & model.part_vertices("skin")


def disentangle(model: MorphableModel, vertices_mm: np.ndarray) -> tuple[Pose, np.ndarray]:
    """(f, R, t3d) and S̄ + S_morph of Eq. 7.

    Args:
        vertices_mm: (V, 3) V_regist, camera frame.

    Returns:
        The pose, and (V, 3) float64 mm in the mean shape's frame, such that
        ``pose.apply(shape) == vertices_mm``.
    """
    subset = anchor_vertices(model)
    scale, rotation, translation = similarity(model.mean_mm[subset], vertices_mm[subset])
    pose = Pose(FLIP @ rotation, translation, scale)
    return pose, pose.invert(vertices_mm)
