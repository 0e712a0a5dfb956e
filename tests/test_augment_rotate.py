from dataclasses import replace

import cv2
import numpy as np
import pytest

from augment.labels import head_centre
from augment.render import render_textures
from augment.rotate import crop_camera, rotate, turned_pose
from augment.settings import RotateSettings
from augment.source import WELL_SEEN, prepare
from augment.view_plan import PlannedView
from faces.camera import Camera
from faces.errors import BadInput
from faces.mesh import vertex_normals
from faces.rotation import euler_from_matrix
from faces.visibility import view_directions
from imaging.raster import rasterise
from tests.staged import CAMERA, paint, stage


@pytest.fixture(scope="module")
def staged():
    return stage()


def one(staged, yaw, pitch=0.0, **settings):
    plan = [PlannedView(yaw, pitch)]
    [view] = rotate(staged.scan, staged.face, staged.model, plan, RotateSettings(**settings))
    return view


def truth(staged, view):
    """The head at the view's pose, in its own colours, before the view's own background."""
    return paint(view.pose.apply(staged.face.shape_mm), staged.model, staged.colors, view.camera)


def head_of(staged, view):
    """(h, w) bool: pixels that lie on the head entirely."""
    screen = view.camera.screen(view.pose.apply(staged.face.shape_mm))
    shown = rasterise(screen, staged.model.triangles, (view.camera.width, view.camera.height))
    inside = shown.mask
    for axis in (0, 1):
        inside = inside & np.roll(inside, 1, axis) & np.roll(inside, -1, axis)
    return inside


def psnr(image, reference, mask):
    error = (image.astype(float) - reference.astype(float))[mask]
    return 10 * np.log10(255**2 / (error**2).mean())


def test_no_rotation_gives_the_source_back(staged):
    view = one(staged, 0.0)
    head = head_of(staged, view)
    # 35 dB: the crop resamples the image once, bilinearly
    assert psnr(view.color, truth(staged, view), head) > 35
    # one source pixel along the outline mixes head and wall: 2.2 % of the head at 320×240
    assert (view.synthesised[head] > 0).mean() < 0.03


@pytest.mark.parametrize("yaw", [30.0, -60.0, 90.0])
def test_turned_views_come_near_the_truth_and_the_fill_helps(staged, yaw):
    view = one(staged, yaw, -10.0)
    settings = RotateSettings()
    source = prepare(staged.scan, staged.face, staged.model, settings)
    raw = render_textures(source, staged.face, view.pose, view.camera, settings)
    reference, head = truth(staged, view), head_of(staged, view)
    photographed = head & (view.synthesised == 0)
    filled = head & (view.synthesised == 255)
    # the visible part: 29 dB leaves room for freckles that the source saw at 60°
    assert photographed.sum() > 3000
    assert psnr(view.color, reference, photographed) > 29
    # the filled part lacks the freckles (±15 grey levels at most, 5 on average), nothing more
    assert filled.sum() > 300
    assert psnr(view.color, reference, filled) > 25
    # little is stretched yet at 30°, and the outline's pixels are free of the wall
    gain = 3 if abs(yaw) > 45 else 0.5
    assert psnr(view.color, reference, filled) > psnr(raw.photo * 255, reference, filled) + gain


def test_labels_land_on_the_image_to_the_pixel(staged):
    view = one(staged, 45.0, 12.0, buffers=("mask", "depth_mm", "normal", "pncc"))
    vertices = view.pose.apply(staged.face.shape_mm)
    indices = staged.model.landmarks["ibug68"]
    np.testing.assert_allclose(view.landmarks_px, view.camera.project(vertices[indices]), atol=1e-9)
    shown = rasterise(view.camera.screen(vertices), staged.model.triangles, (256, 256))
    face = shown.interpolate(staged.model.regions["face"][:, None], staged.model.triangles)
    face = face[..., 0] > 0.5
    # the face's outermost triangles share vertices with a neck and with flanks that follow the
    # photograph's outline: a few pixels of its rim, which is some 600 long
    assert ((view.buffers["mask"] == 255) != face).sum() <= 20
    face = cv2.erode((face & (view.buffers["mask"] == 255)).astype(np.uint8), np.ones((9, 9))) > 0
    # where the camera saw the face well the drawn mesh is the labels'; on its flanks it follows
    # the photograph's outline, which a pixel of 1.6 mm rounds, and beside it it may have grown
    apart = np.abs(view.buffers["depth_mm"] - shown.depth)
    base = vertex_normals(staged.face.vertices_mm, staged.model.triangles)
    facing = (base * view_directions(staged.face.vertices_mm, CAMERA)).sum(1, keepdims=True)
    flank = shown.interpolate(
        (facing < WELL_SEEN + 0.05).astype(np.float32), staged.model.triangles
    )
    assert apart[face].max() < 2.5
    face &= flank[..., 0] == 0
    assert face.mean() > 0.15
    assert apart[face].max() < 1e-2
    length = np.linalg.norm(view.buffers["normal"][face], axis=-1)
    np.testing.assert_allclose(length, 1, atol=1e-5)
    code = shown.interpolate(
        (staged.model.mean_mm - staged.model.mean_mm.min(0)) / np.ptp(staged.model.mean_mm, axis=0),
        staged.model.triangles,
    )
    np.testing.assert_allclose(view.buffers["pncc"][face], code[face], atol=1e-5)


