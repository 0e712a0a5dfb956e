"""Where one look at a pixel's centre does not tell its colour: outlines, folds, other surfaces."""

import numba
import numpy as np

from imaging.keys import IDS, nearness_of
from imaging.projection import depth_of
from imaging.samples import ROUGHEST, STEEPEST
from imaging.two_grids import WORD


def plane_shape(width: int, height: int) -> tuple[int, int]:
    """Shape of what read_keys() fills: the image and a pixel more on each side."""
    return height + 2, width + 2


@numba.njit(nogil=True, cache=True)
def read_keys(keys, surfaces, whole, source, perspective, box, depth, surface):
    """Depth and surface of each centre; what lies beyond the image is as its outermost pixels.

    Args:
        keys: of centres (imaging.keys).
        surfaces: (T,) uint8 of each whole triangle; whole: T; source: of imaging.clipping.
        perspective: as of imaging.projection.
        box: (left, top, right, bottom) in pixels, outside of which there is nothing.
        depth: float32, mm, and surface uint8, its number and 1; of plane_shape, all 0.
    """
    height, width = depth.shape[0] - 2, depth.shape[1] - 2
    for y in range(box[1], box[3] + 1):
        for x in range(box[0], box[2] + 1):
            key = keys[y, x]
            if key <= 0:
                continue
            t = IDS - (key & IDS)
            if t >= whole:
                t = np.int64(source[t - whole])
            depth[y + 1, x + 1] = depth_of(nearness_of(key), perspective)
            surface[y + 1, x + 1] = surfaces[t] + 1
    for plane_row, row in ((0, 1), (height + 1, height)):
        depth[plane_row], surface[plane_row] = depth[row], surface[row]
    for plane_column, column in ((0, 1), (width + 1, width)):
        depth[:, plane_column], surface[:, plane_column] = depth[:, column], surface[:, column]


@numba.njit(nogil=True, cache=True)
def find_rim(depth, surface, pixel_mm, scaled, factor, rim):
    """Set the pixels that the eight around them show to be at a rim of a surface.

    That is where one of them is of another surface or of none, or where two opposite ones do not
    lie on a plane with the pixel that is less steep than imaging.samples has it. Its limits are of
    samples, which lie nearer: a fold through the pixel that bends these too far, or a slope, shows
    here by as much more as the neighbours lie apart.

    Args:
        depth, surface: of read_keys().
        pixel_mm: a pixel's edge at depth 1 mm (``scaled``), or at any depth.
        factor: samples along a pixel's side.
        rim: (H, W) uint8, 1 is written.
    """
    height, width = rim.shape
    span = (1 - 1 / factor) / 2  # px from the centre to the outermost sample
    rough = np.float32(2 * ROUGHEST * pixel_mm / span)
    steep = np.float32(STEEPEST * pixel_mm / span)
    for y in range(height):
        for x in range(width):
            own, z = surface[y + 1, x + 1], depth[y + 1, x + 1]
            other = (
                (surface[y, x] ^ own)
                | (surface[y, x + 1] ^ own)
                | (surface[y, x + 2] ^ own)
                | (surface[y + 1, x] ^ own)
                | (surface[y + 1, x + 2] ^ own)
                | (surface[y + 2, x] ^ own)
                | (surface[y + 2, x + 1] ^ own)
                | (surface[y + 2, x + 2] ^ own)
            )
            a, b, c = depth[y, x], depth[y, x + 1], depth[y, x + 2]
            d, e = depth[y + 1, x], depth[y + 1, x + 2]
            f, g, h = depth[y + 2, x], depth[y + 2, x + 1], depth[y + 2, x + 2]
            twice, edge = z + z, z if scaled else np.float32(1)
            bent = max(
                max(abs(a + h - twice), abs(b + g - twice)),
                max(abs(c + f - twice), abs(d + e - twice)),
            )
            leap = abs(b - g) + abs(d - e)  # over the diagonal of two pixels
            found = (other != 0) | (bent > rough * edge) | (leap > steep * edge)
            rim[y, x] |= np.uint8(found)


@numba.njit(nogil=True, cache=True)
def clear_samples(rim, factor, keys, words, pixels):
    """Take out what the samples of the rim's pixels hold, and set their bits.

    Args:
        rim: (H, W) uint8. factor: samples along a pixel's side.
        keys: of imaging.keys.blank_shape. words: uint64 of imaging.two_grids.word_shape, all 0:
            bit x - WORD k of the word k of a row is pixel x.
        pixels: (H·W,) int32, filled with the rim's, row · W + column, ascending.

    Returns:
        The number of the rim's pixels.
    """
    count, width = 0, rim.shape[1]
    for y in range(rim.shape[0]):
        for x in range(width):
            if rim[y, x] == 0:
                continue
            pixels[count] = y * width + x
            count += 1
            word, one = x // WORD, np.uint64(1)
            words[y, word] |= one << np.uint64(x % WORD)
            if word > 0:
                words[y, word - 1] |= one << np.uint64(x % WORD + WORD)
            for row in range(y * factor, (y + 1) * factor):
                for column in range(x * factor, (x + 1) * factor):
                    keys[row, column] = 0
    return count
