"""The compiled loops of imaging.poisson: a start, and the gradients that it lacks.

All take images (h, w, C) float32 and ``kind`` (h, w) uint8 of imaging.multigrid_levels.
"""

import numba
import numpy as np

from imaging.multigrid_levels import FREE, HELD, WANTED

_STEPS = ((0, 1), (0, -1), (1, 0), (-1, 0))


@numba.njit(cache=True, nogil=True)
def rim_means(target, donor, kind, part, parts):
    """Over each part's joints to the rim: the target's mean, and its mean less the donor's.

    Args:
        part: (h, w) int32 number of a pixel's part, below ``parts``.

    Returns:
        (parts, C) float64 twice; the second 0 where the donor is nowhere finite.
    """
    shape = (parts, target.shape[2])
    level, shift, joints, finite = (
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
        np.zeros(shape),
    )
    height, width = kind.shape
    for y in range(height):
        for x in range(width):
            if kind[y, x] != WANTED:
                continue
            for dy, dx in _STEPS:
                v, u = y + dy, x + dx
                if 0 <= v < height and 0 <= u < width and kind[v, u] == HELD:
                    _add_joint(target[v, u], donor[v, u], part[y, x], level, shift, joints, finite)
    return level / np.maximum(joints, 1), shift / np.maximum(finite, 1)


@numba.njit(cache=True, nogil=True)
def _add_joint(target, donor, part, level, shift, joints, finite):
    for c in range(len(target)):
        level[part, c] += target[c]
        joints[part, c] += 1
        if np.isfinite(donor[c]):
            shift[part, c] += target[c] - donor[c]
            finite[part, c] += 1


@numba.njit(cache=True, nogil=True)
def start_values(target, donor, kind, part, level, shift, out):
    """Wanted pixels of ``out``: the donor shifted to the rim's level; its level without a donor."""
    for y in range(kind.shape[0]):
        for x in range(kind.shape[1]):
            if kind[y, x] != WANTED:
                continue
            for c in range(target.shape[2]):
                if np.isfinite(donor[y, x, c]):
                    out[y, x, c] = donor[y, x, c] + shift[part[y, x], c]
                else:
                    out[y, x, c] = level[part[y, x], c]


@numba.njit(cache=True, nogil=True)
def lacking_gradients(target, donor, kind, mixed, start, right):
    """right (h + 2, C, w + 2) = Σ_q (g_pq − (start_p − start_q)) over neighbours that count.

    g is the difference wanted: the donor's, or with ``mixed`` the stronger of its and the target's.
    """
    height, width = kind.shape
    for y in range(height):
        for x in range(width):
            if kind[y, x] != WANTED:
                continue
            for dy, dx in _STEPS:
                v, u = y + dy, x + dx
                if not (0 <= v < height and 0 <= u < width) or kind[v, u] == FREE:
                    continue
                for c in range(target.shape[2]):
                    wanted = _difference(donor[y, x, c], donor[v, u, c])
                    if mixed:
                        wanted = _stronger(wanted, target[y, x, c] - target[v, u, c])
                    right[y + 1, c, x + 1] += wanted - (start[y, x, c] - start[v, u, c])


@numba.njit(inline="always")
def _difference(a, b):
    """a − b; 0 where either is not finite."""
    return a - b if np.isfinite(a) and np.isfinite(b) else np.float32(0)


@numba.njit(inline="always")
def _stronger(a, b):
    return b if abs(b) > abs(a) else a


@numba.njit(cache=True, nogil=True)
def add_wanted(x, kind, out):
    """out += x (h + 2, C, w + 2) where wanted."""
    for v in range(kind.shape[0]):
        for u in range(kind.shape[1]):
            if kind[v, u] == WANTED:
                for c in range(out.shape[2]):
                    out[v, u, c] += x[v + 1, c, u + 1]
