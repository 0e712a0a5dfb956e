"""Texture-constrained non-rigid ICP: a scan in a model's topology (Beyond 3DMM Space, 3.1)."""

import logging
from collections.abc import Generator
from dataclasses import dataclass, field, replace

import numpy as np

from faces.appearance import AppearanceSettings
from faces.blas import one_thread
from faces.errors import BadInput
from faces.fit_settings import FitSettings
from faces.fitting import fit_face
from faces.landmarks import to_ibug68
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.occluders import OccluderSettings, without
from faces.refitting import refit
from faces.types import RegisteredFace, Scan
from faces.visibility import seen_vertices
from registration.affine import AffineSystem
from registration.depth import DepthSettings
from registration.disentangle import disentangle
from registration.figures import Evidence
from registration.initial import at_depth
from registration.landmark_pulls import inner_landmarks
from registration.nonrigid import (
    NonrigidSettings,
    Stage,
    System,
    robust_weights,
    step_system,
)
from registration.parts import carry_parts
from registration.quality import QualitySettings, assess
from registration.relief import ReliefSettings, carve
from registration.state import State, facing, match_level, on_all_vertices, with_texture
from registration.target import depth_target
from registration.template import template_of
from registration.thresholds import PRESETS, MatchSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TicpSettings:
    """Schedules and the settings of every step.

    Attributes:
        coarse: stages from the initial fit, on the coarse level.
        refit: stages after each model refit, on the coarse level.
        refits: how many times the model is fitted again to what was registered.
        fine: stages on the fine level (on the same one where the model has one level).
        depth, match, nonrigid, fit, appearance, relief, quality: of the steps. Matches pull along
            the surface at 0.6: full pull is 1 % better on virtual subjects, but follows the
            shadows and stubble of a real face.
        occluders: None takes everything before the camera for the face.
        initial_depth: whether depth takes part in the initial fit. Without it the fit is the
            paper's, of landmarks alone, moved to the depth as it is (registration.initial).
    """

    coarse: tuple[Stage, ...] = (
        Stage(40.0, 3, 15.0, 0.0),
        Stage(20.0, 3, 9.0, 0.3),
        Stage(10.0, 3, 6.0, 0.6),
        Stage(7.0, 3, 3.0, 0.8),
    )
    refit: tuple[Stage, ...] = (
        Stage(25.0, 2, 6.0, 0.5),
        Stage(12.0, 2, 3.0, 0.75),
        Stage(7.0, 3, 1.5, 1.0),
    )
    refits: int = 2
    fine: tuple[Stage, ...] = (Stage(2.5, 1, 3.0, 1.0),)
    depth: DepthSettings = field(default_factory=DepthSettings)
    match: MatchSettings = PRESETS["annealed"]
    nonrigid: NonrigidSettings = field(
        default_factory=lambda: NonrigidSettings(tangential=0.6, membrane=0.1)
    )
    fit: FitSettings = field(default_factory=lambda: FitSettings(refit_mm=1.5))
    appearance: AppearanceSettings = field(default_factory=AppearanceSettings)
    occluders: OccluderSettings | None = field(default_factory=OccluderSettings)
    relief: ReliefSettings = field(default_factory=ReliefSettings)
    quality: QualitySettings = field(default_factory=QualitySettings)
    initial_depth: bool = True


@one_thread
def register(
    scan: Scan, model: MorphableModel, settings: TicpSettings | None = None
) -> RegisteredFace:
    """Carry the model's mesh onto a scan.

    Args:
        scan: with landmarks of any scheme that leads to ibug68.
        model: two levels or one.
        settings: TicpSettings() where None.

    Raises:
        BadInput: no landmarks, or no depth on the face.
    """
    steps = registering(scan, model, settings)
    displacement = None
    while True:
        try:
            system = steps.send(displacement)
        except StopIteration as end:
            return end.value
        displacement = system.solve()


def registering(
    scan: Scan, model: MorphableModel, settings: TicpSettings | None = None
) -> Generator[System | AffineSystem, np.ndarray, RegisteredFace]:
    """``register`` as a generator that leaves its linear systems to the caller.

    It yields each System and is sent its displacements (n, 3) float64, mm; so may many scans be
    registered side by side and their systems be solved together (registration.batched).
    """
    settings = settings or TicpSettings()
    landmarks_px = _landmarks_of(scan)
    target = depth_target(scan, settings.depth)
    level = model.coarse if model.coarse is not None else model

    # The initial face: Eq. 2 to the landmarks and the depth.
    state, explained = _initial(scan, level, target, settings)
    initial = state.fit
    inner = inner_landmarks(level, explained, scan.camera, landmarks_px)

    # T-ICP: Eq. 6 and a stiffness that falls, the texture fitted again at every stage.
    state = yield from _run(state, level, scan, target, inner, settings.coarse, settings)
    for _ in range(settings.refits):
        state = _refit(state, level, settings)
        state = yield from _run(state, level, scan, target, inner, settings.refit, settings)
    state = _to_fine(state, model)
    state = yield from _run(state, model, scan, target, inner, settings.fine, settings)
    state = _carve(state, model, target, settings)

    # Eq. 7, and what it is all worth.
    pose, shape = disentangle(model, state.vertices_mm)
    return _report(scan, model, initial, state, target, landmarks_px, pose, shape, settings)


