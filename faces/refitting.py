"""The morphable model refitted to a dense surface in its own topology."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from faces.camera import FLIP, Pose
from faces.errors import BadInput
from faces.fit_basis import thin
from faces.fit_settings import FitSettings, bounded_solve
from faces.mesh import similarity
from faces.morphable import MorphableModel
from faces.types import FaceFit


def refit(
    model: MorphableModel,
    targets_mm: np.ndarray,
    weights: np.ndarray,
    start: FaceFit,
    settings: FitSettings | None = None,
) -> FaceFit:
    """Fit similarity, identity and expression to a target for every vertex (Eq. 1 and 2).

    Alternates the best similarity and a ridge regression of the coefficients, on vertices
    ``refit_spacing_mm`` apart.

    Args:
        targets_mm: (V, 3) camera frame; NaN only where the weight is 0.
        weights: (V,) ≥ 0; 1 trusts a target to ``refit_mm``.
        start: gives the first shape, e.g. of fit_face.

    Raises:
        BadInput: fewer than 10 weighted vertices.
    """
    settings = settings or FitSettings()
    basis = _refit_basis(
        model, settings.identities, settings.expressions, settings.refit_spacing_mm
    )
    w = np.asarray(weights, dtype=np.float64)[basis.vertices]
    used = np.flatnonzero(w > 0)
    if len(used) < 10:
        raise BadInput(
            "refit", f"{len(used)} weighted vertices", "at least 10", "check the registration"
        )
    w, targets = w[used], np.asarray(targets_mm, dtype=np.float64)[basis.vertices[used]]
    x = _alternate(basis, used, targets, w, start, settings)
    identity, expression = np.split(x, [basis.identities])
    whole = model.shape(identity.astype(np.float32), expression.astype(np.float32))
    shape = whole[basis.vertices[used]]
    pose = _align(shape, targets, w, settings.free_scale, start.pose.scale)
    return FaceFit(pose, identity, expression, pose.apply(whole))


def _alternate(basis, used, targets, w, start, settings):
    """Coefficients (M,); the normal matrix stays, since the weights do."""
    mean, modes = basis.mean_mm[used], basis.modes_mm[used]
    root = np.sqrt(w).astype(np.float32)[:, None]
    tall = (modes * root[..., None]).reshape(-1, modes.shape[2])
    gram = (tall.T @ tall).astype(np.float64)
    x = _coefficients(start, basis)
    for _ in range(settings.refit_steps):
        shape = mean + (modes.reshape(-1, len(x)) @ x.astype(np.float32)).reshape(-1, 3)
        pose = _align(shape, targets, w, settings.free_scale, start.pose.scale)
        goal = ((pose.invert(targets) - mean) * root).astype(np.float32)
        x = _regress(gram, tall.T @ goal.ravel(), pose.scale, basis.identities, settings)
    return x


@dataclass(frozen=True, slots=True, eq=False)
class _RefitBasis:
    """vertices (n,) into the model, mean_mm (n, 3) float64, modes_mm (n, 3, M) float32."""

    vertices: np.ndarray
    mean_mm: np.ndarray
    modes_mm: np.ndarray
    identities: int


@lru_cache(maxsize=4)
def _refit_basis(model, identities, expressions, spacing_mm):
    everywhere = np.ones(model.vertex_count, dtype=bool)
    vertices = thin(model.mean_mm, everywhere, spacing_mm)
    modes = [model.identity_mm[:identities, vertices], model.expression_mm[:expressions, vertices]]
    stacked = np.ascontiguousarray(np.moveaxis(np.concatenate(modes), 0, -1), dtype=np.float32)
    mean = model.mean_mm[vertices].astype(np.float64)
    return _RefitBasis(vertices, mean, stacked, len(modes[0]))


def _coefficients(start, basis):
    """The start's coefficients, cut or filled with zeros to the basis's."""
    expressions = basis.modes_mm.shape[2] - basis.identities
    parts = [(start.identity, basis.identities), (start.expression, expressions)]
    return np.concatenate([np.pad(c[:n], (0, max(n - len(c), 0))) for c, n in parts])


def _align(shape, targets, weights, free_scale, scale):
    """Pose of the weighted best similarity; ``scale`` is kept where it is not free."""
    held = 1.0 if free_scale else scale
    factor, to_camera, shift = similarity(held * shape, targets, weights, scale=free_scale)
    return Pose(FLIP @ to_camera, shift, factor * held)


def _regress(gram, right, scale, identities, settings):
    """Ridge regression with bounded expressions; a target's σ shrinks with the head's scale."""
    count = len(right)
    trust = (scale / settings.refit_mm) ** 2
    normal = trust * gram + np.diag(settings.prior(identities, count - identities))
    lower, upper = np.full(count, -np.inf), np.full(count, np.inf)
    lower[identities:], upper[identities:] = 0, 1
    return bounded_solve(normal, trust * right, lower, upper)
