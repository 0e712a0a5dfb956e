"""Out-of-plane rotation of an RGB-D image (Beyond 3DMM Space, section 3.2)."""

from collections.abc import Iterator

import numpy as np

from augment.backdrop import show_still, show_turned
from augment.fill import finish
from augment.labels import make_buffers, project_landmarks
from augment.render import render_textures
from augment.settings import RotateSettings
from augment.source import Source, prepare
from augment.view_plan import PlannedView
from faces.camera import Camera, Pose
from faces.morphable import MorphableModel
from faces.rotation import euler_from_matrix, matrix_from_euler
from faces.types import RegisteredFace, Scan, View

DEFAULTS = RotateSettings()


def rotate(
    scan: Scan,
    face: RegisteredFace,
    model: MorphableModel,
    plan: list[PlannedView],
    settings: RotateSettings = DEFAULTS,
) -> Iterator[View]:
    """The planned views of a scan, each with its labels.

    Args:
        scan: the image and its depth.
        face: its registration, in ``model``'s topology.
        model: names the parts and regions of the mesh.
        plan: requested yaws and pitches; the roll stays the base's.
        settings: of every step.

    Raises:
        BadInput: where the face lies outside the image or does not fit the model.
    """
    source = prepare(scan, face, model, settings)
    for planned in plan:
        yield make_view(source, face, model, planned, settings)


def make_view(
    source: Source,
    face: RegisteredFace,
    model: MorphableModel,
    planned: PlannedView,
    settings: RotateSettings,
) -> View:
    """Turn the mesh, render it with both textures, fill what the source did not see, label it."""
    pose = turned_pose(face.pose, planned, head_centre(face.shape_mm, model))
    head = pose.apply(face.shape_mm)
    box = _box(face.camera.project(head[model.regions["face"]]))
    camera = crop_camera(face.camera, box, settings)
    picture = render_textures(source, face, pose, camera, settings)
    behind = _behind(source, pose, face.pose, camera, settings)
    color, synthesised = finish(picture, behind)
    vertices = pose.apply(face.pose.invert(source.scene.vertices_mm))
    landmarks, seen = project_landmarks(head, model, camera)
    yaw, pitch, roll = euler_from_matrix(pose.rotation)
    return View(
        color=color,
        camera=camera,
        pose=pose,
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
        requested=(planned.yaw_deg, planned.pitch_deg),
        synthesised=synthesised,
        landmarks_px=landmarks,
        landmarks_visible=seen,
        box_px=_box(camera.project(head[model.regions["face"]])),
        buffers=make_buffers(settings.buffers, source.scene, vertices, model, camera),
    )


def head_centre(shape_mm: np.ndarray, model: MorphableModel) -> np.ndarray:
    """(3,) mm in the model frame: the middle of the face, at the depth of its hindmost point."""
    face = shape_mm[model.regions["face"]]
    low, high = face.min(0), face.max(0)
    return np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])


def turned_pose(base: Pose, planned: PlannedView, centre_mm: np.ndarray) -> Pose:
    """The base pose turned to the planned yaw and pitch about a point of the head.

    Roll and scale stay the base's, and so does the place of the centre before the camera.
    """
    roll = euler_from_matrix(base.rotation)[2]
    rotation = matrix_from_euler(planned.yaw_deg, planned.pitch_deg, roll)
    still = Pose(rotation, np.zeros(3), base.scale)
    return Pose(rotation, base.apply(centre_mm) - still.apply(centre_mm), base.scale)


def crop_camera(
    camera: Camera, box_px: tuple[float, float, float, float], settings: RotateSettings
) -> Camera:
    """The camera of the square crop around a box, rendered directly at its resolution."""
    left, top, right, bottom = box_px
    edge = max(right - left, bottom - top) * (1 + settings.margin)
    size = settings.size_px
    corner = ((left + right - edge) / 2, (top + bottom - edge) / 2)
    return camera.crop(*corner, size, size, size / edge)


def _behind(source, pose, base, camera, settings):
    """The background (h, w, 3) float32 of the view."""
    if settings.background == "still":
        return show_still(source.backdrop, camera)

    def turn(points):
        return pose.apply(base.invert(points))

    return show_turned(source.backdrop, camera, turn, source.backdrop.color.mean((0, 1)))


def _box(pixels):
    left, top = pixels.min(0)
    right, bottom = pixels.max(0)
    return float(left), float(top), float(right), float(bottom)
