"""The compiled loops of imaging.multigrid, each one pass over a level.

Vectors are float32 (rows, channels, columns) with a border of one cell, zero where there is no
cell: a row of a channel is one run of memory, and the conductances of a row serve all channels.
Each inner loop runs over slices of equal length, which is what lets the compiler vectorise it.
What needs its neighbours' rows follows some rows behind in the same pass, while they are cached.
"""

import numba
import numpy as np

# Chebyshev's two steps on [1/2, 2], what a coarse grid cannot see of the five-point stencil
_FIRST, _SECOND = (np.float32(1 / (1.25 + sign * 0.75 * np.sqrt(0.5))) for sign in (1, -1))
_NEAR, _FAR = np.float32(0.75), np.float32(0.25)  # bilinear between cells of twice the size
_RING = 4  # rows kept between two smoothing steps; a power of two

_FAST = {"contract", "arcp", "nsz", "reassoc"}
_compiled = numba.njit(cache=True, nogil=True, fastmath=_FAST)
_inlined = numba.njit(inline="always", fastmath=_FAST)  # a call costs as much as a short row


@_compiled
def descend(level, right, x, coarse):
    """x: two smoothing steps from zero; coarse: the sums of the residual over 2×2 blocks."""
    row = np.zeros(right.shape[2], np.float32)
    coarse[:] = 0
    for y in range(1, right.shape[0]):
        if y < right.shape[0] - 1:
            _smooth_zero(level, right, x, y)
        if y > 1:
            _restrict(level, right, x, y - 1, row, coarse)


@_compiled
def ascend(level, free, error, right, x):
    """x += the coarse error, bilinear between its cells; then two smoothing steps."""
    row, fine = np.zeros(error.shape[2], np.float32), np.zeros(x.shape[2] + 1, np.float32)
    ring = np.zeros((_RING, x.shape[1], x.shape[2]), np.float32)
    last = x.shape[0] - 2
    for y in range(1, last + 3):
        if y <= last:
            _prolong(level, free, error, x, y, row, fine)
        if 1 < y <= last + 1:
            _smooth(level, right, y - 1, x, ring, _SECOND)
        if y > 2:
            if y > last + 1:
                ring[(y - 1) % _RING] = 0
            _smooth_back(level, right, y - 2, ring, x, _FIRST)


@_compiled
def multiply(level, x, out, first, second):
    """out = A x; the dot products of x with out, ``first`` and ``second``, (3, C) float64."""
    dots = np.zeros((3, x.shape[1]))
    for y in range(1, x.shape[0] - 1):
        lo, hi = level.span[y]
        east, west = level.right[y, lo:hi], level.right[y, lo - 1 : hi - 1]
        south, north = level.down[y, lo:hi], level.down[y - 1, lo:hi]
        total = level.total[y, lo:hi]
        for c in range(x.shape[1]):
            mid, new = x[y, c, lo:hi], out[y, c, lo:hi]
            up, under = x[y - 1, c, lo:hi], x[y + 1, c, lo:hi]
            after, before = x[y, c, lo + 1 : hi + 1], x[y, c, lo - 1 : hi - 1]
            for i in range(hi - lo):
                near = east[i] * after[i] + west[i] * before[i]
                near += south[i] * under[i] + north[i] * up[i]
                new[i] = total[i] * mid[i] - near
            a, b = first[y, c, lo:hi], second[y, c, lo:hi]
            by_new, by_a, by_b = np.float32(0), np.float32(0), np.float32(0)
            for i in range(hi - lo):
                by_new += mid[i] * new[i]
                by_a += mid[i] * a[i]
                by_b += mid[i] * b[i]
            dots[0, c] += by_new
            dots[1, c] += by_a
            dots[2, c] += by_b
    return dots


@_compiled
def advance(level, ratio, length, fresh, image, step, product, x, residual):
    """step = fresh + ratio · step, product = image + ratio · product; x += length · step,
    residual −= length · product. Returns the largest |step| of a channel (C,)."""
    largest = np.zeros(x.shape[1], np.float32)
    for y in range(1, x.shape[0] - 1):
        lo, hi = level.span[y]
        for c in range(x.shape[1]):
            s, t = np.float32(ratio[c]), np.float32(length[c])
            p, z, to = step[y, c, lo:hi], fresh[y, c, lo:hi], x[y, c, lo:hi]
            q, w, rest = product[y, c, lo:hi], image[y, c, lo:hi], residual[y, c, lo:hi]
            for i in range(hi - lo):
                new = z[i] + s * p[i]
                p[i] = new
                to[i] += t * new
            for i in range(hi - lo):
                new = w[i] + s * q[i]
                q[i] = new
                rest[i] -= t * new
            largest[c] = max(largest[c], _largest(p))
    return largest


@_compiled
def subtract_product(level, x, right, out):
    """out = right − A x."""
    for y in range(1, x.shape[0] - 1):
        for c in range(x.shape[1]):
            _residual(level, right, x, y, c, out[y, c])


@numba.njit(cache=True, nogil=True, fastmath=True)  # all of it, or the maximum stays scalar
def _largest(values):
    most = np.float32(0)
    for i in range(len(values)):
        most = max(most, abs(values[i]))
    return most


@_inlined
def _smooth_zero(level, right, out, y):
    """Two Jacobi steps from zero at once: the first is D⁻¹ right times its step."""
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
            x[i] = own[i] * (_FIRST * b[i] + _SECOND * (b[i] - _FIRST * b[i] + _FIRST * near))


@_inlined
def _smooth(level, right, y, x, ring, omega):
    """Row y of x + ω D⁻¹ (right − A x), to the ring."""
    lo, hi = level.span[y]
    at = y % _RING
    ring[at] = 0
    for c in range(x.shape[1]):
        _smooth_row(
            level, right, y, c, x[y, c, lo - 1 : hi + 1], x[y - 1, c], x[y + 1, c],
            omega, ring[at, c, lo:hi],
        )  # fmt: skip


