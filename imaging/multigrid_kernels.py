"""The compiled loops of imaging.multigrid, each one pass over a level.

Vectors are float32 (rows, channels, columns) with a border of one cell, zero where there is no
cell: a row of a channel is one run of memory, and the conductances of a row serve all channels.
Each loop runs over slices of equal length, which is what lets the compiler vectorise it.
"""

import numba
import numpy as np

_compiled = numba.njit(cache=True, nogil=True, fastmath={"contract", "arcp", "nsz", "reassoc"})


@_compiled
def smooth_zero(level, right, out, first, second):
    """Two Jacobi steps from zero in one pass: the first is ``first`` · D⁻¹ right."""
    for y in range(1, right.shape[0] - 1):
        lo, hi = level.span[y]
        east, west = level.right[y, lo:hi], level.right[y, lo - 1 : hi - 1]
        south, north = level.down[y, lo:hi], level.down[y - 1, lo:hi]
        own = level.inverse[y, lo:hi]
        above, below = level.inverse[y - 1, lo:hi], level.inverse[y + 1, lo:hi]
        after, before = level.inverse[y, lo + 1 : hi + 1], level.inverse[y, lo - 1 : hi - 1]
        for c in range(right.shape[1]):
            b, x = right[y, c, lo:hi], out[y, c, lo:hi]
            b_up, b_down = right[y - 1, c, lo:hi], right[y + 1, c, lo:hi]
            b_after, b_before = right[y, c, lo + 1 : hi + 1], right[y, c, lo - 1 : hi - 1]
            for i in range(hi - lo):
                near = east[i] * after[i] * b_after[i] + west[i] * before[i] * b_before[i]
                near += south[i] * below[i] * b_down[i] + north[i] * above[i] * b_up[i]
                x[i] = own[i] * (first * b[i] + second * (b[i] - first * b[i] + first * near))


@_compiled
def smooth(level, right, x, out, omega):
    """out = x + ω D⁻¹ (right − A x)."""
    for y in range(1, right.shape[0] - 1):
        lo, hi = level.span[y]
        east, west = level.right[y, lo:hi], level.right[y, lo - 1 : hi - 1]
        south, north = level.down[y, lo:hi], level.down[y - 1, lo:hi]
        inverse = level.inverse[y, lo:hi]
        for c in range(right.shape[1]):
            b, mid, new = right[y, c, lo:hi], x[y, c, lo:hi], out[y, c, lo:hi]
            up, under = x[y - 1, c, lo:hi], x[y + 1, c, lo:hi]
            after, before = x[y, c, lo + 1 : hi + 1], x[y, c, lo - 1 : hi - 1]
            for i in range(hi - lo):
                near = east[i] * after[i] + west[i] * before[i]
                near += south[i] * under[i] + north[i] * up[i]
                new[i] = mid[i] + omega * (inverse[i] * (b[i] + near) - mid[i])


@_compiled
def multiply(level, x, out, other):
    """out = A x; the dot products of x with out and with ``other``, (2, C) float64."""
    dots = np.zeros((2, x.shape[1]))
    for y in range(1, x.shape[0] - 1):
        lo, hi = level.span[y]
        east, west = level.right[y, lo:hi], level.right[y, lo - 1 : hi - 1]
        south, north = level.down[y, lo:hi], level.down[y - 1, lo:hi]
        total = level.total[y, lo:hi]
        for c in range(x.shape[1]):
            mid, new, rest = x[y, c, lo:hi], out[y, c, lo:hi], other[y, c, lo:hi]
            up, under = x[y - 1, c, lo:hi], x[y + 1, c, lo:hi]
            after, before = x[y, c, lo + 1 : hi + 1], x[y, c, lo - 1 : hi - 1]
            curve, slope = np.float32(0), np.float32(0)
            for i in range(hi - lo):
                near = east[i] * after[i] + west[i] * before[i]
                near += south[i] * under[i] + north[i] * up[i]
                new[i] = total[i] * mid[i] - near
                curve += mid[i] * new[i]
                slope += mid[i] * rest[i]
            dots[0, c] += curve
            dots[1, c] += slope
    return dots


