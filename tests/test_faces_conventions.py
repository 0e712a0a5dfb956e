"""Other people's frames: known cases from their own formulas, and round trips."""

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from faces.camera import Camera, Pose
from faces.conventions import (
    pixels_from_300w_lp,
    pixels_to_300w_lp,
    pose_from_opencv,
    pose_to_opencv,
    rotation_from_3ddfa,
    rotation_from_300w_lp,
    rotation_from_biwi,
    rotation_from_flame,
    rotation_to_3ddfa,
    rotation_to_300w_lp,
    rotation_to_biwi,
    rotation_to_flame,
    similarity_from_300w_lp,
    similarity_to_300w_lp,
)
from faces.errors import BadInput
from faces.rotation import euler_from_matrix, matrix_from_euler

NOSE, CROWN, LEFT = np.eye(3)[2], np.eye(3)[1], np.eye(3)[0]  # model axes
# Float64 trigonometry there and back; the arcsine near 90° costs half the digits.
CLOSE = {"rtol": 0, "atol": 1e-7}


@pytest.fixture
def rotations():
    angles = np.random.default_rng(3).uniform(-1, 1, (200, 3)) * [89, 80, 80]
    return [matrix_from_euler(*each) for each in angles]


def test_300w_lp_signs_are_those_its_users_draw():
    """Positive yaw to image left, pitch up, roll clockwise: how Hopenet draws the labels."""
    assert (rotation_from_300w_lp(0.0, 0.5, 0.0) @ NOSE)[0] < -0.4
    assert (rotation_from_300w_lp(0.5, 0.0, 0.0) @ NOSE)[1] > 0.4
    assert (rotation_from_300w_lp(0.0, 0.0, 0.5) @ CROWN)[0] > 0.4


def test_300w_lp_agrees_with_an_independent_conversion(rotations):
    """img2pose turns a rotation vector of the camera frame into 300W-LP's angles by SciPy alone."""
    for rotation in rotations:
        flip = np.diag([1.0, -1.0, -1.0])
        theirs = Rotation.from_matrix((flip @ rotation @ flip).T).as_euler("xyz")
        wanted = theirs * [1, -1, -1]
        np.testing.assert_allclose(rotation_to_300w_lp(rotation), wanted, **CLOSE)


def test_3ddfa_prints_other_signs_than_300w_lp_holds():
    """Axis by axis: yaw alike, pitch and roll opposite; threads 142 and 192 stumble over it."""
    for axis, sign in ((0, -1), (1, 1), (2, -1)):
        label = np.zeros(3)
        label[axis] = 0.4
        yaw, pitch, roll = rotation_to_3ddfa(rotation_from_300w_lp(*label))
        np.testing.assert_allclose([pitch, yaw, roll], sign * label, **CLOSE)


@pytest.mark.parametrize(
    ("there", "back"),
    [
        (rotation_to_300w_lp, lambda x: rotation_from_300w_lp(*x)),
        (rotation_to_3ddfa, lambda x: rotation_from_3ddfa(*x)),
        (rotation_to_flame, rotation_from_flame),
        (rotation_to_biwi, rotation_from_biwi),
    ],
)
def test_rotations_come_back(there, back, rotations):
    for rotation in rotations:
        np.testing.assert_allclose(back(there(rotation)), rotation, **CLOSE)


def test_300w_lp_angles_come_back():
    """The labels themselves, not only the matrices, over all that yaw in ±90° can hold."""
    labels = np.random.default_rng(5).uniform(-1, 1, (200, 3)) * np.radians([175, 89, 175])
    for label in labels:
        again = rotation_to_300w_lp(rotation_from_300w_lp(*label))
        np.testing.assert_allclose(again, label, **CLOSE)


def test_300w_lp_vertices_land_where_its_matlab_code_puts_them():
    rng = np.random.default_rng(8)
    vertices = rng.normal(0, 5e4, (50, 3))  # micrometres, as the Basel model's
    para = np.array([0.1, -0.7, 0.2, 220.4, 167.3, -100.5, 1.26e-3])
    pose, camera = similarity_from_300w_lp(para, 450, 400)
    plane = para[6] * vertices @ rotation_from_300w_lp(*para[:3]).T + para[3:6]
    column, row = plane[:, 0], 400 + 1 - plane[:, 1]  # MATLAB: the first centre is at 1
    seen = camera.project(pose.apply(vertices))
    # Nanometres times px a nanometre: 1e-9 px is rounding.
    np.testing.assert_allclose(seen, np.stack([column, row], 1) - 0.5, rtol=0, atol=1e-9)
    # A vertex that 3DDFA's z buffer has in front (z large) is near to our camera (z small).
    order = np.argsort(plane[:, 2])
    assert (np.diff(pose.apply(vertices)[order, 2]) < 0).all()
    np.testing.assert_allclose(similarity_to_300w_lp(pose, camera), para, rtol=1e-9)


