"""T-ICP on simulated frames whose true vertices are known."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
import pytest

from faces.errors import BadInput
from faces.types import Landmarks
from registration.correspond import REASONS
from registration.quality import against_truth
from registration.state import State, match_level
from registration.target import depth_target
from registration.thresholds import PRESETS
from registration.ticp import TicpSettings, register
from tests.simulate import subject, with_damage, with_occluder
from tests.toy import toy_model


@cache
def case(seed=0, damage=""):
    """(model, scan, registered face) of one simulated subject."""
    model = toy_model()
    scan = subject(model, seed)
    if damage == "occluder":
        scan = with_occluder(scan)[0]
    if damage == "holes":
        scan = with_damage(scan, np.random.default_rng(seed))
    return model, scan, register(scan, model)


def errors(model, scan, face):
    """Errors of the registration and of the initial fit."""
    truth = scan.truth["vertices_mm"]
    initial = replace(face, vertices_mm=face.initial.vertices_mm)
    return against_truth(face, truth, model), against_truth(initial, truth, model)


@pytest.mark.parametrize("seed", [0, 1])
def test_off_model_face_is_recovered(seed):
    model, scan, face = case(seed)
    found, initial = errors(model, scan, face)
    # Depth noise of 0.3 mm a pixel, averaged over the smoothing length of 2.5 mm (about 8 pixels),
    # leaves 0.1 mm along the normal; hills narrower than that are not in the subject.
    assert found["normal_mm"] < 0.25
    assert found["normal_mm"] < initial["normal_mm"] / 2
    # Along a smooth, sparsely textured surface little can be known; it must not get worse.
    assert found["all_mm"] < 1.05 * initial["all_mm"]
    assert face.quality.verdict == "accept", face.quality
    assert face.quality.residual_mm < 0.3  # the sensor's own mean |noise| is 0.24


def test_record_is_consistent():
    model, _, face = case()
    np.testing.assert_allclose(face.pose.apply(face.shape_mm), face.vertices_mm, atol=1e-6)
    assert face.model == model.name
    assert face.vertices_mm.shape == face.initial.vertices_mm.shape == model.mean_mm.shape
    matched = np.isfinite(face.residual_mm)
    assert (matched <= face.visible).all()
    assert matched[face.visible & model.regions["narrow_face"]].mean() > 0.5
    assert set(face.quality.rejected) == set(REASONS[1:])


def test_same_scan_gives_the_same_face():
    model, scan, face = case()
    np.testing.assert_array_equal(register(scan, model).vertices_mm, face.vertices_mm)


def test_occluder_is_rejected_by_name_and_does_not_dent_the_cheek():
    model, scan, face = case(0, "occluder")
    _, card = with_occluder(subject(model, 0))
    state = State(face.initial, face.vertices_mm, face.vertices_mm, face.appearance)
    matches, thresholds = match_level(state, model, depth_target(scan), 1.0, TicpSettings())
    assert thresholds.tau_v_mm > 4.0  # the card is near enough to match, but for its colour
    reach_px = int(1 + thresholds.tau_v_mm * scan.camera.fx / 500)
    inner = cv2.erode(card.astype(np.uint8), np.ones((2 * reach_px + 1,) * 2)) > 0
    pixels = np.floor(scan.camera.project(face.vertices_mm)).astype(int).clip(0, 319)
    covered = inner[pixels[:, 1], pixels[:, 0]] & face.visible
    assert covered.sum() > 20
    # The toy is all skin: the template's vertices are the model's.
    assert (matches.reason[covered] == REASONS.index("color")).all()
    assert face.quality.rejected["occluder"] >= covered.sum()
    behind = card[pixels[:, 1], pixels[:, 0]] & face.visible
    gap = face.vertices_mm - scan.truth["vertices_mm"]
    whole = case(0)[2].vertices_mm - scan.truth["vertices_mm"]
    # The cheek behind is guessed from its rim; following the card would cost its 4 mm.
    assert abs(gap[behind, 2]).mean() < 1.5
    assert np.linalg.norm(gap[~behind], axis=1).mean() < np.linalg.norm(whole, axis=1).mean() + 0.3


def test_holes_and_spikes_cost_little():
    model, scan, face = case(1, "holes")
    _, whole_scan, whole = case(1)
    found, _ = errors(model, scan, face)
    best, _ = errors(model, whole_scan, whole)
    assert found["normal_mm"] < best["normal_mm"] + 0.15  # holes of up to 7 pixels are bridged
    assert found["all_mm"] < best["all_mm"] + 0.5


def test_literal_thresholds_change_nothing_and_are_not_accepted():
    model, scan, _ = case()
    literal = register(scan, model, TicpSettings(match=PRESETS["literal"], refits=0))
    assert not np.isfinite(literal.residual_mm).any()
    assert literal.quality.verdict == "reject"
    assert "uncovered" in literal.quality.reason


def test_wrong_landmarks_are_flagged():
    model, scan, _ = case()
    points = scan.landmarks.points_px + np.array([24.0, 14.0])
    shifted = replace(scan, landmarks=Landmarks(points, "ibug68", np.ones(68)))
    quality = register(shifted, model).quality
    assert quality.verdict in ("review", "reject")
    assert quality.reason


def test_one_level_model_runs_the_whole_schedule():
    model = toy_model().coarse
    scan = subject(model, 2)
    face = register(scan, model)
    found, initial = errors(model, scan, face)
    assert found["normal_mm"] < initial["normal_mm"] / 2


def test_scan_without_landmarks_is_refused():
    model, scan, _ = case()
    with pytest.raises(BadInput, match="no landmarks"):
        register(replace(scan, landmarks=None), model)
