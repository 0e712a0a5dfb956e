"""One suite for every back end: light, shadow, background and texture at the pixels."""

import cv2
import numpy as np
import pytest
from back_ends import (
    BACK_ENDS,
    CAMERAS,
    FRONT,
    NO_LAMP,
    PINHOLE,
    RADIUS,
    TURNED,
    flat,
    lamp,
    opened,
)

from faces.camera import FLIP, Pose
from faces.errors import BadInput
from faces.rotation import matrix_from_euler
from imaging.mipmap import mip_levels
from imaging.shading import irradiance_polynomial, phong, spherical_harmonics
from synth.renderer import Lighting
from tests.solids import as_face, ball, joined, rays, sheet, sphere_image


@pytest.fixture(scope="module", params=BACK_ENDS)
def back_end(request):
    yield from opened(request.param)


# the picture


def test_the_background_shows_where_the_face_is_not(back_end):
    rng = np.random.default_rng(0)
    behind = rng.integers(0, 256, (144, 160, 3)).astype(np.uint8)
    face = as_face(*ball(RADIUS))
    made = back_end.render(face, FRONT, PINHOLE, flat(0.5), behind, ())
    plain = back_end.render(face, FRONT, PINHOLE, flat(0.5), None, ())
    margin = sphere_image(RADIUS, FRONT, PINHOLE).margin
    pixel = 600 / 620  # mm: the farthest sample lies √½ of it from the centre
    out, within = margin < -0.75 * pixel, margin > 0.75 * pixel
    np.testing.assert_array_equal(made.color[out], behind[out])
    assert not plain.color[out].any()
    assert np.abs(made.color[within] - 127.5).max() <= 0.5
    rim = ~out & ~within
    share = plain.color[rim] / 127.5
    # colour and background are mixed by the rim's share, each rounded once
    assert np.abs(made.color[rim] - (plain.color[rim] + (1 - share) * behind[rim])).max() <= 2
    # four samples: the shares are quarters
    assert np.abs(share * 4 - np.rint(share * 4)).max() < 0.05
    assert len(np.unique(np.rint(share * 4))) == 5


def test_a_background_of_another_size_is_refused(back_end):
    with pytest.raises(BadInput, match="background"):
        back_end.render(
            as_face(*ball(RADIUS, 8, 16)), FRONT, PINHOLE, flat(), np.zeros((9, 9, 3), np.uint8), ()
        )


@pytest.mark.parametrize("supersample", [1, 2])
@pytest.mark.parametrize("camera", CAMERAS)
def test_phong_is_equation_4(back_end, camera, supersample):
    albedo, color, way = np.array([0.8, 0.5, 0.3]), np.array([0.5, 0.6, 0.4]), [0.5, -0.4, -0.8]
    vertices, triangles, normals, uv = ball(RADIUS)
    face = as_face(vertices, triangles, normals, uv, np.tile(albedo, (len(vertices), 1)))
    light = lamp(way, color, ambient=0.25, specular=0.3, shininess=12.0)
    made = back_end.render(face, TURNED, camera, light, None, (), supersample=supersample)
    truth = sphere_image(RADIUS, TURNED, camera)
    inside = truth.margin > 0.05 * RADIUS
    view = -rays(camera)[1]
    view = (view / np.linalg.norm(view, axis=-1, keepdims=True))[inside]
    normals = truth.normal[inside] @ FLIP
    ambient = np.full(3, 0.25)
    expected = phong(albedo, normals, view, light.direction, ambient, color, 0.3, 12.0)
    error = np.abs(made.color[inside] - 255 * np.clip(expected, 0, 1))
    # half a step of 8 bits, and what four samples' mean differs from the centre at a highlight
    assert error.max() < 1.5
    assert error.mean() < 0.4


@pytest.mark.parametrize("camera", CAMERAS)
def test_an_environment_is_ramamoorthis(back_end, camera):
    rng = np.random.default_rng(3)
    coefficients = rng.normal(0, 0.25, (9, 3))
    coefficients[0] = 1.6
    albedo = np.array([0.7, 0.6, 0.9])
    vertices, triangles, normals, uv = ball(RADIUS)
    face = as_face(vertices, triangles, normals, uv, np.tile(albedo, (len(vertices), 1)))
    light = Lighting(irradiance_polynomial(coefficients), *NO_LAMP)
    made = back_end.render(face, TURNED, camera, light, None, ())
    truth = sphere_image(RADIUS, TURNED, camera)
    inside = truth.margin > 0.05 * RADIUS
    expected = spherical_harmonics(albedo, truth.normal[inside] @ FLIP, coefficients)
    error = np.abs(made.color[inside] - 255 * np.clip(expected, 0, 1))
    assert expected.std() > 0.05
    assert error.max() < 1.5  # as above
    assert error.mean() < 0.4


