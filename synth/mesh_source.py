"""A face in the model's topology without a photo: a mesh of one's own, rendered at any pose."""

from pathlib import Path

import cv2
import numpy as np

from faces.camera import Camera, Pose
from faces.model_meshes import ModelMesh
from faces.morphable import MorphableModel
from imaging.codec import decode_image
from imaging.mipmap import mip_levels
from synth.renderer import Renderer
from synth.settings import RenderSettings
from synth.topology import face_mesh
from synth.turned_head import PhongLight, TurnedHead
from synth.unwrap import atlas_of

DISTANCE_MM = 900.0  # from which a portrait is taken
FOV_DEG = 25.0  # of a camera whose image a head at that distance lies well inside
# a lamp above the camera's right shoulder in a bright room, and skin's gloss
WAY, AMBIENT, DIRECTIONAL, SPECULAR, SHININESS = (0.35, -0.5, -0.8), 0.6, 0.5, 0.08, 24.0


class MeshSource(TurnedHead):
    """It has no light and no background of its own: "fitted" and "head" are one lamp, before the
    camera or turning with the head, and "own" is plain."""

    def __init__(
        self, mesh: ModelMesh, model: MorphableModel, settings: RenderSettings, renderer: Renderer
    ):
        """Lay its texture, or its colours, on the model.

        Raises:
            BadInput, ValueError: its texture cannot be read.
        """
        way = np.array(WAY) / np.linalg.norm(WAY)
        strengths = np.full(3, AMBIENT), np.full(3, DIRECTIONAL)
        super().__init__(
            mesh.shape_mm,
            model,
            settings,
            renderer,
            Pose(np.eye(3), np.array([0.0, 0.0, DISTANCE_MM])),
            Camera.from_fov(settings.size_px, settings.size_px, FOV_DEG),
            PhongLight(*strengths, way, SPECULAR, SHININESS),
        )
        levels = None
        if mesh.texture is not None:
            texture = _texture(mesh.texture, settings.texture_px)
            levels = mip_levels(texture, atlas_of(model, settings.texture_px).mask)
        self.wear(model, face_mesh(model, mesh.shape_mm, mesh.colors, levels))


def _texture(path: Path, size: int) -> np.ndarray:
    """(size, size, 3) float32 sRGB in [0, 1] of an image file."""
    image = decode_image(path.read_bytes(), f"texture '{path}'")
    levels = np.iinfo(image.dtype).max
    colored = np.repeat(image[..., None], 3, 2) if image.ndim == 2 else image[..., :3]
    way = cv2.INTER_AREA if min(colored.shape[:2]) > size else cv2.INTER_LINEAR
    return cv2.resize(colored.astype(np.float32) / levels, (size, size), interpolation=way)
