"""Verdicts: what is right is accepted, what was broken on purpose is not, and says why."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from benchmarks.gate_captures import ball, flat_photo
from faces.camera import Pose
from faces.mesh import vertex_normals
from faces.models import load_model
from registration.figures import NOTHING, Evidence, asymmetry_mm, flipped_share, measure
from registration.predictor import Predictor, Term
from registration.quality import (
    LIMITED,
    WORDS,
    QualitySettings,
    against_truth,
    assess,
    judge,
    severity,
)
from registration.state import State, match_level
from registration.target import depth_target
from registration.ticp import TicpSettings, register
from synth.beyond import fitting_model
from synth.capture import capture
from synth.subjects import SubjectSettings, sample_subject
from tests.simulate import subject
from tests.toy import toy_model


@cache
def registered():
    model = toy_model()
    scan = subject(model, 5)
    return model, scan, register(scan, model), depth_target(scan)


def verdict_on(vertices_mm):
    """Quality of other vertices (V, 3) in the place of the registered ones."""
    model, scan, face, target = registered()
    state = State(face.initial, vertices_mm, vertices_mm, face.appearance)
    matches, _ = match_level(state, model, target, 1.0, TicpSettings())
    evidence = Evidence(
        vertices_mm,
        face.initial,
        face.initial,
        face.visible,
        matches,
        target,
        scan.landmarks.points_px,
        face.appearance,
    )
    return assess(model, evidence, QualitySettings())


def test_a_good_registration_is_accepted():
    assert verdict_on(registered()[2].vertices_mm).verdict == "accept"


@pytest.mark.parametrize(
    ("shift_mm", "figure", "about"),
    [
        ([0, 0, 4.0], "refit_mm", (4.0, 0.5)),
        # Distances are to the surface, which is bent: a shift along it hardly leaves it.
        ([0, 0, 4.0], "residual_mm", (3.5, 0.5)),
        ([16.0, 0, 0], "landmarks_median_mm", (16.0, 1.5)),
        ([0, 0, 40.0], "uncovered", (1.0, 0.1)),
    ],
)
def test_a_shifted_one_is_not_and_the_figure_says_by_how_much(shift_mm, figure, about):
    quality = verdict_on(registered()[2].vertices_mm + np.array(shift_mm))
    assert quality.verdict == "reject"
    assert quality.reason
    assert quality.figures[figure] == pytest.approx(about[0], abs=about[1])
    assert quality.figures["failure_chance"] > QualitySettings().predictor.review


def test_a_crumpled_one_is_rejected():
    model, _, face, _ = registered()
    rng = np.random.default_rng(0)
    crumpled = face.vertices_mm + rng.normal(0, 3.0, face.vertices_mm.shape)  # 2.5 mm edges
    assert flipped_share(model, crumpled, face.initial.vertices_mm) > 0.05
    quality = verdict_on(crumpled)
    assert quality.verdict == "reject"
    assert "flipped" in quality.reason


def predictor(**weights):
    """One whose every figure is usually 1."""
    terms = tuple(Term(name, 0.0, 1.0, weight) for name, weight in weights.items())
    return Predictor(-3.0, terms, 0.5, 0.9)


def test_each_limited_figure_alone_can_send_a_face_to_review_or_away():
    settings = QualitySettings(predictor())
    fine = dict.fromkeys(WORDS, 0.0)
    assert judge(fine, settings) == ("accept", "")
    for name in LIMITED:
        accept, reject = getattr(settings, name)
        for value, verdict in ((accept, "accept"), (reject, "review"), (2 * reject, "reject")):
            figures = fine | {name: value}
            assert judge(figures, settings)[0] == verdict
            assert (severity(figures, settings) > 1) == (verdict != "accept")
    reason = judge(fine | {"size": 1.0, "refit_mm": 2.9}, settings)[1]
    assert reason.index("size") < reason.index("refit_mm")  # the worst comes first


def test_what_no_figure_says_alone_all_say_together_and_the_worst_are_named():
    settings = QualitySettings(predictor(stretch=2.0, albedo=1.0, moved_mm=1.0, landmarks_mm=0.0))
    plain = dict.fromkeys(WORDS, 0.0) | dict.fromkeys(("stretch", "albedo", "moved_mm"), 1.0)
    plain["landmarks_mm"] = 50.0  # of no weight
    assert judge(plain, settings) == ("accept", "")
    e = np.e
    # Log odds −3 + 2·log stretch + log albedo: 1 where both are e, 3 with moved_mm e² beside them.
    for more, verdict, share in (
        ({"stretch": e}, "accept", -1),
        ({"stretch": e, "albedo": e**2}, "review", 1),
        ({"stretch": e, "albedo": e**2, "moved_mm": e**2}, "reject", 3),
    ):
        figures = plain | more
        chance = 1 / (1 + np.exp(-share))
        assert settings.predictor.chance(figures) == pytest.approx(chance)
        assert judge(figures, settings)[0] == verdict
        assert (severity(figures, settings) > 1) == (verdict != "accept")
    reason = judge(plain | {"stretch": e**2, "albedo": e}, settings)[1]
    assert f"a chance of {1 / (1 + np.exp(-2)):.0%}" in reason
    assert reason.index(WORDS["stretch"]) < reason.index(WORDS["albedo"])
    assert "usually 1" in reason
    assert WORDS["moved_mm"] not in reason


def test_a_figure_that_cannot_be_had_is_never_accepted():
    settings = QualitySettings(predictor(stretch=1.0))
    fine = dict.fromkeys(WORDS, 0.0) | {"stretch": 1.0}
    for name in (*LIMITED, "stretch"):
        for value in (np.nan, NOTHING):
            assert judge(fine | {name: value}, settings)[0] == "reject"


def test_what_is_no_face_is_rejected_and_the_face_accepted():
    model = load_model("default")
    fitted = fitting_model(model)
    subject = sample_subject(model, np.random.default_rng(2), SubjectSettings(occluder="none"))
    scan = capture(subject, model, np.random.default_rng(3))
    right = register(scan, fitted).quality
    assert right.verdict == "accept"
    for fault in (ball, flat_photo):
        quality = register(fault(scan, np.random.default_rng(4)), fitted).quality
        assert quality.verdict == "reject"
        told = [name for name, words in WORDS.items() if f"{words} ({name} " in quality.reason]
        assert told
        for name in told:  # the reason is what sets it apart from the face
            assert quality.figures[name] > 1.5 * right.figures[name]


def test_size_and_asymmetry_are_what_they_say():
    model, scan, face, target = registered()
    mean = model.mean_mm.astype(np.float64)
    assert asymmetry_mm(model, mean) < 0.5  # the toy's mirror pairs are nearest, not exact
    skewed = mean + np.where(mean[:, :1] > 0, 3.0, 0) * np.array([0, 0, 1.0])
    assert asymmetry_mm(model, skewed) == pytest.approx(3.0, abs=0.6)
    fit = replace(face.initial, pose=Pose(np.eye(3), np.zeros(3)))
    state = State(fit, face.vertices_mm, face.vertices_mm, face.appearance)
    matches, _ = match_level(state, model, target, 1.0, TicpSettings())
    evidence = Evidence(
        1.25 * mean + [0, 0, 600.0],
        fit,
        fit,
        face.visible,
        matches,
        target,
        scan.landmarks.points_px,
        face.appearance,
    )
    assert measure(model, evidence, 15.0)["size"] == pytest.approx(np.log(1.25), abs=1e-6)


def test_errors_are_told_apart():
    model, _, face, _ = registered()
    truth = face.vertices_mm
    normals = vertex_normals(truth, model.triangles)
    raised = against_truth(replace(face, vertices_mm=truth + 0.7 * normals), truth, model)
    assert raised["normal_mm"] == pytest.approx(0.7)
    assert raised["tangential_mm"] == pytest.approx(0.0, abs=1e-6)
    hidden = truth + np.where(face.visible, 0.0, 2.0)[:, None] * np.array([1.0, 0, 0])
    unseen = against_truth(replace(face, vertices_mm=hidden), truth, model)
    assert unseen["visible_mm"] == 0
    assert unseen["invisible_mm"] == pytest.approx(2.0)
