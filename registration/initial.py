"""Where the paper's initial fit, of landmarks alone, lies in the depth (Beyond 3DMM Space, 3.1)."""

from dataclasses import replace

import numpy as np

from faces.camera import Camera
from faces.fit_evidence import depth_near
from faces.morphable import MorphableModel
from faces.types import FaceFit, Landmarks
from registration.landmark_pulls import JAW

FEWEST = 5  # landmarks with depth; with fewer of them the fit stays where it is


def at_depth(
    fit: FaceFit, model: MorphableModel, landmarks: Landmarks, camera: Camera, depth_mm: np.ndarray
) -> FaceFit:
    """A fit to landmarks alone, moved as a whole to where the depth is.

    Landmarks cannot tell a head's size from its distance, so that the fit lies off by centimetres.
    It is moved along the line of sight by the median over the inner landmarks. Shape and size stay
    as they are; a wrong size makes most of the error that is left, and where it is wrong the
    landmarks no longer project to where they were found.

    Args:
        fit: of ``model`` to ``landmarks``, without depth.
        landmarks: "ibug68".
        depth_mm: (H, W), 0 or NaN where there is none.
    """
    points = fit.vertices_mm[model.landmarks["ibug68"][JAW:]]
    pixels = landmarks.points_px[JAW:]
    off = np.full(len(points), np.nan)
    known = np.isfinite(pixels).all(1)
    off[known] = depth_near(depth_mm, pixels[known]) - points[known, 2]
    if np.isfinite(off).sum() < FEWEST:
        return fit
    center = points.mean(0)
    sight = center / center[2] if camera.is_perspective else np.array([0.0, 0.0, 1.0])
    move = np.nanmedian(off) * sight
    pose = replace(fit.pose, translation_mm=fit.pose.translation_mm + move)
    return replace(fit, pose=pose, vertices_mm=fit.vertices_mm + move)
