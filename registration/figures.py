"""What can be measured of a registration without its truth: the figures a verdict is made from."""

from dataclasses import dataclass

import numpy as np

from faces.mesh import triangle_normals
from faces.morphable import MorphableModel
from faces.surface_distance import scan_to_surface
from faces.types import Appearance, FaceFit
from imaging.raster import rasterise
from registration.correspond import REASONS, DepthTarget, Matches

MOST_POINTS = 8000  # depth points measured against the surface
NOTHING = 999.0  # the figure where there is nothing to measure: worse than any other, and JSON
FAR = 0.9  # the quantile of "refit_far_mm"
JAW = 17  # ibug68 points 0..16, which slide


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What the figures are measured on; all positions in mm in the camera frame.

    Attributes:
        vertices_mm: (V, 3) registered.
        initial, fit: the first and the last model fit, with the V vertices of each.
        visible: (V,) bool.
        matches: of all V vertices.
        target: the depth image.
        landmarks_px: (68, 2) ibug68 in the image, NaN where missing.
        appearance: the last fit of texture and light.
    """

    vertices_mm: np.ndarray
    initial: FaceFit
    fit: FaceFit
    visible: np.ndarray
    matches: Matches
    target: DepthTarget
    landmarks_px: np.ndarray
    appearance: Appearance


def measure(model: MorphableModel, evidence: Evidence, within_mm: float) -> dict[str, float]:
    """Every figure by name; the larger, the worse. NOTHING where none can be had.

    Args:
        within_mm: depth points further from the surface belong to something else, such as a hand.

    Returns:
        "residual_mm" mean distance from the depth points over the face to the surface;
        "uncovered" share of the face's visible vertices without a match, and of it "by_distance",
        "by_color", "by_normal";
        "mouth_uncovered" share of the mouth, hidden or not, without a match;
        "off_face" share of the face's pixels whose depth is missing or further than ``within_mm``;
        "hidden" share of the face that the camera does not see;
        "flipped" share of triangles that turned by more than 90° against the initial fit;
        "stretch" mean |log| of the edges' length against the last model fit's;
        "color_residual" median colour distance of the matches;
        "refit_mm", "moved_mm" mean distance of visible vertices from the last and first model fit,
        "refit_far_mm" the distance from the last that one vertex in ten exceeds;
        "turned_deg" angle between the two fits;
        "landmarks_mm", "landmarks_median_mm" distance across the view of the inner landmarks from
        the detected;
        "asymmetry_mm" mean distance of the face from its mirror image;
        "size" |log| of the face's size against the model's mean face;
        "identity", "albedo" root mean square of the last fits' coefficients, in σ.
    """
    inner = inner_face(model) & model.part_vertices("skin")
    face = evidence.visible & inner
    found = evidence.matches.found & face
    color = evidence.matches.color_distance[found]
    vertices, fit = evidence.vertices_mm, evidence.fit
    gaps = landmark_gaps_mm(model, evidence)
    residual, off_face = face_residual(model, evidence, within_mm)
    figures = {
        "residual_mm": residual,
        "uncovered": 1 - found.sum() / max(face.sum(), 1),
        **_refused(evidence.matches.reason[face]),
        "mouth_uncovered": 1 - _share(found, _mouth(model) & inner),
        "off_face": off_face,
        "hidden": 1 - face.sum() / inner.sum(),
        "flipped": flipped_share(model, vertices, evidence.initial.vertices_mm),
        "stretch": stretch(model, vertices, fit.vertices_mm),
        "color_residual": np.median(color) if len(color) else np.inf,
        "refit_mm": _mean_gap(vertices, fit.vertices_mm, face),
        "refit_far_mm": _far_gap(vertices, fit.vertices_mm, face),
        "moved_mm": _mean_gap(vertices, evidence.initial.vertices_mm, face),
        "turned_deg": _angle_deg(evidence.initial.pose.rotation, fit.pose.rotation),
        "landmarks_mm": gaps.mean() if len(gaps) else np.inf,
        "landmarks_median_mm": np.median(gaps) if len(gaps) else np.inf,
        "asymmetry_mm": asymmetry_mm(model, fit.pose.invert(vertices)),
        "size": abs(np.log(_size_mm(vertices[inner]) / _size_mm(model.mean_mm[inner]))),
        "identity": _rms(fit.identity),
        "albedo": _rms(evidence.appearance.beta),
    }
    return {
        name: float(np.nan_to_num(v, nan=NOTHING, posinf=NOTHING)) for name, v in figures.items()
    }


def inner_face(model: MorphableModel) -> np.ndarray:
    """(V,) bool: the narrow face where the model knows one."""
    return model.regions.get("narrow_face", model.regions["face"])


def _mouth(model):
    """(V,) bool: the mouth where the model knows one."""
    return model.regions.get("mouth", inner_face(model))


def _share(chosen, among):
    return (chosen & among).sum() / max(among.sum(), 1)


def _rms(coefficients):
    return np.sqrt((coefficients**2).mean()) if len(coefficients) else 0.0


def _refused(reasons):
    """Shares of the face's vertices whose match was refused, by why."""
    shares = np.bincount(reasons, minlength=len(REASONS)) / max(len(reasons), 1)
    return {f"by_{name}": shares[REASONS.index(name)] for name in ("distance", "color", "normal")}


