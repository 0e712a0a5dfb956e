"""A registered scan or photo, to be rendered at any pose."""

import cv2
import numpy as np

from faces.backdrop import complete_backdrop, show_still, zoom_of
from faces.camera import Camera
from faces.errors import BadInput
from faces.morphable import MorphableModel
from faces.scan_person import scan_person
from faces.types import RegisteredFace, Scan
from imaging.masks import grown
from imaging.mipmap import mip_levels
from synth.framing import framed, framed_vertices
from synth.renderer import Renderer
from synth.settings import RenderSettings
from synth.topology import face_mesh
from synth.turned_head import PhongLight, TurnedHead
from synth.unwrap import atlas_of, unwrap

TRACE = 0.02  # share of the person from which a pixel is no background
WISPS = 0.08  # widths of the face around the person where single hairs may show
# Chests, in widths of the face below the chin and beside it: where they begin, half their width
# there, and how fast it grows downwards; wide, for what is left of a sleeve shows
CHEST = (0.15, 1.6, 3.0)


class RegisteredSource(TurnedHead):
    """The scan's face with the scan's own colours, before the scan's own camera."""

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
        fitted = face.appearance
        light = PhongLight(
            fitted.ambient, fitted.directional, fitted.light, fitted.specular, fitted.shininess
        )
        super().__init__(face.shape_mm, model, settings, renderer, face.pose, face.camera, light)
        person = scan_person(scan, face, model)
        texture = unwrap(scan, face, model, settings, person)
        levels = mip_levels(texture, atlas_of(model, settings.texture_px).mask)
        self.wear(model, face_mesh(model, face.shape_mm, fitted.albedo, levels))
        self._backdrop = None
        if settings.background == "own":
            upright = framed(scan.camera, face.pose.apply(self._framed), settings)
            zoom = min(zoom_of(scan.camera, upright), 1.0)
            gone = gone_with(person, face, model)
            self._backdrop = complete_backdrop(*_at_zoom(scan, gone, zoom))

    def behind(self, camera: Camera, rng: np.random.Generator) -> np.ndarray:
        """The photo without its person, or as of TurnedHead."""
        if self._backdrop is None:
            return super().behind(camera, rng)
        return np.rint(255 * show_still(self._backdrop, camera)).clip(0, 255).astype(np.uint8)


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


def _check(face: RegisteredFace, model: MorphableModel) -> None:
    if len(face.vertices_mm) != model.vertex_count:
        got = f"{len(face.vertices_mm)} vertices"
        expected = f"the {model.vertex_count} of model '{model.name}'"
        remedy = "load the model that it was registered with"
        raise BadInput(f"registered face '{face.key}'", got, expected, remedy)
    if len(model.uv) == 0:
        got, expected = "no texture coordinates", "a chart to lay the photo on"
        raise BadInput(f"model '{model.name}'", got, expected, "use the default model")
