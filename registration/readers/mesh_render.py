"""A textured mesh seen by a pinhole camera: colour, depth and the way back."""

from dataclasses import dataclass

import cv2
import numpy as np

from faces.camera import FLIP, Camera
from faces.mesh import triangle_normals
from faces.rotation import matrix_from_euler
from imaging.raster import Fragments, downsample, rasterise
from registration.readers.mesh_files import TexturedMesh

BACKGROUND = 128  # grey: neither a bright nor a dark edge to the detector
SUPERSAMPLING = 2  # samples along each pixel axis, against stair-stepped edges


@dataclass(frozen=True, slots=True)
class FrameSettings:
    """How a mesh is framed.

    Attributes:
        size_px: edge of the square image.
        distance_mm: camera to the centre of the mesh; a usual distance of a depth sensor.
        fill: share of the image's height that the mesh takes.
    """

    size_px: int = 640
    distance_mm: float = 900.0
    fill: float = 0.6


def frontal_camera(mesh: TexturedMesh, settings: FrameSettings) -> tuple[Camera, np.ndarray]:
    """The camera before the face, and the vertices (V, 3) float64 mm in its frame."""
    low, high = mesh.vertices_mm.min(0), mesh.vertices_mm.max(0)
    size, extent = settings.size_px, (high - low)[:2].max()
    focal = settings.fill * size * settings.distance_mm / extent
    camera = Camera(size, size, focal, focal, size / 2, size / 2)
    return camera, (mesh.vertices_mm - frame_origin(mesh)) @ FLIP + [0, 0, settings.distance_mm]


def frame_origin(mesh: TexturedMesh) -> np.ndarray:
    """The point (3,) mm, model axes, at which the frontal camera looks: the box's centre."""
    return (mesh.vertices_mm.min(0) + mesh.vertices_mm.max(0)) / 2


def turn(yaw_deg: float, distance_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """(R, t) that turns camera-frame points about the mesh's centre: ``x @ R.T + t``."""
    rotation = FLIP @ matrix_from_euler(yaw_deg) @ FLIP
    centre = np.array([0, 0, distance_mm])
    return rotation, centre - rotation @ centre


def render(
    mesh: TexturedMesh, vertices_mm: np.ndarray, camera: Camera
) -> tuple[np.ndarray, np.ndarray]:
    """Colour (H, W, 3) uint8, supersampled, and depth (H, W) float32 mm, not averaged.

    Args:
        mesh: its triangles and colours.
        vertices_mm: (V, 3) in the camera frame.
        camera: a pinhole.
    """
    triangles = _facing_out(mesh.triangles, vertices_mm)
    depth = _fragments(vertices_mm, triangles, camera).depth
    size = (camera.width * SUPERSAMPLING, camera.height * SUPERSAMPLING)
    fine_camera = camera.crop(0, 0, *size, zoom=SUPERSAMPLING)
    fine = _fragments(vertices_mm, triangles, fine_camera)
    color = _shade(mesh, fine, triangles)
    color[~fine.mask] = BACKGROUND
    return downsample(np.rint(color).astype(np.uint8), SUPERSAMPLING), depth


def _fragments(vertices_mm: np.ndarray, triangles: np.ndarray, camera: Camera) -> Fragments:
    # Without culling, the inside of the back of the head would show through a hole in the face.
    size = (camera.width, camera.height)
    return rasterise(camera.screen(vertices_mm), triangles, size, cull=True)


def _facing_out(triangles: np.ndarray, vertices_mm: np.ndarray) -> np.ndarray:
    """The triangles, turned over where the mesh as a whole is inside out.

    A surface that bulges towards the camera has, near its nearest points, normals towards it.
    """
    depth = vertices_mm[triangles].mean(1)[:, 2]
    near = depth <= np.median(depth)
    towards = -triangle_normals(vertices_mm, triangles)[near, 2].sum()
    return triangles if towards >= 0 else triangles[:, ::-1]


def _shade(mesh: TexturedMesh, fragments: Fragments, triangles: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 in [0, 255]."""
    if mesh.colors is not None:
        return fragments.interpolate(mesh.colors, triangles)
    height, width = mesh.texture.shape[:2]
    uv = fragments.interpolate(mesh.uv, triangles)
    # OpenCV's pixel centres are whole numbers; a texture's v runs upwards.
    x = uv[..., 0] * width - 0.5
    y = (1 - uv[..., 1]) * height - 0.5
    mode = {"interpolation": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_REPLICATE}
    return cv2.remap(mesh.texture, x, y, **mode).astype(np.float32)
