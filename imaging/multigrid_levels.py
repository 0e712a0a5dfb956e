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
        span: (h + 2, 2) int64 first and last + 1 column of a row that hold cells.
    """

    right: np.ndarray
    down: np.ndarray
    total: np.ndarray
    inverse: np.ndarray
    free: np.ndarray
    span: np.ndarray


def make_levels(kind: np.ndarray, coarsest: int, zeros=np.zeros) -> list[Level]:
    """Levels of a grid, fine to coarse, the last of at most ``coarsest`` cells a side.

    Args:
        kind: (h, w) uint8 of FREE, HELD and WANTED pixels.
        zeros: where the arrays come from: zeros(shape, dtype).
    """
    padded = zeros((kind.shape[0] + 2, kind.shape[1] + 2), np.uint8)
    padded[1:-1, 1:-1] = kind
    joints = zeros((3, *padded.shape), np.int32)
    _join(padded, joints)
    size, levels = 1, [_level(padded, joints, 1, zeros)]
    while max(padded.shape) - 2 > coarsest:
        shape = ((padded.shape[0] - 1) // 2 + 2, (padded.shape[1] - 1) // 2 + 2)
        blocks, crossing = zeros(shape, np.uint8), zeros((3, *shape), np.int32)
        _coarsen(padded, joints, blocks, crossing)
        padded, joints, size = blocks, crossing, 2 * size
        levels.append(_level(padded, joints, size, zeros))
    return levels


@numba.njit(cache=True, nogil=True)
def _join(kind, joints):
    """Of each pixel (3, h + 2, w + 2): joints to the right, downwards, and to held ones."""
    for y in range(1, kind.shape[0] - 1):
        for x in range(1, kind.shape[1] - 1):
            if kind[y, x] == WANTED:
                joints[0, y, x] = kind[y, x + 1] == WANTED
                joints[1, y, x] = kind[y + 1, x] == WANTED
                for v, u in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                    joints[2, y, x] += kind[v, u] == HELD


@numba.njit(cache=True, nogil=True)
def _coarsen(kind, joints, blocks, crossing):
    """Kind and joints of the 2×2 blocks: what crosses a block's side, what is held in it."""
    for y in range(1, kind.shape[0] - 1):
        for x in range(1, kind.shape[1] - 1):
            v, u = (y + 1) // 2, (x + 1) // 2
            blocks[v, u] = max(blocks[v, u], kind[y, x])
            if x % 2 == 0:
                crossing[0, v, u] += joints[0, y, x]
            if y % 2 == 0:
                crossing[1, v, u] += joints[1, y, x]
            crossing[2, v, u] += joints[2, y, x]


def _level(kind, joints, size, zeros):
    """The Level whose cells are size² pixels."""
    level = Level(*(zeros(kind.shape, np.float32) for _ in range(5)), zeros((len(kind), 2), int))
    _conduct(kind, joints, size, level)
    return level


@numba.njit(cache=True, nogil=True)
def _conduct(kind, joints, size, level):
    """Conductances: of n joints side by side over a length ``size``, n / size."""
    level.free[:] = 1
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
            total[y, x] += _to_held(joints[2, y, x], size)
            level.inverse[y, x] = 1 / total[y, x]
        span[y, 0] = min(span[y, 0], span[y, 1])


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
