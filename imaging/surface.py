"""Colour and labels of what imaging.two_grids found, in one pass over the image.

A pixel inside a surface is shaded once, at its centre, and its labels are gathered from the same
three corners with the same weights. Where samples of a pixel lie on several surfaces or on both
sides of a fold, each triangle is shaded once, at the mean of its samples (imaging.samples). All
of these places go through blocks of imaging.surface_block, those of one pixel through one.
"""

import numba
import numpy as np

from imaging.keys import nearness_of, triangle_of
from imaging.projection import FAR_MM
from imaging.raster_kernels import ONE, SUBPIXEL_BITS
from imaging.samples import ROUGHEST, STEEPEST
from imaging.surface_block import BLOCK, DRAWN, PIXEL, PX, PY, WEIGHT, color_block
from imaging.surface_gather import gather_block, own_block, place_block
from imaging.surface_put import put_colors, put_labels


@numba.njit(nogil=True, cache=True, error_model="numpy")
def shade_image(grids, geometry, cuts, mesh, texture, lens, light, shadow, box, out, buffers, work):
    """Write the colours over ``out`` and the labels into ``buffers``.

    Args:
        grids: keys of centres and of samples (imaging.keys), samples along a pixel's side; rim
            (H, W) uint8 of imaging.rim, outside of which no sample is read.
        geometry: snapped (V, 2) int32, near (V,), triangles (T + C, 3), perspective.
        cuts: number T of whole triangles; source (C,), weights (C, 3, 3) of imaging.clipping.
        mesh: rows (V, COLUMNS) float32: normal, code of each vertex; colors (V, 3) float32;
            rotation (3, 3) float32 of normals to axes x right, y up, z to the camera; chart
            (T, CHART_COLUMNS) float32: three corners in the texture, doubled area there, part;
            surfaces (T,) uint8, where a change of surface is a rim.
        texture: texels and table of imaging.mipmap.packed; empty for the vertices' colours.
        lens: fx, fy, cx, cy, px.
        light: environment (9, 3), direction (3,), color (3,) float32 in the camera's frame; k_s, ν;
            linear; STEEPEN and ENCODE of imaging.develop.
        shadow: whether there is a map, depth (N, N), matrix (3, 4), spread.
        box: (left, top, right, bottom) in pixels, what was drawn.
        out: (H, W, 3) uint8 with the background.
        buffers: depth (H, W), normal, code (H, W, 3), uv (H, W, 2) float32, mask, part (H, W)
            uint8, triangle (H, W) int32; those that are not wanted are empty.
        work: FLOATS float32 and INTEGERS int32 of imaging.surface_block, scratch.
    """
    snapped, near, triangles, perspective = geometry
    whole, source, shares = cuts
    rows, colors, rotation, chart, surfaces = mesh
    w, marks = work
    turn, size = (rotation, perspective), np.float32(0)
    if len(texture[1]) > 0:
        size = np.float32(texture[1][0, 1] * texture[1][0, 2])
    slope, y, x = (lens[0], perspective), box[1], box[0]
    while y <= box[3]:
        n, y, x = _fill_block(w, marks, grids, slope, surfaces, whole, source, box, y, x)
        place_block(w, marks, n, snapped, near, triangles, perspective)
        own_block(w, marks, n, whole, source, shares)
        gather_block(w, marks, n, triangles, rows, colors, chart, size)
        color_block(w, n, texture, lens, turn, light, shadow)
        put_labels(w, marks, n, triangles, rows, chart, buffers)
        put_colors(w, marks, n, out)