@_compiled
def restrict(level, right, x, coarse):
    """coarse = the sums of the residual right − A x over 2×2 blocks."""
    row = np.zeros(right.shape[2], np.float32)
    coarse[:] = 0
    for y in range(1, right.shape[0] - 1):
        lo, hi = level.span[y]
        if lo == hi:
            continue
        row[lo - 1] = row[hi] = 0
        east, west = level.right[y, lo:hi], level.right[y, lo - 1 : hi - 1]
        south, north = level.down[y, lo:hi], level.down[y - 1, lo:hi]
        total, rest = level.total[y, lo:hi], row[lo:hi]
        for c in range(right.shape[1]):
            b, mid = right[y, c, lo:hi], x[y, c, lo:hi]
            up, under = x[y - 1, c, lo:hi], x[y + 1, c, lo:hi]
            after, before = x[y, c, lo + 1 : hi + 1], x[y, c, lo - 1 : hi - 1]
            for i in range(hi - lo):
                near = east[i] * after[i] + west[i] * before[i]
                near += south[i] * under[i] + north[i] * up[i]
                rest[i] = b[i] + near - total[i] * mid[i]
            _add_pairs(row, (lo + 1) // 2, hi // 2, coarse[(y + 1) // 2, c])


@_compiled
def _add_pairs(row, first, last, coarse):
    """Add columns 2u − 1 and 2u to u, from ``first`` to ``last``."""
    pairs, below = row[2 * first - 1 : 2 * last + 1], coarse[first : last + 1]
    for i in range(len(below)):
        below[i] += pairs[2 * i] + pairs[2 * i + 1]


@_compiled
def prolong(level, free, error, x):
    """x += the coarse error, bilinear between its cells; 0 where held, level towards the free."""
    row, fine = np.zeros(error.shape[2], np.float32), np.zeros(x.shape[2] + 1, np.float32)
    for y in range(1, x.shape[0] - 1):
        lo, hi = level.span[y]
        if lo == hi:
            continue
        v, w = (y + 1) // 2, (y + 1) // 2 + (1 if y % 2 == 0 else -1)
        first, last = (lo + 1) // 2, hi // 2
        inverse = level.inverse[y, lo:hi]
        for c in range(x.shape[1]):
            _between_rows(error[v, c], error[w, c], free[w], first, last, row)
            _between_columns(row, free[v], first, last, fine)
            to, gain = x[y, c, lo:hi], fine[lo:hi]
            for i in range(hi - lo):
                to[i] += gain[i] if inverse[i] > 0 else np.float32(0)


@_compiled
def _between_rows(near, far, free, first, last, out):
    a, b = near[first - 1 : last + 2], far[first - 1 : last + 2]
    f, new = free[first - 1 : last + 2], out[first - 1 : last + 2]
    for i in range(len(new)):
        new[i] = np.float32(0.75) * a[i] + np.float32(0.25) * (b[i] + f[i] * a[i])


@_compiled
def _between_columns(row, free, first, last, out):
    mid, before, after = row[first : last + 1], row[first - 1 : last], row[first + 1 : last + 2]
    f_before, f_after = free[first - 1 : last], free[first + 1 : last + 2]
    pairs = out[2 * first - 1 : 2 * last + 1]
    for i in range(len(mid)):
        m = np.float32(0.75) * mid[i]
        pairs[2 * i] = m + np.float32(0.25) * (before[i] + f_before[i] * mid[i])
        pairs[2 * i + 1] = m + np.float32(0.25) * (after[i] + f_after[i] * mid[i])


@_compiled
def dots(level, a, b):
    """Σ a b of each channel (C,) float64."""
    total = np.zeros(a.shape[1])
    for y in range(1, a.shape[0] - 1):
        lo, hi = level.span[y]
        for c in range(a.shape[1]):
            p, q, part = a[y, c, lo:hi], b[y, c, lo:hi], np.float32(0)
            for i in range(hi - lo):
                part += p[i] * q[i]
            total[c] += part
    return total


@_compiled
def advance(level, length, step, product, x, residual):
    """x += length · step, residual −= length · product; Σ residual² is not needed."""
    for y in range(1, x.shape[0] - 1):
        lo, hi = level.span[y]
        for c in range(x.shape[1]):
            p, q, t = step[y, c, lo:hi], product[y, c, lo:hi], np.float32(length[c])
            to, rest = x[y, c, lo:hi], residual[y, c, lo:hi]
            for i in range(hi - lo):
                to[i] += t * p[i]
                rest[i] -= t * q[i]


@_compiled
def turn(level, fresh, ratio, step):
    """step = fresh + ratio · step; the largest |step| of a channel (C,)."""
    largest = np.zeros(step.shape[1], np.float32)
    for y in range(1, step.shape[0] - 1):
        lo, hi = level.span[y]
        for c in range(step.shape[1]):
            z, p, t = fresh[y, c, lo:hi], step[y, c, lo:hi], np.float32(ratio[c])
            most = np.float32(0)
            for i in range(hi - lo):
                p[i] = z[i] + t * p[i]
                most = max(most, abs(p[i]))
            largest[c] = max(largest[c], most)
    return largest