def _initial(scan, level, target, settings):
    """The state at the initial fit, and the fit by which the landmarks are to be judged."""
    landmarks, depth = to_ibug68(scan.landmarks), target.points_mm[..., 2]
    if settings.initial_depth:
        state = _initial_with_depth(scan, level, target, settings)
        return state, state.fit
    fit = fit_face(level, landmarks, scan.camera, None, settings.fit)
    moved = at_depth(fit, level, landmarks, scan.camera, depth)
    # The move leaves the landmarks behind where the size is wrong, for which they are not to blame.
    return State(moved, moved.vertices_mm, moved.vertices_mm), fit


def _initial_with_depth(scan, level, target, settings):
    """The state at the landmark and depth fit, which is made again without an occluder's depth."""
    landmarks, depth = to_ibug68(scan.landmarks), target.points_mm[..., 2]
    fit = fit_face(level, landmarks, scan.camera, depth, settings.fit)
    state = State(fit, fit.vertices_mm, fit.vertices_mm)
    if settings.occluders is None:
        return state
    state = with_texture(state, level, scan, target, settings)
    if not state.occluder.any():
        return state
    shown = np.where(state.occluder, 0, depth)
    fit = fit_face(level, landmarks, scan.camera, shown, settings.fit)
    mm = fit.vertices_mm
    return replace(state, fit=fit, base_mm=mm, vertices_mm=mm, unhidden=None)


def _landmarks_of(scan):
    """Detected landmarks as ibug68, (68, 2) px."""
    if scan.landmarks is None:
        raise BadInput(
            f"scan '{scan.key}'", "no landmarks", "landmarks", "run a detector or add a file"
        )
    return to_ibug68(scan.landmarks).points_px


def _run(state, model, scan, target, inner, stages, settings):
    """Every stage in turn: fit the texture, match and solve, carry eyes and teeth along."""
    for stage in stages:
        if state.unhidden is None:
            state = with_texture(state, model, scan, target, settings)
        for _ in range(stage.iterations):
            state = yield from _iterate(state, model, target, inner, stage, settings)
        carried = carry_parts(model, state.base_mm, state.vertices_mm)
        state = replace(state, vertices_mm=carried, unhidden=None)
        log.debug("%s: ℓ %.1f mm, %s", scan.key, stage.length_mm, state.matches.rejected)
    return state


def _iterate(state, model, target, inner, stage, settings):
    """Match (Eq. 6), weigh, solve."""
    template = template_of(model)
    matches, thresholds = match_level(state, model, target, stage.progress, settings)
    current, base = state.vertices_mm[template.vertices], state.base_mm[template.vertices]
    weights = robust_weights(matches, current, thresholds.tau_c, settings.nonrigid)
    pulls = weights * state.salience
    landmarks = inner.pulls(model, template, state.vertices_mm, target.camera)
    vertices = state.vertices_mm.copy()
    displacement = yield step_system(
        template, base, current, matches, pulls, landmarks, stage, settings.nonrigid
    )
    vertices[template.vertices] = base + displacement
    return replace(state, vertices_mm=vertices, matches=matches, weights=weights)


def _refit(state, model, settings):
    """The model fitted again, to the registered vertices that have a match."""
    template = template_of(model)
    weights = np.zeros(model.vertex_count)
    weights[template.vertices] = state.weights * template.data_share
    fit = refit(model, state.vertices_mm, weights, state.fit, settings.fit)
    # Displacements start anew from the better model; vertices without a match follow it.
    return replace(state, fit=fit, base_mm=fit.vertices_mm, vertices_mm=fit.vertices_mm)


def _to_fine(state, model):
    """The coarse state on the fine level; what the coarse one found is the new base."""
    if model.coarse is None:
        return replace(state, base_mm=state.vertices_mm)
    fit = _on_fine(state.fit, model)
    moved = model.prolongation.astype(np.float64) @ (state.vertices_mm - state.base_mm)
    vertices = fit.vertices_mm + moved
    return State(fit, vertices, vertices, appearance=state.appearance, occluder=state.occluder)


def _carve(state, model, target, settings):
    """The state with the relief of all depth pixels, eyes and teeth carried along."""
    shown = without(target, state.occluder)
    carved = carve(model, state.vertices_mm, state.appearance, shown, settings.relief)
    return replace(state, vertices_mm=carry_parts(model, state.base_mm, carved))


def _on_fine(fit, model):
    """A coarse level's fit as the fine level's."""
    vertices = fit.pose.apply(model.shape(fit.identity, fit.expression))
    return replace(fit, vertices_mm=vertices)


def _report(scan, model, initial, state, target, landmarks_px, pose, shape, settings):
    """The record of the registration, with the last surface's own visibility and matches."""
    unhidden = seen_vertices(state.vertices_mm, model.triangles, scan.camera)
    state = replace(state, unhidden=unhidden)
    matches = on_all_vertices(match_level(state, model, target, 1.0, settings)[0], model)
    normals = vertex_normals(state.vertices_mm, model.triangles)
    visible = unhidden & facing(state.vertices_mm, normals, scan.camera)
    initial = initial if model.coarse is None else _on_fine(initial, model)
    evidence = Evidence(
        state.vertices_mm,
        initial,
        state.fit,
        visible,
        matches,
        target,
        landmarks_px,
        state.appearance,
    )
    return RegisteredFace(
        scan.key,
        scan.subject,
        scan.provenance,
        model.name,
        state.vertices_mm,
        shape,
        pose,
        initial,
        state.appearance,
        visible,
        matches.distance_mm.astype(np.float32),
        scan.camera,
        assess(model, evidence, settings.quality),
    )
