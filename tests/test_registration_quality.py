"""Verdicts: what is right is accepted, what was broken on purpose is not, and says why."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from faces.mesh import vertex_normals
from registration.figures import Evidence, flipped_share
from registration.quality import QualitySettings, against_truth, assess
from registration.target import depth_target
from registration.ticp import State, TicpSettings, match_level, register
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
    )
    return assess(model, evidence, QualitySettings())


def test_a_good_registration_is_accepted():
    assert verdict_on(registered()[2].vertices_mm).verdict == "accept"


@pytest.mark.parametrize(
    ("shift_mm", "word"),
    [([0, 0, 4.0], "residual"), ([16.0, 0, 0], "landmarks"), ([0, 0, 40.0], "uncovered")],
)
def test_a_shifted_one_is_not(shift_mm, word):
    quality = verdict_on(registered()[2].vertices_mm + np.array(shift_mm))
    assert quality.verdict in ("review", "reject")
    assert word in quality.reason


def test_a_crumpled_one_is_rejected():
    model, _, face, _ = registered()
    rng = np.random.default_rng(0)
    crumpled = face.vertices_mm + rng.normal(0, 3.0, face.vertices_mm.shape)  # 2.5 mm edges
    assert flipped_share(model, crumpled, face.initial.vertices_mm) > 0.05
    quality = verdict_on(crumpled)
    assert quality.verdict == "reject"
    assert "flipped" in quality.reason


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
