"""Analytic solids as faces that a renderer takes, and what each pixel of them should show."""

from dataclasses import dataclass

import numpy as np

from faces.camera import FLIP, Camera, Pose
from synth.renderer import PART_LABELS, FaceMesh, Topology

SKIN = PART_LABELS.index("skin")


def as_face(vertices, triangles, normals, uv=None, colors=None, texture=(), landmarks=(0,)):
    """A FaceMesh of any surface; ``uv`` is per vertex."""
    vertices = np.asarray(vertices, dtype=np.float32)
    uv = np.zeros((len(vertices), 2)) if uv is None else uv
    triangles = np.ascontiguousarray(triangles, dtype=np.int32)
    low, high = vertices.min(0), vertices.max(0)
    topology = Topology(
        triangles=triangles,
        uv=np.asarray(uv, dtype=np.float32),
        triangle_uv=triangles,
        pncc=(vertices - low) / np.maximum(high - low, 1e-6),
        parts=np.full(len(triangles), SKIN, dtype=np.uint8),
        landmarks=np.asarray(landmarks, dtype=np.int32),
    )
    colors = np.ones((len(vertices), 3)) if colors is None else colors
    return FaceMesh(
        topology,
        vertices,
        np.asarray(normals, dtype=np.float32),
        np.asarray(colors, dtype=np.float32),
        texture,
    )


def ball(radius, rows=128, columns=256, centre=(0, 0, 0)):
    """Vertices, triangles, normals and uv of a sphere about the model's origin.

    u runs with longitude from the back's seam to image right, v from the upper pole down.
    """
    u, v = np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1))
    longitude, latitude = (2 * u - 1) * np.pi, (0.5 - v) * np.pi
    normals = np.stack(
        [
            np.cos(latitude) * np.sin(longitude),
            np.sin(latitude),
            np.cos(latitude) * np.cos(longitude),
        ],
        -1,
    ).reshape(-1, 3)
    uv = np.stack([u, v], -1).reshape(-1, 2)
    return normals * radius + np.asarray(centre), _cells(rows, columns), normals, uv


def sheet(half_mm, count=2, z=0.0):
    """Vertices, triangles, normals and uv of a square that faces the model's +z."""
    u, v = np.meshgrid(np.linspace(0, 1, count), np.linspace(0, 1, count))
    x, y = (2 * u - 1) * half_mm, (1 - 2 * v) * half_mm
    vertices = np.stack([x, y, np.full_like(x, z)], -1).reshape(-1, 3)
    normals = np.broadcast_to([0.0, 0, 1], vertices.shape)
    uv = np.stack([u, v], -1).reshape(-1, 2)
    return vertices, _cells(count - 1, count - 1), normals, uv


def joined(*parts):
    """Several solids as one: vertices, triangles, normals, uv."""
    vertices, triangles, normals, uv = zip(*parts, strict=True)
    starts = np.cumsum([0, *(len(v) for v in vertices[:-1])])
    moved = [t + start for t, start in zip(triangles, starts, strict=True)]
    return tuple(np.concatenate(p) for p in (vertices, moved, normals, uv))


def _cells(rows, columns):
    """Triangles of a grid whose rows run down and columns to the right as seen from outside."""
    index = np.arange((rows + 1) * (columns + 1)).reshape(rows + 1, columns + 1)
    a, b, c, d = (
        part.ravel() for part in (index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:])
    )
    return np.concatenate([np.stack([a, c, d], 1), np.stack([a, d, b], 1)])


def rays(camera: Camera):
    """Origins and directions (H, W, 3) through the pixels' centres, camera frame; z at unit step
    of a pinhole is the depth."""
    v, u = np.mgrid[: camera.height, : camera.width] + 0.5
    pixels = np.stack([u, v], -1)
    if camera.is_perspective:
        ways = camera.unproject(pixels, np.ones(u.shape))
        return np.zeros_like(ways), ways
    return camera.unproject(pixels, np.zeros(u.shape)), np.broadcast_to([0, 0, 1.0], (*u.shape, 3))


@dataclass(frozen=True, slots=True)
class SphereImage:
    """What a sphere of the model's origin shows at each pixel's centre.

    Attributes:
        margin: (H, W) mm by which the ray passes inside the outline; < 0 outside.
        depth_mm: (H, W); normal: (H, W, 3) model axes as the camera sees them; uv: (H, W, 2) of
            ball(); NaN outside.
    """

    margin: np.ndarray
    depth_mm: np.ndarray
    normal: np.ndarray
    uv: np.ndarray


def sphere_image(radius: float, pose: Pose, camera: Camera) -> SphereImage:
    """Ray by ray, in float64."""
    origins, ways = rays(camera)
    centre = np.asarray(pose.translation_mm, dtype=np.float64)
    length = np.linalg.norm(ways, axis=-1)
    along = ((centre - origins) * ways).sum(-1) / length**2
    closest = np.linalg.norm(origins + along[..., None] * ways - centre, axis=-1)
    with np.errstate(invalid="ignore"):
        steps = along - np.sqrt(radius**2 - closest**2) / length
    points = origins + steps[..., None] * ways
    normal = (points - centre) @ FLIP / radius
    own = normal @ pose.rotation  # the model's own axes
    u = np.arctan2(own[..., 0], own[..., 2]) / (2 * np.pi) + 0.5
    v = 0.5 - np.arcsin(np.clip(own[..., 1], -1, 1)) / np.pi
    return SphereImage(radius - closest, points[..., 2], normal, np.stack([u, v], -1))
