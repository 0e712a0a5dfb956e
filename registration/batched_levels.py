"""The fronts of faces.solver by their depth in the dissection, all of a depth as one batch.

A GPU spends on a hundred small fronts what it spends on one: the starts of its kernels. The fronts
of one depth wait for each other's children only, so that, padded to one size, they are eliminated
together; the default model's 99 coarse fronts lie at 7 depths, its 395 fine ones at 9. Padding
costs 2.5 to 2.8 times the arithmetic. An unknown that pads has the number n, and its row and column
are those of the identity.
"""

from dataclasses import dataclass

import numpy as np

from faces.solver import Symbolic


@dataclass(frozen=True, slots=True, eq=False)
class Children:
    """The r-th children of a level's fronts, for one r: no two have the same parent.

    Attributes:
        parent: (c,) int64, front of this level.
        child: (c,) int64, front of the next deeper level.
        place: (c, q) int64, the child's padded border within the parent; p + b where it pads.
    """

    parent: np.ndarray
    child: np.ndarray
    place: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """g fronts of p unknowns of their own and b later ones, each a (p + b + 1)² matrix.

    The last row and column of each take what pads, and are not read.

    Attributes:
        own: (g, p) int64 positions in the elimination order; n where it pads.
        border: (g, b) int64; n where it pads.
        take: (m,) int64 entries of the CSR data.
        put: (m,) int64 where they go in the flat (g, p + b + 1, p + b + 1), rows outermost.
        children: what is added of the next deeper level, in an order that is always the same.
    """

    own: np.ndarray
    border: np.ndarray
    take: np.ndarray
    put: np.ndarray
    children: tuple[Children, ...]


def levels_of(symbolic: Symbolic) -> list[Level]:
    """The levels in the order of elimination: the deepest first, the roots last."""
    fronts = symbolic.fronts
    depth = np.zeros(len(fronts), dtype=np.int64)
    for number in reversed(range(len(fronts))):
        depth[list(fronts[number].children)] = depth[number] + 1
    return [
        _level(symbolic, np.flatnonzero(depth == d), np.flatnonzero(depth == d + 1))
        for d in range(depth.max(), -1, -1)
    ]


def _level(symbolic, numbers, deeper):
    """The level of some fronts, whose children are the ``deeper`` ones."""
    fronts, empty = [symbolic.fronts[i] for i in numbers], len(symbolic.order)
    owns = [np.arange(front.begin, front.begin + front.size) for front in fronts]
    own = _padded(owns, empty)
    border = _padded([front.border for front in fronts], empty)
    size = own.shape[1] + border.shape[1] + 1
    put = []
    for number, front in enumerate(fronts):
        column, row = np.divmod(front.put, front.size + len(front.border))
        put.append((number * size + _local(front, row, own)) * size + column)
    take = np.concatenate([front.take for front in fronts])
    most = max(len(front.children) for front in fronts)
    widest = max((len(symbolic.fronts[i].border) for i in deeper), default=0)
    children = tuple(_children(fronts, rank, deeper, own, size - 1, widest) for rank in range(most))
    return Level(own, border, take, np.concatenate(put), children)


def _children(fronts, rank, deeper, own, empty, widest):
    parents = [number for number, front in enumerate(fronts) if len(front.children) > rank]
    child = [fronts[number].children[rank] for number in parents]
    places = [_local(fronts[n], fronts[n].places[rank], own) for n in parents]
    place = _padded([*places, np.zeros(widest, np.int64)], empty)[:-1]
    return Children(np.array(parents), np.searchsorted(deeper, child), place)


def _local(front, index, own):
    """A front's row numbers once its own unknowns are padded to those of the level."""
    return np.where(index < front.size, index, index - front.size + own.shape[1])


def _padded(rows, filler):
    """Rows of unequal length as one array."""
    out = np.full((len(rows), max(map(len, rows))), filler, dtype=np.int64)
    for line, row in zip(out, rows, strict=True):
        line[: len(row)] = row
    return out
