"""What the photograph's own outline says of a mesh: how far each rim vertex is from it."""

import cv2
import numpy as np

from faces.camera import Camera
from faces.visibility import unhidden_points
from imaging.raster import Coverage

RIM_PX = 2.0  # so near to the mesh's own outline a vertex lies on its rim
FACING_MIN = -0.3  # cosine: a little beyond the rim still counts, farther back is another side
BOX_PX = 8  # around the mesh's box: more than RIM_PX and what a slope looks at
HIDDEN_MM = 4.0  # at the rim depth runs away by so much in a pixel


def rim_shifts(
    vertices_mm: np.ndarray,
    facing: np.ndarray,
    drawn: Coverage,
    body_px: np.ndarray,
    camera: Camera,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which vertices make a mesh's outline, and how far from there the person's lies.

    Where both outlines leave the image neither is one.

    Args:
        vertices_mm: (V, 3) camera frame.
        facing: (V,) cosine between normal and direction to the camera.
        drawn: the mesh in the image.
        body_px: inside_px of the person.

    Returns:
        (V,) bool; (V,) mm, above 0 where the person reaches farther; (V, 2) the unit vector across
        the image that leads outward. Both 0 away from the rim.
    """
    own = _near_outline(drawn.triangle_id >= 0)
    pixels = np.nan_to_num(camera.project(vertices_mm), nan=-1.0)
    size = (camera.width, camera.height)
    within = (pixels >= 0).all(1) & (pixels < size).all(1) & (facing > FACING_MIN)
    index = np.flatnonzero(within)
    at = pixels[index].astype(np.float32)
    index, at = (values[np.abs(_sampled(own, at)) < RIM_PX] for values in (index, at))
    seen = unhidden_points(vertices_mm[index], camera, drawn, HIDDEN_MM)
    index, at = index[seen], at[seen]
    slope = [_sampled(cv2.Sobel(own, cv2.CV_32F, *way), at) for way in ((1, 0), (0, 1))]
    inward = np.stack(slope, 1)
    inward /= np.maximum(np.linalg.norm(inward, axis=1, keepdims=True), 1e-6)
    apart = _sampled(body_px, at) - _sampled(own, at)
    scale = camera.mm_per_px or vertices_mm[index, 2] / camera.fx
    rim, mm = np.zeros(len(vertices_mm), bool), np.zeros(len(vertices_mm))
    outward = np.zeros((len(vertices_mm), 2))
    rim[index], mm[index], outward[index] = True, apart * scale, -inward
    return rim, mm, outward


def inside_px(mask: np.ndarray) -> np.ndarray:
    """(H, W) float32 px from pixel centres to the outline of a mask (H, W) bool; < 0 outside."""
    inner = mask.astype(np.uint8)
    depth = cv2.distanceTransform(inner, cv2.DIST_L2, 5)
    away = cv2.distanceTransform(1 - inner, cv2.DIST_L2, 5)
    return np.where(mask, depth - 0.5, 0.5 - away).astype(np.float32)


def _near_outline(mask):
    """inside_px of a mask (H, W) bool, below -RIM_PX anywhere that is not near to its box."""
    out = np.full(mask.shape, -2 * RIM_PX, np.float32)
    spans = []
    for axis, size in enumerate(mask.shape):
        held = np.flatnonzero(mask.any(1 - axis))
        if not len(held):
            return out
        spans.append(slice(max(held[0] - BOX_PX, 0), min(held[-1] + BOX_PX + 1, size)))
    box = tuple(spans)
    out[box] = inside_px(mask[box])
    return out


def _sampled(image, pixels):
    """(n,) the image (H, W) at pixels (n, 2), bilinear."""
    at = (pixels - np.float32(0.5))[:, None]
    parts = [
        cv2.remap(image, at[k : k + 32000], None, cv2.INTER_LINEAR)[:, 0]
        for k in range(0, len(at), 32000)  # OpenCV addresses at most 2^15 rows
    ]
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)
