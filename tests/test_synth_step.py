"""Rendering inside of a training step: the same picture, and a truth recovered by its gradient."""

import numpy as np
import pytest

from faces.camera import Camera, Pose
from faces.errors import BadInput
from faces.mesh import vertex_normals
from faces.rotation import matrix_from_euler
from imaging.raster import rasterise
from imaging.shading import irradiance_polynomial, phong
from synth.renderer import Lighting
from tests.solids import ball, rays

torch = pytest.importorskip("torch", reason="the extra 'train' is not installed")

from synth.step import render_step, screen, to_camera  # noqa: E402

PINHOLE = Camera(64, 56, 260.0, 250.0, 33.0, 26.0)
PARALLEL = Camera(64, 56, 1.0, 1.0, 33.0, 26.0, mm_per_px=2.6)
POSES = [
    Pose(matrix_from_euler(30, -10, 5), np.array([5.0, -4, 640])),
    Pose(matrix_from_euler(-50, 20), np.array([-10.0, 8, 700])),
]


def scene():
    """Two poses of a ball of many colours: camera-frame vertices (2, V, 3), triangles, colours."""
    vertices, triangles, _, _ = ball(60.0, 32, 64)
    colors = vertices / 150 + 0.5
    rotation = torch.as_tensor(np.stack([pose.rotation for pose in POSES]))
    translation = torch.as_tensor(np.stack([pose.translation_mm for pose in POSES]))
    placed = to_camera(torch.as_tensor(vertices), rotation, translation)
    return vertices, placed, torch.as_tensor(triangles.astype(np.int64)), torch.as_tensor(colors)


def light(ambient=0.3, color=(0.5, 0.6, 0.4), direction=(0.5, -0.4, -0.768)):
    environment = np.zeros((9, 3))
    environment[0] = ambient
    return Lighting(environment, np.array(direction), np.array(color), 0.2, 9.0)


def test_points_are_placed_and_projected_as_on_the_host():
    vertices, placed, _, _ = scene()
    for image, pose in enumerate(POSES):
        expected = pose.apply(vertices)
        np.testing.assert_allclose(placed[image], expected, atol=1e-10)
        for camera in (PINHOLE, PARALLEL):
            np.testing.assert_allclose(
                screen(placed[image], camera), camera.screen(expected), atol=1e-9
            )


@pytest.mark.parametrize("camera", [PINHOLE, PARALLEL])
def test_a_picture_is_equation_4_at_what_the_rasteriser_sees(camera):
    _, placed, triangles, colors = scene()
    lighting = light()
    made = render_step(placed, triangles, colors, camera, lighting)
    for image in range(2):
        points = placed[image].numpy()
        size = (camera.width, camera.height)
        seen = rasterise(camera.screen(points), triangles, size, camera.is_perspective)
        np.testing.assert_array_equal(made.seen.triangle_id[image], seen.triangle_id)
        normal = seen.interpolate(vertex_normals(points, triangles.numpy()), triangles)[seen.mask]
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        view = -rays(camera)[1][seen.mask]
        view /= np.linalg.norm(view, axis=1, keepdims=True)
        expected = phong(
            seen.interpolate(colors, triangles)[seen.mask],
            normal,
            view,
            lighting.direction,
            lighting.environment[0],
            lighting.color,
            0.2,
            9.0,
        )
        # half of 1/256 px of the place that the view looks from, and float32 there
        np.testing.assert_allclose(made.color[image][seen.mask], expected, atol=1e-4)
        np.testing.assert_allclose(made.normal[image][seen.mask], normal * [1, -1, -1], atol=1e-6)
        assert not made.color[image][~seen.mask].any()


