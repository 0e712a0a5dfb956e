"""Colour and labels of what imaging.two_grids found.

A pixel inside a surface is shaded once, at its centre, and its labels are gathered from the same
three corners with the same weights. Where samples of a pixel lie on several surfaces or on both
sides of a fold, each triangle is shaded once, at the mean of its samples (imaging.samples). All
of these places go through blocks (imaging.places): first the centres, then the samples.
"""

import numba
import numpy as np

from imaging.keys import IDS, nearness_of, triangle_of
from imaging.places import BLOCK, DRAWN, PIXEL, PX, PY, WEIGHT
from imaging.projection import FAR_MM
from imaging.raster_kernels import HALF, ONE, SUBPIXEL_BITS
from imaging.samples import ROUGHEST, STEEPEST
from imaging.surface_block import color_block
from imaging.surface_gather import gather_block, own_block, place_block
from imaging.surface_put import mix_colors, put_colors, put_labels


@numba.njit(nogil=True, cache=True, error_model="numpy")
def shade_image(grids, geometry, cuts, mesh, texture, lens, light, shadow, box, out, buffers, work):
    """Write the colours over ``out`` and the labels into ``buffers``.

    Args:
        grids: keys of centres (imaging.keys); keys of samples, samples along a pixel's side, and
            the pixels (N,) int32, row · W + column, ascending, at a rim: outside of these no sample
            is read, and what they hold is moved; the image's width.
        geometry: snapped (V, 2) int32, near (V,), triangles (T + C, 3), perspective.
        cuts: number T of whole triangles; source (C,), weights (C, 3, 3) of imaging.clipping.
        mesh: rows (V, COLUMNS) float32: normal, code of each vertex; colors (V, 3) float32;
            rotation (3, 3) float32 of normals to axes x right, y up, z to the camera; chart
            (T, CHART_COLUMNS) float32: three corners in the texture, doubled area there, part;
            surfaces (T,) uint8, where a change of surface is a rim.
        texture: texels and table of imaging.texels.packed; empty for the vertices' colours.
        lens: fx, fy, cx, cy, px.
        light: environment (9, 3), direction (3,), color (3,) float32 in the camera's frame; k_s, ν;
            linear; STEEPEN and ENCODE of imaging.develop.
        shadow: whether there is a map, depth (N, N), matrix (3, 4), spread.
        box: (left, top, right, bottom) in pixels, what was drawn.
        out: (H·W, 3) uint8 with the background.
        buffers: depth (H·W,), normal, code (H·W, 3), uv (H·W, 2) float32, mask, part (H·W,)
            uint8, triangle (H·W,) int32; those but depth that are not wanted are empty.
        work: FLOATS float32 and INTEGERS int32 of imaging.places, scratch, and (N, 3) uint8
            for the rim's colours.
    """
    centre, fine, factor, rim, width = grids
    snapped, near, triangles, perspective = geometry
    whole, source, shares = cuts
    rows, colors, rotation, chart, surfaces = mesh
    w, marks, mixed = work
    turn, size = (rotation, perspective), np.float32(0)
    if len(texture[1]) > 0:
        size = np.float32(texture[1][0, 1] * texture[1][0, 2])
    count = _keep_sampled(rim, grids, (lens[0], perspective), surfaces, whole, source)
    _copy_pixels(out, rim, count, mixed, True)
    y, x, done = box[1], box[0], 0
    while y <= box[3] or done < count:
        sampled = done < count  # these first: they mix with what is behind
        if sampled:
            n, done = _take_samples(w, marks, fine, factor, width, rim, done, count)
        else:
            n, y, x = _take_centres(marks, centre, width, box, y, x)
        place_block(w, marks, n, snapped, near, triangles, perspective)
        if whole < len(triangles):
            own_block(w, marks, n, whole, source, shares)
        gather_block(w, marks, n, triangles, rows, colors, chart, size)
        color_block(w, marks, n, texture, lens, turn, light, shadow)
        if sampled:
            mix_colors(w, marks, n, mixed)
        else:
            put_labels(w, marks, n, triangles, rows, chart, buffers)
            put_colors(w, marks, n, out)
    _copy_pixels(out, rim, count, mixed, False)


@numba.njit(nogil=True, cache=True)
def _copy_pixels(image, pixels, count, few, away):
    """The first ``count`` of some pixels of an image to a list of their own, or back."""
    for n in range(count):
        pixel = np.uint64(pixels[n])
        for m in range(3):
            if away:
                few[n, m] = image[pixel, m]
            else:
                image[pixel, m] = few[n, m]


@numba.njit(nogil=True, cache=True)
def _take_centres(marks, keys, width, box, y, x):
    """The next places from pixel (y, x) on: their number, and the pixel after them."""
    n = 0
    while y <= box[3]:
        while x <= box[2] and n < BLOCK:
            key = keys[np.uint64(y), np.uint64(x)]
            marks[DRAWN + n], marks[PIXEL + n] = IDS - (key & IDS), y * width + x
            marks[PX + n] = (x << SUBPIXEL_BITS) + HALF
            marks[PY + n] = (y << SUBPIXEL_BITS) + HALF
            n += key > 0
            x += 1
        if n == BLOCK:
            break
        y, x = y + 1, box[0]
    return n, y, x


@numba.njit(nogil=True, cache=True)
def _keep_sampled(rim, grids, slope, surfaces, whole, source):
    """Move the pixels that one place does not stand for to the front; returns their number."""
    centre, fine, factor, _, width = grids
    count = 0
    for n in range(len(rim)):
        y, x = rim[n] // width, rim[n] % width
        if not _is_one(fine, y, x, factor, centre[y, x], slope, surfaces, whole, source):
            rim[count] = rim[n]
            count += 1
    return count


@numba.njit(nogil=True, cache=True)
def _take_samples(w, marks, keys, factor, width, rim, first, stop):
    """The next places, a triangle a pixel each: their number, and the pixel after them."""
    n = 0
    while first < stop and n + factor * factor <= BLOCK:
        y, x = rim[first] // width, rim[first] % width
        n = _add_samples(w, marks, n, keys, y, x, factor, first)
        first += 1
    return n, first


@numba.njit(nogil=True, cache=True)
def _add_samples(w, marks, n, fine, y, x, factor, slot):
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
            marks[DRAWN + n], marks[PIXEL + n] = drawn, slot
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
