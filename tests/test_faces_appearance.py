"""Albedo and light come back from colours that the forward model made."""

from dataclasses import replace

import numpy as np
import pytest

from faces.appearance import fit_appearance, render_texture, sample_colors, view_directions
from faces.camera import Camera, Pose
from faces.errors import BadInput
from faces.mesh import vertex_normals
from faces.phong_fit import Parameters, PhongProblem
from faces.rotation import matrix_from_euler
from faces.types import Appearance
from faces.visibility import visible_vertices
from imaging.raster import rasterise
from imaging.shading import phong
from tests.toy import toy_model

CAMERA = Camera(480, 480, 900.0, 900.0, 240.0, 240.0)
LIGHT = np.array([-0.5, -0.4, -0.75]) / np.linalg.norm([-0.5, -0.4, -0.75])
BETA = np.array([0.8, -1.2, 0.5, 0.6])


def vertices_of(yaw=10.0):
    pose = Pose(matrix_from_euler(yaw), np.array([0.0, 0, 650]))
    return pose.apply(toy_model().mean_mm.astype(np.float64))


def truth_of(vertices):
    model = toy_model()
    known = dict(
        beta=BETA,
        ambient=np.array([0.55, 0.5, 0.45]),
        directional=np.array([0.45, 0.42, 0.40]),
        light=LIGHT,
        specular=0.12,
        shininess=10.0,
        albedo=model.albedo(BETA),
    )
    blank = Appearance(**known, colors=np.zeros_like(model.albedo_mean))
    return replace(blank, colors=render_texture(blank, model, vertices))


def image_of(vertices, colors):
    triangles = toy_model().triangles
    fragments = rasterise(CAMERA.screen(vertices), triangles, (480, 480))
    return fragments.interpolate(colors, triangles)


def as_bytes(image, rng=None):
    noise = 0 if rng is None else rng.normal(0, 0.01, image.shape)
    return np.clip(np.rint(255 * (image + noise)), 0, 255).astype(np.uint8)


