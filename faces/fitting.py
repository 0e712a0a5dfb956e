"""Pose, identity and expression from landmarks, with depth where there is depth."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from faces.camera import FLIP, Camera, Pose
from faces.errors import BadInput
from faces.fit_basis import fit_basis
from faces.fit_evidence import JAW, gather_evidence
from faces.fit_settings import FitSettings, bounded_solve
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.pose_start import start_pose
from faces.refitting import refit
from faces.types import FaceFit, Landmarks

__all__ = ["FitSettings", "fit_face", "refit"]

FACING = 0.3  # cosine to the view from which a vertex's depth can be told from its edge's
ALIKE = 0.6  # cosine between matched normals: noise turns a depth image's by up to 30° or so
POSE = 7  # unknowns before the coefficients: turn (3), shift (3), log scale


def fit_face(
    model: MorphableModel,
    landmarks: Landmarks,
    camera: Camera,
    depth_mm: np.ndarray | None = None,
    settings: FitSettings | None = None,
) -> FaceFit:
    """Fit the model to one face (Beyond 3DMM Space, Eq. 1 and 2), strongly regularised.

    Gauss–Newton on the posterior of pose, size, identity and expression, robust (Geman–McClure)
    against wrong landmarks and against depth that is not the face. The pose of the mean comes
    first, then everything together.

    Args:
        landmarks: "ibug68"; NaN points and points of confidence 0 are ignored.
        camera: of the image, without distortion.
        depth_mm: (H, W), 0 or NaN where there is none; None for a photo. Without depth a pinhole
            cannot tell size from distance: the scale is then 1.
        settings: FitSettings() where None.

    Raises:
        BadInput: wrong scheme, too few landmarks, depth of another size than the camera's image,
            or a face half or twice the size of a face (the depth's unit is wrong).
    """
    settings = settings or FitSettings()
    evidence = gather_evidence(landmarks, camera, depth_mm, settings)
    spacing = settings.spacing_mm
    basis = fit_basis(model, settings.identities, settings.expressions, spacing)
    state = _start(basis, evidence)
    for step in range(settings.rigid_steps):
        state = _iterate(state, basis, evidence, settings, step / settings.rigid_steps, False)
    _check_size(state.pose, evidence)
    for step in range(settings.full_steps):
        state = _iterate(state, basis, evidence, settings, step / settings.full_steps, True)
    return _finish(model, basis, state)


@dataclass(frozen=True, slots=True)
class _State:
    pose: Pose
    coefficients: np.ndarray


@dataclass(frozen=True, slots=True)
class _Rows:
    """Residuals r that change by gradient · dv with a vertex v: all a Gauss–Newton step needs.

    vertex (n,) into the basis, gradient (n, 3) in the camera frame, residual (n,) mm,
    weight (n,) in 1/mm².
    """

    vertex: np.ndarray
    gradient: np.ndarray
    residual: np.ndarray
    weight: np.ndarray


def _start(basis, evidence):
    """The mean's pose in closed form; with depth, size and distance from where it lies."""
    inner = evidence.trust > 0
    if inner[JAW:].sum() >= 12:  # the jaw may be hidden, and slides
        inner[:JAW] = False
    points = basis.mean_mm[basis.landmarks[inner]]
    pose = start_pose(points, evidence.pixels[inner], evidence.camera)
    depths = evidence.landmark_depth_mm[inner]
    z = pose.apply(points)[:, 2]
    if np.isfinite(depths).sum() >= 5:
        if evidence.camera.is_perspective:
            factor = np.nanmedian(depths / z)
            pose = replace(
                pose, scale=pose.scale * factor, translation_mm=pose.translation_mm * factor
            )
        else:
            shift = np.array([0, 0, np.nanmedian(depths - z)])
            pose = replace(pose, translation_mm=pose.translation_mm + shift)
    return _State(pose, np.zeros(basis.modes_mm.shape[2]))


def _check_size(pose, evidence):
    if not 0.5 < pose.scale < 2.0 and evidence.depth_mm is not None:
        raise BadInput(
            "depth",
            f"the face is {pose.scale:.3g} times as large as a face",
            "0.5 to 2 times",
            "check the depth's unit (--depth-scale) and the camera's focal length",
        )


def _iterate(state, basis, evidence, settings, progress, full):
    """One Gauss–Newton step; ``progress`` in [0, 1) tightens the robust kernels."""
    points = state.pose.apply(basis.shape(state.coefficients))
    normals = vertex_normals(points, basis.triangles)
    kernel = settings.outlier * 4 ** (1 - progress) if not full else settings.outlier
    rows = [_landmark_rows(points, normals, basis, evidence, settings, kernel)]
    if evidence.depth_mm is not None:
        wide, narrow = settings.gates_mm
        gate = wide if not full else wide * (narrow / wide) ** progress
        rows.append(_depth_rows(points, normals, basis, evidence, settings, gate))
        rows.append(_surface_rows(points, normals, basis, evidence, settings, gate))
    rows = _Rows(
        *(np.concatenate([getattr(r, name) for r in rows]) for name in _Rows.__dataclass_fields__)
    )
    return _move(state, points, rows, basis, _unlocked(evidence, settings, basis, full), settings)


def _kernel(squared, scale):
    """Geman–McClure weights of squared residuals in σ²."""
    return (scale**2 / (scale**2 + squared)) ** 2


def _landmark_rows(points, normals, basis, evidence, settings, kernel):
    """Distance across the view, at the vertex's depth, from the vertex to the landmark's ray."""
    camera, seen = evidence.camera, np.flatnonzero(evidence.trust)
    vertex = basis.landmarks.copy()
    if settings.slide_contour:
        vertex[:JAW] = _outline(points, normals, basis, camera)
    vertex = vertex[seen]
    on_ray = camera.unproject(evidence.pixels[seen], points[vertex, 2])
    residual = (points[vertex] - on_ray)[:, :2]
    slope = on_ray[:, :2] / on_ray[:, 2:] if camera.is_perspective else np.zeros((len(seen), 2))
    one, zero = np.ones(len(seen)), np.zeros(len(seen))
    gradients = [np.stack([one, zero, -slope[:, 0]], 1), np.stack([zero, one, -slope[:, 1]], 1)]
    trust = evidence.trust[seen]
    weight = trust * _kernel((residual**2).sum(1) * trust, kernel)
    return _Rows(
        np.tile(vertex, 2), np.concatenate(gradients), residual.T.ravel(), np.tile(weight, 2)
    )


def _outline(points, normals, basis, camera):
    """(17,) vertex of each jaw landmark: its own while it faces the camera, else the last on its
    contour line, coming from the front, that does."""
    lines = basis.contour
    facing = (normals[lines] * _view(points[lines], camera)).sum(-1) > 0
    place = np.arange(lines.shape[1])
    home = basis.contour_home[:, None]
    last = np.where(facing & (place <= home), place, 0).max(1)
    at_home = last == basis.contour_home
    return np.where(at_home, basis.landmarks[:JAW], lines[np.arange(JAW), last])


def _view(points, camera):
    """Unit vectors from the points (..., 3) towards the camera."""
    if not camera.is_perspective:
        return np.broadcast_to([0.0, 0.0, -1.0], points.shape)
    return -points / np.linalg.norm(points, axis=-1, keepdims=True)


def _depth_rows(points, normals, basis, evidence, settings, gate):
    """Depth at the inner landmarks against their vertices' z.

    Not the jaw's, which lies on an edge, nor a vertex's that faces away: the depth at a hidden
    landmark is that of what hides it.
    """
    seen = np.flatnonzero(np.isfinite(evidence.landmark_depth_mm) & (evidence.trust > 0))
    vertex = basis.landmarks[seen]
    residual = points[vertex, 2] - evidence.landmark_depth_mm[seen]
    facing = (normals[vertex] * _view(points[vertex], evidence.camera)).sum(1) > FACING
    keep = (seen >= JAW) & facing & (np.abs(residual) < gate)
    vertex, residual = vertex[keep], residual[keep]
    trust = settings.landmark_depth_mm**-2.0
    weight = trust * _kernel(residual**2 * trust, gate / 2 * trust**0.5)
    return _Rows(vertex, np.tile([0.0, 0.0, 1.0], (len(vertex), 1)), residual, weight)


def _surface_rows(points, normals, basis, evidence, settings, gate):
    """Point-to-plane distance from sampled vertices to the depth they project to.

    Matched only where the surface behind the pixel is whole and turned the same way: a cheek
    hidden by the nose must not be drawn to the nose.
    """
    camera, vertex = evidence.camera, basis.samples
    facing = (normals[vertex] * _view(points[vertex], camera)).sum(1) > FACING
    vertex = vertex[facing]
    pixels = camera.project(points[vertex])
    z, seen_normals = evidence.surface(pixels)
    alike = (normals[vertex] * seen_normals).sum(1) > ALIKE
    near = alike & (np.abs(points[vertex, 2] - z) < gate)
    vertex = vertex[near]
    # At the vertex's own pixel position: a pixel's depth is a plane's across it, near enough.
    target = camera.unproject(pixels[near], z[near])
    residual = ((points[vertex] - target) * normals[vertex]).sum(1)
    trust = settings.surface_mm**-2.0
    weight = trust * _kernel(residual**2 * trust, gate / 2 * trust**0.5)
    return _Rows(vertex, normals[vertex], residual, weight)


def _unlocked(evidence, settings, basis, full):
    """(7 + M,) bool: the unknowns that this evidence can tell."""
    unlocked = np.ones(POSE + basis.modes_mm.shape[2], dtype=bool)
    unlocked[POSE:] = full
    if evidence.depth_mm is None:
        unlocked[5 if not evidence.camera.is_perspective else 6] = False
    if not settings.free_scale:
        unlocked[6] = False
    return unlocked


def _move(state, points, rows, basis, unlocked, settings):
    """Solve the normal equations with the priors and apply the step."""
    pose, old = state.pose, state.coefficients
    arms = points[rows.vertex] - pose.translation_mm
    along = pose.scale * rows.gradient @ (FLIP @ pose.rotation)
    blocks = [np.cross(arms, rows.gradient), rows.gradient]
    blocks.append((rows.gradient * arms).sum(1, keepdims=True))
    blocks.append(np.matmul(along[:, None], basis.modes_mm[rows.vertex])[:, 0])
    jacobian = np.concatenate(blocks, 1)[:, unlocked]
    prior = np.concatenate(
        [
            np.full(6, 1e-9),  # bars singularity where too little is seen
            [settings.scale_sigma**-2.0],
            settings.prior(basis.identities, len(old) - basis.identities),
        ]
    )
    current = np.concatenate([np.zeros(6), [np.log(pose.scale)], old])
    weighted = jacobian * rows.weight[:, None]
    normal = weighted.T @ jacobian + np.diag(prior[unlocked])
    right = -weighted.T @ rows.residual - (prior * current)[unlocked]
    lower, upper = np.full(len(prior), -np.inf), np.full(len(prior), np.inf)
    lower[POSE + basis.identities :] = -old[basis.identities :]
    upper[POSE + basis.identities :] = 1 - old[basis.identities :]
    step = np.zeros(len(prior))
    step[unlocked] = bounded_solve(normal, right, lower[unlocked], upper[unlocked])
    turn = cv2.Rodrigues(step[:3])[0]
    moved = Pose(
        FLIP @ turn @ FLIP @ pose.rotation,
        pose.translation_mm + step[3:6],
        float(pose.scale * np.exp(step[6])),
    )
    return _State(moved, old + step[POSE:])


def _finish(model, basis, state):
    identity, expression = np.split(state.coefficients, [basis.identities])
    # float32 coefficients: the bases are float32, and NumPy would convert all of them otherwise.
    shape = model.shape(identity.astype(np.float32), expression.astype(np.float32))
    return FaceFit(state.pose, identity, expression, state.pose.apply(shape))
