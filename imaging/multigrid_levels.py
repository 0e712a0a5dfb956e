"""The levels of a masked grid: finite volumes of its pixels and of blocks of them.

The cells of the finest level are the pixels to be found; a cell is joined to its four neighbours,
and to held pixels beside it (Dirichlet). Coarse cells are 2×2 blocks, whose conductances follow
from how many of the pixels' joints cross their sides (Wesseling 1988, Cell-centered multigrid for
interface problems).
"""

from typing import NamedTuple

import numba
import numpy as np

FREE, HELD, WANTED = 0, 1, 2


class Level(NamedTuple):
    """A grid of (h, w) cells with a border of one around it: arrays (h + 2, w + 2).

    Attributes:
        right, down: float32 conductance to the next cell along a row, a column; 0 for no joint.
        total: float32, the sum of a cell's conductances, A's diagonal; 0 where there is no cell.
        inverse: float32, 1 / total; 0 where there is no cell.
        free: float32, 1 where there is neither a cell nor anything held.
        outside: float32, 1 where there is no cell.
        gain: float32, a cell's conductance to what is held over its pixels'; 1 where nothing is.
        span: (h + 2, 2) int64 first and last + 1 column of a row that hold cells; 1, 1 for none.
    """

    right: np.ndarray
    down: np.ndarray
    total: np.ndarray
    inverse: np.ndarray
    free: np.ndarray
    outside: np.ndarray
    gain: np.ndarray
    span: np.ndarray


class Levels(NamedTuple):
    """All levels, fine to coarse, one behind the other, so that compiled loops take any number.

    Attributes:
        shape: (levels, 2) int64, h + 2 and w + 2.
        start: (levels + 1, 2) int64, a level's first cell and first row.
        fields: (7, cells) float32 of Level, ``right`` to ``gain``.
        span: (rows, 2) int64 of Level.
    """

    shape: np.ndarray
    start: np.ndarray
    fields: np.ndarray
    span: np.ndarray


