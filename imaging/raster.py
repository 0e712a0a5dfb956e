"""Deferred triangle rasteriser: one pass finds the nearest triangle, every buffer is a gather.

Vertices are snapped to 1/256 px and covered by exact int64 edge functions with the top-left rule,
so two triangles that share an edge cover each pixel on it exactly once. Only ids and depths are
written per triangle; barycentrics are computed once per visible pixel afterwards.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from imaging.cover import cover
from imaging.cutout import WHOLE, Cutout
from imaging.raster_kernels import gather, resolve, snap, span


@dataclass(frozen=True, slots=True, eq=False)
class Fragments:
    """What is seen at each pixel's centre.

    Attributes:
        triangle_id: (H, W) int32, index of the nearest triangle; -1 = background.
        barycentric: (H, W, 3) float32 weights of its three corners, perspective-correct, sum 1;
            0 on the background.
        depth: (H, W) float32, z in mm; 0 on the background.
    """

    triangle_id: np.ndarray
    barycentric: np.ndarray
    depth: np.ndarray

    @property
    def mask(self) -> np.ndarray:
        """(H, W) bool: pixels that a triangle covers."""
        return self.triangle_id >= 0

    def interpolate(self, attributes: np.ndarray, triangles: np.ndarray) -> np.ndarray:
        """Corner attributes carried to the pixels: (H, W, C) float32, 0 on the background.

        Args:
            attributes: (V, C) values, e.g. colours, normals or texture coordinates.
            triangles: (T, 3) int into ``attributes``, in the order that was rasterised; may be
                another index buffer than the one of the positions (``triangle_uv``).

        Raises:
            ValueError: where the shapes do not fit, or an index lies outside ``attributes``.
        """
        values = np.ascontiguousarray(attributes, dtype=np.float32)
        if values.ndim != 2:
            raise ValueError(f"attributes: shape {values.shape}; expected (V, C); reshape them")
        corners = _checked_triangles(triangles, len(values))
        if self.triangle_id.max(initial=-1) >= len(corners):
            raise ValueError(
                f"triangles: {len(corners)} of them; expected more than the largest id "
                f"{self.triangle_id.max()}; pass an index buffer in the order that was rasterised"
            )
        out = np.zeros((*self.triangle_id.shape, values.shape[1]), dtype=np.float32)
        gather(self.triangle_id, self.barycentric, values, corners, out)
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """The nearest triangle at each pixel's centre, and what its weights there follow from.

    Attributes:
        triangle_id: (H, W) int32; -1 = background.
        nearness: (H, W) float32, 1/z of a perspective image (z mm), -z of an orthographic one;
            -inf on the background.
        snapped: (V, 2) int32, corners in 1/256 px.
        near: (V,) float64, their nearness.
        triangles: (T, 3) int32.
        perspective: whether 1/z is linear over the image.
    """

    triangle_id: np.ndarray
    nearness: np.ndarray
    snapped: np.ndarray
    near: np.ndarray
    triangles: np.ndarray
    perspective: bool

    def fragments(self) -> Fragments:
        """The same with weights and depths at every pixel."""
        barycentric = np.zeros((*self.triangle_id.shape, 3), dtype=np.float32)
        depth = np.zeros(self.triangle_id.shape, dtype=np.float32)
        resolve(
            self.snapped,
            self.near,
            self.triangles,
            self.perspective,
            self.triangle_id,
            barycentric,
            depth,
        )
        return Fragments(self.triangle_id, barycentric, depth)


def rasterise(
    screen: np.ndarray,
    triangles: np.ndarray,
    size: tuple[int, int],
    perspective: bool = True,
    cull: bool | int = False,
    cutout: Cutout | None = None,
) -> Fragments:
    """The nearest triangle at every pixel centre.

    Args:
        screen: (V, 3) float, (u px, v px, z mm) with pixel centres at +0.5 (Camera.screen).
        triangles: (T, 3) int vertex indices. One with a vertex at z <= 0, with a non-finite
            coordinate, or farther than MAX_COORDINATE_PX from the origin is dropped.
        size: (width, height), px.
        perspective: whether 1/z (pinhole) or z (orthographic) is linear over the image.
        cull: leave out triangles that turn their back (clockwise from outside) to the camera; a
            number: of the first triangles alone, of a surface that is closed.
        cutout: holes in the triangles.

    Returns:
        Fragments of the image. Of equally near triangles the first one wins.

    Raises:
        ValueError: where a shape or an index does not fit.
    """
    return covered(screen, triangles, size, perspective, cull, cutout).fragments()


def covered(
    screen: np.ndarray,
    triangles: np.ndarray,
    size: tuple[int, int],
    perspective: bool = True,
    cull: bool | int = False,
    cutout: Cutout | None = None,
    before: np.ndarray | None = None,
) -> Coverage:
    """As rasterise, without weights: where these are wanted at few of the pixels, or nowhere.

    ``cull`` may be a number: the first triangles alone, of a surface that is closed.
    ``before`` is the nearness (H, W) float32 of what was drawn already: only what is nearer shows,
    and the coverage's own nearness is that of both.
    """
    points = np.ascontiguousarray(screen, dtype=np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise ValueError(f"screen: shape {points.shape}; expected (V, 3); stack (u, v, z)")
    corners = _checked_triangles(triangles, len(points))
    width, height = int(size[0]), int(size[1])
    if width <= 0 or height <= 0:
        raise ValueError(f"size: {size}; expected (width, height) above 0; check the camera")
    triangle_id = np.full((height, width), -1, dtype=np.int32)
    if before is None:
        nearness = np.full((height, width), -np.inf, dtype=np.float32)
    elif before.shape == (height, width) and before.dtype == np.float32:
        nearness = before.copy()
    else:
        raise ValueError(
            f"before: {before.dtype} of shape {before.shape}; expected float32 "
            f"({height}, {width}); pass the nearness of a coverage of this size"
        )
    snapped, near = snap(points, perspective)
    holes = WHOLE if cutout is None else cutout
    holes = (holes.alpha, holes.texture, holes.uv, holes.dithered)
    culled = len(corners) if cull is True else int(cull)
    cover(snapped, near, corners, culled, perspective, *holes, triangle_id, nearness)
    return Coverage(triangle_id, nearness, snapped, near, corners, perspective)


def depth_span(
    screen: np.ndarray, triangles: np.ndarray, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Nearest and farthest depth of an orthographic image, (size, size) float32 mm each.

    For counting what stands in the way: corners are not snapped and a pixel on an edge may belong
    to both sides. Where there is nothing the nearest is inf and the farthest -inf.

    Args:
        screen: (V, 3) float64, (u px, v px, z mm), finite.
        triangles: (T, 3) int32.
        size: edge of the image, px.
    """
    nearest = np.full((size, size), np.inf, dtype=np.float32)
    farthest = np.full((size, size), -np.inf, dtype=np.float32)
    span(screen, triangles, nearest, farthest)
    return nearest, farthest