def shadow_scene():
    """A ball before a wall; and the (H, W) pixels of the wall that the ball's surface misses by
    more than ``margin`` mm on the way to the lamp."""
    way = np.array([0.5, -0.35, -0.8])
    way /= np.linalg.norm(way)
    wall, small = sheet(110.0, 61), ball(16.0, 32, 64, (0.0, 0, 55))
    face = as_face(*joined(wall, small))
    origins, ways = rays(PINHOLE)
    points = origins + ways * 600.0  # the wall's plane
    centre = FRONT.apply(np.array([0.0, 0, 55]))
    along = (centre - points) @ way
    miss = np.linalg.norm(points + along[..., None] * way - centre, axis=-1)
    return face, way, len(wall[1]), miss


def test_a_balls_shadow_falls_where_the_lamps_rays_are_stopped(back_end):
    face, way, wall, miss = shadow_scene()
    light = lamp(way, [0.6] * 3, ambient=0.3, shadows=True)
    made = back_end.render(face, FRONT, PINHOLE, light, None, ("triangle_id",))
    ids = made.buffers["triangle_id"]
    on_wall = cv2.erode(((ids >= 0) & (ids < wall)).astype(np.uint8), np.ones((5, 5))) > 0
    level = made.color[..., 1] / 255
    full = 0.3 + 0.6 * -way[2]
    # a shadow map steps by texels and leaves 1 to 2 mm between surface and shadow
    dark, bright = on_wall & (miss < 16 - 4), on_wall & (miss > 16 + 4)
    assert dark.sum() > 100
    assert bright.sum() > 5000
    np.testing.assert_allclose(level[dark], 0.3, atol=0.01)  # 8 bits
    np.testing.assert_allclose(level[bright], full, atol=0.01)
    share = (full - level[on_wall & (miss < 30)]) / (full - 0.3)
    area = share.sum() / (miss[on_wall] < 16).sum()
    assert area == pytest.approx(1, abs=0.12)  # 1 mm of the radius is an eighth of the area
    open_light = lamp(way, [0.6] * 3, ambient=0.3)
    plain = back_end.render(face, FRONT, PINHOLE, open_light, None, ())
    np.testing.assert_allclose(plain.color[on_wall][:, 1] / 255, full, atol=0.01)


# textures


def test_an_island_takes_nothing_of_what_lies_beside_it(back_end):
    """One colour inside, glaring red outside, seen from near and from so far that a pixel holds
    more of the texture than the island."""
    size = 256
    texture = np.zeros((size, size, 3), dtype=np.float32)
    texture[..., 0] = 1
    inside = np.zeros((size, size), dtype=bool)
    inside[30:70, 30:70] = True
    texture[inside] = [0.2, 0.6, 0.4]
    vertices, triangles, normals, uv = sheet(50.0)
    uv = (30 + 40 * uv) / size  # to the island's very rim
    face = as_face(vertices, triangles, normals, uv, texture=mip_levels(texture, inside))
    for distance in (150, 600, 5000, 20000):
        pose = Pose(matrix_from_euler(20, 30), np.array([0.0, 0, distance]))
        made = back_end.render(face, pose, PINHOLE, flat(), None, ("mask",))
        whole = cv2.erode(made.buffers["mask"], np.ones((3, 3))) > 0
        if distance < 5000:
            assert whole.sum() > 100
        expected = 255 * np.array([0.2, 0.6, 0.4])
        assert np.abs(made.color[whole] - expected).max(initial=0) <= 1  # 8 bits
        # at the rim there is less of it, but the hue is the island's: red is never more
        assert made.color[..., 0].max() <= 0.2 * 255 + 1
        assert made.color[..., 1].max() > 0.2 * 255  # it is seen at all


def test_a_fine_pattern_far_away_is_grey(back_end):
    size = 512
    texture = np.zeros((size, size, 3), dtype=np.float32)
    texture[(np.add.outer(np.arange(size), np.arange(size)) % 2) == 1] = 1
    vertices, triangles, normals, uv = sheet(50.0)
    face = as_face(vertices, triangles, normals, uv, texture=mip_levels(texture, None))
    made = back_end.render(face, FRONT, PINHOLE, flat(), None, ("mask",))
    whole = cv2.erode(made.buffers["mask"], np.ones((3, 3))) > 0
    # 100 mm and 512 texels on 100 px: without levels a sample is anything from 0 to 255
    assert whole.sum() > 5000
    assert np.abs(made.color[whole] - 127.5).max() <= 2


def test_a_texture_is_read_at_its_coordinates(back_end):
    """A smooth ramp: the colour is the coordinate, near (magnified) and at an angle."""
    ramp = (np.arange(128) + 0.5) / 128
    texture = np.stack([*np.meshgrid(ramp, ramp), np.zeros((128, 128))], -1).astype(np.float32)
    face = as_face(*sheet(50.0), texture=mip_levels(texture, None))
    pose = Pose(matrix_from_euler(30, -20, 15), np.array([0.0, 0, 400]))
    made = back_end.render(face, pose, PINHOLE, flat(), None, ("uv", "mask"))
    whole = cv2.erode(made.buffers["mask"], np.ones((3, 3))) > 0
    uv = made.buffers["uv"]
    whole &= (np.abs(uv - 0.5) < 0.48).all(-1)  # the outer half texel is held
    error = np.abs(made.color[..., :2] / 255 - uv)[whole]
    assert whole.sum() > 3000
    assert error.max() < 1 / 255  # rounded once, and linear over the pixel's samples