def test_far_landmarks_hide_at_large_yaw(staged):
    view = one(staged, 75.0)
    seen = view.landmarks_visible
    right_eye, left_eye = seen[36:42], seen[42:48]  # the face's own right is image left
    assert one(staged, 0.0).landmarks_visible[36:48].all()
    assert right_eye.all() != left_eye.all()
    assert not left_eye.any()  # yaw > 0 turns the nose to image right, its left eye goes behind


def test_pose_is_the_planned_one_about_the_heads_centre():
    staged = stage(8.0, -4.0, 6.0)
    centre = head_centre(staged.face.shape_mm, staged.model)
    base = staged.face.pose
    pose = turned_pose(base, PlannedView(53.0, -14.0), centre)
    np.testing.assert_allclose(euler_from_matrix(pose.rotation), (53.0, -14.0, 6.0), atol=1e-9)
    np.testing.assert_allclose(pose.apply(centre), base.apply(centre), atol=1e-9)
    assert pose.scale == base.scale
    same = turned_pose(base, PlannedView(8.0, -4.0), centre)
    np.testing.assert_allclose(same.apply(staged.face.shape_mm), staged.face.vertices_mm, atol=1e-9)


def test_reliable_pixels_do_not_depend_on_the_model_texture(staged):
    green = np.tile(np.float32([0, 1, 0]), (staged.model.vertex_count, 1))
    other = replace(
        staged, face=replace(staged.face, appearance=replace(staged.face.appearance, colors=green))
    )
    view, changed = one(staged, 45.0), one(other, 45.0)
    reliable = head_of(staged, view) & (view.synthesised == 0)
    # trust is stored in 255ths: what rounds to full trust may take a level of another colour
    apart = view.color[reliable].astype(int) - changed.color[reliable]
    assert np.abs(apart).max() <= 1
    assert np.array_equal(view.synthesised == 0, changed.synthesised == 0)


@pytest.mark.parametrize("wall_mm", [0.0, 1400.0])
@pytest.mark.parametrize("background", ["still", "turn"])
def test_the_background_is_whole_and_free_of_the_head(wall_mm, background):
    staged = stage(wall_mm=wall_mm)
    view = one(staged, 60.0, background=background)
    screen = view.camera.screen(view.pose.apply(staged.face.shape_mm))
    shown = rasterise(screen, staged.model.triangles, (256, 256)).mask
    shown = shown | np.roll(shown, 3, 0) | np.roll(shown, -3, 0)
    shown = shown | np.roll(shown, 3, 1) | np.roll(shown, -3, 1)
    shown = np.maximum.accumulate(shown, axis=0)  # below the head its neck goes on
    wall = view.color[~shown].astype(int)
    # the wall is grey between 0.4 and 0.7; any trace of the reddish head shows as a colour
    assert np.ptp(wall, axis=1).max() <= 6
    assert wall.min() > 0.38 * 255
    assert wall.max() < 0.72 * 255


def test_crop_shows_the_box_with_its_margin():
    camera = Camera.from_fov(640, 480, 40.0)
    crop = crop_camera(camera, (200, 100, 300, 250), RotateSettings(size_px=128, margin=0.2))
    assert (crop.width, crop.height) == (128, 128)
    ray = np.array([[(250 - camera.cx) / camera.fx, (175 - camera.cy) / camera.fy, 1.0]])
    np.testing.assert_allclose(crop.project(ray), [[64, 64]], atol=1e-9)
    np.testing.assert_allclose(crop.fx / camera.fx, 128 / (150 * 1.2))


def test_wrong_inputs_are_named(staged):
    short = replace(staged.face, vertices_mm=staged.face.vertices_mm[:10])
    with pytest.raises(BadInput, match="10 vertices"):
        list(rotate(staged.scan, short, staged.model, [PlannedView(0, 0)]))
    away = replace(staged.face, vertices_mm=staged.face.vertices_mm + np.array([2000, 0, 0]))
    with pytest.raises(BadInput, match="fall into the image"):
        list(rotate(staged.scan, away, staged.model, [PlannedView(0, 0)]))
    with pytest.raises(BadInput, match="albedo"):
        one(staged, 0.0, buffers=("albedo",))
