"""The turned mesh shown with the image's pixels and with the model's texture."""

from dataclasses import dataclass

import cv2
import numpy as np

from augment.donor import facing_of
from augment.image_mesh import turned_screen
from augment.settings import RotateSettings
from augment.source import Source
from augment.visibility import enlarged, judge, without_islands
from faces.camera import FLIP, Camera, Pose
from faces.types import RegisteredFace
from imaging.raster import downsample, rasterise

FLANK = (0.25, 0.5)  # cosines, 75° to 60°, between which the grid's flanks come in
ENLARGED = (1.1, 1.6)  # as in VisibilitySettings
THIN_DEG = 20.0  # turned by this, the grid is as thin at its rim as it gets


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The turned foreground at the view's size, before the fill; all float32.

    Attributes:
        photo: (h, w, 3), with the image's pixels.
        donor: (h, w, 3), with the model's texture.
        trust: (h, w) in [0, 1], in photo.
        alpha: (h, w) in [0, 1], coverage.
    """

    photo: np.ndarray
    donor: np.ndarray
    trust: np.ndarray
    alpha: np.ndarray


def render_textures(
    source: Source, face: RegisteredFace, pose: Pose, camera: Camera, settings: RotateSettings
) -> Picture:
    """The turned mesh with both textures, averaged down to the view's size.

    The head alone is drawn first and the head with the image's grid over it, thinly at the
    grid's rim, so that hair ends softly before the skin.
    """
    k = settings.supersample
    fine = camera.crop(0, 0, camera.width * k, camera.height * k, k)
    scene = source.scene
    vertices = pose.apply(face.pose.invert(scene.vertices_mm))
    screen = turned_screen(scene, vertices, fine)
    attributes = _attributes(source, face, pose, vertices)
    head = scene.triangles[: scene.firm_triangles]
    picture = _layer(source, face, screen, head, attributes, fine, settings)
    if len(head) < len(scene.triangles):
        picture = _over(
            _layer(source, face, screen, scene.triangles, attributes, fine, settings), picture
        )
    alpha = downsample(picture[3], k)
    inverse = 1 / np.maximum(alpha, 1e-6)[..., None]
    covered = picture[3][..., None]
    photo, donor, trust = (
        downsample(layer * covered, k) * inverse
        for layer in (picture[0], picture[1], picture[2][..., None])
    )
    smallest = settings.visibility.island_share * trust.size
    certain = without_islands(trust[..., 0], smallest)
    return Picture(photo, donor, certain, alpha)


def _attributes(source, face, pose, vertices_mm):
    """(N, 10) float32 of the scene's vertices: place in the source, colour, both facings, kind
    and opacity."""
    scene = source.scene
    turn = FLIP @ pose.rotation @ face.pose.rotation.T @ FLIP
    facing = facing_of(scene.vertices_mm, scene.normals, face.camera)
    view_facing = facing_of(vertices_mm, scene.normals @ turn.T, face.camera)
    solid = np.where(scene.firm > 0, 1, _opacity(scene, facing, view_facing, turn))
    columns = np.stack([facing, view_facing, scene.is_head, solid], 1)
    return np.concatenate([scene.vertices_mm, scene.model_color, columns], 1).astype(np.float32)


def _opacity(scene, facing, view_facing, turn):
    """(N,) of the fringe's vertices: its rim and its flanks, which would smear, thin out with
    the turn; unturned, the image stays as it is."""
    angle = np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1)))
    flat = np.clip((facing - FLANK[0]) / (FLANK[1] - FLANK[0]), 0, 1)
    kept = 1 - enlarged(facing, view_facing, ENLARGED) * (1 - flat)
    turned = min(angle / THIN_DEG, 1)
    return (1 - turned) * scene.cover + turned * scene.solid * kept


def _layer(source, face, screen, triangles, attributes, camera, settings):
    """Photo, donor, trust and opacity of some of the scene's triangles, at the fine size."""
    size = (camera.width, camera.height)
    shown = rasterise(screen, triangles, size, camera.is_perspective)
    values = shown.interpolate(attributes, triangles)
    trust, pixels = judge(
        values[..., :3],
        values[..., 6],
        values[..., 7],
        values[..., 8],
        shown.mask,
        source.maps,
        face.camera,
        settings.visibility,
    )
    photo = cv2.remap(
        source.color,
        pixels - np.float32(0.5),
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return photo, values[..., 3:6], trust.weight, values[..., 9] * shown.mask


def _over(front, back):
    """One layer over another; a photo counts as far as it is trusted."""
    opacity = front[3]
    behind = (1 - opacity) * back[3]
    alpha = opacity + behind
    share = opacity / np.maximum(alpha, 1e-6)
    trusted = [share * front[2], (1 - share) * back[2]]
    trust = trusted[0] + trusted[1]
    known = (trusted[0] / np.maximum(trust, 1e-6))[..., None]
    share = share[..., None]
    photo = np.where(trust[..., None] > 0, known * front[0] + (1 - known) * back[0], front[0])
    donor = share * front[1] + (1 - share) * back[1]
    return photo, donor, trust, alpha
