"""What a registration is worth: a verdict from evidence alone, and the error where truth is known.

The paper's authors removed bad registrations by hand; here each has figures, thresholds and a
reason, so that a set can be made without looking and a review list stays short.
"""

from dataclasses import dataclass

import numpy as np

from faces.mesh import triangle_normals, vertex_normals
from faces.morphable import MorphableModel
from faces.surface_distance import scan_to_surface
from faces.types import Quality, RegisteredFace
from imaging.raster import rasterise
from registration.correspond import DepthTarget, Matches

MOST_POINTS = 8000  # depth points measured against the surface


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


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the verdict is made from; all positions in mm in the camera frame.

    Attributes:
        vertices_mm, initial_mm, refit_mm: (V, 3) registered, initial and last model fit.
        visible: (V,) bool.
        matches: of all V vertices.
        target: the depth image.
        landmarks_px: (68, 2) ibug68 in the image, NaN where missing.
    """

    vertices_mm: np.ndarray
    initial_mm: np.ndarray
    refit_mm: np.ndarray
    visible: np.ndarray
    matches: Matches
    target: DepthTarget
    landmarks_px: np.ndarray


def assess(model: MorphableModel, evidence: Evidence, settings: QualitySettings) -> Quality:
    """Verdict, reason and figures of one registration."""
    face = evidence.visible & _inner_face(model) & model.part_vertices("skin")
    found = evidence.matches.found & face
    color = evidence.matches.color_distance[found]
    figures = {
        "residual_mm": face_residual_mm(model, evidence, settings.points_within_mm),
        "uncovered": 1 - found.sum() / max(face.sum(), 1),
        "flipped": flipped_share(model, evidence.vertices_mm, evidence.initial_mm),
        "color_residual": float(np.median(color)) if len(color) else np.inf,
        "refit_mm": _mean_gap(evidence.vertices_mm, evidence.refit_mm, face),
        "landmarks_mm": _landmark_gap(model, evidence),
    }
    verdict, reason = _judge(figures, settings)
    return Quality(
        verdict,
        reason,
        float(figures["residual_mm"]),
        float(1 - figures["uncovered"]),
        float(figures["flipped"]),
        float(figures["color_residual"]),
        evidence.matches.rejected,
    )


def _judge(figures, settings):
    """Worst figure first: ("accept", "") or the verdict and what decided it."""
    for verdict, end in (("reject", 1), ("review", 0)):
        over = [
            f"{name} {value:.3g} > {getattr(settings, name)[end]:g}"
            for name, value in figures.items()
            if not value <= getattr(settings, name)[end]
        ]
        if over:
            return verdict, ", ".join(over)
    return "accept", ""


def _inner_face(model):
    return model.regions.get("narrow_face", model.regions["face"])


def face_residual_mm(model: MorphableModel, evidence: Evidence, within_mm: float) -> float:
    """Mean distance, mm, from the depth points over the narrow face to the registered surface.

    A point is over the narrow face if it lies before one of its triangles and within
    ``within_mm`` of the registered surface. Infinite where there is none.
    """
    camera, triangles = evidence.target.camera, model.triangles
    fragments = rasterise(
        camera.screen(evidence.vertices_mm),
        triangles,
        (camera.width, camera.height),
        camera.is_perspective,
    )
    inside = _inner_face(model)[triangles].all(1)
    near = triangles[model.regions["face"][triangles].any(1) | inside]
    over = (fragments.mask & evidence.target.valid) & inside[fragments.triangle_id]
    gap = np.abs(fragments.depth - evidence.target.points_mm[..., 2])
    points = evidence.target.points_mm[over & (gap < within_mm)]
    if len(points) == 0:
        return np.inf
    few = points[:: -(-len(points) // MOST_POINTS)]  # their mean is good to a hundredth
    return float(scan_to_surface(few, evidence.vertices_mm, near, "kdtree").mean())


def flipped_share(model: MorphableModel, vertices_mm: np.ndarray, initial_mm: np.ndarray) -> float:
    """Share of the skin's triangles whose normal turned by more than 90° between two shapes."""
    skin = model.part_triangles("skin")
    now, before = (triangle_normals(v, skin) for v in (vertices_mm, initial_mm))
    return float((np.einsum("ij,ij->i", now, before) < 0).mean())


def _mean_gap(a, b, where):
    return float(np.linalg.norm(a[where] - b[where], axis=1).mean()) if where.any() else np.inf


def _landmark_gap(model, evidence):
    """Mean distance, mm at the vertex's depth, of the inner 51 landmarks from the detected ones."""
    points = evidence.vertices_mm[model.landmarks["ibug68"][17:]]
    camera = evidence.target.camera
    gap = np.linalg.norm(camera.project(points) - evidence.landmarks_px[17:], axis=1)
    mm_per_px = camera.mm_per_px or points[:, 2] / camera.fx
    gap = gap * mm_per_px
    return float(np.nanmean(gap)) if np.isfinite(gap).any() else np.inf


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
        "narrow_normal_mm": along[seen & _inner_face(model)].mean(),
        "nme_percent": 100 * error[skin].mean() / iod_mm,
        "visible_percent": 100 * error[seen].mean() / iod_mm,
    }
    return {name: float(value) for name, value in out.items()}
