"""Cameras: the one place where frames and signs are defined.

Model frame: right-handed, millimetres, x to image right when the face looks at the camera, y up,
z out of the face. Camera frame: x right, y **down**, z forward (away from the camera), so that a
visible point has z > 0. Image: u right, v down, pixel centres at +0.5: pixel (row i, column j)
covers [j, j+1) × [i, i+1).
"""

from dataclasses import dataclass, replace

import cv2
import numpy as np

FLIP = np.diag([1.0, -1.0, -1.0])  # model axes to camera axes and back


@dataclass(frozen=True, slots=True)
class Pose:
    """Similarity that carries the model frame into the camera frame (Beyond 3DMM Space, Eq. 2).

    v_camera = FLIP · (scale · rotation · v_model) + translation_mm

    Attributes:
        rotation: (3, 3) float64, in model axes (see faces.rotation).
        translation_mm: (3,) float64, the model origin in the camera frame.
        scale: the f of Eq. 2; 1 where the model is metric.
    """

    rotation: np.ndarray
    translation_mm: np.ndarray
    scale: float = 1.0

    def apply(self, vertices_mm: np.ndarray) -> np.ndarray:
        """Model-frame points (..., 3) mm to camera-frame points (..., 3) mm."""
        return vertices_mm @ (self.scale * FLIP @ self.rotation).T + self.translation_mm

    def invert(self, vertices_mm: np.ndarray) -> np.ndarray:
        """Camera-frame points (..., 3) mm to model-frame points (..., 3) mm."""
        return (vertices_mm - self.translation_mm) @ (FLIP @ self.rotation) / self.scale


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole camera, or an orthographic one where ``mm_per_px`` is set.

    Attributes:
        width, height: image size, px.
        fx, fy: focal lengths, px (unused by an orthographic camera).
        cx, cy: principal point, px, in the +0.5 pixel-centre convention.
        distortion: OpenCV coefficients (k1, k2, p1, p2, k3, …); empty where there is none.
        mm_per_px: the pixel's edge of an orthographic camera, mm; None for a pinhole.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion: tuple[float, ...] = ()
    mm_per_px: float | None = None

    @classmethod
    def from_fov(cls, width: int, height: int, fov_y_deg: float) -> "Camera":
        """Pinhole with square pixels, a vertical field of view and a centred principal point."""
        focal = height / 2 / np.tan(np.radians(fov_y_deg) / 2)
        return cls(width, height, focal, focal, width / 2, height / 2)

    @property
    def is_perspective(self) -> bool:
        return self.mm_per_px is None

    @property
    def matrix(self) -> np.ndarray:
        """Intrinsics K (3, 3) float64, in the +0.5 pixel-centre convention."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1.0]])

    def project(self, points_mm: np.ndarray) -> np.ndarray:
        """Camera-frame points (..., 3) mm to pixels (..., 2) float64, distortion not applied.

        Points at or behind the camera plane of a pinhole give non-finite pixels.
        """
        x, y, z = np.moveaxis(np.asarray(points_mm, dtype=np.float64), -1, 0)
        if self.mm_per_px is not None:
            return np.stack([x / self.mm_per_px + self.cx, y / self.mm_per_px + self.cy], -1)
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = np.where(z > 0, 1 / z, np.nan)
        return np.stack([self.fx * x * inverse + self.cx, self.fy * y * inverse + self.cy], -1)

    def screen(self, points_mm: np.ndarray) -> np.ndarray:
        """Camera-frame points (..., 3) mm to (u px, v px, z mm), as imaging.raster takes them."""
        return np.concatenate([self.project(points_mm), np.asarray(points_mm)[..., 2:]], -1)

    def unproject(self, pixels: np.ndarray, depth_mm: np.ndarray) -> np.ndarray:
        """Pixels (..., 2) with depths (...) mm along z to camera-frame points (..., 3) mm."""
        u, v = np.moveaxis(np.asarray(pixels, dtype=np.float64), -1, 0)
        z = np.asarray(depth_mm, dtype=np.float64)
        if self.mm_per_px is not None:
            return np.stack([(u - self.cx) * self.mm_per_px, (v - self.cy) * self.mm_per_px, z], -1)
        return np.stack([(u - self.cx) / self.fx * z, (v - self.cy) / self.fy * z, z], -1)

    def crop(self, left: float, top: float, width: int, height: int, zoom: float = 1.0) -> "Camera":
        """The camera of a window: ``left, top`` in this image's px, then scaled by ``zoom``.

        ``width`` and ``height`` are the new image's size, px (after the zoom).
        """
        return replace(
            self,
            width=width,
            height=height,
            fx=self.fx * zoom,
            fy=self.fy * zoom,
            cx=(self.cx - left) * zoom,
            cy=(self.cy - top) * zoom,
            mm_per_px=None if self.mm_per_px is None else self.mm_per_px / zoom,
        )

    def undistort(self, image: np.ndarray, nearest: bool = False) -> np.ndarray:
        """Image (H, W[, C]) resampled to this camera without distortion.

        ``nearest`` keeps the values as they are: depth and labels must never be averaged.
        """
        if not any(self.distortion):
            return image
        matrix = self.matrix
        matrix[:2, 2] -= 0.5  # OpenCV puts pixel centres at whole numbers
        maps = cv2.initUndistortRectifyMap(
            matrix, np.array(self.distortion), None, matrix, image.shape[1::-1], cv2.CV_32FC1
        )
        return cv2.remap(image, *maps, cv2.INTER_NEAREST if nearest else cv2.INTER_LINEAR)
