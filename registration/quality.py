"""What a registration is worth: a verdict from evidence alone, and the error where truth is known.

The paper's authors removed bad registrations by hand; here each has figures, thresholds and a
reason, so that a set can be made without looking and a review list stays short.
"""

from dataclasses import dataclass, field

import numpy as np

from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.types import Quality, RegisteredFace
from registration.figures import Evidence, inner_face, measure
from registration.predictor import Predictor, shipped_predictor


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """(review, reject) beyond: the chance of a failure, and the sizes that only a fault reaches.

    The chance weighs all figures together (registration.predictor). The limits are for bad input,
    of which no combination of figures need know: in brackets the largest of a good face in
    benchmarks.gate. Figures are those of registration.figures.measure.

    Attributes:
        predictor: gives the chance, with its cuts.
        size: (0.25, 0.6 % of them beyond 0.2) depth in a wrong unit: the only figure that tells it.
        refit_mm: (2.3, where the depth is as noisy) a thing that is no face.
        identity: (1.9) the same; most balls have more than 2.2.
        color_residual: (0.04) colours of something else.
        flipped: (0.0034, a single one beyond 0.003) a surface that folds over itself.
        residual_mm: (4.5, likewise) the surface is not the depth's.
        uncovered: (0.99, where no depth is any good) nothing was matched.
        points_within_mm: depth points further from the surface are taken for something else, such
            as a hand, and left to the coverage to tell.
    """

    predictor: Predictor = field(default_factory=shipped_predictor)
    size: tuple[float, float] = (0.2, 0.35)
    refit_mm: tuple[float, float] = (2.3, 2.8)
    identity: tuple[float, float] = (2.0, 2.5)
    color_residual: tuple[float, float] = (0.2, 0.3)
    flipped: tuple[float, float] = (0.003, 0.02)
    residual_mm: tuple[float, float] = (4.5, 6.0)
    uncovered: tuple[float, float] = (0.99, 0.999)
    points_within_mm: float = 15.0


LIMITED = (
    "size",
    "refit_mm",
    "identity",
    "color_residual",
    "flipped",
    "residual_mm",
    "uncovered",
)
# What a figure means when it is large, for people.
WORDS = {
    "refit_mm": "far from every face that the model knows",
    "refit_far_mm": "in places far from every face that the model knows",
    "moved_mm": "the first fit was far off",
    "stretch": "the skin is stretched or wrinkled",
    "identity": "an unlikely face",
    "albedo": "an unlikely skin",
    "size": "too large or too small for a face",
    "color_residual": "colours do not match",
    "landmarks_median_mm": "landmarks are elsewhere",
    "flipped": "the surface folds",
    "residual_mm": "the surface misses the depth",
    "uncovered": "much of the face has no match",
    "mouth_uncovered": "the mouth has no match",
}
TOLD = 3  # figures named in a reason, at most
WORTH_TELLING = 0.15  # least share of a figure in what speaks against a face


def assess(model: MorphableModel, evidence: Evidence, settings: QualitySettings) -> Quality:
    """Verdict, reason and figures of one registration; the figures hold "failure_chance" too."""
    figures = measure(model, evidence, settings.points_within_mm)
    verdict, reason = judge(figures, settings)
    return Quality(
        verdict,
        reason,
        figures["residual_mm"],
        1 - figures["uncovered"],
        figures["flipped"],
        figures["color_residual"],
        evidence.matches.rejected,
        figures | {"failure_chance": settings.predictor.chance(figures)},
        severity(figures, settings),
    )


def judge(figures: dict[str, float], settings: QualitySettings) -> tuple[str, str]:
    """(verdict, reason): ("accept", "") or what decided it, worst first, in words."""
    chance = settings.predictor.chance(figures)
    for verdict, end in (("reject", 1), ("review", 0)):
        over = {name: figures[name] / getattr(settings, name)[end] for name in LIMITED}
        worst = sorted((name for name in over if not over[name] <= 1), key=over.get, reverse=True)
        told = [
            f"{WORDS[name]} ({name} {figures[name]:.3g} > {getattr(settings, name)[end]:g})"
            for name in worst
        ]
        if not chance < getattr(settings.predictor, verdict):
            told.append(f"wrong with a chance of {chance:.0%}: {_against(figures, settings)}")
        if told:
            return verdict, ", ".join(told)
    return "accept", ""


def _against(figures, settings):
    """The figures that speak most against a face, in words."""
    predictor = settings.predictor
    parts = predictor.contributions(figures)
    least = max(WORTH_TELLING * sum(parts.values()), 1e-9)
    worst = sorted((name for name in parts if parts[name] >= least), key=parts.get, reverse=True)
    return ", ".join(
        f"{WORDS[name]} ({name} {figures[name]:.3g}, usually {predictor.usual(name):.2g})"
        for name in worst[:TOLD]
    )


def severity(figures: dict[str, float], settings: QualitySettings) -> float:
    """The largest of the limited figures and of the chance, in shares of what is accepted: above
    1 where the verdict is not accept, for a chance from 1 on."""
    shares = [figures[name] / getattr(settings, name)[0] for name in LIMITED]
    return max(*shares, settings.predictor.chance(figures) / settings.predictor.review)


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
