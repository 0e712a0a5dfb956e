from dataclasses import replace

import numpy as np
import pytest

from augment.whole_head import PROPORTION, SIZE, WholeHead
from faces.camera import Pose
from faces.mesh import vertex_normals
from faces.models import load_model
from faces.rotation import matrix_from_euler
from faces.types import FaceFit
from tests.staged import stage

POSE = Pose(matrix_from_euler(12.0, -5.0, 3.0), np.array([20.0, -10.0, 700.0]))


@pytest.fixture(scope="module")
def model():
    return load_model("default")


def person(model, rng):
    """(V, 3) model frame, drawn from what WholeHead assumes."""
    shape = model.shape(rng.normal(size=len(model.identity_mm)), np.zeros(0))
    return shape * (1 + SIZE * rng.normal() + PROPORTION * rng.normal(size=3))


def registered(model, shape):
    """A face with this shape without error; nothing else of it is read."""
    vertices = POSE.apply(shape)
    fit = FaceFit(POSE, np.zeros(1), np.zeros(len(model.expression_names)), vertices)
    return replace(
        stage().face, pose=POSE, vertices_mm=vertices, shape_mm=shape.astype(float), initial=fit
    )


def back_error(model, head_mm, shape, triangles):
    """RMS mm along the normal over the skull's unseen back."""
    true = POSE.apply(shape)
    back = model.regions["scalp"] & (model.mean_mm[:, 2] < -60)
    apart = (head_mm - true) * vertex_normals(true, triangles)
    return np.sqrt((apart.sum(1)[back] ** 2).mean())


def test_the_back_follows_from_the_face_and_better_with_the_skulls_front(model):
    rng = np.random.default_rng(3)
    triangles = model.part_triangles("skin")
    scalp = model.regions["scalp"] & (model.mean_mm[:, 2] > 0)
    errors = []
    for _ in range(8):
        shape = person(model, rng)
        face = registered(model, shape)
        whole = WholeHead(model, face, model.regions["narrow_face"])
        normals = vertex_normals(face.vertices_mm, triangles)
        heads = [
            POSE.apply(model.mean_mm.astype(float)),
            whole.likely(np.zeros(0, int), face.vertices_mm, normals),
            whole.likely(np.flatnonzero(scalp), face.vertices_mm, normals),
        ]
        errors.append([back_error(model, head, shape, triangles) for head in heads])
    mean, by_face, by_both = np.sqrt((np.array(errors) ** 2).mean(0))
    # a back correlates but loosely with a face, more with the skull's front: 0.82 and 0.69 here
    assert by_face < 0.9 * mean
    assert by_both < 0.75 * mean


def test_hair_on_the_front_moves_the_back_less_than_it_stands_out(model):
    triangles = model.part_triangles("skin")
    face = registered(model, model.mean_mm)
    normals = vertex_normals(face.vertices_mm, triangles)
    front = np.flatnonzero(model.regions["scalp"] & (model.mean_mm[:, 2] > 0))
    whole = WholeHead(model, face, model.regions["narrow_face"])
    thick = 40.0
    head = whole.likely(front, face.vertices_mm + thick * normals, normals)
    back = model.regions["scalp"] & (model.mean_mm[:, 2] < -60)
    growth = ((head - face.vertices_mm) * normals).sum(1)[back]
    # five times HAIR_MM, at which a vertex counts a quarter, leave it 1/26²
    assert np.sqrt((growth**2).mean()) < 0.25 * thick