def test_backgrounds_are_mixed_in_by_the_share_of_samples():
    _, placed, triangles, colors = scene()
    behind = torch.as_tensor(np.random.default_rng(0).uniform(0, 1, (2, 56, 64, 3)))
    white = torch.ones_like(colors)
    alone = render_step(placed, triangles, white, PINHOLE, light(1.0, (0, 0, 0)), None, 2).color
    made = render_step(placed, triangles, white, PINHOLE, light(1.0, (0, 0, 0)), behind, 2).color
    assert set(np.unique(np.round(alone.numpy(), 9))) == {0, 0.25, 0.5, 0.75, 1}
    np.testing.assert_allclose(made, alone + (1 - alone) * behind, atol=1e-12)


def test_light_and_colours_are_recovered_by_the_gradient():
    """The picture is linear in the lamp's and the environment's strength: a few steps find them."""
    _, placed, triangles, colors = scene()
    truth = light(0.35, (0.55, 0.4, 0.3))
    wanted = render_step(placed, triangles, colors, PINHOLE, truth).color
    ambient = torch.full((3,), 0.1, dtype=torch.float64, requires_grad=True)
    color = torch.full((3,), 0.1, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([ambient, color], max_iter=50, line_search_fn="strong_wolfe")
    rest = torch.zeros(8, 3, dtype=torch.float64)

    def loss():
        solver.zero_grad()
        lighting = Lighting(torch.cat([ambient[None], rest]), truth.direction, color, 0.2, 9.0)
        error = render_step(placed, triangles, colors, PINHOLE, lighting).color - wanted
        value = (error**2).sum()
        value.backward()
        return value

    solver.step(loss)
    # a linear least-squares problem without noise: what is left is the solver's own tolerance
    np.testing.assert_allclose(ambient.detach(), 0.35, atol=1e-4)
    np.testing.assert_allclose(color.detach(), truth.color, atol=1e-4)


def test_a_shape_is_recovered_from_its_shading_alone():
    """A ball with a swelling of unknown height: normals and places speak in the gradient."""
    vertices, _, triangles, colors = scene()
    swelling = torch.as_tensor(np.cos(vertices[:, :1] / 25) * [0.0, 0.0, 1.0])
    rotation = torch.as_tensor(np.stack([pose.rotation for pose in POSES]))
    translation = torch.as_tensor(np.stack([pose.translation_mm for pose in POSES]))

    def made(height):
        shape = torch.as_tensor(vertices) + height * swelling
        placed = to_camera(shape, rotation, translation)
        return render_step(placed, triangles, colors, PINHOLE, light())

    truth = made(torch.tensor(6.0, dtype=torch.float64))
    height = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([height], max_iter=30, line_search_fn="strong_wolfe")

    def loss():
        solver.zero_grad()
        images = made(height)
        both = images.seen.mask & truth.seen.mask  # outlines give no gradient
        value = ((images.color - truth.color)[both] ** 2).sum()
        value.backward()
        return value

    solver.step(loss)
    # the truth has no noise; positions are snapped to 1/256 px, 0.01 mm, in either image
    assert height.item() == pytest.approx(6.0, abs=0.02)


def test_every_gradient_is_finite():
    _, placed, triangles, colors = scene()
    placed, colors = placed.clone().requires_grad_(), colors.clone().requires_grad_()
    environment = irradiance_polynomial(np.random.default_rng(1).normal(0, 0.3, (9, 3)))
    lighting = Lighting(environment, light().direction, light().color, 0.2, 9.0)
    images = render_step(placed, triangles, colors, PINHOLE, lighting, supersample=2)
    (images.color.sum() + images.normal.sum() + images.seen.depth.sum()).backward()
    for gradient in (placed.grad, colors.grad):
        assert gradient.isfinite().all()
        assert gradient.abs().max() > 1e-3


def test_what_a_step_cannot_light_is_refused():
    _, placed, triangles, colors = scene()
    plain = light()
    shadowed = Lighting(plain.environment, plain.direction, plain.color, shadows=True)
    with pytest.raises(BadInput, match=r"shadows=True.*synth\.render"):
        render_step(placed, triangles, colors, PINHOLE, shadowed)
