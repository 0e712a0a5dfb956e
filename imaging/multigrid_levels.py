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
        gain: float32, conductance to what is held, of one of the pixels' joints to it; else 1.
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
    for y in range(1, kind.shape[0] - 1):
        v = (y + 1) // 2
        for x in range(1, kind.shape[1] - 1):
            u = (x + 1) // 2
            blocks[v, u] = max(blocks[v, u], kind[y, x])
            if x % 2 == 0:
                crossing[0, v, u] += joints[0, y, x]
            if y % 2 == 0:
                crossing[1, v, u] += joints[1, y, x]
            crossing[2, v, u] += joints[2, y, x]
    return blocks, crossing


@numba.njit(cache=True, nogil=True)
def _conduct(kind, joints, size, level):
    """Conductances: of n joints side by side over a length ``size``, n / size."""
    level.free[:] = 1
    level.outside[:] = 1
    level.gain[:] = 1
    right, down, total, span = level.right, level.down, level.total, level.span
    for y in range(1, kind.shape[0] - 1):
        span[y, 0] = kind.shape[1]
        for x in range(1, kind.shape[1] - 1):
            level.free[y, x] = kind[y, x] == FREE
            if kind[y, x] != WANTED:
                continue
            span[y, 0], span[y, 1] = min(span[y, 0], x), x + 1
            right[y, x] = joints[0, y, x] / size
            down[y, x] = joints[1, y, x] / size
            total[y, x] = right[y, x] + right[y, x - 1] + down[y, x] + down[y - 1, x]
            count = joints[2, y, x]
            held = _to_held(count, size)
            total[y, x] += held
            level.outside[y, x] = 0
            if count > 0:
                level.gain[y, x] = held / count
            level.inverse[y, x] = 1 / total[y, x]
        if span[y, 1] == 0:
            span[y] = 1


@numba.njit(cache=True, nogil=True)
def _to_held(count, size):
    """Conductance from a cell's middle to what is held in it or beside it.

    A straight rim has ``size`` joints and is half a cell and half a pixel away. Of fewer joints
    the current spreads from a point, whose resistance grows with the logarithm of the distance.
    """
    if count == 0:
        return 0.0
    straight = (size + 1) / (2 * size)
    if count >= size:
        return count / (size * straight)
    return 1 / (straight + np.log(size / count) / np.pi)
