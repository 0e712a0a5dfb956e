"""The turned mesh shown with the image's pixels and with the model's texture."""

from dataclasses import dataclass

import numpy as np

from augment.settings import RotateSettings
from augment.source import Source
from augment.view_kernels import resolve_view
from augment.view_mesh import TurnedMesh, turn_deg, turn_mesh
from augment.visibility import lens_of, rules_of, without_islands
from faces.camera import Camera, Pose
from faces.types import RegisteredFace
from imaging.raster import Coverage, covered

NO_GAIN = np.zeros((0, 3), np.float32)
NO_FRINGE = np.zeros((0, 0), np.int32)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The turned foreground at the view's size, before the fill; all float32 but the reasons.

    Attributes:
        photo: (h, w, 3), with the image's pixels.
        donor: (h, w, 3), with the model's texture.
        trust: (h, w) in [0, 1], in photo.
        alpha: (h, w) in [0, 1], coverage.
        reasons: (h, w) uint8, why a pixel is not trusted: bits of augment.visibility.REASONS.
    """

    photo: np.ndarray
    donor: np.ndarray
    trust: np.ndarray
    alpha: np.ndarray
    reasons: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """What the rasteriser found of a turned scene, at ``supersample`` times the view's size.

    Attributes:
        mesh: the turned vertices.
        firm: the nearest of the opaque triangles, the head's first.
        fringe: the nearest of the image grid's where it lies before those; None without a grid.
        camera: of this fine image.
    """

    mesh: TurnedMesh
    firm: Coverage
    fringe: Coverage | None
    camera: Camera


def render_textures(
    source: Source,
    face: RegisteredFace,
    pose: Pose,
    camera: Camera,
    settings: RotateSettings,
    gain: np.ndarray | None = None,
) -> Picture:
    """The turned mesh with both textures, averaged down to the view's size.

    Args:
        source: the scan made ready.
        face: its registration; its pose is the unturned one.
        pose: the view's.
        camera: of the view.
        settings: of every step.
        gain: (N, 3) float32, what the colours of each of the scene's vertices are multiplied by;
            None leaves them.
    """
    drawn = draw_scene(source, face, pose, camera, settings)
    return show_textures(source, face, pose, drawn, settings, gain)


def draw_scene(
    source: Source, face: RegisteredFace, pose: Pose, camera: Camera, settings: RotateSettings
) -> Drawn:
    """The turned scene rasterised: what is firm, and the image's grid where it lies before it."""
    k = settings.supersample
    fine = camera.crop(0, 0, camera.width * k, camera.height * k, k)
    mesh = source.mesh
    turned = turn_mesh(mesh, face.pose, pose, fine, settings.visibility)
    size, perspective = (fine.width, fine.height), fine.is_perspective
    heads = mesh.head_triangles  # closed: its back faces cannot be seen
    firm = covered(turned.screen, mesh.firm_triangles, size, perspective, cull=heads)
    if not len(mesh.fringe_triangles):
        return Drawn(turned, firm, None, fine)
    fringe = covered(turned.screen, mesh.fringe_triangles, size, perspective, before=firm.nearness)
    return Drawn(turned, firm, fringe, fine)


def show_textures(
    source: Source,
    face: RegisteredFace,
    pose: Pose,
    drawn: Drawn,
    settings: RotateSettings,
    gain: np.ndarray | None = None,
) -> Picture:
    """Both textures of a drawn scene, averaged down to the view's size.

    The image's grid lies over the head, thinly at its rim, so that hair ends softly before the
    skin. Of a pixel inside of a smooth surface one sample is looked up, of others all.
    """
    k = settings.supersample
    height, width = (edge // k for edge in drawn.firm.triangle_id.shape)
    photo, donor = np.zeros((2, height, width, 3), np.float32)
    trust, alpha = np.zeros((2, height, width), np.float32)
    reasons = np.zeros((height, width), np.uint8)
    fringe_id = NO_FRINGE if drawn.fringe is None else drawn.fringe.triangle_id
    resolve_view(
        (drawn.firm.snapped, drawn.firm.near, drawn.firm.perspective),
        (source.mesh.firm_triangles, source.mesh.fringe_triangles),
        (drawn.firm.triangle_id, fringe_id, source.mesh.head_triangles),
        drawn.firm.nearness,
        (source.mesh.static, drawn.mesh.varying, NO_GAIN if gain is None else gain),
        source.maps.surfaces,
        lens_of(face.camera),
        rules_of(settings.visibility, turn_deg(face.pose, pose)),
        (k, k * _pixel_edge(drawn.camera)),
        (photo, donor, trust, alpha, reasons),
    )
    smallest = settings.visibility.island_share * trust.size
    return Picture(photo, donor, without_islands(trust, smallest), alpha, reasons)


def _pixel_edge(camera):
    """A pixel's edge at depth 1 of a pinhole, or mm of an orthographic camera."""
    return camera.mm_per_px or 1 / camera.fx
