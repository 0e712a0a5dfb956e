"""What a head in the model's topology needs to be rendered at any pose, wherever it came from."""

from dataclasses import dataclass

import numpy as np

from faces.camera import FLIP, Camera, Pose
from faces.mesh import hull_points
from faces.morphable import MorphableModel
from faces.rotation import matrix_from_euler
from imaging.shading import irradiance_polynomial
from synth.backgrounds import background_of
from synth.bust import Bust, needed, own_labels
from synth.framing import framed, framed_vertices, middle_of, turned_to
from synth.head import SKIN_GLOSS
from synth.light import Light, sample_light
from synth.renderer import FaceMesh, Lighting, Renderer
from synth.settings import RenderSettings
from synth.sources import SourceView


@dataclass(frozen=True, slots=True, eq=False)
class PhongLight:
    """Ambient and directional light of Eq. 4 in the camera frame; as of faces.types.Appearance."""

    ambient: np.ndarray
    directional: np.ndarray
    light: np.ndarray
    specular: float
    shininess: float


class TurnedHead:
    """See synth.sources.Renderable. The head turns about its middle, which stays where the camera
    of its base pose sees it, so that distance and perspective are that camera's."""

    def __init__(
        self,
        shape_mm: np.ndarray,
        model: MorphableModel,
        settings: RenderSettings,
        renderer: Renderer,
        base: Pose,
        camera: Camera,
        light: PhongLight,
    ):
        """Prepare what all poses share; ``light`` is that of the base pose."""
        self.shape_mm = np.asarray(shape_mm, dtype=np.float64)
        self.settings, self._renderer = settings, renderer
        self._base, self._camera, self._light = base, camera, light
        self._framed = hull_points(self.shape_mm[framed_vertices(model, settings.framing)])
        self._centre = middle_of(self.shape_mm[framed_vertices(model, "head")])
        self._model_triangles = len(model.triangles)

    def wear(self, model: MorphableModel, mesh: FaceMesh) -> None:
        """Take a mesh with its colours for what is rendered."""
        self._bust = Bust(model, mesh)

    def view(
        self, yaw_deg: float, pitch_deg: float, roll_deg: float, rng: np.random.Generator
    ) -> SourceView:
        """See synth.sources.Renderable."""
        rotation = matrix_from_euler(yaw_deg, pitch_deg, roll_deg)
        pose = turned_to(self._base, rotation, self._centre)
        camera = framed(self._camera, pose.apply(self._framed), self.settings)
        lighting = self._lighting(pose, rng)
        behind = self.behind(camera, rng)
        wanted = self.settings.buffers
        mesh = self._bust.seen(pose, self._centre)
        rendered = self._renderer.render(mesh, pose, camera, lighting, behind, needed(wanted))
        rendered = own_labels(rendered, self._model_triangles, wanted)
        return SourceView(rendered, camera, pose)

    def behind(self, camera: Camera, rng: np.random.Generator) -> np.ndarray:
        """(H, W, 3) uint8, the background of a view."""
        return background_of(self.settings, rng)

    def _lighting(self, pose: Pose, rng: np.random.Generator) -> Lighting:
        settings, light = self.settings, self._light
        if settings.light in ("flat", "kept"):
            return phong_lighting(np.ones(3), np.zeros(3), FLIP[2], 0.0, 1.0, False)
        if settings.light == "random":
            return scene_lighting(sample_light(rng), settings.shadows)
        way = light.light
        if settings.light == "head":
            way = FLIP @ pose.rotation @ self._base.rotation.T @ FLIP @ way
        strengths = light.ambient, light.directional
        return phong_lighting(*strengths, way, light.specular, light.shininess, settings.shadows)


def phong_lighting(
    ambient: np.ndarray,
    directional: np.ndarray,
    direction: np.ndarray,
    specular: float,
    shininess: float,
    shadows: bool,
) -> Lighting:
    """The light of Eq. 4 (Beyond 3DMM Space) as a renderer takes it: the environment is Amb
    everywhere. Arguments as of faces.types.Appearance."""
    environment = np.zeros((9, 3))
    environment[0] = ambient
    return Lighting(
        environment,
        np.asarray(direction, dtype=np.float64),
        np.asarray(directional, dtype=np.float64),
        float(specular),
        float(shininess),
        shadows=shadows,
    )


def scene_lighting(light: Light, shadows: bool) -> Lighting:
    """A virtual scene's light as a renderer takes it, on skin's gloss."""
    return Lighting(
        irradiance_polynomial(light.environment),
        np.asarray(light.direction, dtype=np.float64),
        np.asarray(light.color, dtype=np.float64),
        SKIN_GLOSS * light.specular,
        light.shininess,
        linear=True,
        shadows=shadows,
    )
