"""Rotations, poses and image points of other people's data in the project's frames, and back.

Every function pair converts to and from ``rotation``: (3, 3) float64 in model axes, as in
faces.rotation (x to image right when the face looks at the camera, y up, z out of the face).

| convention | for a nose turned to image right | nose turned down | head turned counter-clockwise |
|---|---|---|---|
| facesynth (faces.rotation) | yaw > 0 | pitch > 0 | roll > 0 |
| 300W-LP, AFLW2000-3D (``Pose_Para``) | yaw < 0 | pitch < 0 | roll < 0 |
| 3DDFA (``parse_pose``) | yaw < 0 | pitch > 0 | roll > 0 |
| BIWI (angles as head pose work reports them) | yaw < 0 | pitch < 0 | roll < 0 |

The rows of 300W-LP and 3DDFA differ although both describe one matrix: 3DDFA's Python code reads
angles from it by another formula than the one that 300W-LP's files go by (threads 142 and 192 of
the repository cleardusk/3DDFA ask about the signs).
"""

import numpy as np
from scipy.spatial.transform import Rotation

from faces.camera import FLIP, Camera, Pose
from faces.errors import BadInput
from faces.rotation import euler_from_matrix, matrix_from_euler

NO_NECK = (0.0, 0.0, 0.0)


def rotation_from_300w_lp(pitch: float, yaw: float, roll: float) -> np.ndarray:
    """Rotation of the first three numbers of a ``Pose_Para``, radians, in the file's order.

    R = R_x(−pitch) R_y(−yaw) R_z(−roll), acting on the Basel model's axes, which are ours: the
    transpose of the rotation that the same angles have here. Source: the function RotationMatrix
    of the 3DDFA and face profiling code of Zhu et al. ("Face Alignment Across Large Poses", 2016),
    as face3d's ``angle2matrix_3ddfa`` has it; the signs agree with the axes that Hopenet draws for
    these labels, and with img2pose's ``convert_to_aflw``.
    """
    return matrix_from_euler(*np.degrees([yaw, pitch, roll])).T


def rotation_to_300w_lp(rotation: np.ndarray) -> tuple[float, float, float]:
    """(pitch, yaw, roll) in radians as a ``Pose_Para`` holds them; yaw in [-π/2, π/2]."""
    yaw, pitch, roll = np.radians(euler_from_matrix(np.asarray(rotation).T))
    return float(pitch), float(yaw), float(roll)


def similarity_from_300w_lp(pose_para: np.ndarray, width: int, height: int) -> tuple[Pose, Camera]:
    """Pose and orthographic camera of a whole ``Pose_Para``.

    The file's vertices lie at f R v + t in the image plane, y up, MATLAB's pixels counted from 1
    at their centres; the image's row is height + 1 − y (3DDFA's main function). Here the camera
    does both: ``camera.project(pose.apply(v))`` are pixels with centres at +0.5.

    Args:
        pose_para: (7,) pitch, yaw, roll in radians, tx, ty, tz in px, f in px a unit of the model
            (the Basel model's unit is a micrometre).
        width, height: of the image, px.

    Raises:
        BadInput: not seven finite numbers, or f is not positive.
    """
    values = np.asarray(pose_para, dtype=np.float64).ravel()
    if values.shape != (7,) or not np.isfinite(values).all() or values[6] <= 0:
        got, remedy = f"{values.tolist()}", "read the field Pose_Para of the .mat file"
        raise BadInput("Pose_Para", got, "pitch, yaw, roll, tx, ty, tz and f > 0", remedy)
    rotation = rotation_from_300w_lp(*values[:3])
    x, y = pixels_from_300w_lp(values[3:5], height)
    camera = Camera(width, height, 1.0, 1.0, 0.0, 0.0, mm_per_px=1.0)
    return Pose(rotation, np.array([x, y, -values[5]]), float(values[6])), camera


def similarity_to_300w_lp(pose: Pose, camera: Camera) -> np.ndarray:
    """A ``Pose_Para`` (7,) float64 of a pose before an orthographic camera.

    Raises:
        BadInput: a pinhole camera: a weak-perspective pose has no place for its distance.
    """
    if camera.is_perspective:
        expected, remedy = "an orthographic one", "fit the pose with an orthographic camera"
        raise BadInput("camera of a Pose_Para", "a pinhole", expected, remedy)
    place = pixels_to_300w_lp(camera.project(pose.translation_mm), camera.height)
    depth = -pose.translation_mm[2] / camera.mm_per_px
    turn = rotation_to_300w_lp(pose.rotation)
    return np.array([*turn, *place, depth, pose.scale / camera.mm_per_px])


