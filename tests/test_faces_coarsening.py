"""The coarse level of a one-level model: what it keeps, and what it carries back."""

from dataclasses import replace

import numpy as np
import pytest

from faces.coarsening import coarsened
from faces.mesh import triangle_normals, unique_edges
from faces.models import load_model
from faces.morphable import read_model, save_model
from faces.surface_distance import scan_to_surface
from registration.quality import against_truth
from registration.ticp import register
from tests.simulate import subject

SKIN = 3000


def one_level():
    """The default model as an importer would bring it: one level of 18,631 vertices."""
    model = load_model("default").truncated(20, 5)
    return replace(model, coarse=None, prolongation=None)


@pytest.fixture(scope="module")
def model():
    return coarsened(one_level(), SKIN)


def test_every_landmark_and_every_kept_vertex_is_exact(model):
    coarse, kept = model.coarse, model.coarse_vertices
    np.testing.assert_array_equal(coarse.mean_mm, model.mean_mm[kept])
    np.testing.assert_array_equal(coarse.identity_mm, model.identity_mm[:, kept])
    for name, points in model.landmarks.items():
        np.testing.assert_array_equal(kept[coarse.landmarks[name]], points)
    field = np.random.default_rng(0).normal(size=(len(kept), 3)).astype(np.float32)
    np.testing.assert_array_equal((model.prolongation @ field)[kept], field)


def test_prolongation_carries_a_smooth_field(model):
    skin, prolongation = model.part_vertices("skin"), model.prolongation
    np.testing.assert_allclose(prolongation.sum(1), 1, atol=1e-6)
    assert prolongation.data.min() >= 0
    for length in (20.0, 40.0):
        wave = np.sin(model.mean_mm / length)
        gap = np.abs(prolongation @ wave[model.coarse_vertices] - wave)[skin & face(model)]
        # Between corners h apart a wave bends by h²/8ℓ²: 7 mm on the face, of 20 mm. What lies
        # off the coarse surface, up to 2 mm at a nostril, is off by the slope 1/ℓ as well.
        assert gap.mean() < 7**2 / (8 * length**2)
        assert gap.max() < 7**2 / (2 * length**2) + 2 / length


def face(model):
    return model.regions["face"]


def test_surface_stays_where_it_was(model):
    coarse = model.coarse
    assert coarse.part_vertices("skin").sum() == SKIN
    skin = model.mean_mm[model.part_vertices("skin") & face(model)]
    gap = scan_to_surface(skin, coarse.mean_mm, coarse.part_triangles("skin"), "kdtree")
    # A 7 mm edge's sagitta on a head's radius of 80 mm is 0.08 mm; on a lip's of 5 mm, 1.2 mm.
    assert gap.mean() < 0.2
    assert np.percentile(gap, 99) < 1.2


def test_surface_hangs_together_as_before(model):
    def euler(level):
        edges = unique_edges(level.triangles)
        return len(np.unique(level.triangles)) - len(edges) + len(level.triangles)

    coarse = model.coarse
    assert euler(coarse) == euler(model)
    sides = np.sort(coarse.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1)
    assert np.unique(sides, axis=0, return_counts=True)[1].max() == 2
    for part in ("skin", "eye", "teeth"):
        assert coarse.part_vertices(part).any()
    # Triangles face as the ones did that they were, but where a fold was narrower than they are.
    before = triangle_normals(model.mean_mm, model.triangles[model.coarsening.source])
    after = triangle_normals(coarse.mean_mm, coarse.triangles)
    assert ((before * after).sum(1) > 0).mean() > 0.99


def test_texture_corners_are_the_vertices_own_and_near_each_other(model):
    fine, coarse = model, model.coarse
    pairs = np.stack([fine.triangles.ravel(), fine.triangle_uv.ravel()], 1)
    corners = fine.coarse_vertices[coarse.triangles].ravel()
    own = np.stack([corners, coarse.triangle_uv.ravel()], 1)
    assert set(map(tuple, own)) <= set(map(tuple, pairs))

    # No triangle reaches from one chart to another: none is longer in the texture, for its length
    # in mm, than a triangle of the fine mesh.
    def stretch(level):
        chart = np.ptp(level.uv[level.triangle_uv], axis=1).max(1)
        return chart / np.ptp(level.mean_mm[level.triangles], axis=1).max(1)

    assert stretch(coarse).max() <= stretch(fine).max()


def test_a_stored_model_has_the_same_coarse_level(model, tmp_path):
    save_model(model, tmp_path / "m.npz")
    back = read_model(tmp_path / "m.npz")
    assert (back.prolongation != model.prolongation).nnz == 0
    for key in ("mean_mm", "triangles", "triangle_part", "triangle_uv", "weights", "contour"):
        np.testing.assert_array_equal(getattr(back.coarse, key), getattr(model.coarse, key))
    for key in ("ibug68", "dense240"):
        np.testing.assert_array_equal(back.coarse.landmarks[key], model.coarse.landmarks[key])
    again = coarsened(one_level(), SKIN)
    np.testing.assert_array_equal(again.coarsening.triangles, model.coarsening.triangles)


def test_a_coarse_mesh_is_left_as_it_is():
    coarse = load_model("default").coarse
    assert coarsened(coarse) is coarse
    assert coarsened(load_model("default")) is load_model("default")


def test_two_levels_register_as_well_as_one(model):
    scan = subject(model, 4)
    truth = scan.truth["vertices_mm"]
    fine = one_level()
    two, one = (against_truth(register(scan, m), truth, m) for m in (model, fine))
    # The same energy on half the vertices: the two differ by what the coarse mesh cannot bend.
    assert two["visible_mm"] < 1.1 * one["visible_mm"]
    assert two["normal_mm"] < 1.1 * one["normal_mm"]
