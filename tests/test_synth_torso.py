import numpy as np

from faces.mesh import triangle_normals
from synth.torso import make_torso


def head(rng):
    """A cylinder of points as a neck, 60 × 55 mm, whose cut lies at y = 150."""
    angle = rng.uniform(0, 2 * np.pi, 4000)
    height = np.append(rng.uniform(-100, 150, 3999), 150.0)
    return np.stack([60 * np.cos(angle) + 5, height, 55 * np.sin(angle) + 700], 1)


def test_the_body_hangs_below_the_neck_and_faces_outwards():
    rng = np.random.default_rng(0)
    points, triangles, albedo = make_torso(head(rng), rng)
    top = points[: len(points) // 48]
    assert 114 < points[:, 1].min() < 118  # the rim's middle, 130, less 14 mm that it reaches up
    radius = np.hypot((top[:, 0] - 5) / 60, (top[:, 2] - 700) / 55)
    assert radius.max() < 1.06  # a rounded square of 0.9 of the neck's size
    assert np.ptp(points[:, 0]) > 400  # shoulders
    outward = points[triangles].mean(1) - [5, 0, 700]
    outward[:, 1] = 0
    sides = points[triangles].mean(1)[:, 1] > 300  # below the slope of the shoulders
    normals = triangle_normals(points, triangles)
    assert ((normals * outward).sum(1)[sides] > 0).all()
    assert (normals[:, 1] <= 1e-9).all()  # never from below
    assert 0 <= albedo.min() <= albedo.max() <= 1


def test_the_shirt_is_drawn_from_the_generator():
    points = head(np.random.default_rng(1))
    first, again, other = (make_torso(points, np.random.default_rng(s))[2] for s in (2, 2, 3))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01
