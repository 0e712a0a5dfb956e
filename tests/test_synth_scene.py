from dataclasses import replace

import cv2
import numpy as np
import trimesh

from faces.camera import Camera, Pose
from imaging.deferred import to_linear
from imaging.develop import CONTRAST, developed
from imaging.raster import downsample
from synth.assembly import Assembly
from synth.light import Light
from synth.scene import LABELS, Backdrop, Piece, render_scene

CAMERA = Camera(80, 60, 100.0, 100.0, 40.0, 30.0)
Y0 = 0.282095
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], dtype=np.int32)  # towards the camera, y down
UV = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], dtype=np.float32)


def square(half, depth, tone=0.5, label="skin", **changes):
    corners = np.array([[-1.0, -1, 0], [-1, 1, 0], [1, 1, 0], [1, -1, 0]])
    points = corners * [half, half, 1] + [0, 0, depth]
    albedo = np.full((4, 3), tone, dtype=np.float32)
    return replace(Piece(label, points, TRIANGLES, albedo), **changes)


def light(ambient=0.3, lamp=0.0, direction=(0, 0, -1.0), **changes):
    environment = np.zeros((9, 3))
    environment[0] = ambient / Y0
    direction = np.array(direction) / np.linalg.norm(direction)
    return Light(environment, direction, np.full(3, lamp), **changes)


def shown(value):
    return developed(np.full((1, 1, 3), value, dtype=np.float32))[0, 0, 0]


def test_the_nearest_piece_is_seen_and_named():
    pieces = [square(200, 600), square(20, 400, label="phone")]
    image = render_scene(pieces, CAMERA, light(), 2, shadows=False)
    near = np.abs(image.depth_mm - 400) < 0.01
    assert near.sum() == 100  # 40 mm at 400 mm and 100 px are 10 px
    np.testing.assert_array_equal(image.labels == LABELS.index("phone"), near)
    np.testing.assert_array_equal(image.piece_id == 1, near)
    assert (image.labels[~image.mask] == 0).all()
    np.testing.assert_allclose(image.depth_mm[image.mask & ~near], 600, atol=0.01)


def test_a_matt_surface_under_ambient_and_lamp_is_eq_4_in_linear_light():
    for angle_deg in (0.0, 40.0, 70.0):
        way = (np.sin(np.radians(angle_deg)), 0, -np.cos(np.radians(angle_deg)))
        image = render_scene([square(900, 500)], CAMERA, light(0.3, 0.5, way), 1, shadows=False)
        expected = to_linear(0.5) * (0.3 + 0.5 * np.cos(np.radians(angle_deg)))
        # one 8-bit step
        assert abs(int(image.color[30, 40, 0]) - int(shown(expected))) <= 1


def test_a_highlight_is_where_the_lamp_is_mirrored():
    gloss = np.full(4, 0.5, dtype=np.float32)
    piece = square(900, 500, 0.2, gloss=gloss, shininess=60.0)
    way = np.array([0.2, 0, -1.0])
    image = render_scene([piece], CAMERA, light(0.1, 0.6, way), 1, shadows=False)
    row = image.color[30, :, 0].astype(int)
    # the mirror image of a far lamp at slope 0.2 is seen at u = 40 + 0.2 · 100
    assert abs(np.flatnonzero(row == row.max()).mean() - 60) <= 1  # 8 bits make a plateau
    assert row.max() > row[5] + 40


def test_what_stands_before_a_lamp_throws_a_shadow():
    pieces = [square(150, 600), square(20, 500, label="hand")]
    way = (0.5, 0, -1.0)  # from the right: the shadow falls 50 mm to the left
    lit, shaded = (
        render_scene(pieces, CAMERA, light(0.2, 0.6, way, size_deg=0.5), 1, shadows=s)
        for s in (False, True)
    )
    darker = lit.color[30, :, 0].astype(int) - shaded.color[30, :, 0] > 30
    at = np.flatnonzero(darker)
    # x = −50 ± 20 mm at 600 mm is u = 31.7 ± 3.3 px, a part of it behind the hand at 36 to 44
    assert abs(at.min() - 28.3) < 1.5
    assert abs(at.max() - 35.0) < 1.5


def test_texture_relief_and_back_faces():
    texture = np.zeros((2, 2, 3), dtype=np.float32)
    texture[:, 1] = 0.8  # the right half is bright
    way = (1.0, 0, -1.0)
    plain = square(100, 500, label="room", albedo=texture, uv=UV, triangle_uv=TRIANGLES)
    image = render_scene([plain], CAMERA, light(0.3, 0.5, way), 1, shadows=False)
    assert image.color[30, 25, 0] < 30 < 100 < image.color[30, 55, 0]
    grey = np.full((64, 64, 3), 0.5, dtype=np.float32)
    slope = np.tile(np.linspace(0, -80, 64, dtype=np.float32), (64, 1))  # falls 80 mm over 200
    flat, tilted = (
        render_scene(
            [replace(plain, albedo=grey, relief=relief)], CAMERA, light(0.2, 0.5, way), 1, False
        ).color[30, 40, 0]
        for relief in (None, slope)
    )
    # it falls to the right by 0.4 · 64/63: the normal turns by 22° towards the lamp at 45°
    turned = np.cos(np.radians(45) - np.arctan(0.4 * 64 / 63))
    assert abs(int(tilted) - int(shown(to_linear(0.5) * (0.2 + 0.5 * turned)))) <= 2
    assert tilted > flat
    back = replace(plain, albedo=grey, triangles=TRIANGLES[:, ::-1].copy())
    dark, bright = (
        render_scene([replace(back, two_sided=two)], CAMERA, light(0.2, 0.5), 1, False).color[
            30, 40, 0
        ]
        for two in (False, True)
    )
    assert dark < bright