def problem_of(vertices, count=200):
    model, rng = toy_model(), np.random.default_rng(0)
    chosen = np.flatnonzero(model.regions["face"])[:: len(model.mean_mm) // count]
    return PhongProblem(
        mean=model.albedo_mean[chosen].astype(float),
        modes=np.moveaxis(model.albedo_modes[:, chosen], 0, -1).astype(float),
        normals=vertex_normals(vertices, model.triangles)[chosen],
        view=view_directions(vertices[chosen]),
        colors=rng.random((len(chosen), 3)),
        precision=1.0,
        beta_sigma=1.0,
        cutoff=5.0,
    )


def test_jacobian_equals_finite_differences():
    problem = problem_of(vertices_of())
    known = Parameters(BETA, np.full(3, 0.5), np.array([0.4, 0.5, 0.6]), LIGHT, 0.3, 7.0)
    p = known.pack()
    p[-5:-2] *= 1.3  # the direction's derivative must know its length
    _, jacobian = problem.shade(p, jacobian=True)
    step = 1e-6
    for k in range(len(p)):
        shift = np.zeros(len(p))
        shift[k] = step
        numeric = (problem.shade(p + shift)[0] - problem.shade(p - shift)[0]) / (2 * step)
        # Central differences: truncation 1e-12, cancellation 1e-16 / 1e-6. A vertex whose
        # clamped term switches within the step has no derivative: the median cannot hide more.
        wrong = np.abs(numeric - jacobian[..., k]).max(1) > 1e-7
        assert wrong.sum() <= 1


def test_the_priors_jacobian_equals_finite_differences():
    problem = problem_of(vertices_of())
    known = Parameters(BETA, np.full(3, 0.5), np.array([0.4, 0.5, 0.6]), LIGHT, 0.3, 7.0)
    p, step = known.pack(), 1e-6
    jacobian = problem.prior_slopes(p)
    for k in range(len(p)):
        shift = np.zeros(len(p))
        shift[k] = step
        numeric = (problem.prior(p + shift) - problem.prior(p - shift)) / (2 * step)
        assert np.allclose(numeric, jacobian[:, k], atol=1e-8)  # quadratic: cancellation alone


def test_the_forward_model_is_imaging_s():
    problem = problem_of(vertices_of())
    q = Parameters(BETA, np.full(3, 0.5), np.array([0.4, 0.5, 0.6]), LIGHT, 0.3, 7.0)
    albedo = problem.mean + problem.modes @ BETA
    light = (q.light, q.ambient, q.directional, q.specular, q.shininess)
    expected = phong(albedo, problem.normals, problem.view, *light)
    assert np.allclose(problem.shade(q.pack())[0], expected, atol=1e-12)


@pytest.mark.parametrize("occluded", [0.0, 0.2])
def test_albedo_and_light_are_recovered(occluded):
    model, rng, vertices = toy_model(), np.random.default_rng(1), vertices_of()
    truth = truth_of(vertices)
    image = image_of(vertices, truth.colors)
    face = image.sum(-1) > 0
    rows = np.flatnonzero(face.any(1))
    edge = rows[int(len(rows) * (1 - occluded))] if occluded else len(image)
    image[edge:] = [0.15, 0.1, 0.5]  # a scarf over the lower part
    visible = visible_vertices(vertices, model.triangles, CAMERA)
    fit = fit_appearance(model, vertices, visible, as_bytes(image, rng), CAMERA)
    seen = visible & model.regions["face"]
    error = np.abs(fit.colors - truth.colors)[seen]
    # 1 % noise on each pixel, averaged over 2,000 vertices.
    assert np.median(error) < 0.01
    assert error.mean() < 0.015
    assert np.degrees(np.arccos(fit.light @ LIGHT)) < 8
    # Brightness may hide in β₀ or in the light (the priors settle it): test what is unique.
    assert np.abs(fit.beta[1:3] - BETA[1:3]).max() < 0.25
    mean_light = (fit.ambient * model.albedo(fit.beta)[seen].mean(0)).mean()
    assert abs(mean_light / (truth.ambient * truth.albedo[seen].mean(0)).mean() - 1) < 0.1


def test_a_warm_start_goes_on_where_the_last_fit_ended():
    model, vertices = toy_model(), vertices_of()
    truth = truth_of(vertices)
    image = as_bytes(image_of(vertices, truth.colors))
    visible = visible_vertices(vertices, model.triangles, CAMERA)
    cold = fit_appearance(model, vertices, visible, image, CAMERA)
    warm = fit_appearance(model, vertices, visible, image, CAMERA, previous=cold)
    assert np.abs(warm.colors - cold.colors).mean() < 0.005


def test_light_stays_with_the_camera_when_the_head_turns():
    model = toy_model()
    front, turned = vertices_of(0), vertices_of(40)
    truth = truth_of(front)
    moved = render_texture(truth, model, turned)
    # Light comes from image left (x < 0): turning the head to image right (yaw > 0) brings the
    # cheek at model x < 0 towards the camera, away from the light's grazing side.
    same = render_texture(truth, model, front)
    assert np.array_equal(same, truth.colors)
    normals = vertex_normals(turned, model.triangles)
    shadow = (normals @ LIGHT < 0) & (vertex_normals(front, model.triangles) @ LIGHT > 0.2)
    assert shadow.any()
    assert (moved[shadow] <= same[shadow]).all()


def test_sample_colors_is_exact_on_a_ramp():
    ramp = np.zeros((8, 16, 3), np.uint8)
    ramp[..., 0] = 10 * np.arange(16)
    ramp[..., 1] = 20 * np.arange(8)[:, None]
    pixels = np.array([[0.5, 0.5], [3.25, 4.75], [15.5, 7.5], [99.0, -5.0]])
    found = 255 * sample_colors(ramp, pixels)
    expected = [[0, 0, 0], [27.5, 85, 0], [150, 140, 0], [150, 0, 0]]
    assert np.allclose(found, expected, atol=1e-3)


def test_a_face_outside_the_image_is_refused():
    model, vertices = toy_model(), vertices_of()
    image = np.zeros((480, 480, 3), np.uint8)
    with pytest.raises(BadInput, match="visible skin vertices"):
        fit_appearance(model, vertices, np.zeros(len(vertices), bool), image, CAMERA)


def test_rendered_texture_is_the_phong_model_s():
    vertices = vertices_of()
    truth = truth_of(vertices)
    normals = vertex_normals(vertices, toy_model().triangles)
    light = (truth.light, truth.ambient, truth.directional, truth.specular, truth.shininess)
    expected = phong(truth.albedo, normals, view_directions(vertices), *light)
    # Both in float64, then rounded to float32.
    np.testing.assert_allclose(truth.colors, np.clip(expected, 0, 1), atol=1e-6)