def test_300w_lp_pixels_come_back_and_the_first_centre_is_half():
    points = np.random.default_rng(1).uniform(0, 450, (20, 2))
    np.testing.assert_allclose(pixels_to_300w_lp(pixels_from_300w_lp(points, 450), 450), points)
    np.testing.assert_array_equal(pixels_from_300w_lp([1, 450], 450), [0.5, 0.5])


def test_flame_head_turns_with_root_and_neck():
    """Root and neck about one axis add up; a neck alone turns the head as the root would."""
    half, whole = [0, np.radians(30), 0], [0, np.radians(60), 0]
    np.testing.assert_allclose(rotation_from_flame(half, half), rotation_from_flame(whole), **CLOSE)
    yaw, pitch, roll = euler_from_matrix(rotation_from_flame([0, 0, 0], whole))
    np.testing.assert_allclose([yaw, pitch, roll], [60, 0, 0], **CLOSE)
    # x is the subject's left, at image right when it looks at the camera.
    assert (rotation_from_flame([0, 0, np.pi / 2]) @ LEFT)[1] > 0.99


def test_flame_order_is_root_times_neck():
    """The root turns what the neck has turned: a nod of the neck stays a nod of the turned head."""
    turned = rotation_from_flame([0, np.pi / 2, 0], [0.3, 0, 0])
    np.testing.assert_allclose(turned @ LEFT, [0, 0, -1], **CLOSE)  # the nod's axis is kept
    rotation = matrix_from_euler(40, -10, 5)
    neck = np.array([0.2, -0.1, 0.05])
    again = rotation_from_flame(rotation_to_flame(rotation, neck), neck)
    np.testing.assert_allclose(again, rotation, **CLOSE)


def test_opencv_projects_what_our_camera_does():
    """cv2.projectPoints with the converted pose, and cv2.solvePnP converted back."""
    points = np.random.default_rng(2).uniform(-80, 80, (30, 3))
    camera = Camera(640, 480, 900, 910, 310.5, 250.25)
    pose = Pose(matrix_from_euler(35, -20, 10), np.array([12.0, -7.0, 800.0]))
    matrix = camera.matrix - np.array([[0, 0, 0.5], [0, 0, 0.5], [0, 0, 0]])
    pixels = cv2.projectPoints(points, *pose_to_opencv(pose), matrix, None)[0][:, 0]
    np.testing.assert_allclose(pixels + 0.5, camera.project(pose.apply(points)), atol=1e-8)
    _, rvec, tvec = cv2.solvePnP(points, pixels, matrix, None)
    found = pose_from_opencv(rvec, tvec)
    # solvePnP stops iterating a little short of float64.
    np.testing.assert_allclose(found.rotation, pose.rotation, atol=1e-5)
    np.testing.assert_allclose(found.translation_mm, pose.translation_mm, atol=1e-2)


def test_biwi_signs_are_those_its_users_read():
    """Hopenet reads BIWI's matrices into 300W-LP's signs; both ways must give one nose."""
    matrix = Rotation.from_euler("zyx", [0.2, 0.5, -0.3]).as_matrix()  # R_x R_y R_z
    ours = rotation_from_biwi(matrix)
    for axis, place in (("x", 0), ("y", 1), ("z", 2)):
        single = Rotation.from_euler(axis, 0.4).as_matrix()
        roll = np.arctan2(single[1, 0], single[0, 0])
        yaw = np.arctan2(-single[2, 0], np.hypot(single[2, 1], single[2, 2]))
        pitch = -np.arctan2(single[2, 1], single[2, 2])
        found = rotation_to_300w_lp(rotation_from_biwi(single))
        np.testing.assert_allclose(found, [pitch, yaw, roll], **CLOSE)
        assert abs(found[place]) > 0.3
    np.testing.assert_allclose(ours @ ours.T, np.eye(3), **CLOSE)


def test_what_does_not_fit_is_refused():
    with pytest.raises(BadInput, match="Pose_Para"):
        similarity_from_300w_lp(np.zeros(6), 450, 450)
    pose = Pose(np.eye(3), np.array([0, 0, 600.0]))
    with pytest.raises(BadInput, match="orthographic"):
        similarity_to_300w_lp(pose, Camera.from_fov(256, 256, 20))
    with pytest.raises(BadInput, match="scale of 2"):
        pose_to_opencv(Pose(np.eye(3), np.zeros(3), 2.0))
