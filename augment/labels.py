"""Labels of a rotated view, from the registered mesh at the view's pose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from augment.render import Drawn, Picture
from augment.source import Source
from faces.camera import FLIP, Camera, Pose
from faces.errors import BadInput
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.types import RegisteredFace
from faces.visibility import unhidden_points, view_directions
from imaging.raster import rasterise

BUFFERS = ("depth_mm", "normal", "pncc", "mask", "reasons")


@dataclass(frozen=True, slots=True, eq=False)
class LabelPoints:
    """What the labels of all views of a face follow from, in the model's frame.

    Attributes:
        landmarks_mm: (68, 3) float64; landmark_normals: (68, 3), unit, of the head there.
        face_mm: (F, 3) float64, the face region's vertices.
        centre_mm: (3,), what a head turns about.
    """

    landmarks_mm: np.ndarray
    landmark_normals: np.ndarray
    face_mm: np.ndarray
    centre_mm: np.ndarray


def label_points(face: RegisteredFace, model: MorphableModel) -> LabelPoints:
    """The label points of a registered face, the same for all of its views."""
    indices = model.landmarks["ibug68"]
    normals = vertex_normals(face.shape_mm, model.triangles)
    return LabelPoints(
        landmarks_mm=face.shape_mm[indices],
        landmark_normals=normals[indices],
        face_mm=face.shape_mm[model.regions["face"]],
        centre_mm=head_centre(face.shape_mm, model),
    )


def head_centre(shape_mm: np.ndarray, model: MorphableModel) -> np.ndarray:
    """(3,) mm in the model frame: the middle of the face, at the depth of its hindmost point."""
    face = shape_mm[model.regions["face"]]
    low, high = face.min(0), face.max(0)
    return np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])


def project_landmarks(
    points: LabelPoints, pose: Pose, camera: Camera, drawn: Drawn
) -> tuple[np.ndarray, np.ndarray]:
    """The 68 landmarks (68, 2) float64 px, and which of them are seen (68,) bool.

    Seen is what lies in the image, faces the camera, and is not behind the drawn head.
    """
    landmarks = pose.apply(points.landmarks_mm)
    normals = points.landmark_normals @ (FLIP @ pose.rotation).T
    facing = (normals * view_directions(landmarks, camera)).sum(1) > 0
    seen = facing & unhidden_points(landmarks, drawn.camera, drawn.firm)
    return camera.project(landmarks), seen


def make_buffers(
    names: Sequence[str],
    source: Source,
    drawn: Drawn,
    picture: Picture,
    turn: np.ndarray,
    model: MorphableModel,
) -> dict[str, np.ndarray]:
    """The named buffers of a view; never averaged over pixels, 0 where they say nothing.

    Args:
        names: of BUFFERS. "depth_mm" (h, w) float32: z of head, hair and shoulders. "normal"
            (h, w, 3) float32: unit, model axes (x right, y up, z to the camera). "pncc" (h, w, 3)
            float32 in [0, 1]: the mean shape's coordinates, on the model's head. "mask" (h, w)
            uint8: 255 on the face region where nothing hides it. "reasons" (h, w) uint8: why a
            pixel is not the photo's, bits of augment.visibility.REASONS.
        source: the scan made ready; its scene's first vertices are the model's.
        drawn, picture: the view's.
        turn: (3, 3), the view's camera axes from the source's.

    Raises:
        BadInput: for a name that is none of BUFFERS.
    """
    unknown = sorted(set(names) - set(BUFFERS))
    if unknown:
        raise BadInput("buffers", f"{unknown}", f"names of {BUFFERS}", "mend the setting")
    shown = _centres(source, drawn, picture) if set(names) - {"reasons"} else None
    makers = {
        "depth_mm": lambda: shown.depth,
        "normal": lambda: _normals(shown, source.scene, turn),
        "pncc": lambda: _pncc(shown, source.scene, model),
        "mask": lambda: _mask(shown, source.scene, model),
        "reasons": lambda: picture.reasons,
    }
    return {name: makers[name]() for name in names}


def _centres(source, drawn, picture):
    """What is seen at the pixels' centres: samples beside them would put a label off by a third
    of a pixel."""
    height, width = picture.trust.shape
    screen = drawn.mesh.screen.copy()
    screen[:, :2] *= width / drawn.camera.width
    return rasterise(screen, source.scene.triangles, (width, height), drawn.camera.is_perspective)


def _padded(values, count):
    """Vertex values (V, C) with zeros for the grid's vertices."""
    out = np.zeros((count, values.shape[1]), dtype=np.float32)
    out[: len(values)] = values
    return out


def _normals(shown, scene, turn):
    image = shown.interpolate(scene.normals @ turn.T @ FLIP, scene.triangles)
    length = np.linalg.norm(image, axis=-1, keepdims=True)
    return np.divide(image, length, out=np.zeros_like(image), where=length > 0)


def _pncc(shown, scene, model):
    low, high = model.mean_mm.min(0), model.mean_mm.max(0)
    code = _padded((model.mean_mm - low) / (high - low), len(scene.vertices_mm))
    return shown.interpolate(code, scene.triangles)


def _mask(shown, scene, model):
    face = _padded(model.regions["face"][:, None], len(scene.vertices_mm))
    share = shown.interpolate(face, scene.triangles)[..., 0]
    return np.where(share > 0.5, 255, 0).astype(np.uint8)