def make_levels(kind: np.ndarray, coarsest: int, zeros=np.zeros) -> Levels:
    """Levels of a grid, the last of at most ``coarsest`` cells a side.

    Args:
        kind: (h, w) uint8 of FREE, HELD and WANTED pixels.
        zeros: where the arrays come from: zeros(shape, dtype).
    """
    shapes = [(kind.shape[0] + 2, kind.shape[1] + 2)]
    while max(shapes[-1]) - 2 > coarsest:
        shapes.append(tuple((n - 1) // 2 + 2 for n in shapes[-1]))
    shape = np.array(shapes)
    start = np.zeros((len(shape) + 1, 2), int)
    start[1:, 0], start[1:, 1] = np.cumsum(shape[:, 0] * shape[:, 1]), np.cumsum(shape[:, 0])
    cells, rows = start[-1]
    levels = Levels(shape, start, zeros((7, cells), np.float32), zeros((rows, 2), int))
    padded, joints = zeros(shapes[0], np.uint8), zeros((3, *shapes[0]), np.uint8)
    padded[1:-1, 1:-1] = kind
    _fill_levels(padded, joints, levels)
    return levels


@numba.njit(cache=True, nogil=True)
def level_at(levels, depth):
    """The Level of a depth, 0 the finest."""
    first, last = levels.start[depth, 0], levels.start[depth + 1, 0]
    rows, columns = levels.shape[depth]
    fields = levels.fields
    return Level(
        fields[0, first:last].reshape(rows, columns),
        fields[1, first:last].reshape(rows, columns),
        fields[2, first:last].reshape(rows, columns),
        fields[3, first:last].reshape(rows, columns),
        fields[4, first:last].reshape(rows, columns),
        fields[5, first:last].reshape(rows, columns),
        fields[6, first:last].reshape(rows, columns),
        levels.span[levels.start[depth, 1] : levels.start[depth + 1, 1]],
    )


@numba.njit(cache=True, nogil=True)
def vector_at(levels, vectors, depth, channels):
    """The vector (h + 2, channels, w + 2) of a depth in ``vectors``, (cells · channels,)."""
    first, last = levels.start[depth, 0], levels.start[depth + 1, 0]
    rows, columns = levels.shape[depth]
    return vectors[first * channels : last * channels].reshape(rows, channels, columns)


@numba.njit(cache=True, nogil=True)
def _fill_levels(kind, joints, levels):
    _join(kind, joints)
    _conduct(kind, joints, 1, level_at(levels, 0))
    if len(levels.shape) == 1:
        return
    blocks, crossing = _coarsened(kind, joints)
    _conduct(blocks, crossing, 2, level_at(levels, 1))
    for depth in range(2, len(levels.shape)):
        blocks, crossing = _coarsened(blocks, crossing)
        _conduct(blocks, crossing, 2**depth, level_at(levels, depth))


@numba.njit(cache=True, nogil=True)
def _join(kind, joints):
    """Of each pixel (3, h + 2, w + 2): joints to the right, downwards, and to held ones."""
    columns = kind.shape[1]
    for y in range(1, kind.shape[0] - 1):
        mid, above, below = kind[y, 1:-1], kind[y - 1, 1:-1], kind[y + 1, 1:-1]
        after, before = kind[y, 2:], kind[y, : columns - 2]
        right, down, held = joints[0, y, 1:-1], joints[1, y, 1:-1], joints[2, y, 1:-1]
        for i in range(columns - 2):
            here = mid[i] == WANTED
            right[i] = here & (after[i] == WANTED)
            down[i] = here & (below[i] == WANTED)
            count = np.uint8(above[i] == HELD) + np.uint8(below[i] == HELD)
            count += np.uint8(after[i] == HELD) + np.uint8(before[i] == HELD)
            held[i] = count if here else 0


@numba.njit(cache=True, nogil=True)
def _coarsened(kind, joints):
    """Kind and joints of the 2×2 blocks: what crosses a block's side, what is held in it."""
    shape = ((kind.shape[0] - 1) // 2 + 2, (kind.shape[1] - 1) // 2 + 2)
    blocks, crossing = np.zeros(shape, np.uint8), np.zeros((3, *shape), np.int32)
    for v in range(1, shape[0] - 1):
        above, below = kind[2 * v - 1, 1:], kind[2 * v, 1:]
        right_above, right_below = joints[0, 2 * v - 1, 1:], joints[0, 2 * v, 1:]
        down, held_above, held_below = (
            joints[1, 2 * v, 1:],
            joints[2, 2 * v - 1, 1:],
            joints[2, 2 * v, 1:],
        )
        block, right, under, held = (
            blocks[v, 1:-1],
            crossing[0, v, 1:-1],
            crossing[1, v, 1:-1],
            crossing[2, v, 1:-1],
        )
        for u in range(len(block)):
            i, j = 2 * u, 2 * u + 1
            block[u] = max(max(above[i], above[j]), max(below[i], below[j]))
            right[u] = np.int32(right_above[j]) + np.int32(right_below[j])
            under[u] = np.int32(down[i]) + np.int32(down[j])
            held[u] = np.int32(held_above[i]) + np.int32(held_above[j])
            held[u] += np.int32(held_below[i]) + np.int32(held_below[j])
    return blocks, crossing


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _conduct(kind, joints, size, level):
    """Conductances: of n joints side by side over a length ``size``, n / size."""
    level.free[:] = 1
    level.outside[:] = 1
    level.gain[:] = 1
    share = np.float32(1 / size)
    for y in range(1, kind.shape[0] - 1):
        level.span[y] = _span(kind[y])
        gain, held, what = level.gain[y, 1:-1], joints[2, y, 1:-1], kind[y, 1:-1]
        for i in range(len(gain)):
            if size > 1 and held[i] > 0:
                gain[i] = _to_held(held[i], size) / held[i]
        free, outside = level.free[y, 1:-1], level.outside[y, 1:-1]
        right, down = level.right[y, 1:-1], level.down[y, 1:-1]
        to_right, downwards = joints[0, y, 1:-1], joints[1, y, 1:-1]
        for i in range(len(gain)):
            free[i], outside[i] = what[i] == FREE, what[i] != WANTED
            right[i], down[i] = share * np.float32(to_right[i]), share * np.float32(downwards[i])
        before, above = level.right[y, :-2], level.down[y - 1, 1:-1]
        total, inverse = level.total[y, 1:-1], level.inverse[y, 1:-1]
        for i in range(len(gain)):
            all_round = right[i] + before[i] + down[i] + above[i]
            total[i] = all_round + gain[i] * np.float32(held[i])
            inverse[i] = np.float32(1) / total[i] if total[i] > 0 else np.float32(0)


@numba.njit(cache=True, nogil=True)
def _span(kind):
    """First and last + 1 column of a row that hold cells; 1, 1 for none."""
    first, last = 1, len(kind) - 1
    while first < last and kind[first] != WANTED:
        first += 1
    while last > first and kind[last - 1] != WANTED:
        last -= 1
    return (first, last) if first < last else (1, 1)


@numba.njit(cache=True, nogil=True)
def _to_held(count, size):
    """Conductance from a cell's middle to what is held in it or beside it.

    A straight rim has ``size`` joints and is half a cell and half a pixel away. Of fewer joints
    the current spreads from a point, whose resistance grows with the logarithm of the distance.
    """
    straight = (size + 1) / (2 * size)
    if count >= size:
        return np.float32(count / (size * straight))
    return np.float32(1 / (straight + np.log(size / count) / np.pi))
