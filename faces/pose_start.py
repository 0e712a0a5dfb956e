"""A first head pose from 2D landmarks in closed form, standing up to wrong ones."""

import numpy as np

from faces.camera import FLIP, Camera, Pose
from faces.errors import BadInput
from faces.rotation import nearest_rotation

DRAWS = 120  # of 7 points: with 30 % wrong landmarks, 1 − (1 − 0.7⁷)^120 > 99.99 % see a clean one
DRAWN = 7
SPREAD_MM = 50.0  # brings model points near unit size, so that one ridge fits all unknowns


def start_pose(
    points_mm: np.ndarray, pixels: np.ndarray, camera: Camera, distance_mm: float = 1000.0
) -> Pose:
    """Pose of known model points from their pixels by an affine camera, least median of squares.

    Args:
        points_mm: (L, 3) model frame, not all in one plane.
        pixels: (L, 2) image px, all finite.
        camera: pinhole: scale is 1 and the distance explains the size. Orthographic: the scale
            explains the size, and ``distance_mm`` stands in for the distance nobody can see.

    Raises:
        BadInput: fewer than 8 points, or points from which no pose follows.
    """
    if len(pixels) < DRAWN + 1:
        raise BadInput(
            "landmarks",
            f"{len(pixels)} usable points",
            f"at least {DRAWN + 1} for a pose",
            "use a detector or file that gives more of the face",
        )
    rays = camera.unproject(pixels, np.ones(len(pixels)))[:, :2]
    affine = _affine(points_mm, rays)
    magnification = np.linalg.svd(affine[:, :3], compute_uv=False).mean()
    if not np.isfinite(magnification) or magnification < 1e-9:
        raise BadInput("landmarks", "points all in one place", "a face", "check the landmark file")
    return _pose(affine, magnification, points_mm.mean(0), camera, distance_mm)


def _affine(points, rays):
    """(2, 4) with rays ≈ affine · (point, 1): the best of many draws, refined on its inliers."""
    centre = points.mean(0)
    system = np.concatenate([(points - centre) / SPREAD_MM, np.ones((len(points), 1))], 1)
    # A fixed design rather than chance: the same landmarks always meet the same draws.
    order = np.random.default_rng(0).random((DRAWS, len(points))).argsort(1)[:, :DRAWN]
    candidates = _solve(system[order], rays[order])
    errors = np.linalg.norm(np.einsum("lk,dkc->dlc", system, candidates) - rays, axis=-1)
    medians = np.median(errors, axis=1)
    best = medians.argmin()
    # 1.4826 turns a median into a σ; the floor keeps all points of noiseless data.
    limit = 2.5 * 1.4826 * medians[best] + 1e-9
    inliers = errors[best] <= limit
    refined = _solve(system[None, inliers], rays[None, inliers])[0]
    matrix = refined[:3].T / SPREAD_MM
    return np.concatenate([matrix, refined[3:].T - matrix @ centre[:, None]], 1)


def _solve(systems, targets):
    """Least squares (D, 4, 2) of stacked systems (D, n, 4); the ridge only bars singularity."""
    normal = np.swapaxes(systems, 1, 2) @ systems + 1e-6 * np.eye(4)
    return np.linalg.solve(normal, np.swapaxes(systems, 1, 2) @ targets)


def _pose(affine, magnification, centre, camera, distance_mm):
    """The rigid pose behind an affine camera: orthonormal rows, size read as distance or scale."""
    u, _, vt = np.linalg.svd(affine[:, :3], full_matrices=False)
    rows = u @ vt
    to_camera = nearest_rotation(np.stack([*rows, np.cross(*rows)]))
    seen = affine[:, :3] @ centre + affine[:, 3]
    if camera.is_perspective:
        scale, depth = 1.0, 1 / magnification
        middle = np.array([*seen * depth, depth])
    else:
        scale = magnification
        middle = np.array([*seen, distance_mm])
    return Pose(FLIP @ to_camera, middle - scale * to_camera @ centre, float(scale))
