"""What a fit has to go by: landmarks with their trust, and the depth near them."""

from dataclasses import dataclass

import numpy as np

from faces.camera import Camera
from faces.errors import BadInput
from faces.fit_settings import FitSettings
from faces.types import Landmarks

JAW = 17  # ibug68 points 0..16
REACH = 3  # px, wide enough that a sensor's noise turns the normal by some 10° only
WINDOW = 5  # px, the square around a landmark in which depth is looked for


@dataclass(frozen=True, slots=True)
class Evidence:
    """Landmarks (68, 2) px with trust (68,) in 1/mm² (0: ignored), depth there (68,) mm or NaN."""

    pixels: np.ndarray
    trust: np.ndarray
    landmark_depth_mm: np.ndarray
    camera: Camera
    depth_mm: np.ndarray | None

    def surface(self, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Depth (n,) mm and normal (n, 3), camera frame, under pixels (n, 2) px.

        The normal is that of a cross of depths ±REACH px away. NaN outside the image and where
        one of the five depths is missing: at holes, rims and silhouettes.
        """
        height, width = self.depth_mm.shape
        column, row = np.floor(np.nan_to_num(pixels, nan=-1)).astype(int).T
        steps = REACH * np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]])
        columns, rows = column + steps[:, :1], row + steps[:, 1:]
        inside = ((columns >= 0) & (columns < width) & (rows >= 0) & (rows < height)).all(0)
        z = self.depth_mm[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
        z = np.where(inside & (z > 0).all(0), z, np.nan).astype(np.float64)
        cross = self.camera.unproject(np.stack([columns, rows], -1) + 0.5, z)
        # Down × right points towards the camera.
        normals = np.cross(cross[3] - cross[4], cross[1] - cross[2])
        return z[0], normals / np.linalg.norm(normals, axis=1, keepdims=True)


def gather_evidence(
    landmarks: Landmarks, camera: Camera, depth_mm: np.ndarray | None, settings: FitSettings
) -> Evidence:
    """Evidence of one image.

    Raises:
        BadInput: landmarks that are not ibug68, or depth of another size than the camera's image.
    """
    if landmarks.scheme != "ibug68" or landmarks.points_px.shape != (68, 2):
        raise BadInput(
            "landmarks",
            f"scheme '{landmarks.scheme}' of shape {landmarks.points_px.shape}",
            "'ibug68' of shape (68, 2)",
            "convert with faces.landmarks.to_ibug68",
        )
    if depth_mm is not None and depth_mm.shape != (camera.height, camera.width):
        raise BadInput(
            "depth",
            f"shape {depth_mm.shape}",
            f"the camera's ({camera.height}, {camera.width})",
            "register the depth to the colour image, or check the camera file",
        )
    pixels = np.asarray(landmarks.points_px, dtype=np.float64)
    usable = np.isfinite(pixels).all(1)
    sigmas = np.where(np.arange(68) < JAW, settings.jaw_mm, settings.landmark_mm)
    trust = np.where(usable, landmarks.confidence, 0) / sigmas**2
    pixels = np.where(usable[:, None], pixels, 0)
    depths = np.full(68, np.nan)
    if depth_mm is not None:
        depths[usable] = depth_near(depth_mm, pixels[usable])
    return Evidence(pixels, trust, depths, camera, depth_mm)


def depth_near(depth_mm: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Median (L,) of the valid depths (H, W) around each pixel (L, 2); NaN with fewer than 3."""
    height, width = depth_mm.shape
    reach = np.arange(WINDOW) - WINDOW // 2
    u, v = (np.floor(pixels[:, k]).astype(int)[:, None] + reach for k in (0, 1))
    rows, columns = np.repeat(v, WINDOW, 1), np.tile(u, (1, WINDOW))
    inside = (rows >= 0) & (rows < height) & (columns >= 0) & (columns < width)
    values = depth_mm[np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)]
    values = np.where(inside & (values > 0), values, np.nan)
    known = np.isfinite(values).sum(1) >= 3
    depths = np.full(len(pixels), np.nan)
    depths[known] = np.nanmedian(values[known], axis=1)
    return depths
