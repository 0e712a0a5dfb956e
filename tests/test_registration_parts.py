"""Disentangling and stiff parts: each recovers what was put in."""

from dataclasses import replace

import numpy as np
import trimesh

from faces.morphable import PARTS
from registration.disentangle import anchor_vertices, disentangle
from registration.parts import carry_parts
from tests.simulate import random_similarity
from tests.toy import toy_model


def test_disentangle_recovers_a_similarity():
    model = toy_model()
    pose = random_similarity(np.random.default_rng(0))
    found, shape = disentangle(model, pose.apply(model.mean_mm.astype(np.float64)))
    np.testing.assert_allclose(found.rotation, pose.rotation, atol=1e-9)
    np.testing.assert_allclose(found.translation_mm, pose.translation_mm, atol=1e-6)
    np.testing.assert_allclose(found.scale, pose.scale, rtol=1e-9)
    np.testing.assert_allclose(shape, model.mean_mm, atol=1e-6)


def test_pose_and_shape_make_the_vertices_again():
    model = toy_model()
    rng = np.random.default_rng(1)
    shape = model.shape(rng.normal(size=8), np.zeros(5))
    vertices = random_similarity(rng).apply(shape)
    pose, found = disentangle(model, vertices)
    np.testing.assert_allclose(pose.apply(found), vertices, atol=1e-9)


def test_what_moves_off_the_anchor_stays_out_of_the_pose():
    model = toy_model()
    away = ~anchor_vertices(model)
    shape = model.mean_mm.astype(np.float64)
    shape[away] += [3.0, -8.0, 5.0]  # a jaw drops, ears and scalp are guessed wrong
    pose = random_similarity(np.random.default_rng(2))
    _, found = disentangle(model, pose.apply(shape))
    np.testing.assert_allclose(found, shape, atol=1e-6)


def with_eye(model):
    """The toy with a loose ball of part "eye" at one eye, and its vertices."""
    ball = trimesh.creation.icosphere(2, radius=9.0)
    start = model.vertex_count
    center = model.mean_mm[model.landmarks["ibug68"][42:48]].mean(0) - [0, 0, 11]
    part = np.full(len(ball.faces), PARTS.index("eye"), np.uint8)
    bigger = replace(
        model,
        name="toy with an eye",
        mean_mm=np.concatenate([model.mean_mm, ball.vertices + center]).astype(np.float32),
        triangles=np.concatenate([model.triangles, ball.faces + start]).astype(np.int32),
        triangle_part=np.concatenate([model.triangle_part, part]),
    )
    return bigger, np.arange(start, bigger.vertex_count)


def test_an_eye_goes_where_its_lids_go_and_stays_a_ball():
    model, eye = with_eye(toy_model().coarse)
    base = model.mean_mm.astype(np.float64)
    moved = base.copy()
    lids = np.linalg.norm(base - base[eye].mean(0), axis=1) < 40
    lids[eye] = False
    moved[lids] += [1.0, -2.0, 0.5]
    carried = carry_parts(model, base, moved)
    np.testing.assert_allclose(carried[eye] - base[eye], [[1.0, -2.0, 0.5]] * len(eye), atol=1e-9)
    np.testing.assert_array_equal(carried[: eye[0]], moved[: eye[0]])
