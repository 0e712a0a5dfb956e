"""Where a turned head stands, and the camera that frames it."""

import numpy as np

from faces.camera import Camera, Pose
from faces.morphable import MorphableModel
from synth.settings import RenderSettings

# Of the line of sight with the body's: seen from so straight below, the body would hide the face
BELOW_DEG = 14.0


def framed_vertices(model: MorphableModel, framing: str) -> np.ndarray:
    """(V,) bool: what RenderSettings.framing names; all skin where the model names no regions."""
    skin = model.part_vertices("skin")
    if framing == "face" and "face" in model.regions:
        return skin & model.regions["face"]
    return skin & ~model.regions.get("neck", np.zeros(model.vertex_count, dtype=bool))


def middle_of(points_mm: np.ndarray) -> np.ndarray:
    """(3,) the middle of the box around points (N, 3)."""
    return (points_mm.min(0) + points_mm.max(0)) / 2


def turned_to(base: Pose, rotation: np.ndarray, centre_mm: np.ndarray) -> Pose:
    """The base pose with another rotation (3, 3); the centre (3,), a point of the model frame,
    stays where it was before the camera."""
    still = Pose(rotation, np.zeros(3), base.scale)
    return Pose(rotation, base.apply(centre_mm) - still.apply(centre_mm), base.scale)


def framed(camera: Camera, points_mm: np.ndarray, settings: RenderSettings) -> Camera:
    """The square crop of a camera's image around points (N, 3) mm before it."""
    pixels = camera.project(points_mm)
    low, high = pixels.min(0), pixels.max(0)
    edge = float((high - low).max()) * (1 + settings.margin)
    left, top = (low + high - edge) / 2
    size = settings.size_px
    return camera.crop(float(left), float(top), size, size, size / edge)


def from_straight_below(place_mm: np.ndarray, down: np.ndarray) -> bool:
    """Whether the camera looks up along the body at a head in ``place_mm`` (3,), camera frame;
    ``down`` (3,) is the way from head to body, unit."""
    return bool(-down @ place_mm > np.cos(np.radians(BELOW_DEG)) * np.linalg.norm(place_mm))
