"""What a fit to a photo is worth, by what can be known without depth: landmarks and colours."""

from dataclasses import dataclass

import numpy as np

from faces.appearance import sample_colors
from faces.camera import Camera
from faces.morphable import MorphableModel
from faces.types import Appearance, FaceFit, Landmarks, Quality
from registration.figures import JAW, NOTHING, inner_face

WORDS = {
    "landmarks_median_mm": "landmarks are elsewhere",
    "landmarks_missed": "many landmarks are missed",
    "color_residual": "colours do not match",
    "identity": "an unlikely face",
    "outside": "the face is cut by the image's border",
    "head_outside": "the head is cut by the image's border",
}
CHIN = 8  # of ibug68
MISSED_MM = 8.0  # three σ of a detector's point: further off, the fit and it disagree


@dataclass(frozen=True, slots=True)
class PhotoQualitySettings:
    """(review, reject) beyond; in brackets the largest of 24 simulated photos in
    benchmarks.photo_fit.

    Attributes:
        landmarks_median_mm: of the inner landmarks, across the view.
        landmarks_missed: share of the inner landmarks more than MISSED_MM off, or not found.
        color_residual: median colour distance of pixels and fitted texture on the face.
        identity: root mean square of the coefficients, in σ.
        outside: share of the face's visible side beyond the image's border.
        head_outside: how far the head above the chin, scalp and ears too, reaches beyond it, in
            widths of the head; a head that is cut turns as one that ends there.
    """

    landmarks_median_mm: tuple[float, float] = (5.0, 8.0)
    landmarks_missed: tuple[float, float] = (0.25, 0.5)
    color_residual: tuple[float, float] = (0.15, 0.3)
    identity: tuple[float, float] = (1.5, 2.5)
    outside: tuple[float, float] = (0.02, 0.2)
    head_outside: tuple[float, float] = (0.05, 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class PhotoEvidence:
    """Attributes:
    fit: of the model's V vertices.
    appearance: fitted to the photo.
    visible: (V,) bool.
    color: (H, W, 3) uint8 sRGB.
    landmarks: ibug68.
    camera: of the photo.
    """

    fit: FaceFit
    appearance: Appearance
    visible: np.ndarray
    color: np.ndarray
    landmarks: Landmarks
    camera: Camera


def assess_photo(
    model: MorphableModel, evidence: PhotoEvidence, settings: PhotoQualitySettings
) -> Quality:
    """Verdict, reason and figures; NaN where a figure of Quality needs depth."""
    figures = measure_photo(model, evidence)
    verdict, reason = judge_photo(figures, settings)
    severity = max(figures[name] / getattr(settings, name)[0] for name in WORDS)
    return Quality(
        verdict,
        reason,
        residual_mm=float("nan"),
        coverage=float("nan"),
        flipped=float("nan"),
        color_residual=figures["color_residual"],
        figures=figures,
        severity=severity,
    )


def measure_photo(model: MorphableModel, evidence: PhotoEvidence) -> dict[str, float]:
    """The figures of PhotoQualitySettings and "albedo", the root mean square of β in σ."""
    gaps = _landmark_gaps_mm(model, evidence)
    found = gaps[np.isfinite(gaps)]
    face = inner_face(model) & model.part_vertices("skin")
    seen = np.flatnonzero(evidence.visible & face)
    pixels = evidence.camera.project(evidence.fit.vertices_mm)
    size = (evidence.camera.width, evidence.camera.height)
    beyond = ~((pixels > 0) & (pixels < size)).all(1)
    apart = sample_colors(evidence.color, pixels[seen]) - evidence.appearance.colors[seen]
    figures = {
        "landmarks_median_mm": np.median(found) if len(found) else np.inf,
        "landmarks_missed": 1 - (found < MISSED_MM).sum() / len(gaps),
        "color_residual": np.median(np.linalg.norm(apart, axis=1)) if len(seen) else np.inf,
        "identity": np.sqrt(np.mean(np.append(evidence.fit.identity, 0) ** 2)),
        "outside": beyond[face].mean(),
        "head_outside": _head_outside(pixels[_above_chin(model)], size),
        "albedo": np.sqrt(np.mean(np.append(evidence.appearance.beta, 0) ** 2)),
    }
    return {name: float(np.nan_to_num(v, posinf=NOTHING)) for name, v in figures.items()}


def _above_chin(model):
    """(V,) bool: the head's skin; necks go on to the image's border."""
    chin = model.mean_mm[model.landmarks["ibug68"][CHIN], 1]
    return model.part_vertices("skin") & (model.mean_mm[:, 1] > chin)


def _head_outside(pixels, size):
    """How far pixels (n, 2) reach beyond the image's border, in their own width."""
    reach = np.maximum(-pixels, pixels - size).max()
    return max(reach, 0.0) / np.ptp(pixels[:, 0])


def judge_photo(figures: dict[str, float], settings: PhotoQualitySettings) -> tuple[str, str]:
    """(verdict, reason): ("accept", "") or what decided it, worst first, in words."""
    for verdict, end in (("reject", 1), ("review", 0)):
        limits = {name: getattr(settings, name)[end] for name in WORDS}
        over = [name for name in WORDS if not figures[name] <= limits[name]]
        over.sort(key=lambda name: -figures[name] / limits[name])
        if over:
            told = (f"{WORDS[n]} ({n} {figures[n]:.3g} > {limits[n]:g})" for n in over)
            return verdict, ", ".join(told)
    return "accept", ""


def _landmark_gaps_mm(model, evidence):
    """(51,) distances of the inner landmarks from the detected, mm at the vertex's depth."""
    points = evidence.fit.vertices_mm[model.landmarks["ibug68"][JAW:]]
    camera, wanted = evidence.camera, evidence.landmarks.points_px[JAW:]
    gap = np.linalg.norm(camera.project(points) - wanted, axis=1)
    return gap * (camera.mm_per_px or points[:, 2] / camera.fx)
