"""The passes of a sensor that look at every pixel, compiled."""

import numba
import numpy as np

from synth.noise import LEVELS


@numba.njit(nogil=True, cache=True, fastmath=True)
def displaced(depth, beside, dice, table, shift, jump_mm):
    """The depth read beside each pixel, and at which one: (H, W) float32 mm, (H, W) int32 flat.

    Args:
        depth: (H, W) float32 mm, 0 for nothing.
        beside: (H, W) float32, above 0 where a neighbour lies beyond a jump.
        dice: (2, H, W) uint16, uniform.
        table: (65536,) float32 px, what each of the dice shifts along columns and rows.
        shift: (2,) float32 px, the whole image's.
        jump_mm: a difference beyond which two depths belong to two surfaces.
    """
    height, width = depth.shape
    read, source = np.zeros_like(depth), np.zeros((height, width), np.int32)
    zero, half = np.float32(0), np.float32(0.5)
    right, bottom = np.float32(width - 1), np.float32(height - 1)
    for row in range(height):
        for column in range(width):
            x = np.float32(column) + shift[0] + table[dice[0, row, column]]
            y = np.float32(row) + shift[1] + table[dice[1, row, column]]
            x = zero if x < zero else (right if x > right else x)
            y = zero if y < zero else (bottom if y > bottom else y)
            u, v = np.uint64(x + half), np.uint64(y + half)
            nearest = depth[v, u]
            read[row, column], source[row, column] = nearest, v * np.uint64(width) + u
            if nearest > zero and beside[v, u] == zero:
                left, top = np.uint64(x), np.uint64(y)
                a, b = x - np.float32(left), y - np.float32(top)
                after = left + np.uint64(x < right)
                under = top + np.uint64(y < bottom)
                above = depth[top, left] + a * (depth[top, after] - depth[top, left])
                below = depth[under, left] + a * (depth[under, after] - depth[under, left])
                smooth = above + b * (below - above)
                if abs(smooth - nearest) < jump_mm:
                    read[row, column] = smooth
    return read, source


@numba.njit(nogil=True, cache=True)
def turned_away(depth, dice, limit, focal, centre, mm_per_px):
    """(H, W) bool: dropped since the view grazes the surface; see depth_faults.grazing.

    Args:
        depth: (H, W) float32 mm.
        dice: (H, W) uint16, uniform.
        limit: cosine below which a pixel may drop out.
        focal: (fx, fy) px.
        centre: (cx, cy) px.
        mm_per_px: of a camera without perspective; 0 for one with.
    """
    height, width = depth.shape
    lost = np.zeros((height, width), np.bool_)
    for row in range(height):
        up, down = max(row - 1, 0), min(row + 1, height - 1)
        for column in range(width):
            z = depth[row, column]
            if z <= 0:
                continue
            left, right = max(column - 1, 0), min(column + 1, width - 1)
            across = (depth[row, right] - depth[row, left]) / (right - left)
            along = (depth[down, column] - depth[up, column]) / (down - up)
            if mm_per_px > 0:
                stretch = z * z * (1 + (across**2 + along**2) / mm_per_px**2)
            else:
                # for z(u, v) of a pinhole the normal is (−f·z_u, −f·z_v, z + u·z_u + v·z_v);
                # in its product with the ray (u/f, v/f, 1) the slopes cancel and leave z
                u, v = column + 0.5 - centre[0], row + 0.5 - centre[1]
                third = z + u * across + v * along
                square = (focal[0] * across) ** 2 + (focal[1] * along) ** 2 + third**2
                stretch = square * ((u / focal[0]) ** 2 + (v / focal[1]) ** 2 + 1)
            if z * z < limit * limit * stretch:  # the cosine is z/√stretch: most pixels need none
                keep = (3 * z / np.sqrt(stretch) - limit) / (2 * limit)
                lost[row, column] = dice[row, column] >= LEVELS * keep
    return lost


@numba.njit(nogil=True, cache=True)
def hidden_from(depth, shift):
    """(H, W) bool: seen by the camera and not from its right; see depth_faults.shadowed.

    Args:
        depth: (H, W) float32 mm, 0 for nothing.
        shift: (H, W) float32 px that a point lies further left as seen from there.
    """
    height, width = depth.shape
    hidden = np.zeros((height, width), np.bool_)
    for row in range(height):
        leftmost = np.inf
        for column in range(width - 1, -1, -1):
            if depth[row, column] > 0:
                there = column - shift[row, column]
                hidden[row, column] = leftmost < there - 0.5
                leftmost = min(leftmost, there)
    return hidden


@numba.njit(nogil=True, cache=True, fastmath=True)
def exposed(linear, grain, variance, read_variance, fall, code):
    """Linear light to 8 bits as a photodiode counts it.

    Args:
        linear: (3, 256) float32, what each code of a channel becomes; 1 is white.
        grain: (image (H, W, 3) uint8, noise (H, W, 3) uint16, unit (3,) float32 a step).
        variance: of the shot noise of white.
        read_variance: of what reading adds, in white squared.
        fall: share of the light that the corners lose.
        code: (N + 1,) uint8, what light 0..1 is written as.
    """
    image, noise, unit = grain
    height, width, _ = image.shape
    out = np.zeros_like(image)
    top = len(code) - 1
    for row in range(height):
        y = (2 * row + 1) / height - 1
        for column in range(width):
            x = (2 * column + 1) / width - 1
            light = np.float32(1 - fall * (x * x + y * y) / 2)
            for channel in range(3):
                value = linear[channel, image[row, column, channel]] * light
                if variance > 0 or read_variance > 0:
                    normal = (noise[row, column, channel] - 32768) * unit[channel]
                    value += np.sqrt(value * variance + read_variance) * normal
                out[row, column, channel] = code[int(min(max(value, 0.0), 1.0) * top + 0.5)]
    return out
