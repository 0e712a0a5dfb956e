"""Shading on tensors against imaging.shading, and its gradients."""

import numpy as np
import pytest
import trimesh

from faces.mesh import vertex_normals
from imaging import shading

torch = pytest.importorskip("torch", reason="the extra 'train' is not installed")

from imaging import shading_torch  # noqa: E402


def directions(count, seed):
    ways = np.random.default_rng(seed).normal(0, 1, (count, 3))
    return ways / np.linalg.norm(ways, axis=1, keepdims=True)


def test_phong_before_a_constant_environment_is_equation_4():
    rng = np.random.default_rng(0)
    albedo = rng.uniform(0, 1, (500, 3))
    normals, view, light = directions(500, 1), directions(500, 2), directions(1, 3)[0]
    ambient, color = np.array([0.3, 0.2, 0.4]), np.array([0.6, 0.7, 0.5])
    expected = shading.phong(albedo, normals, view, light, ambient, color, 0.4, 7.5)
    environment = np.zeros((9, 3))
    environment[0] = ambient
    tensors = map(torch.as_tensor, (albedo, normals, view, light, environment, color))
    np.testing.assert_allclose(shading_torch.phong(*tensors, 0.4, 7.5), expected, atol=1e-12)


def test_irradiance_is_that_of_spherical_harmonics():
    coefficients = np.random.default_rng(4).normal(0, 0.5, (9, 3))
    normals = directions(500, 5)
    expected = shading.spherical_harmonics(np.ones((500, 3)), normals, coefficients)
    polynomial = torch.as_tensor(shading.irradiance_polynomial(coefficients))
    made = shading_torch.irradiance(polynomial, torch.as_tensor(normals))
    assert (expected == 0).any()  # the clamp counts
    np.testing.assert_allclose(made, expected, atol=1e-12)


def test_normals_are_the_meshs():
    mesh = trimesh.creation.icosphere(2, 10.0)
    rng = np.random.default_rng(6)
    shapes = mesh.vertices + rng.normal(0, 0.4, (3, *mesh.vertices.shape))
    shapes = np.concatenate([shapes, np.zeros((3, 1, 3))], 1)  # a vertex that no triangle uses
    made = shading_torch.vertex_normals(torch.as_tensor(shapes), torch.as_tensor(mesh.faces))
    for image in range(3):
        expected = vertex_normals(shapes[image], mesh.faces)
        np.testing.assert_allclose(made[image], expected, atol=1e-12)


def test_gradients_are_those_of_finite_differences():
    albedo, normals, view = (torch.as_tensor(directions(6, seed)).abs() for seed in (7, 8, 9))
    light = torch.as_tensor(directions(1, 10)[0]).abs()
    environment = torch.as_tensor(np.random.default_rng(11).uniform(0.1, 0.2, (9, 3)))
    color = torch.tensor([0.5, 0.6, 0.7], dtype=torch.float64)
    tensors = [
        t.clone().requires_grad_() for t in (albedo, normals, view, light, environment, color)
    ]
    assert torch.autograd.gradcheck(lambda *t: shading_torch.phong(*t, 0.3, 6.0), tensors)


def test_a_vector_without_length_has_no_gradient_that_is_not_a_number():
    vectors = torch.zeros(2, 3, dtype=torch.float64, requires_grad=True)
    shading_torch.unit(vectors).sum().backward()
    assert not vectors.grad.any()
