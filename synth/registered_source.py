"""A registered scan or photo, to be rendered at any pose."""

import cv2
import numpy as np

from faces.backdrop import complete_backdrop, show_still, zoom_of
from faces.camera import FLIP, Camera, Pose
from faces.errors import BadInput
from faces.mesh import hull_points
from faces.morphable import MorphableModel
from faces.rotation import matrix_from_euler
from faces.scan_person import scan_person
from faces.types import RegisteredFace, Scan
from imaging.masks import grown
from imaging.mipmap import mip_levels
from imaging.shading import irradiance_polynomial
from synth.backgrounds import background_of
from synth.bust import Bust, needed, own_labels
from synth.framing import framed, framed_vertices, middle_of, turned_to
from synth.head import SKIN_GLOSS
from synth.light import Light, sample_light
from synth.renderer import Lighting, Renderer
from synth.settings import RenderSettings
from synth.sources import SourceView
from synth.topology import face_mesh
from synth.unwrap import atlas_of, unwrap

TRACE = 0.02  # share of the person from which a pixel is no background
WISPS = 0.08  # widths of the face around the person where single hairs may show
# Chests, in widths of the face below the chin and beside it: where they begin, half their width
# there, and how fast it grows downwards; wide, for what is left of a sleeve shows
CHEST = (0.15, 1.6, 3.0)


class RegisteredSource:
    """The scan's face with the scan's own colours; see synth.sources.Renderable.

    The head turns about its middle, which stays where the scan's camera sees it, so that distance
    and perspective are the scan's own.
    """

    def __init__(
        self,
        scan: Scan,
        face: RegisteredFace,
        model: MorphableModel,
        settings: RenderSettings,
        renderer: Renderer,
    ):
        """Unwrap the texture and complete the background, once for all views.

        Raises:
            BadInput: the face is not of this model, or the model has no texture coordinates.
        """
        _check(face, model)
        self.shape_mm = np.asarray(face.shape_mm, dtype=np.float64)
        self.settings = settings
        self._face, self._renderer = face, renderer
        self._framed = hull_points(self.shape_mm[framed_vertices(model, settings.framing)])
        self._centre = middle_of(self.shape_mm[framed_vertices(model, "head")])
        person = scan_person(scan, face, model)
        texture = unwrap(scan, face, model, settings, person)
        levels = mip_levels(texture, atlas_of(model, settings.texture_px).mask)
        self._model_triangles = len(model.triangles)
        mesh = face_mesh(model, face.shape_mm, face.appearance.albedo, levels)
        self._bust = Bust(model, mesh)
        self._backdrop = None
        if settings.background == "own":
            upright = framed(scan.camera, face.pose.apply(self._framed), settings)
            zoom = min(zoom_of(scan.camera, upright), 1.0)
            gone = gone_with(person, face, model)
            self._backdrop = complete_backdrop(*_at_zoom(scan, gone, zoom))

    def view(
        self, yaw_deg: float, pitch_deg: float, roll_deg: float, rng: np.random.Generator
    ) -> SourceView:
        """See synth.sources.Renderable."""
        rotation = matrix_from_euler(yaw_deg, pitch_deg, roll_deg)
        pose = turned_to(self._face.pose, rotation, self._centre)
        camera = framed(self._face.camera, pose.apply(self._framed), self.settings)
        lighting = self._lighting(pose, rng)
        behind = self._behind(camera, rng)
        wanted = self.settings.buffers
        mesh = self._bust.seen(pose, self._centre)
        rendered = self._renderer.render(mesh, pose, camera, lighting, behind, needed(wanted))
        rendered = own_labels(rendered, self._model_triangles, wanted)
        return SourceView(rendered, camera, pose)

    def _behind(self, camera: Camera, rng: np.random.Generator) -> np.ndarray:
        if self._backdrop is None:
            return background_of(self.settings, rng)
        return np.rint(255 * show_still(self._backdrop, camera)).clip(0, 255).astype(np.uint8)

    def _lighting(self, pose: Pose, rng: np.random.Generator) -> Lighting:
        settings, fitted = self.settings, self._face.appearance
        if settings.light in ("flat", "kept"):
            return phong_lighting(np.ones(3), np.zeros(3), FLIP[2], 0.0, 1.0, False)
        if settings.light == "random":
            return scene_lighting(sample_light(rng), settings.shadows)
        way = fitted.light
        if settings.light == "head":
            way = FLIP @ pose.rotation @ self._face.pose.rotation.T @ FLIP @ way
        return phong_lighting(
            fitted.ambient,
            fitted.directional,
            way,
            fitted.specular,
            fitted.shininess,
            settings.shadows,
        )


def _at_zoom(scan: Scan, gone: np.ndarray, zoom: float):
    """The arguments of complete_backdrop at the size at which views show the scan."""
    width, height = (max(round(n * zoom), 1) for n in (scan.camera.width, scan.camera.height))
    zoom = width / scan.camera.width
    color = cv2.resize(scan.color, (width, height), interpolation=cv2.INTER_AREA)
    share = cv2.resize(gone.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
    camera = scan.camera.crop(0, 0, width, height, zoom)
    return color.astype(np.float32) / 255, share > 0, None, camera


def gone_with(person: np.ndarray, face: RegisteredFace, model: MorphableModel) -> np.ndarray:
    """(H, W) bool: pixels that show no background: the person's, with the wisps around them and
    the chest, of which a colour may be the wall's. ``person`` as of faces.scan_person."""
    shown = face.vertices_mm[framed_vertices(model, "face")]
    pixels = face.camera.project(shown)
    width, chin = float(np.ptp(pixels[:, 0])), float(pixels[:, 1].max())
    rows, columns = np.mgrid[: person.shape[0], : person.shape[1]]
    below = (rows - chin) / width
    aside = np.abs(columns - pixels[:, 0].mean()) / width
    start, half, slope = CHEST
    chest = (below > start) & (aside < half + slope * (below - start))
    gone = grown(person > TRACE, WISPS * width) | chest
    return gone if not gone.all() else person > TRACE


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


def _check(face: RegisteredFace, model: MorphableModel) -> None:
    if len(face.vertices_mm) != model.vertex_count:
        got = f"{len(face.vertices_mm)} vertices"
        expected = f"the {model.vertex_count} of model '{model.name}'"
        remedy = "load the model that it was registered with"
        raise BadInput(f"registered face '{face.key}'", got, expected, remedy)
    if len(model.uv) == 0:
        got, expected = "no texture coordinates", "a chart to lay the photo on"
        raise BadInput(f"model '{model.name}'", got, expected, "use the default model")
