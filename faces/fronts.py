"""The numeric half of the multifrontal Cholesky: the fronts' blocks, factored and solved with.

Every front keeps its first p columns of p + b rows in one flat array, column by column; what is
left of it, b × b, lives until its parent has taken it.
"""

from typing import NamedTuple

import numba
import numpy as np

from faces.blas import cholesky, divide, subtract_square


class Layout(NamedTuple):
    """A list of fronts as flat arrays, F fronts and what each has of a kind one after another.

    Attributes:
        begin, size: (F,) of the fronts.
        at: (F + 1,) where a front's columns begin in the factor.
        borders, border: (F + 1,) starts and their positions.
        families, child, place: (F + 1,) starts, the children, and the place of a front's own
            border within its parent, which lies where ``border`` does.
        take, put: entries of the CSR data and where they go in the factor.
    """

    begin: np.ndarray
    size: np.ndarray
    at: np.ndarray
    borders: np.ndarray
    border: np.ndarray
    families: np.ndarray
    child: np.ndarray
    place: np.ndarray
    take: np.ndarray
    put: np.ndarray


def layout_of(fronts) -> Layout:
    """The Layout of fronts in the order of elimination."""
    size = np.array([front.size for front in fronts], dtype=np.int64)
    touched = np.array([len(front.border) for front in fronts], dtype=np.int64)
    at, borders = _starts(size * (size + touched)), _starts(touched)
    place = np.zeros(borders[-1], dtype=np.int64)
    for front in fronts:
        for child, where in zip(front.children, front.places, strict=True):
            place[borders[child] : borders[child + 1]] = where
    return Layout(
        np.array([front.begin for front in fronts], dtype=np.int64),
        size,
        at,
        borders,
        np.concatenate([front.border for front in fronts]).astype(np.int64),
        _starts([len(front.children) for front in fronts]),
        np.array([child for front in fronts for child in front.children], dtype=np.int64),
        place,
        np.concatenate([front.take for front in fronts]),
        np.concatenate([front.put + start for front, start in zip(fronts, at, strict=False)]),
    )


def _starts(counts):
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)


@numba.njit(cache=True, nogil=True)
def factor_fronts(layout, data, store):
    """Fill ``store`` (at[F],), zero before, with the factor; 0, or the bad pivot's place from 1."""
    for k in range(len(layout.take)):
        store[layout.put[k]] = data[layout.take[k]]
    rests = [np.zeros((0, 0), dtype=store.dtype) for _ in range(len(layout.size))]
    for f in range(len(layout.size)):
        p, at = layout.size[f], layout.at[f]
        b = layout.borders[f + 1] - layout.borders[f]
        children = layout.child[layout.families[f] : layout.families[f + 1]]
        grown = len(children) > 0
        rest = np.zeros((b, b), store.dtype) if grown else np.empty((b, b), store.dtype)
        for child in children:
            place = layout.place[layout.borders[child] : layout.borders[child + 1]]
            _take_over(rests[child], place, store[at : layout.at[f + 1]], p, rest)
            rests[child] = np.zeros((0, 0), dtype=store.dtype)
        bad = cholesky(store, at, p, p + b)
        if bad != 0:
            return layout.begin[f] + bad
        if b > 0:
            divide(store, at, at + p, b, p, p + b)
            subtract_square(store, at + p, b, p, p + b, 1 if grown else 0, rest)
            rests[f] = rest
    return 0


@numba.njit(cache=True, nogil=True)
def _take_over(theirs, place, columns, p, rest):
    """Add a child's remainder (its rows are columns: both are Fortran's) to its parent."""
    height = p + rest.shape[0]
    for column in range(len(place)):
        where = place[column]
        if where < p:
            mine = columns[where * height : (where + 1) * height]
            for row in range(column, len(place)):
                mine[place[row]] += theirs[column, row]
        else:
            for row in range(column, len(place)):
                rest[where - p, place[row] - p] += theirs[column, row]


