import numpy as np

from augment.neck import BELOW_MM, lengthen_neck
from faces.mesh import triangle_normals


def tube(around=24, rows=5):
    """A neck of radius 50 along y (down), open at both ends, outward triangles."""
    angle = np.linspace(0, 2 * np.pi, around, endpoint=False)
    y, angle = np.meshgrid(np.linspace(0, 80, rows), angle, indexing="ij")
    points = np.stack([50 * np.cos(angle), y, 600 + 50 * np.sin(angle)], -1).reshape(-1, 3)
    row, k = np.mgrid[: rows - 1, :around]
    a, b = row * around + k, row * around + (k + 1) % around
    cells = np.stack([a, b, a + around, b, b + around, a + around], -1).reshape(-1, 3)
    outward = (triangle_normals(points, cells) * (points[cells].mean(1) - [0, 40, 600])).sum(1)
    return points, cells if outward.mean() > 0 else cells[:, ::-1]


def test_the_lower_end_goes_on_down_and_faces_outwards():
    points, triangles = tube()
    low = points[:, 1] > 70
    color = np.tile(np.float32([0.6, 0.4, 0.3]), (len(points), 1))
    wall = lengthen_neck(points, triangles, color, low)
    assert len(wall.triangles) == 2 * 24
    np.testing.assert_allclose(wall.vertices_mm[:, 1].max(), 80 + BELOW_MM)
    middle = wall.vertices_mm[wall.triangles].mean(1)
    outward = (triangle_normals(wall.vertices_mm, wall.triangles) * (middle - [0, 0, 600]))[
        :, [0, 2]
    ].sum(1)
    assert (outward > 0).all()
    np.testing.assert_allclose(wall.color, color[: len(wall.color)])


def test_no_neck_no_wall():
    points, triangles = tube()
    wall = lengthen_neck(points, triangles, points.astype(np.float32), np.zeros(len(points), bool))
    assert len(wall.triangles) == 0
    assert len(wall.vertices_mm) == 0