def face_residual(
    model: MorphableModel, evidence: Evidence, within_mm: float
) -> tuple[float, float]:
    """(mean distance in mm from the depth points over the narrow face to the surface, share of
    the face's pixels without such a point).

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
    inside = inner_face(model)[triangles].all(1)
    shown = fragments.mask & inside[fragments.triangle_id]
    gap = np.abs(fragments.depth - evidence.target.points_mm[..., 2])
    over = shown & evidence.target.valid & (gap < within_mm)
    points = evidence.target.points_mm[over]
    if len(points) == 0:
        return np.inf, 1.0
    few = points[:: -(-len(points) // MOST_POINTS)]  # their mean is good to a hundredth
    near = triangles[model.regions["face"][triangles].any(1) | inside]
    distance = scan_to_surface(few, evidence.vertices_mm, near, "kdtree")
    return float(distance.mean()), float(1 - over.sum() / shown.sum())


def flipped_share(model: MorphableModel, vertices_mm: np.ndarray, initial_mm: np.ndarray) -> float:
    """Share of the skin's triangles whose normal turned by more than 90° between two shapes."""
    skin = model.part_triangles("skin")
    now, before = (triangle_normals(v, skin) for v in (vertices_mm, initial_mm))
    return float((np.einsum("ij,ij->i", now, before) < 0).mean())


def stretch(model: MorphableModel, vertices_mm: np.ndarray, base_mm: np.ndarray) -> float:
    """Mean |log| of the inner face's edge lengths against another shape's, both (V, 3)."""
    skin = model.part_triangles("skin")
    triangles = skin[inner_face(model)[skin].all(1)]
    now, before = (_edge_lengths(v, triangles) for v in (vertices_mm, base_mm))
    return float(np.abs(np.log((now + 1e-9) / (before + 1e-9))).mean())


def _edge_lengths(vertices, triangles):
    """(3, T) of the three sides."""
    corners = np.ascontiguousarray(vertices[triangles.T])
    sides = corners - corners[[2, 0, 1]]
    return np.sqrt(np.einsum("kij,kij->ki", sides, sides))


def asymmetry_mm(model: MorphableModel, shape_mm: np.ndarray) -> float:
    """Mean distance of the inner face from its mirror image; ``shape_mm`` (V, 3) model frame."""
    inner = np.flatnonzero(inner_face(model) & model.part_vertices("skin"))
    mirrored = shape_mm[model.mirror[inner]] * [-1, 1, 1]
    return float(np.linalg.norm(shape_mm[inner] - mirrored, axis=1).mean())


def landmark_gaps_mm(model: MorphableModel, evidence: Evidence) -> np.ndarray:
    """Distances (n,), mm at the vertex's depth, of the inner landmarks from the n detected."""
    points = evidence.vertices_mm[model.landmarks["ibug68"][JAW:]]
    camera = evidence.target.camera
    gap = np.linalg.norm(camera.project(points) - evidence.landmarks_px[JAW:], axis=1)
    gap = gap * (camera.mm_per_px or points[:, 2] / camera.fx)
    return gap[np.isfinite(gap)]


def _mean_gap(a, b, where):
    return np.linalg.norm(a[where] - b[where], axis=1).mean() if where.any() else np.inf


def _far_gap(a, b, where):
    return np.quantile(np.linalg.norm(a[where] - b[where], axis=1), FAR) if where.any() else np.inf


def _size_mm(points):
    """Root mean square distance of the points (n, 3) from their centre."""
    return np.sqrt(points.astype(np.float64).var(0).sum())


def _angle_deg(a, b):
    return np.degrees(np.arccos(np.clip((np.trace(a.T @ b) - 1) / 2, -1, 1)))