def test_shading_once_a_pixel_looks_like_shading_each_of_its_samples():
    """A textured, rough, shining ball before a wall: box averages of four samples are the truth."""
    ball = trimesh.creation.uv_sphere(radius=90.0, count=[40, 40])
    points = ball.vertices + np.array([0, 0, 500.0])
    rng = np.random.default_rng(3)
    texture = cv2.resize(rng.uniform(0.2, 0.9, (24, 24, 3)).astype(np.float32), (256, 256))
    relief = cv2.resize(rng.normal(0, 0.2, (40, 40)).astype(np.float32), (256, 256))
    uv = (ball.vertices[:, :2] / 200 + 0.5).astype(np.float32)
    triangles = ball.faces.astype(np.int32)
    round_one = Piece(
        "skin",
        points,
        triangles,
        texture,
        uv,
        triangles,
        gloss=np.full(len(points), 0.2, np.float32),
        relief=relief,
        scatter=1.0,
    )
    scene = Assembly.of([square(400, 700), round_one])
    lamp = light(0.4, 0.7, (0.4, -0.3, -1.0))
    size = CAMERA.width, CAMERA.height
    samples = scene.samples(CAMERA, 2, scene.seen_by(CAMERA))
    fine = CAMERA.crop(0, 0, 160, 120, zoom=2.0)
    every = scene.samples(fine, 1, None)
    got = scene.lit(samples, size, lamp, shadows=False)
    truth = downsample(scene.lit(every, (160, 120), lamp, shadows=False), 2)
    assert len(samples.pixel) < 0.4 * len(every.pixel)
    error = developed(got).astype(float) - developed(truth)
    # 40 dB: a difference of 2.5 steps of 255 in the root mean square, below a sensor's noise
    assert 10 * np.log10(255**2 / (error**2).mean()) > 40
    assert abs(error.mean()) < 0.2


def test_strands_are_mixed_with_what_lies_behind():
    strands = square(
        200,
        400,
        0.0,
        albedo=np.zeros((8, 8, 3), np.float32),
        uv=UV,
        triangle_uv=TRIANGLES,
        alpha=np.full((8, 8), 0.5, np.float32),
        label="hair",
    )
    pieces = [square(300, 600, 0.8), strands]
    image = render_scene(pieces, CAMERA, light(0.5), 2, shadows=False)
    expected = 0.5 * to_linear(0.8) * 0.5
    assert abs(int(image.color[30, 40, 0]) - int(shown(expected))) <= 1


def test_the_backdrop_is_seen_where_no_piece_is():
    size = (60, 80)
    behind = Backdrop(
        np.full((*size, 3), 0.25, np.float32),
        np.full(size, 2000, np.float32),
        np.full(size, LABELS.index("room"), np.uint8),
    )
    image = render_scene([square(20, 400)], CAMERA, light(), 2, False, behind)
    assert image.color[2, 2, 0] == shown(0.25)
    assert image.labels[2, 2] == LABELS.index("room")
    assert image.depth_mm[2, 2] == 2000
    assert image.labels[30, 40] == LABELS.index("skin")


def test_a_piece_moves_with_the_pose():
    pose = Pose(np.eye(3), np.array([1.0, 2, 700]))
    piece = square(10, 0)
    np.testing.assert_array_equal(piece.moved(pose).vertices_mm, pose.apply(piece.vertices_mm))


def test_developing_keeps_the_grey_card_and_never_saturates_suddenly():
    steps = developed(np.linspace(0, 3, 500, dtype=np.float32)[:, None, None].repeat(3, 2))[:, 0, 0]
    assert (np.diff(steps.astype(int)) >= 0).all()
    assert shown(0.18) == 118  # sRGB of 18 % grey: 117.7
    assert shown(0.8) < shown(1.0) < shown(1.5) <= 255
    assert shown(-0.1) == 0
    assert shown(1e6) == 255


def test_developing_steepens_the_middle_by_its_contrast():
    darker, brighter = (to_linear(shown(value) / 255) for value in (0.09, 0.36))
    got = np.log(brighter / darker) / np.log(4)
    np.testing.assert_allclose(got, CONTRAST, atol=0.01)  # two roundings of half an 8-bit step


def test_developing_keeps_the_ratio_of_channels_below_the_shoulder():
    skin = np.array([0.36, 0.22, 0.15], dtype=np.float32)
    got = to_linear(developed(skin[None, None])[0, 0] / 255.0)
    np.testing.assert_allclose(got / got[1], skin / skin[1], rtol=0.02)  # 8-bit rounding
