"""A face in the model's topology without a photo: a mesh of one's own, rendered at any pose."""

from pathlib import Path

import cv2
import numpy as np

from faces.camera import FLIP, Camera, Pose
from faces.mesh import hull_points
from faces.model_meshes import ModelMesh
from faces.morphable import MorphableModel
from faces.rotation import matrix_from_euler
from imaging.codec import decode_image
from imaging.mipmap import mip_levels
from synth.backgrounds import background_of
from synth.bust import Bust, needed, own_labels
from synth.framing import framed, framed_vertices, middle_of, turned_to
from synth.light import sample_light
from synth.registered_source import phong_lighting, scene_lighting
from synth.renderer import Lighting, Renderer
from synth.settings import RenderSettings
from synth.sources import SourceView
from synth.topology import face_mesh
from synth.unwrap import atlas_of

DISTANCE_MM = 900.0  # from which a portrait is taken
FOV_DEG = 25.0  # of a camera whose image a head at that distance lies well inside
# a lamp above the camera's right shoulder in a bright room, and skin's gloss
WAY, AMBIENT, DIRECTIONAL, SPECULAR, SHININESS = (0.35, -0.5, -0.8), 0.6, 0.5, 0.08, 24.0


class MeshSource:
    """See synth.sources.Renderable. It has no light and no background of its own: "fitted" and
    "head" are one lamp, before the camera or turning with the head, and "own" is plain."""

    def __init__(
        self, mesh: ModelMesh, model: MorphableModel, settings: RenderSettings, renderer: Renderer
    ):
        """Lay its texture, or its colours, on the model.

        Raises:
            BadInput, ValueError: its texture cannot be read.
        """
        self.shape_mm = mesh.shape_mm
        self.settings, self._renderer = settings, renderer
        self._framed = hull_points(self.shape_mm[framed_vertices(model, settings.framing)])
        self._centre = middle_of(self.shape_mm[framed_vertices(model, "head")])
        self._base = Pose(np.eye(3), np.array([0.0, 0.0, DISTANCE_MM]))
        self._camera = Camera.from_fov(settings.size_px, settings.size_px, FOV_DEG)
        levels = None
        if mesh.texture is not None:
            texture = _texture(mesh.texture, settings.texture_px)
            levels = mip_levels(texture, atlas_of(model, settings.texture_px).mask)
        self._model_triangles = len(model.triangles)
        mesh = face_mesh(model, mesh.shape_mm, mesh.colors, levels)
        self._bust = Bust(model, mesh)

    def view(
        self, yaw_deg: float, pitch_deg: float, roll_deg: float, rng: np.random.Generator
    ) -> SourceView:
        """See synth.sources.Renderable."""
        rotation = matrix_from_euler(yaw_deg, pitch_deg, roll_deg)
        pose = turned_to(self._base, rotation, self._centre)
        camera = framed(self._camera, pose.apply(self._framed), self.settings)
        lighting = self._lighting(rotation, rng)
        behind = background_of(self.settings, rng)
        wanted = self.settings.buffers
        mesh = self._bust.seen(pose, self._centre)
        rendered = self._renderer.render(mesh, pose, camera, lighting, behind, needed(wanted))
        rendered = own_labels(rendered, self._model_triangles, wanted)
        return SourceView(rendered, camera, pose)

    def _lighting(self, rotation: np.ndarray, rng: np.random.Generator) -> Lighting:
        settings = self.settings
        if settings.light in ("flat", "kept"):
            return phong_lighting(np.ones(3), np.zeros(3), np.array(WAY), 0.0, 1.0, False)
        if settings.light == "random":
            return scene_lighting(sample_light(rng), settings.shadows)
        way = np.array(WAY) / np.linalg.norm(WAY)
        if settings.light == "head":
            way = FLIP @ rotation @ FLIP @ way
        strengths = np.full(3, AMBIENT), np.full(3, DIRECTIONAL)
        return phong_lighting(*strengths, way, SPECULAR, SHININESS, settings.shadows)


def _texture(path: Path, size: int) -> np.ndarray:
    """(size, size, 3) float32 sRGB in [0, 1] of an image file."""
    image = decode_image(path.read_bytes(), f"texture '{path}'")
    levels = np.iinfo(image.dtype).max
    colored = np.repeat(image[..., None], 3, 2) if image.ndim == 2 else image[..., :3]
    way = cv2.INTER_AREA if min(colored.shape[:2]) > size else cv2.INTER_LINEAR
    return cv2.resize(colored.astype(np.float32) / levels, (size, size), interpolation=way)