@numba.njit(nogil=True, cache=True)
def _fill_block(w, marks, grids, slope, surfaces, whole, source, box, y, x):
    """The next places from pixel (y, x) on: their number, and the pixel after them."""
    centre, fine, factor, rim = grids
    most, width, half = factor * factor, rim.shape[1], ONE // 2
    n = 0
    while y <= box[3]:
        while x <= box[2] and n + most < BLOCK:
            key, sampled = centre[np.uint64(y), np.uint64(x)], False
            if rim[np.uint64(y), np.uint64(x)] != 0:
                sampled = not _is_one(fine, y, x, factor, key, slope, surfaces, whole, source)
            if key > 0:
                marks[DRAWN + n], marks[PIXEL + n] = triangle_of(key), y * width + x
                marks[PX + n] = (x << SUBPIXEL_BITS) + half
                marks[PY + n] = (y << SUBPIXEL_BITS) + half
                w[WEIGHT + n] = 0 if sampled else 1
                n += 1
            if sampled:
                n = _add_samples(w, marks, n, fine, y, x, factor, -1 - (y * width + x))
            x += 1
        if x <= box[2]:
            break
        y, x = y + 1, box[0]
    return n, y, x


@numba.njit(nogil=True, cache=True)
def _add_samples(w, marks, n, fine, y, x, factor, pixel):
    """A place for each triangle that a pixel's samples show; returns the number of places."""
    pitch, share = ONE // factor, np.float32(1 / (factor * factor))
    for row in range(y * factor, (y + 1) * factor):
        for column in range(x * factor, (x + 1) * factor):
            drawn = triangle_of(fine[row, column])
            if drawn < 0:
                continue
            count, sx, sy = _members(fine, y * factor, x * factor, factor, row, column)
            if count == 0:
                continue
            marks[DRAWN + n], marks[PIXEL + n] = drawn, pixel
            marks[PX + n], marks[PY + n] = int(sx * pitch), int(sy * pitch)
            w[WEIGHT + n] = count * share
            n += 1
    return n


@numba.njit(nogil=True, cache=True, inline="always")
def _owner(key, whole, source):
    """The triangle of the mesh that a key's is, or is a part of."""
    drawn = triangle_of(key)
    return drawn if drawn < whole else np.int64(source[drawn - whole])


@numba.njit(nogil=True, cache=True, inline="always")
def _slope_bound(near, fx, perspective):
    """Change of nearness over a pixel of a surface at 45°."""
    if perspective:
        return near / fx  # d(n / z) = n / z · dz / z, and a pixel's edge is z / f
    return 1 / (FAR_MM * fx)


@numba.njit(nogil=True, cache=True)
def _is_one(fine, y, x, factor, key, slope, surfaces, whole, source):
    """Whether all samples of a pixel lie on the surface of its centre without a fold or a jump.

    As imaging.samples has it, whose limits these are: two samples opposite each other are, on a
    plane, as near as the centre on average.
    """
    if key <= 0:
        return False
    surface, q = surfaces[_owner(key, whole, source)], nearness_of(key)
    bound = _slope_bound(q, slope[0], slope[1])
    top, left, last = y * factor, x * factor, factor - 1
    nearest, farthest = q, q
    for row in range(factor):
        for column in range(factor):
            own = fine[top + row, left + column]
            if own <= 0:
                return False
            here = nearness_of(own)
            opposite = nearness_of(fine[top + last - row, left + last - column])
            rough = abs(here + opposite - 2 * q) > 2 * ROUGHEST * bound
            if surfaces[_owner(own, whole, source)] != surface or rough:
                return False
            nearest, farthest = max(nearest, here), min(farthest, here)
    return nearest - farthest <= STEEPEST * bound


@numba.njit(nogil=True, cache=True)
def _members(fine, top, left, factor, first_row, first_column):
    """Number of a pixel's samples on the triangle of the first, and their mean place in samples.

    The number is 0 where an earlier sample of the pixel is on it.
    """
    t = triangle_of(fine[first_row, first_column])
    count, x, y = 0, 0.0, 0.0
    for row in range(top, top + factor):
        for column in range(left, left + factor):
            if triangle_of(fine[row, column]) != t:
                continue
            if row < first_row or (row == first_row and column < first_column):
                return 0, x, y
            count += 1
            x += column + 0.5
            y += row + 0.5
    return count, x / count, y / count