@numba.njit(cache=True, nogil=True, fastmath=True)
def solve_fronts(layout, store, x):
    """x (k, n), in the order of elimination, becomes the solution."""
    widest = 0
    for f in range(len(layout.size)):
        widest = max(widest, layout.size[f] + layout.borders[f + 1] - layout.borders[f])
    work = np.zeros((x.shape[0], widest), dtype=store.dtype)
    for f in range(len(layout.size)):
        _forward(layout, f, store, x, work)
    for f in range(len(layout.size) - 1, -1, -1):
        _backward(layout, f, store, x, work)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _forward(layout, f, store, x, work):
    p, begin = layout.size[f], layout.begin[f]
    border = layout.border[layout.borders[f] : layout.borders[f + 1]]
    height, at = p + len(border), layout.at[f]
    for c in range(x.shape[0]):
        work[c, :p] = x[c, begin : begin + p]
        work[c, p:height] = 0
    if x.shape[0] == 3:
        _eliminate_three(store, at, p, work[0, :height], work[1, :height], work[2, :height])
    else:
        for c in range(x.shape[0]):
            _eliminate(store, at, p, work[c, :height])
    for c in range(x.shape[0]):
        x[c, begin : begin + p] = work[c, :p]
        for i in range(len(border)):
            x[c, border[i]] += work[c, p + i]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _backward(layout, f, store, x, work):
    p, begin = layout.size[f], layout.begin[f]
    border = layout.border[layout.borders[f] : layout.borders[f + 1]]
    height, at = p + len(border), layout.at[f]
    for c in range(x.shape[0]):
        work[c, :p] = x[c, begin : begin + p]
        for i in range(len(border)):
            work[c, p + i] = x[c, border[i]]
    if x.shape[0] == 3:
        _substitute_three(store, at, p, work[0, :height], work[1, :height], work[2, :height])
    else:
        for c in range(x.shape[0]):
            _substitute(store, at, p, work[c, :height])
    for c in range(x.shape[0]):
        x[c, begin : begin + p] = work[c, :p]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _eliminate(store, at, p, x):
    """Forward substitution with a front's p columns, of x's length."""
    height = len(x)
    for j in range(p):
        here = at + j * height
        value = x[j] / store[here + j]
        x[j] = value
        column, rest = store[here + j + 1 : here + height], x[j + 1 :]
        for i in range(len(rest)):
            rest[i] -= value * column[i]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _eliminate_three(store, at, p, x, y, z):
    """As _eliminate, of x, y and z at once: a large factor is read from memory once for all."""
    height = len(x)
    for j in range(p):
        here = at + j * height
        pivot = store[here + j]
        a, b, c = x[j] / pivot, y[j] / pivot, z[j] / pivot
        x[j], y[j], z[j] = a, b, c
        column = store[here + j + 1 : here + height]
        under_x, under_y, under_z = x[j + 1 :], y[j + 1 :], z[j + 1 :]
        for i in range(len(column)):
            value = column[i]
            under_x[i] -= a * value
            under_y[i] -= b * value
            under_z[i] -= c * value


@numba.njit(cache=True, nogil=True, fastmath=True)
def _substitute(store, at, p, x):
    """Backward substitution with a front's p columns, of x's length."""
    height = len(x)
    for j in range(p - 1, -1, -1):
        here = at + j * height
        column, rest = store[here + j + 1 : here + height], x[j + 1 :]
        total = x[j]
        for i in range(len(rest)):
            total -= column[i] * rest[i]
        x[j] = total / store[here + j]


@numba.njit(cache=True, nogil=True, fastmath=True)
def _substitute_three(store, at, p, x, y, z):
    """As _substitute, of x, y and z at once."""
    height = len(x)
    for j in range(p - 1, -1, -1):
        here = at + j * height
        column = store[here + j + 1 : here + height]
        under_x, under_y, under_z = x[j + 1 :], y[j + 1 :], z[j + 1 :]
        a, b, c = x[j], y[j], z[j]
        for i in range(len(column)):
            value = column[i]
            a -= value * under_x[i]
            b -= value * under_y[i]
            c -= value * under_z[i]
        pivot = store[here + j]
        x[j], y[j], z[j] = a / pivot, b / pivot, c / pivot
