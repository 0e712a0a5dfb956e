"""The affine energy against known fields, a dense solution, and the displacement energy."""

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
import trimesh

from faces.mesh import unique_edges
from registration.affine import AffineSystem, homogeneous, stiffness_of
from registration.nonrigid import NonrigidSettings
from registration.quality import against_truth
from registration.template import Template
from registration.ticp import TicpSettings, register
from tests.simulate import subject
from tests.toy import toy_model


def ball(subdivisions):
    """A sphere of 50 mm as a template; the affine energy needs neither L nor M."""
    sphere = trimesh.creation.icosphere(subdivisions, 50.0)
    count, unused = len(sphere.vertices), sp.csr_matrix((1, 1))
    area = np.full(count, sphere.area / count)
    whole = (np.arange(count), np.asarray(sphere.faces), area)
    return Template(*whole, unused, unused, unused, np.ones(count), np.asarray(sphere.vertices))


@pytest.mark.parametrize("length_mm", [1.0, 100.0])
def test_an_affine_field_is_met_at_any_stiffness(length_mm):
    template, rng = ball(3), np.random.default_rng(0)
    base = template.positions_mm + np.array([10.0, -20.0, 700.0])
    field = (base - base[0]) @ rng.normal(0, 0.2, (3, 3)) + rng.normal(0, 5, 3)
    # Known at a third of the vertices alone: every vertex has the same map, which costs nothing.
    known = template.area_mm2 * (np.arange(len(base)) % 3 == 0)
    system = AffineSystem(template, base, known, known[:, None] * field, stiffness_of(length_mm))
    # Condition about 1e6 at ℓ = 100 mm.
    np.testing.assert_allclose(system.solve(), field, atol=1e-7)


def test_the_solution_is_the_dense_least_squares_of_the_paper():
    template, rng = ball(1), np.random.default_rng(1)
    base, count = template.positions_mm, len(template.positions_mm)
    weight, target = rng.uniform(0.1, 2.0, count), rng.normal(0, 3, (count, 3))
    alpha = stiffness_of(20.0)
    edges = unique_edges(template.triangles)
    incidence = np.zeros((len(edges), count))
    incidence[np.arange(len(edges)), edges[:, 0]] = -1
    incidence[np.arange(len(edges)), edges[:, 1]] = 1
    rows = np.zeros((count, 4 * count))
    for i, place in enumerate(homogeneous(base)):
        rows[i, 4 * i : 4 * i + 4] = place
    tall = np.vstack(
        [np.sqrt(alpha) * np.kron(incidence, np.eye(4)), np.sqrt(weight)[:, None] * rows]
    )
    goal = np.vstack([np.zeros((4 * len(edges), 3)), np.sqrt(weight)[:, None] * target])
    expected = rows @ np.linalg.lstsq(tall, goal, rcond=None)[0]
    found = AffineSystem(template, base, weight, weight[:, None] * target, alpha).solve()
    np.testing.assert_allclose(found, expected, atol=1e-8)


def test_the_camera_s_place_does_not_count():
    template, rng = ball(2), np.random.default_rng(2)
    base, weight = template.positions_mm, template.area_mm2
    right = weight[:, None] * rng.normal(0, 3, base.shape)
    here = AffineSystem(template, base, weight, right, 30.0).solve()
    there = AffineSystem(template, base + np.array([0, 0, 900.0]), weight, right, 30.0).solve()
    np.testing.assert_allclose(here, there, atol=1e-8)


def test_registration_ends_near_the_displacement_energy_s():
    model = toy_model()
    scan = subject(model, 0)
    settings = TicpSettings(nonrigid=NonrigidSettings(energy="amberg"))
    truth = scan.truth["vertices_mm"]
    affine, plain = register(scan, model, settings), register(scan, model)
    found, known = (against_truth(face, truth, model) for face in (affine, plain))
    initial = against_truth(replace(plain, vertices_mm=plain.initial.vertices_mm), truth, model)
    # Without bending, sensor noise is smoothed less at equal ℓ: 0.1 mm more along the normal.
    assert found["normal_mm"] < known["normal_mm"] + 0.1
    assert found["normal_mm"] < initial["normal_mm"] / 2
    gap = np.linalg.norm(affine.vertices_mm - plain.vertices_mm, axis=1)
    assert np.median(gap[plain.visible]) < 0.5  # 0.2 mm found
