"""The nearest triangle at pixels' centres, and at the samples between them where that counts.

Labels are read at the centres, and so is the colour of all pixels inside a surface. What lies at a
rim (imaging.rim) is sampled ``factor``² times a pixel, in a second visit of the triangles there.

What no camera can see is not drawn: after the triangles that face it, coarse tiles know their
farthest centre, and whatever lies behind that is left out, most of it in groups of triangles
(imaging.groups), which changes no pixel.
"""

import numba
import numpy as np

from imaging.keys import IDS, SCALE, draw_keys
from imaging.raster_kernels import DROPPED, HALF, SUBPIXEL_BITS, edge

TILE_BITS = 3  # 8 × 8 pixels: a few triangles of a face
WORD = 32  # pixels; a word of a rim's bits holds twice as many, the next one begins halfway
THIN = 4  # pixels along the box of a triangle between the centres that is looked at all the same


def tile_shape(width: int, height: int) -> tuple[int, int]:
    """Shape of an image's tiles, int64."""
    return (height >> TILE_BITS) + 1, (width >> TILE_BITS) + 1


def word_shape(width: int, height: int) -> tuple[int, int]:
    """Shape of the bits of an image's rim, uint64."""
    return height, width // WORD + 1


@numba.njit(nogil=True, cache=True, error_model="numpy")
def find_nearest(snapped, near, triangles, groups, box, keys, rim, tiles, waiting, kept):
    """Write the key of the nearest triangle at every centre.

    Args:
        snapped, near: of imaging.projection.project.
        triangles: (T + C, 3) int32, outward normals; the last C, parts of others that were cut,
            are in no group.
        groups: order, starts and number of outer ones of imaging.groups.neighbours; bounds,
            nearest and away of look_at(). The outer ones hide most of the others: they are drawn
            first where they face the camera.
        box: (left, top, right, bottom) in whole pixels, the part of the image that is written.
        keys: of imaging.keys.blank_shape, all 0.
        rim: (H, W) uint8; 1 is written where one of the triangles after the outer ones, strands
            and spectacles among them, is before all else and between the centres.
        tiles: int64 of tile_shape, all 0; what find_samples() wants to know is written.
        waiting, kept: (T + C,) int32, scratch; and written with the triangles that may be seen.

    Returns:
        The number of those.
    """
    order, starts, outer, places, _, away = groups
    count, found = 0, 0
    flat, width = keys.reshape(-1), keys.shape[1]
    for g in range(outer):
        if away[g] != 0 or _is_beside(places, g, box):
            continue
        for n in range(starts[g], starts[g + 1]):
            t = np.int64(order[n])
            corners, nears = _corners(snapped, near, triangles, t)
            bounds = _bounds(corners)
            if bounds[0] == DROPPED:
                continue
            ax, ay, bx, by, cx, cy = corners
            area = edge(ax, ay, bx, by, cx, cy)
            if area >= 0:
                waiting[count] = t
                count += 1
                continue
            kept[found] = t
            found += 1
            left, top, right, bottom = _centres(bounds, box)
            if left <= right and top <= bottom:
                span = left, top, right, bottom
                draw_keys(t, corners, nears, area, span, SUBPIXEL_BITS, flat, width)
    _farthest(box, keys, tiles)
    inner, count = _add_uncovered(groups, box, tiles, len(triangles), waiting, count)
    for n in range(count):
        t = np.int64(waiting[n])
        corners, nears = _corners(snapped, near, triangles, t)
        bounds = _bounds(corners)
        if bounds[0] == DROPPED:
            continue
        if _is_covered(_pixels(bounds, box), max(nears[0], nears[1], nears[2]), tiles):
            continue
        ax, ay, bx, by, cx, cy = corners
        area = edge(ax, ay, bx, by, cx, cy)
        if area == 0:
            continue
        kept[found] = t
        found += 1
        left, top, right, bottom = _centres(bounds, box)
        if left <= right and top <= bottom:
            span = left, top, right, bottom
            draw_keys(t, corners, nears, area, span, SUBPIXEL_BITS, flat, width)
        elif n >= inner:
            _mark(bounds, box, rim)
    return found


