"""Where a registration stands, and what it sees from there: texture, occluders, matches."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from faces.appearance import fit_appearance, render_texture
from faces.camera import Camera
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.occluders import behind, find_occluders, without
from faces.types import Appearance, FaceFit, Scan
from faces.visibility import seen_vertices, view_directions
from registration.correspond import (
    BACK_FACE,
    HIDDEN,
    MATCHED,
    OCCLUDER,
    DepthTarget,
    Matches,
    match,
)
from registration.salience import salience
from registration.template import template_of
from registration.thresholds import Thresholds

if TYPE_CHECKING:
    from registration.ticp import TicpSettings


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """Where the registration stands on one level of V vertices, in mm in the camera frame.

    Attributes:
        fit: the model fit that displacements are measured from.
        base_mm: (V, 3), its surface.
        vertices_mm: (V, 3) registered so far.
        appearance: last fit of texture and light; None before the first.
        matches: last matches, of the template's n vertices; None before the first.
        weights: (n,) their robust weights.
        salience: (n,) of registration.salience; None before the first appearance.
        unhidden: (V,) bool, not hidden by the mesh itself when the texture was fitted to this
            stage's vertices; None before.
        occluder: (H, W) bool, the target's pixels that something before the face shows; None
            where nobody looked.
    """

    fit: FaceFit
    base_mm: np.ndarray
    vertices_mm: np.ndarray
    appearance: Appearance | None = None
    matches: Matches | None = None
    weights: np.ndarray | None = None
    salience: np.ndarray | None = None
    unhidden: np.ndarray | None = None
    occluder: np.ndarray | None = None


def with_texture(
    state: State,
    model: MorphableModel,
    scan: Scan,
    target: DepthTarget,
    settings: "TicpSettings",
) -> State:
    """The state with what is hidden, and with texture and light fitted to what is not (Eq. 5).

    What was called an occluder before is left out of the fit, and judged anew by it.
    """
    normals = vertex_normals(state.vertices_mm, model.triangles)
    unhidden = seen_vertices(state.vertices_mm, model.triangles, scan.camera)
    visible = unhidden & facing(state.vertices_mm, normals, scan.camera)
    covered = behind(state.occluder, state.vertices_mm, scan.camera)
    appearance = fit_appearance(
        model,
        state.vertices_mm,
        visible & ~covered,
        scan.color,
        scan.camera,
        previous=state.appearance,
        settings=settings.appearance,
        normals=normals,
    )
    occluder = find_occluders(model, state.vertices_mm, appearance, target, settings.occluders)
    template = template_of(model)
    albedo = appearance.albedo[template.vertices]
    features = salience(template, albedo, settings.nonrigid.features)
    return replace(
        state, unhidden=unhidden, appearance=appearance, salience=features, occluder=occluder
    )


def match_level(
    state: State,
    model: MorphableModel,
    target: DepthTarget,
    progress: float,
    settings: "TicpSettings",
) -> tuple[Matches, Thresholds]:
    """Matches (Eq. 6) of the template's n vertices, and the thresholds they passed.

    Args:
        state: with a texture.
        progress: of the schedule, 0 at its start and 1 at its end.
    """
    where, vertices = template_of(model).vertices, state.vertices_mm
    normals = vertex_normals(vertices, model.triangles)
    turned = facing(vertices, normals, target.camera)
    unhidden = state.unhidden
    if unhidden is None:
        unhidden = seen_vertices(vertices, model.triangles, target.camera)
    seen = np.where(turned, np.where(unhidden, MATCHED, HIDDEN), BACK_FACE).astype(np.uint8)
    seen[(seen == MATCHED) & behind(state.occluder, vertices, target.camera)] = OCCLUDER
    colors = render_texture(state.appearance, model, vertices, target.camera, normals)
    thresholds = settings.match.at(progress, model.iod_mm * state.fit.pose.scale)
    shown = without(target, state.occluder)
    found = match(vertices[where], colors[where], normals[where], seen[where], shown, thresholds)
    return found, thresholds


def facing(vertices_mm: np.ndarray, normals: np.ndarray, camera: Camera) -> np.ndarray:
    """(V,) bool: vertices (V, 3) mm whose normals (V, 3) turn to the camera."""
    return np.einsum("ij,ij->i", normals, view_directions(vertices_mm, camera)) > 0


def on_all_vertices(matches: Matches, model: MorphableModel) -> Matches:
    """The template's matches spread over all V vertices; the stiff parts count as hidden."""
    where, count = template_of(model).vertices, model.vertex_count

    def spread(values, empty):
        out = np.full((count, *values.shape[1:]), empty, dtype=values.dtype)
        out[where] = values
        return out

    return Matches(
        spread(matches.index, -1),
        spread(matches.reason, HIDDEN),
        spread(matches.points_mm, 0),
        spread(matches.normals, 0),
        spread(matches.distance_mm, np.nan),
        spread(matches.color_distance, np.nan),
    )
