"""The analytic model that other tests lean on is itself a proper MorphableModel."""

import numpy as np

from faces.mesh import vertex_normals
from tests.toy import toy_model


def test_the_toy_is_a_face_wound_outwards():
    model = toy_model()
    outwards = (vertex_normals(model.mean_mm, model.triangles) * model.mean_mm).sum(1)
    front = model.regions["face"]
    assert (outwards[front] > 0).all()
    assert len(np.unique(model.landmarks["ibug68"])) == 68
    assert model.identity_mm.shape == (8, model.vertex_count, 3)
    assert model.contour.shape == (17, 9)
    # Mirrored landmarks of the outer eye corners: the toy's mean is symmetric.
    right, left = model.landmarks["ibug68"][[36, 45]]
    assert model.mirror[right] == left
    assert 80 < model.iod_mm < 100


def test_both_levels_agree():
    model = toy_model()
    coarse = model.coarse
    assert np.allclose(model.prolongation @ coarse.mean_mm, model.mean_mm, atol=1e-3)
    # Loop's rule moves old vertices inwards, by the curvature of a 5° grid: a few tenths of a mm
    # outside the nose.
    moved = np.linalg.norm(model.mean_mm[: coarse.vertex_count] - coarse.mean_mm, axis=1)
    assert np.median(moved) < 0.5