@numba.njit(nogil=True, cache=True)
def _add_uncovered(groups, box, tiles, all_of_them, waiting, count):
    """Add to those that wait what is in no group, or in one that was not drawn and is not hidden;
    returns the number of outer ones among them, which are the first, and of all."""
    order, starts, outer, places, nearest, away = groups
    inner = count
    for g in range(len(starts) - 1):
        if (g < outer and away[g] == 0) or _is_beside(places, g, box):
            continue
        if _is_covered(_within(places, g, box), nearest[g], tiles):
            continue
        for n in range(starts[g], starts[g + 1]):
            waiting[count] = order[n]
            count += 1
        inner = count if g < outer else inner
    for t in range(len(order), all_of_them):
        waiting[count] = t
        count += 1
    return inner, count


@numba.njit(nogil=True, cache=True, error_model="numpy")
def find_samples(snapped, near, triangles, kept, tiles, rim, words, box, bits, keys):
    """Raise the keys of the samples of pixels at a rim; what is written elsewhere is not complete.

    Args:
        snapped, near, triangles, box: as of find_nearest(). tiles: what it wrote. kept: (K,) int32,
            the triangles that it found.
        rim: (H, W) uint8, not 0 at the pixels whose samples are wanted; words: the same in bits,
            of imaging.rim.clear_samples.
        bits: samples lie 2^bits / 256 px apart.
        keys: of blank_shape of all samples, 0 at those of the rim's pixels.
    """
    half, more = (1 << bits) >> 1, SUBPIXEL_BITS - bits
    flat, width = keys.reshape(-1), keys.shape[1]
    for n in range(len(kept)):
        t = kept[n]
        corners, nears = _corners(snapped, near, triangles, t)
        bounds = _bounds(corners)
        pixels = _pixels(bounds, box)
        if not _is_at_rim(pixels, words):
            continue
        if _is_covered(pixels, max(nears[0], nears[1], nears[2]), tiles):
            continue
        first, above, last, below = _part(pixels, rim)
        left = max(first << more, (bounds[0] + half - 1) >> bits)
        right = min(((last + 1) << more) - 1, (bounds[2] - half) >> bits)
        top = max(above << more, (bounds[1] + half - 1) >> bits)
        bottom = min(((below + 1) << more) - 1, (bounds[3] - half) >> bits)
        if left > right or top > bottom:
            continue
        ax, ay, bx, by, cx, cy = corners
        area = edge(ax, ay, bx, by, cx, cy)
        if area != 0:
            draw_keys(t, corners, nears, area, (left, top, right, bottom), bits, flat, width)


@numba.njit(nogil=True, cache=True, inline="always")
def _corners(snapped, near, triangles, t):
    """ax, ay, bx, by, cx, cy, and the nearness at each corner."""
    i, j, k = np.uint64(triangles[t, 0]), np.uint64(triangles[t, 1]), np.uint64(triangles[t, 2])
    corners = (
        np.int64(snapped[i, 0]),
        np.int64(snapped[i, 1]),
        np.int64(snapped[j, 0]),
        np.int64(snapped[j, 1]),
        np.int64(snapped[k, 0]),
        np.int64(snapped[k, 1]),
    )
    return corners, (near[i], near[j], near[k])


@numba.njit(nogil=True, cache=True, inline="always")
def _bounds(corners):
    ax, ay, bx, by, cx, cy = corners
    return min(ax, bx, cx), min(ay, by, cy), max(ax, bx, cx), max(ay, by, cy)


@numba.njit(nogil=True, cache=True, inline="always")
def _centres(bounds, box):
    """Left, top, right and bottom pixel whose centres lie within the bounds."""
    return (
        max(box[0], (bounds[0] + HALF - 1) >> SUBPIXEL_BITS),
        max(box[1], (bounds[1] + HALF - 1) >> SUBPIXEL_BITS),
        min(box[2], (bounds[2] - HALF) >> SUBPIXEL_BITS),
        min(box[3], (bounds[3] - HALF) >> SUBPIXEL_BITS),
    )


