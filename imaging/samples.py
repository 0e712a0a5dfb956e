"""Where an image is shaded: once a pixel inside a surface, once a triangle and pixel at its rim."""

from dataclasses import dataclass

import numba
import numpy as np

from imaging.raster import Coverage, Fragments
from imaging.raster_kernels import ONE, doubled_area, weights_at

STEEPEST = 3.0  # depth over a pixel, in widths of it, up to which a surface is one: 72°
ROUGHEST = 0.25  # the same of what its samples differ from a plane through the centre


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Points of surfaces whose colours, weighted, add up to an image of H × W pixels.

    Attributes:
        pixel: (N,) int32, row · W + column, ascending.
        triangle: (N,) int32.
        barycentric: (N, 3) float32, of the point.
        weight: (N,) float32, the share of its pixel.
        area: (N,) float32, the doubled area of its triangle in the image, px².
    """

    pixel: np.ndarray
    triangle: np.ndarray
    barycentric: np.ndarray
    weight: np.ndarray
    area: np.ndarray

    def cover(self, size: tuple[int, int]) -> np.ndarray:
        """(H, W) float32 share of each pixel of an image (width, height) that has a surface."""
        width, height = size
        total = np.bincount(self.pixel, self.weight, minlength=width * height)
        return total.reshape(height, width).astype(np.float32)


def every_pixel(seen: Coverage) -> Samples:
    """One point a pixel, at its centre."""
    none = (
        np.zeros((0, 0), np.int32),
        np.zeros((0, 0, 3), np.float32),
        np.zeros((0, 0), np.float32),
    )
    owner, whole = np.zeros(len(seen.triangles), np.int16), np.zeros(1, bool)
    return Samples(*_chosen(*_fields(seen), owner, whole, none, 1, 0.0))


def supersampled(
    fine: Coverage,
    centres: Fragments,
    owner: np.ndarray,
    whole: np.ndarray,
    factor: int,
    pixel: float,
) -> Samples:
    """The points that stand for ``factor``² samples a pixel.

    Where all samples and the centre of a pixel lie on one whole surface, and no fold of it runs
    between them, the centre stands for all. Elsewhere each triangle is shaded once, as graphics
    hardware does: at the mean of its samples, which lies inside of it.

    Args:
        fine: samples of the image at ``factor`` times its resolution.
        centres: what is seen at the pixels' centres.
        owner: (T,) int16, the surface of each triangle.
        whole: (P,) bool, surfaces whose pixels may be taken as one; strands may not.
        factor: samples along each axis of a pixel.
        pixel: a pixel's edge at depth 1 of a pinhole (1/f); mm of an orthographic camera.
    """
    centre = centres.triangle_id, centres.barycentric, centres.depth
    return Samples(*_chosen(*_fields(fine), owner, whole, centre, factor, pixel))


def _fields(seen: Coverage) -> tuple:
    return (
        seen.triangle_id,
        seen.nearness,
        (seen.snapped, seen.near, seen.triangles, seen.perspective),
    )


@numba.njit(nogil=True, cache=True)
def _chosen(triangle_id, nearness, geometry, owner, whole, centre, factor, edge):
    """The fields of Samples."""
    snapped, near, triangles, perspective = geometry
    centre_id, centre_weights, centre_depth = centre
    height, width = triangle_id.shape[0] // factor, triangle_id.shape[1] // factor
    most = triangle_id.size
    pixel, triangle = np.empty(most, np.int32), np.empty(most, np.int32)
    barycentric = np.empty((most, 3), np.float32)
    weight, area = np.empty(most, np.float32), np.empty(most, np.float32)
    shrink, share = 1 / (factor * ONE) ** 2, 1 / factor**2
    n = 0
    for y in range(height):
        for x in range(width):
            top, left, here = y * factor, x * factor, y * width + x
            if len(centre_id) > 0 and centre_id[y, x] >= 0 and whole[owner[centre_id[y, x]]]:
                t, z = centre_id[y, x], centre_depth[y, x]
                q, bound = (1 / z, edge / z) if perspective else (-z, edge)
                if _is_one(triangle_id, nearness, top, left, factor, owner, owner[t], q, bound):
                    i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                    pixel[n], triangle[n], weight[n] = here, t, 1.0
                    area[n] = doubled_area(snapped, i, j, k) * shrink
                    for m in range(3):
                        barycentric[n, m] = centre_weights[y, x, m]
                    n += 1
                    continue
            for row in range(top, top + factor):
                for column in range(left, left + factor):
                    t = triangle_id[row, column]
                    if t < 0:
                        continue
                    count, px, py = _members(triangle_id, top, left, factor, row, column)
                    if count == 0:
                        continue
                    i, j, k = triangles[t, 0], triangles[t, 1], triangles[t, 2]
                    a, b, c, _ = weights_at(snapped, near, i, j, k, px, py, perspective)
                    pixel[n], triangle[n], weight[n] = here, t, count * share
                    area[n] = doubled_area(snapped, i, j, k) * shrink
                    barycentric[n, 0], barycentric[n, 1], barycentric[n, 2] = a, b, c
                    n += 1
    return (
        pixel[:n].copy(),
        triangle[:n].copy(),
        barycentric[:n].copy(),
        weight[:n].copy(),
        area[:n].copy(),
    )


@numba.njit(nogil=True, cache=True)
def _is_one(triangle_id, nearness, top, left, factor, owner, surface, q, edge):
    """Whether all samples of a pixel lie on one surface without a fold or a jump.

    ``q`` is the nearness at its centre and ``edge`` the change of it that a slope of 45° makes over
    a pixel. Two samples opposite each other are, on a plane, as near as the centre on average.
    """
    nearest, farthest = q, q
    last = factor - 1
    for row in range(factor):
        for column in range(factor):
            y, x = top + row, left + column
            if triangle_id[y, x] < 0 or owner[triangle_id[y, x]] != surface:
                return False
            here, opposite = nearness[y, x], nearness[top + last - row, left + last - column]
            if abs(here + opposite - 2 * q) > 2 * ROUGHEST * edge:
                return False
            nearest, farthest = max(nearest, here), min(farthest, here)
    return nearest - farthest <= STEEPEST * edge


@numba.njit(nogil=True, cache=True)
def _members(triangle_id, top, left, factor, first_row, first_column):
    """Number of a pixel's samples on the triangle of the first, and their mean place in 1/256 px.

    The number is 0 where an earlier sample of the pixel is on it.
    """
    t = triangle_id[first_row, first_column]
    count, x, y = 0, 0.0, 0.0
    for row in range(top, top + factor):
        for column in range(left, left + factor):
            if triangle_id[row, column] != t:
                continue
            if row < first_row or (row == first_row and column < first_column):
                return 0, x, y
            count += 1
            x += column + 0.5
            y += row + 0.5
    return count, x / count * ONE, y / count * ONE
