"""What a model fit trusts and by how much, and the bounded solve that all fits share."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class FitSettings:
    """Settings of fit_face and refit. Every σ is the size of error expected of that evidence.

    Attributes:
        identities, expressions: how many modes take part, at most.
        landmark_mm: σ of an inner landmark, across the view, measured on the face.
        jaw_mm: σ of a jaw landmark (0..16), which annotators and detectors place less surely.
        landmark_depth_mm: σ of the depth read at a landmark.
        surface_mm: σ of one depth sample against the surface; samples are neighbours and share
            their errors, hence larger than a sensor's noise.
        outlier: Geman–McClure scale in σ; what misses by several of it counts for nothing.
        identity_sigma: expected size of an identity coefficient.
        expression_sigma: expected size of an expression weight; weights stay within [0, 1].
        scale_sigma: expected departure of the head's size from the model's, as a log.
        free_scale: whether the size is estimated where depth or an orthographic view shows it.
        slide_contour: whether jaw landmarks slide along model.contour to the visible outline.
        spacing_mm: distance between depth samples on the face.
        gates_mm: distance beyond which a depth sample is no match: first and last iteration.
        rigid_steps, full_steps: Gauss–Newton iterations of pose alone and of everything.
        refit_mm: σ of a dense target of weight 1.
        refit_spacing_mm: distance between those used.
        refit_steps: alternations of similarity and coefficients.
    """

    identities: int = 60
    expressions: int = 52
    landmark_mm: float = 2.5
    jaw_mm: float = 5.0
    landmark_depth_mm: float = 4.0
    surface_mm: float = 4.0
    outlier: float = 3.0
    identity_sigma: float = 1.0
    expression_sigma: float = 0.3
    scale_sigma: float = 0.1
    free_scale: bool = True
    slide_contour: bool = True
    spacing_mm: float = 5.0
    gates_mm: tuple[float, float] = (40.0, 12.0)
    rigid_steps: int = 5
    full_steps: int = 6
    refit_mm: float = 3.0
    refit_spacing_mm: float = 4.0
    refit_steps: int = 4

    def prior(self, identities: int, expressions: int) -> np.ndarray:
        """(K + E,) inverse variances of the coefficients."""
        sigmas = np.repeat([self.identity_sigma, self.expression_sigma], [identities, expressions])
        return sigmas**-2.0


def bounded_solve(
    normal: np.ndarray, right: np.ndarray, lower: np.ndarray, upper: np.ndarray, rounds: int = 4
) -> np.ndarray:
    """Minimiser of ½xᵀNx − bᵀx with lower ≤ x ≤ upper, by a few active-set rounds.

    Args:
        normal: (n, n) symmetric positive definite N.
        right: (n,) b.
        lower, upper: (n,), infinite where free.
        rounds: of fixing what violates its bound and solving for the rest. Bounds met are never
            released within a call, and the result is clipped: good to the little that a ridge
            prior leaves to gain, and the caller's next iteration starts afresh.
    """
    x = np.zeros(len(right))
    free = np.ones(len(right), dtype=bool)
    for _ in range(rounds):
        rest = right[free] - normal[np.ix_(free, ~free)] @ x[~free]
        x[free] = np.linalg.solve(normal[np.ix_(free, free)], rest)
        outside = (x < lower) | (x > upper)
        if not outside.any():
            break
        x = np.clip(x, lower, upper)
        free &= ~outside
    return x
