"""What a registration is worth: a verdict from evidence alone, and the error where truth is known.

The paper's authors removed bad registrations by hand; here each has figures, thresholds and a
reason, so that a set can be made without looking and a review list stays short.
"""

from dataclasses import dataclass

import numpy as np

from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.types import Quality, RegisteredFace
from registration.figures import Evidence, inner_face, measure


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """(accept up to, reject beyond); between the two a face goes to review.

    Attributes:
        residual_mm: mean distance from depth points to the surface.
        uncovered: share of the face's visible vertices without a match.
        flipped: share of triangles that turned by more than 90° against the initial fit.
        color_residual: median colour distance of the matches.
        refit_mm: mean distance of visible face vertices from the last model fit: how far the
            face is from any face the model knows.
        landmarks_mm: mean distance, across the view, of the inner landmarks from the detected.
        points_within_mm: depth points further from the surface are taken for something else, such
            as a hand, and left to the coverage to tell.
    """

    residual_mm: tuple[float, float] = (1.2, 2.5)
    uncovered: tuple[float, float] = (0.35, 0.7)
    flipped: tuple[float, float] = (0.005, 0.03)
    color_residual: tuple[float, float] = (0.14, 0.25)
    refit_mm: tuple[float, float] = (3.0, 6.0)
    landmarks_mm: tuple[float, float] = (5.0, 12.0)
    points_within_mm: float = 15.0


def assess(model: MorphableModel, evidence: Evidence, settings: QualitySettings) -> Quality:
    """Verdict, reason and figures of one registration."""
    figures = measure(model, evidence, settings.points_within_mm)
    verdict, reason = _judge(figures, settings)
    return Quality(
        verdict,
        reason,
        float(figures["residual_mm"]),
        float(1 - figures["uncovered"]),
        float(figures["flipped"]),
        float(figures["color_residual"]),
        evidence.matches.rejected,
        figures,
    )


def _judge(figures, settings):
    """Worst figure first: ("accept", "") or the verdict and what decided it."""
    for verdict, end in (("reject", 1), ("review", 0)):
        over = [
            f"{name} {value:.3g} > {getattr(settings, name)[end]:g}"
            for name, value in figures.items()
            if hasattr(settings, name) and not value <= getattr(settings, name)[end]
        ]
        if over:
            return verdict, ", ".join(over)
    return "accept", ""


def against_truth(
    face: RegisteredFace, truth_vertices_mm: np.ndarray, model: MorphableModel
) -> dict[str, float]:
    """Errors against a simulated subject's true vertices, over the face without ears and neck.

    Args:
        truth_vertices_mm: (V, 3) mm, camera frame, the model's topology.

    Returns:
        Mean errors: "all_mm", "visible_mm", "invisible_mm", "normal_mm" and "tangential_mm"
        (visible vertices, along and across the true normal), "narrow_normal_mm", and "nme_percent"
        and "visible_percent" in % of the true outer interocular distance.
    """
    skin = model.regions["face"] & model.part_vertices("skin")
    normals = vertex_normals(truth_vertices_mm, model.part_triangles("skin"))
    gap = face.vertices_mm - truth_vertices_mm
    error = np.linalg.norm(gap, axis=1)
    along = np.abs(np.einsum("ij,ij->i", gap, normals))
    across = np.sqrt(np.maximum(error**2 - along**2, 0))
    seen = skin & face.visible
    corners = truth_vertices_mm[model.landmarks["ibug68"][[36, 45]]]
    iod_mm = np.linalg.norm(corners[0] - corners[1])
    out = {
        "all_mm": error[skin].mean(),
        "visible_mm": error[seen].mean(),
        "invisible_mm": error[skin & ~face.visible].mean() if (skin & ~face.visible).any() else 0,
        "normal_mm": along[seen].mean(),
        "tangential_mm": across[seen].mean(),
        "narrow_normal_mm": along[seen & inner_face(model)].mean(),
        "nme_percent": 100 * error[skin].mean() / iod_mm,
        "visible_percent": 100 * error[seen].mean() / iod_mm,
    }
    return {name: float(value) for name, value in out.items()}
