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
    """(accept up to, reject beyond) of each figure; between the two a face goes to review.

    Figures are those of registration.figures.measure. "Usual" is their median over the faces of
    benchmarks.gate that are right, with the largest among those in brackets; what only a fault
    can reach is rejected.

    Attributes:
        refit_mm: usual 1.1 (2.0; 1.4 for nineteen in twenty), off the model by what makes a
            person a person; a mask, a hand or another thing taken for skin adds 0.3 or more, and
            what is no face 1.3 or more. The figure that tells most, and the one to set anew by
            the benchmark when the schedules of registration.ticp change. It belongs to a fit
            with 40 identities and falls with more.
        identity: usual 0.8 (1.5), a sample of the model has 1; a ball needs 2.
        size: usual 0.05 (0.24); depth in a wrong unit.
        color_residual: usual 0.023 (0.06, and 0.1 in deep shade); a mask of another colour.
        landmarks_median_mm: usual 1.7 (2.6), a detector's own error. The median, since a fifth
            of the landmarks may be wrong and the face still right.
        flipped: usual 0 (0.001); a surface that folds over itself.
        residual_mm: usual 0.5 (1.4), of which the sensor's noise is most.
        uncovered: usual 0.12 (0.6, where half of the depth is missing).
        points_within_mm: depth points further from the surface are taken for something else, such
            as a hand, and left to the coverage to tell.
    """

    refit_mm: tuple[float, float] = (1.4, 2.3)
    identity: tuple[float, float] = (1.6, 1.9)
    size: tuple[float, float] = (0.25, 0.4)
    color_residual: tuple[float, float] = (0.08, 0.2)
    landmarks_median_mm: tuple[float, float] = (5.0, 12.0)
    flipped: tuple[float, float] = (0.003, 0.02)
    residual_mm: tuple[float, float] = (1.6, 3.0)
    uncovered: tuple[float, float] = (0.65, 0.85)
    points_within_mm: float = 15.0


# What a figure means when it is large, for people.
WORDS = {
    "refit_mm": "far from every face that the model knows",
    "identity": "an unlikely face",
    "size": "too large or too small for a face",
    "color_residual": "colours do not match",
    "landmarks_median_mm": "landmarks are elsewhere",
    "flipped": "the surface folds",
    "residual_mm": "the surface misses the depth",
    "uncovered": "much of the face has no match",
}


def assess(model: MorphableModel, evidence: Evidence, settings: QualitySettings) -> Quality:
    """Verdict, reason and figures of one registration."""
    figures = measure(model, evidence, settings.points_within_mm)
    verdict, reason = judge(figures, settings)
    return Quality(
        verdict,
        reason,
        float(figures["residual_mm"]),
        float(1 - figures["uncovered"]),
        float(figures["flipped"]),
        float(figures["color_residual"]),
        evidence.matches.rejected,
        figures,
        severity(figures, settings),
    )


def judge(figures: dict[str, float], settings: QualitySettings) -> tuple[str, str]:
    """(verdict, reason): ("accept", "") or the figures that decided it, worst first, in words."""
    for verdict, end in (("reject", 1), ("review", 0)):
        over = {name: figures[name] / getattr(settings, name)[end] for name in WORDS}
        worst = sorted((name for name in over if not over[name] <= 1), key=over.get, reverse=True)
        if worst:
            told = (
                f"{WORDS[name]} ({name} {figures[name]:.3g} > {getattr(settings, name)[end]:g})"
                for name in worst
            )
            return verdict, ", ".join(told)
    return "accept", ""


def severity(figures: dict[str, float], settings: QualitySettings) -> float:
    """The largest figure in shares of what is accepted: above 1 where the verdict is not accept."""
    return max(figures[name] / getattr(settings, name)[0] for name in WORDS)


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