def pixels_from_300w_lp(points: np.ndarray, height: int) -> np.ndarray:
    """Image-plane points (..., 2), y up and counted from 1, to our pixels (..., 2) float64.

    The files' landmarks are turned over already: they only lack 0.5 px. Their ``pt2d`` is that of
    the photo before it was turned; the right ones lie in the set's folder ``landmarks`` (threads
    192 and 227 of cleardusk/3DDFA), or are similarity_from_300w_lp's of the fitted vertices.
    """
    x, y = np.moveaxis(np.asarray(points, dtype=np.float64), -1, 0)
    return np.stack([x - 0.5, height + 0.5 - y], -1)


def pixels_to_300w_lp(pixels: np.ndarray, height: int) -> np.ndarray:
    """The inverse of pixels_from_300w_lp."""
    u, v = np.moveaxis(np.asarray(pixels, dtype=np.float64), -1, 0)
    return np.stack([u + 0.5, height + 0.5 - v], -1)


def rotation_from_3ddfa(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Rotation of the angles that 3DDFA and 3DDFA_V2 print, radians, in their order.

    Both take yaw = asin(R₃₁), pitch = atan2(R₃₂, R₃₃), roll = atan2(R₂₁, R₁₁) of the matrix
    (``matrix2angle``): our angles but for the sign of yaw. 3DDFA_V2's ``calc_pose`` prints them in
    degrees.
    """
    return matrix_from_euler(*np.degrees([-yaw, pitch, roll]))


def rotation_to_3ddfa(rotation: np.ndarray) -> tuple[float, float, float]:
    """(yaw, pitch, roll) in radians as 3DDFA reads them from a matrix."""
    yaw, pitch, roll = np.radians(euler_from_matrix(rotation))
    return float(-yaw), float(pitch), float(roll)


def rotation_from_flame(global_rotation: np.ndarray, neck: np.ndarray = NO_NECK) -> np.ndarray:
    """Rotation of a FLAME head: axis times angle (3,) in radians of the root and of the neck joint.

    FLAME's frame is ours (x to the subject's left, y up, z out of the face; its camera looks along
    −z). The neck hangs on the root: head = R(global) R(neck) (Li et al., "Learning a model of
    facial shape and expression from 4D scans", 2017, section 3). DECA's and EMOCA's ``pose`` is
    (global, jaw), without a neck. The rotation only: FLAME turns about its joints, not the origin.
    """
    turns = Rotation.from_rotvec([global_rotation, neck])
    return (turns[0] * turns[1]).as_matrix()


def rotation_to_flame(rotation: np.ndarray, neck: np.ndarray = NO_NECK) -> np.ndarray:
    """The global rotation (3,), axis times angle in radians, that with this neck gives a head's."""
    return (Rotation.from_matrix(rotation) * Rotation.from_rotvec(neck).inv()).as_rotvec()


def pose_from_opencv(rvec: np.ndarray, tvec_mm: np.ndarray) -> Pose:
    """Pose of what cv2.solvePnP gives for object points in the model frame.

    OpenCV's camera frame is ours (x right, y down, z forward): X = R(rvec) v + t. Its principal
    point is counted from the first pixel's centre, so hand it cx − 0.5 and pixels − 0.5.

    Args:
        rvec: (3,) or (3, 1), axis times angle, radians. tvec_mm: (3,) or (3, 1).
    """
    turn = Rotation.from_rotvec(np.ravel(rvec)).as_matrix()
    return Pose(FLIP @ turn, np.array(tvec_mm, dtype=np.float64).ravel())


def pose_to_opencv(pose: Pose) -> tuple[np.ndarray, np.ndarray]:
    """(rvec (3,) in radians, tvec (3,) mm) of a pose.

    Raises:
        BadInput: a scale other than 1, for which OpenCV has no place.
    """
    if pose.scale != 1.0:
        what, remedy = "pose for OpenCV", "scale the vertices first"
        raise BadInput(what, f"a scale of {pose.scale:g}", "1", remedy)
    return Rotation.from_matrix(FLIP @ pose.rotation).as_rotvec(), pose.translation_mm.copy()


def rotation_from_biwi(matrix: np.ndarray) -> np.ndarray:
    """Rotation of the (3, 3) matrix in a ``frame_*_pose.txt`` of the BIWI Kinect head pose set.

    The file's axes are its depth camera's (x right, y down, z forward) on both sides, so that a
    face which looks at the camera has the identity (Fanelli et al., "Random Forests for Real Time
    3D Face Analysis", 2013; signs as Hopenet reads them to compare with 300W-LP's). The colour
    camera is turned against the depth camera by ``rgb.cal``, which this leaves out.
    """
    return FLIP @ np.asarray(matrix, dtype=np.float64) @ FLIP


def rotation_to_biwi(rotation: np.ndarray) -> np.ndarray:
    """The matrix (3, 3) that BIWI's files would hold; the inverse of rotation_from_biwi."""
    return FLIP @ np.asarray(rotation, dtype=np.float64) @ FLIP
