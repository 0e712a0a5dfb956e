"""One step of non-rigid registration: displacements that meet the matches and stay smooth.

With base positions v, displacements u, matches q of weight w and vertex areas M, a step minimises

    Σ M w ‖v + u − q‖² + β Σ_landmarks ‖v + u − t‖² + ε Σ M ‖u‖² + uᵀ(a ℓ² L + ℓ⁴ L M⁻¹ L)u

The optimal-step scheme is Amberg, Romdhani and Vetter's (2007), with stiffness falling as ℓ; the
unknowns are displacements rather than affine maps, so that x, y and z share one n×n matrix. Their
own energy is in registration.affine.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import scipy.sparse as sp

from faces.solver import Factor
from registration.affine import AffineSystem, stiffness_of
from registration.correspond import Matches
from registration.pcg import conjugate_gradients, polished
from registration.salience import FeatureSettings
from registration.template import Template


@dataclass(frozen=True, slots=True)
class Stage:
    """Some iterations at one stiffness.

    Attributes:
        length_mm: ℓ, the smoothing length: data finer than it is ignored.
        iterations: matches and solves.
        landmarks: β, in mean vertex areas: how many matches a landmark is worth.
        progress: where Eq. 6's thresholds stand, in [0, 1].
    """

    length_mm: float
    iterations: int
    landmarks: float
    progress: float


@dataclass(frozen=True, slots=True)
class NonrigidSettings:
    """The energy's constants.

    Attributes:
        energy: name in ENERGIES: "laplacian", or "amberg", the paper's.
        tangential: share of a match's tangential pull that is kept; 1 is point-to-point, 0 is
            point-to-plane.
        membrane: a, the membrane's share beside the bending energy.
        prior: ε, pull towards the base; lets unseen regions return to the model.
        features: how much more a match on a feature of the skin counts.
        robust_scale: Tukey's cut-off in robust standard deviations of the match distances.
        robust_floor_mm: the cut-off is never below this: the depth sensor's own noise.
        direct_above_mm: ℓ from which the direct solver is used; below, conjugate gradients. With
            the blocked factor, direct is the faster at every ℓ here (0.05 s against 0.2 s a solve).
        tolerance: relative residual at which conjugate gradients stop. At 1e-3 the last digits
            still decide between pixels, and up to 0.7 mm of a vertex with them.
    """

    energy: str = "laplacian"
    tangential: float = 0.3
    membrane: float = 0.1
    prior: float = 0.01
    features: FeatureSettings = field(default_factory=FeatureSettings)
    robust_scale: float = 4.685
    robust_floor_mm: float = 2.0
    direct_above_mm: float = 0.0
    tolerance: float = 1e-5


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks3D:
    """Landmarks with depth: template vertices (l,) int64, targets (l, 3) mm, camera, trust (l,)."""

    vertices: np.ndarray
    targets_mm: np.ndarray
    trust: np.ndarray


def robust_weights(
    matches: Matches, current_mm: np.ndarray, tau_c: float, settings: NonrigidSettings
) -> np.ndarray:
    """(n,) weights in [0, 1]: Tukey's biweight of distance along the normal and of colour.

    Without them a match on an occluder or on hair pulls as hard as one on skin.
    """
    weights = np.zeros(len(current_mm))
    found = matches.found
    if not found.any():
        return weights
    gap = matches.points_mm[found] - current_mm[found]
    along = np.abs(np.einsum("ij,ij->i", gap, matches.normals[found]))
    distance = np.where(matches.normals[found].any(1), along, np.linalg.norm(gap, axis=1))
    scale = 1.4826 * np.median(distance)
    cut = max(settings.robust_scale * scale, settings.robust_floor_mm)
    color = matches.color_distance[found] / (1.2 * tau_c)  # at τ_c a match still counts a little
    weights[found] = biweight(distance / cut) * biweight(color)
    return weights


def biweight(x):
    return np.where(x < 1, (1 - np.minimum(x, 1) ** 2) ** 2, 0.0)


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """The linear system of one step, (diag(d) + m L + b L M⁻¹ L) u = r, and how to solve it.

    Between scans of one template at one stage d, r and the start differ, and nothing else.

    Attributes:
        template: whose n vertices, L and M.
        diagonal: d, (n,) float64, mm².
        membrane, bending: m = a ℓ² in mm² and b = ℓ⁴ in mm⁴.
        right: r, (n, 3) float64, mm³.
        start: (n, 3) float64, mm, the last iteration's displacement.
        direct: whether by a factor, else by conjugate gradients from ``start``.
        tolerance: relative residual at which conjugate gradients stop.
    """

    template: Template
    diagonal: np.ndarray
    membrane: float
    bending: float
    right: np.ndarray
    start: np.ndarray
    direct: bool
    tolerance: float

    def solve(self) -> np.ndarray:
        """Displacements u (n, 3) float64, mm.

        Raises:
            ValueError: the matrix is not positive definite.
        """
        matrix = self.template.system(self.diagonal, self.membrane, self.bending)
        if self.direct:
            solve = rough_factor(self.template, matrix).solve
            return polished(matrix, self.right, solve, self.tolerance)
        return conjugate_gradients(matrix, self.right, self.start, self.tolerance)[0]


def rough_factor(template: Template, matrix: sp.csr_matrix) -> Factor:
    """A factor of a matrix of ``template.system`` for pcg.polished.

    In single precision where that is enough: it takes two thirds of the time.

    Raises:
        ValueError: the matrix is not positive definite.
    """
    try:
        return template.symbolic.factorise(matrix, np.float32)
    except ValueError:
        return template.symbolic.factorise(matrix)


def step_system(
    template: Template,
    base_mm: np.ndarray,
    current_mm: np.ndarray,
    matches: Matches,
    weights: np.ndarray,
    landmarks: Landmarks3D,
    stage: Stage,
    settings: NonrigidSettings,
) -> System | AffineSystem:
    """What to solve for the displacements (n, 3) from ``base_mm`` to the new positions.

    Args:
        base_mm: (n, 3), where the smooth displacement starts: the model fit.
        current_mm: (n, 3), the last iteration's positions.
        matches: of the template's n vertices.
        weights: (n,) of the matches, 1 for a plain good one.
        landmarks: pulled with ``stage.landmarks``.

    Raises:
        KeyError: the settings name an unknown energy.
    """
    energy = ENERGIES[settings.energy]
    data = template.area_mm2 * template.data_share * weights
    targets = _released(current_mm, matches, settings.tangential)
    return energy(template, base_mm, current_mm, data, targets, landmarks, stage, settings)


def _released(current_mm, matches, tangential):
    """Targets (n, 3) whose pull along the surface is reduced: the mesh may slide to its match."""
    gap = np.where(matches.found[:, None], matches.points_mm - current_mm, 0.0)
    along = np.einsum("ij,ij->i", gap, matches.normals)[:, None] * matches.normals
    known = matches.normals.any(1, keepdims=True)
    return current_mm + np.where(known, tangential * gap + (1 - tangential) * along, gap)


def _laplacian_energy(template, base, current, data, targets, landmarks, stage, settings):
    """Membrane and bending: one matrix, three right-hand sides."""
    squared = stage.length_mm**2
    diagonal, right = _pulls(template, base, data, targets, landmarks, stage, settings)
    return System(
        template,
        diagonal,
        settings.membrane * squared,
        squared**2,
        right,
        current - base,
        stage.length_mm >= settings.direct_above_mm,
        settings.tolerance,
    )


def _amberg_energy(template, base, _current, data, targets, landmarks, stage, settings):
    """An affine map a vertex, as in the paper, pulled by the same data."""
    diagonal, right = _pulls(template, base, data, targets, landmarks, stage, settings)
    return AffineSystem(template, base, diagonal, right, stiffness_of(stage.length_mm))


def _pulls(template, base, data, targets, landmarks, stage, settings):
    """d (n,) and r (n, 3): what pulls each vertex, and how strongly, whatever keeps it smooth."""
    where = landmarks.vertices
    worth = stage.landmarks * template.area_mm2.mean() * landmarks.trust
    pull, right = np.zeros(len(base)), data[:, None] * (targets - base)
    np.add.at(pull, where, worth)
    np.add.at(right, where, worth[:, None] * (landmarks.targets_mm - base[where]))
    return data + pull + settings.prior * template.area_mm2, right


ENERGIES: dict[str, Callable[..., System | AffineSystem]] = {
    "laplacian": _laplacian_energy,
    "amberg": _amberg_energy,
}