@_inlined
def _smooth_back(level, right, y, ring, x, omega):
    """As _smooth, from the ring to x."""
    lo, hi = level.span[y]
    above, at, below = ring[(y - 1) % _RING], ring[y % _RING], ring[(y + 1) % _RING]
    for c in range(x.shape[1]):
        _smooth_row(
            level, right, y, c, at[c, lo - 1 : hi + 1], above[c], below[c], omega, x[y, c, lo:hi]
        )


@_inlined
def _smooth_row(level, right, y, c, row, above, below, omega, new):
    """``row`` reaches one cell beyond ``new`` on either side."""
    lo, hi = level.span[y]
    east, west = level.right[y, lo:hi], level.right[y, lo - 1 : hi - 1]
    south, north = level.down[y, lo:hi], level.down[y - 1, lo:hi]
    inverse, b = level.inverse[y, lo:hi], right[y, c, lo:hi]
    before, mid, after = row[: hi - lo], row[1 : hi - lo + 1], row[2 : hi - lo + 2]
    up, under = above[lo:hi], below[lo:hi]
    for i in range(hi - lo):
        near = east[i] * after[i] + west[i] * before[i]
        near += south[i] * under[i] + north[i] * up[i]
        new[i] = mid[i] + omega * (inverse[i] * (b[i] + near) - mid[i])


@_inlined
def _residual(level, right, x, y, c, out):
    """Row y of right − A x, to out (columns,)."""
    lo, hi = level.span[y]
    east, west = level.right[y, lo:hi], level.right[y, lo - 1 : hi - 1]
    south, north = level.down[y, lo:hi], level.down[y - 1, lo:hi]
    total, rest = level.total[y, lo:hi], out[lo:hi]
    b, mid = right[y, c, lo:hi], x[y, c, lo:hi]
    up, under = x[y - 1, c, lo:hi], x[y + 1, c, lo:hi]
    after, before = x[y, c, lo + 1 : hi + 1], x[y, c, lo - 1 : hi - 1]
    for i in range(hi - lo):
        near = east[i] * after[i] + west[i] * before[i]
        near += south[i] * under[i] + north[i] * up[i]
        rest[i] = b[i] + near - total[i] * mid[i]


@_inlined
def _restrict(level, right, x, y, row, coarse):
    lo, hi = level.span[y]
    row[lo - 1] = row[hi] = 0
    for c in range(right.shape[1]):
        _residual(level, right, x, y, c, row)
        _add_pairs(row, (lo + 1) // 2, hi // 2, coarse[(y + 1) // 2, c])


@_inlined
def _add_pairs(row, first, last, coarse):
    """Add columns 2u − 1 and 2u to u, from ``first`` to ``last``."""
    pairs, below = row[2 * first - 1 : 2 * last + 1], coarse[first : last + 1]
    for i in range(len(below)):
        below[i] += pairs[2 * i] + pairs[2 * i + 1]


@_inlined
def _prolong(level, free, error, x, y, row, fine):
    lo, hi = level.span[y]
    v, w = (y + 1) // 2, (y + 1) // 2 + (1 if y % 2 == 0 else -1)
    first, last = (lo + 1) // 2, hi // 2
    inverse = level.inverse[y, lo:hi]
    for c in range(x.shape[1]):
        _between_rows(error[v, c], error[w, c], free[w], first, last, row)
        _between_columns(row, free[v], first, last, fine)
        to, gain = x[y, c, lo:hi], fine[lo:hi]
        for i in range(hi - lo):
            to[i] += gain[i] if inverse[i] > 0 else np.float32(0)


@_inlined
def _between_rows(near, far, free, first, last, out):
    a, b = near[first - 1 : last + 2], far[first - 1 : last + 2]
    f, new = free[first - 1 : last + 2], out[first - 1 : last + 2]
    for i in range(len(new)):
        new[i] = _NEAR * a[i] + _FAR * (b[i] + f[i] * a[i])


@_inlined
def _between_columns(row, free, first, last, out):
    mid, before, after = row[first : last + 1], row[first - 1 : last], row[first + 1 : last + 2]
    f_before, f_after = free[first - 1 : last], free[first + 1 : last + 2]
    pairs = out[2 * first - 1 : 2 * last + 1]
    for i in range(len(mid)):
        m = _NEAR * mid[i]
        pairs[2 * i] = m + _FAR * (before[i] + f_before[i] * mid[i])
        pairs[2 * i + 1] = m + _FAR * (after[i] + f_after[i] * mid[i])


@_compiled
def sum_blocks(level, right, coarse):
    """coarse = the sums over 2×2 blocks."""
    coarse[:] = 0
    for y in range(1, right.shape[0] - 1):
        lo, hi = level.span[y]
        for c in range(right.shape[1]):
            _add_pairs(right[y, c], (lo + 1) // 2, hi // 2, coarse[(y + 1) // 2, c])


@_compiled
def scale(level, x):
    """x *= the level's gain."""
    for y in range(1, x.shape[0] - 1):
        lo, hi = level.span[y]
        gain = level.gain[y, lo:hi]
        for c in range(x.shape[1]):
            to = x[y, c, lo:hi]
            for i in range(hi - lo):
                to[i] *= gain[i]


@_compiled
def add(level, other, x):
    """x += other."""
    for y in range(1, x.shape[0] - 1):
        lo, hi = level.span[y]
        for c in range(x.shape[1]):
            to, more = x[y, c, lo:hi], other[y, c, lo:hi]
            for i in range(hi - lo):
                to[i] += more[i]