@numba.njit(nogil=True, cache=True, inline="always")
def _pixels(bounds, box):
    """Left, top, right and bottom pixel that the bounds touch."""
    return (
        max(box[0], bounds[0] >> SUBPIXEL_BITS),
        max(box[1], bounds[1] >> SUBPIXEL_BITS),
        min(box[2], bounds[2] >> SUBPIXEL_BITS),
        min(box[3], bounds[3] >> SUBPIXEL_BITS),
    )


@numba.njit(nogil=True, cache=True, inline="always")
def _is_beside(places, g, box):
    """Whether a group lies outside of the box."""
    if places[g, 0] > box[2] or places[g, 2] < box[0]:
        return True
    return places[g, 1] > box[3] or places[g, 3] < box[1]


@numba.njit(nogil=True, cache=True, inline="always")
def _within(places, g, box):
    """Left, top, right and bottom pixel of a group in the box."""
    return (
        max(box[0], np.int64(places[g, 0])),
        max(box[1], np.int64(places[g, 1])),
        min(box[2], np.int64(places[g, 2])),
        min(box[3], np.int64(places[g, 3])),
    )


@numba.njit(nogil=True, cache=True, inline="always")
def _is_at_rim(pixels, words):
    """Whether any of some pixels is at a rim; they may all be taken for it where they are many."""
    left, top, right, bottom = pixels
    across = right - left
    if across >= WORD:
        return True
    word, shift = left // WORD, np.uint64(left % WORD)
    mask = np.uint64((1 << max(across + 1, 0)) - 1)
    for y in range(top, bottom + 1):
        if (words[np.uint64(y), np.uint64(word)] >> shift) & mask != 0:
            return True
    return False


@numba.njit(nogil=True, cache=True)
def _part(pixels, rim):
    """Left, top, right and bottom of the rim's pixels among some; left > right for none."""
    left, top, right, bottom = pixels
    first, above, last, below = right + 1, bottom + 1, left - 1, top - 1
    for y in range(top, bottom + 1):
        for x in range(left, right + 1):
            if rim[np.uint64(y), np.uint64(x)] != 0:
                first, last, above, below = min(first, x), max(last, x), min(above, y), y
    return first, above, last, below


@numba.njit(nogil=True, cache=True)
def _mark(bounds, box, rim):
    """Set the pixels that a small triangle touches."""
    left, top, right, bottom = _pixels(bounds, box)
    if right - left < THIN and bottom - top < THIN:
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                rim[y, x] = 1


@numba.njit(nogil=True, cache=True)
def _farthest(box, keys, tiles):
    """The least key of any centre in or beside each tile that the box touches: beside it, so that
    samples at its border have centres on all sides."""
    for row in range(box[1] >> TILE_BITS, (box[3] >> TILE_BITS) + 1):
        top, bottom = row << TILE_BITS, (row + 1) << TILE_BITS
        for column in range(box[0] >> TILE_BITS, (box[2] >> TILE_BITS) + 1):
            left, right = column << TILE_BITS, (column + 1) << TILE_BITS
            least = np.int64(SCALE)
            for y in range(max(top - 1, box[1]), min(bottom, box[3]) + 1):
                for x in range(max(left - 1, box[0]), min(right, box[2]) + 1):
                    least = min(least, keys[y, x])
            tiles[row, column] = least


@numba.njit(nogil=True, cache=True, inline="always")
def _is_covered(pixels, nearest, tiles):
    """Whether all tiles of some pixels are covered by what is nearer than ``nearest``."""
    key = np.int64(nearest * SCALE) | IDS
    left, top, right, bottom = pixels
    for row in range(top >> TILE_BITS, (bottom >> TILE_BITS) + 1):
        for column in range(left >> TILE_BITS, (right >> TILE_BITS) + 1):
            if key >= tiles[np.uint64(row), np.uint64(column)]:
                return False
    return True
