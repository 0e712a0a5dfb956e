"""Out-of-plane rotation of an RGB-D image (Beyond 3DMM Space, section 3.2)."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from augment.backdrop import show_turned
from augment.fill import finish
from augment.labels import LabelPoints, label_points, make_buffers, project_landmarks
from augment.relight import gains, lit_normals
from augment.render import draw_scene, show_textures
from augment.settings import RotateSettings
from augment.source import Source, prepare
from augment.view_mesh import turn_deg
from augment.view_plan import PlannedView
from faces.backdrop import show_still
from faces.camera import FLIP, Camera, Pose
from faces.morphable import MorphableModel
from faces.rotation import euler_from_matrix, matrix_from_euler
from faces.types import RegisteredFace, Scan, View

DEFAULTS = RotateSettings()
STILL_DEG = 1.0  # turned by this a head of 100 mm moves by a pixel or two


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
    points = label_points(face, model)
    for planned in plan:
        yield make_view(source, face, model, planned, settings, points)


def make_view(
    source: Source,
    face: RegisteredFace,
    model: MorphableModel,
    planned: PlannedView,
    settings: RotateSettings,
    points: LabelPoints | None = None,
) -> View:
    """Turn the mesh, render it with both textures, fill what the source did not see, label it.

    ``points`` are the face's label_points; they are made anew where they are not given.
    """
    points = points or label_points(face, model)
    pose = turned_pose(face.pose, planned, points.centre_mm)
    face_mm = pose.apply(points.face_mm)
    box = _box(face.camera.project(face_mm))
    camera = crop_camera(face.camera, box, settings)
    drawn = draw_scene(source, face, pose, camera, settings)
    turn = FLIP @ pose.rotation @ face.pose.rotation.T @ FLIP
    gain = gains(lit_normals(source.scene), turn, face.appearance) if settings.relight else None
    picture = show_textures(source, face, pose, drawn, settings, gain)
    behind = _behind(source, pose, face.pose, camera, settings)
    color, synthesised = finish(picture, behind)
    color, synthesised = _settled(source, face.pose, pose, camera, color, synthesised)
    landmarks, seen = project_landmarks(points, pose, camera, drawn)
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
        box_px=_box(camera.project(face_mm)),
        buffers=make_buffers(settings.buffers, source, drawn, picture, turn, model),
    )


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


def _settled(source, base, pose, camera, color, synthesised):
    """Colour and mask, the photo itself where the head is not turned: a matte and a mesh can only
    lose against it. It is gone before a turn shows."""
    turned = turn_deg(base, pose) / STILL_DEG
    if turned >= 1:
        return color, synthesised
    photo = show_still(replace(source.backdrop, color=source.photo), camera)
    mixed = 255 * (1 - turned) * photo + turned * color
    return (
        np.rint(mixed).clip(0, 255).astype(np.uint8),
        np.rint(turned * synthesised).astype(np.uint8),
    )


def _box(pixels):
    across, down = np.ascontiguousarray(pixels.T)  # so a minimum takes a tenth of the time
    return float(across.min()), float(down.min()), float(across.max()), float(down.max())