def downsample(image: np.ndarray, factor: int) -> np.ndarray:
    """Box average of colour or alpha by a whole factor; never of depth, normals or labels.

    Args:
        image: (H·factor, W·factor[, C]) uint8 or float.
        factor: pixels averaged along each axis.

    Returns:
        (H, W[, C]) of the same dtype; integers are rounded to the nearest.

    Raises:
        ValueError: where the size is no multiple of the factor.
    """
    if factor == 1:
        return image
    height, width = image.shape[:2]
    if height % factor or width % factor:
        raise ValueError(
            f"image: {width}×{height}; expected multiples of {factor}; render at factor × size"
        )
    if np.issubdtype(image.dtype, np.floating):
        size = (width // factor, height // factor)
        averaged = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        return averaged.reshape(size[1], size[0], *image.shape[2:])  # OpenCV drops a last axis of 1
    blocks = image.reshape(height // factor, factor, width // factor, factor, *image.shape[2:])
    total = blocks.sum(axis=(1, 3), dtype=np.int64)
    return ((total + factor**2 // 2) // factor**2).astype(image.dtype)


def _checked_triangles(triangles: np.ndarray, count: int) -> np.ndarray:
    """Contiguous (T, 3) int32, its indices inside [0, count)."""
    corners = np.ascontiguousarray(triangles, dtype=np.int32)
    if corners.ndim != 2 or corners.shape[1] != 3:
        raise ValueError(f"triangles: shape {corners.shape}; expected (T, 3); triangulate first")
    if corners.size and (corners.min() < 0 or corners.max() >= count):
        raise ValueError(
            f"triangles: indices {corners.min()}..{corners.max()}; expected 0..{count - 1}; "
            "pass the vertices that they belong to"
        )
    return corners
