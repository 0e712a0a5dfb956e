from dataclasses import replace

import numpy as np
import pytest

from augment.relight import BOUNDS, gains, lit_normals
from augment.rotate import RotateSettings, prepare, rotate
from augment.view_plan import PlannedView
from faces.camera import FLIP
from faces.mesh import vertex_normals
from faces.rotation import matrix_from_euler
from faces.types import Appearance
from imaging.raster import rasterise
from imaging.shading import phong
from imaging.shadow import sphere_directions
from tests.staged import paint, stage

SPHERE = sphere_directions(2000)  # normals of a sphere are its points
LIGHT = np.array([0.5, -0.4, -0.768])
LIGHT = LIGHT / np.linalg.norm(LIGHT)


def appearance(light=LIGHT, specular=0.0):
    ambient, directional = np.array([0.5, 0.45, 0.4]), np.array([0.5, 0.5, 0.45])
    nothing = np.zeros((1, 3), np.float32)
    return Appearance(np.zeros(1), ambient, directional, light, specular, 10.0, nothing, nothing)


def shaded(normals, albedo, fitted):
    view = np.array([0.0, 0.0, -1.0])
    lamp = (fitted.light, fitted.ambient, fitted.directional, fitted.specular, fitted.shininess)
    return phong(albedo, normals, view, *lamp)


@pytest.mark.parametrize("yaw", [-90.0, 35.0, 60.0])
def test_a_relit_sphere_is_the_sphere_under_the_light_that_stayed(yaw):
    turn = FLIP @ matrix_from_euler(yaw, 15.0, 0.0) @ FLIP
    albedo = np.random.default_rng(0).uniform(0.2, 0.9, SPHERE.shape)
    seen = shaded(SPHERE, albedo, appearance())
    wanted = shaded(SPHERE @ turn.T, albedo, appearance())
    sharp = gains(SPHERE, turn, appearance(), terminator=0.0)
    # shading lies in [0.4, 1]: no gain meets its bounds; the rest is float32
    np.testing.assert_allclose(seen * sharp, wanted, atol=1e-6)
    soft = gains(SPHERE, turn, appearance())
    # a rounded corner of width w lies w/2 above the sharp one at most
    assert np.abs(seen * soft - wanted).max() < 0.1
    apart = np.abs(np.stack([SPHERE @ LIGHT, SPHERE @ turn.T @ LIGHT])).min(0) > 0.3
    # and w²/4c above it at a cosine c, twice that where the gain is 2
    assert np.abs(seen * soft - wanted)[apart].max() < 0.02


def test_without_a_turn_nothing_changes_and_gains_are_bounded():
    np.testing.assert_allclose(gains(SPHERE, np.eye(3), appearance()), 1, atol=1e-6)
    dark = replace(appearance(), ambient=np.zeros(3))
    turn = FLIP @ matrix_from_euler(90.0, 0.0, 0.0) @ FLIP
    out = gains(SPHERE, turn, dark)
    assert out.min() >= np.float32(BOUNDS[0])
    assert out.max() <= np.float32(BOUNDS[1])


def test_views_are_nearer_to_the_light_that_stayed():
    staged = stage()
    fitted = appearance()
    normals = vertex_normals(staged.face.vertices_mm, staged.model.triangles)
    albedo = 0.9 * staged.model.albedo_mean
    colors = shaded(normals, albedo, fitted).astype(np.float32)
    picture = paint(staged.face.vertices_mm, staged.model, colors, staged.scan.camera)
    scan = replace(staged.scan, color=picture)
    face = replace(staged.face, appearance=replace(fitted, albedo=albedo, colors=colors))
    errors = []
    for relight in (False, True):
        settings = RotateSettings(relight=relight)
        [view] = rotate(scan, face, staged.model, [PlannedView(60.0, 0.0)], settings)
        moved = view.pose.apply(face.shape_mm)
        under = shaded(vertex_normals(moved, staged.model.triangles), albedo, fitted)
        truth = paint(moved, staged.model, under.astype(np.float32), view.camera)
        size = (view.camera.width, view.camera.height)
        head = rasterise(view.camera.screen(moved), staged.model.triangles, size).mask
        errors.append(np.abs(view.color.astype(float) - truth)[head].mean())
    # what is left: the outline, the rounded terminator and the toy's rims
    assert errors[1] < 0.4 * errors[0]


def test_the_grids_normals_are_smooth_and_the_heads_are_kept():
    staged = stage()
    scene = prepare(staged.scan, staged.face, staged.model, RotateSettings()).scene
    noise = np.random.default_rng(0).normal(0, 0.2, scene.normals.shape)
    noisy = scene.normals + noise
    noisy /= np.linalg.norm(noisy, axis=1, keepdims=True)
    head = replace(scene, normals=noisy, head_triangles=len(scene.triangles))
    np.testing.assert_array_equal(lit_normals(head), noisy)
    # the same surface taken as the image's grid: six rounds average 40 vertices or more
    out = lit_normals(replace(head, head_triangles=0))
    used = np.unique(scene.triangles)
    before = np.linalg.norm(noisy - scene.normals, axis=1)[used].mean()
    after = np.linalg.norm(out - scene.normals, axis=1)[used].mean()
    assert after < 0.3 * before
