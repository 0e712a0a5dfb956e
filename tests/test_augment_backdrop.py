"""A wall turned with the head, beside the wall's own geometry."""

import numpy as np
import pytest

from augment.backdrop import show_turned
from faces.backdrop import Backdrop
from faces.camera import Camera
from faces.rotation import matrix_from_euler

CAMERA = Camera.from_fov(160, 120, 40.0)
WALL_MM, HEAD_MM = 1400.0, np.array([0.0, 0.0, 700.0])
SLANT = 0.3  # of the wall: mm of depth a mm to the right
MEAN = np.float32([0.5, 0.5, 0.5])


def painted(u, v):
    """The colour at the source's pixels: even gradients, which bilinear look-ups keep."""
    return np.stack([u / 160, v / 120, (u + v) / 280], -1).astype(np.float32)


def wall():
    u, v = np.meshgrid(np.arange(160) + 0.5, np.arange(120) + 0.5)
    x = (u - CAMERA.cx) / CAMERA.fx
    depth = WALL_MM / (1 - SLANT * x)
    return Backdrop(painted(u, v), depth.astype(np.float32), CAMERA)


def expected(rotation):
    """Source pixels (h, w, 2) of the turned wall's points on the view's rays; NaN behind."""
    u, v = np.meshgrid(np.arange(160) + 0.5, np.arange(120) + 0.5)
    rays = np.stack([(u - CAMERA.cx) / CAMERA.fx, (v - CAMERA.cy) / CAMERA.fy, np.ones_like(u)], -1)
    # turned back, the ray starts at R⁻¹(0 − head) + head
    start, rays = HEAD_MM - rotation.T @ HEAD_MM, rays @ rotation
    normal = np.array([-SLANT, 0, 1.0])
    with np.errstate(divide="ignore", invalid="ignore"):
        far = (WALL_MM - start @ normal) / (rays @ normal)
    points = start + np.where(far > 0, far, np.nan)[..., None] * rays
    in_front = points[..., 2] > 0
    return np.where(in_front[..., None], CAMERA.project(points), np.nan)


@pytest.mark.parametrize("yaw", [0.0, 30.0, -60.0, 90.0])
def test_the_wall_lies_where_its_geometry_says(yaw):
    rotation = matrix_from_euler(yaw, 0.0, 0.0)

    def turn(points):
        return (points - HEAD_MM) @ rotation.T + HEAD_MM

    shown = show_turned(wall(), CAMERA, turn, MEAN)
    assert np.isfinite(shown).all()
    place = expected(rotation)
    with np.errstate(invalid="ignore"):
        inside = ((place > 1) & (place < [159, 119])).all(-1)
    if yaw == 0:
        assert inside.mean() > 0.9
    if not inside.any():  # the wall has left the view
        np.testing.assert_allclose(shown, np.broadcast_to(MEAN, shown.shape))
        return
    wanted = painted(place[inside][:, 0], place[inside][:, 1])
    # half a pixel for the mesh's straight triangles of 16 px and the screen's 1/256 px
    np.testing.assert_allclose(shown[inside], wanted, atol=0.5 / 120)


def test_what_the_turned_wall_leaves_bare_takes_its_colours():
    rotation = matrix_from_euler(35.0, 0.0, 0.0)
    even = wall()
    even = Backdrop(np.full_like(even.color, 0.3), even.depth_mm, CAMERA)
    shown = show_turned(even, CAMERA, lambda p: (p - HEAD_MM) @ rotation.T + HEAD_MM, MEAN)
    place = expected(rotation)
    with np.errstate(invalid="ignore"):
        bare = ~((place > -1) & (place < [161, 121])).all(-1)
    assert bare.mean() > 0.05
    np.testing.assert_allclose(shown, 0.3, atol=1e-3)
