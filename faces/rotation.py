"""Euler angles and rotation matrices in the project's one convention.

R = R_z(roll) · R_y(yaw) · R_x(pitch), acting on column vectors of the model frame (x to image
right when the face looks at the camera, y up, z out of the face). Yaw > 0 turns the nose to
image right, pitch > 0 turns it down, roll > 0 turns the head counter-clockwise in the image.
"""

import numpy as np

CONVENTION = "R = Rz(roll) Ry(yaw) Rx(pitch); x image-right, y up, z to the camera; degrees"


def matrix_from_euler(yaw_deg: float, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> np.ndarray:
    """Rotation matrix (3, 3) float64 of the given angles in degrees."""
    (cy, cp, cr), (sy, sp, sr) = (
        f(np.radians([yaw_deg, pitch_deg, roll_deg])) for f in (np.cos, np.sin)
    )
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return about_z @ about_y @ about_x


def euler_from_matrix(rotation: np.ndarray) -> tuple[float, float, float]:
    """(yaw, pitch, roll) in degrees of a rotation matrix (3, 3), with yaw in [-90, 90].

    At |yaw| = 90° pitch and roll turn about the same axis; roll is then set to 0.
    """
    r = np.asarray(rotation, dtype=np.float64)
    yaw = np.arcsin(np.clip(-r[2, 0], -1.0, 1.0))
    if abs(r[2, 0]) > 1 - 1e-10:
        pitch, roll = np.arctan2(-r[1, 2], r[1, 1]), 0.0
    else:
        pitch, roll = np.arctan2(r[2, 1], r[2, 2]), np.arctan2(r[1, 0], r[0, 0])
    return tuple(float(angle) for angle in np.degrees([yaw, pitch, roll]))


def nearest_rotation(matrix: np.ndarray) -> np.ndarray:
    """The proper rotation (3, 3) nearest to a matrix in the Frobenius norm (Kabsch)."""
    u, _, vt = np.linalg.svd(np.asarray(matrix, dtype=np.float64))
    return u @ np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))]) @ vt
