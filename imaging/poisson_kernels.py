"""The compiled loops of imaging.poisson: a start, and the gradients that it lacks.

All take images (h, w, C) float32 and ``kind`` (h, w) uint8 of imaging.multigrid_levels.
"""

import numba
import numpy as np

from imaging.multigrid_levels import FREE, HELD, WANTED

_STEPS = ((0, 1), (0, -1), (1, 0), (-1, 0))


@numba.njit(cache=True, nogil=True)
def kinds(held, part, parts):
    """(h, w) uint8, WANTED in the parts that touch what is held; (parts,) how many in each.

    Args:
        held: (h, w) bool.
        part: (h, w) int32 number of a pixel's part, below ``parts``; 0 for none.
    """
    height, width = held.shape
    kind, anchored = np.zeros(held.shape, np.uint8), np.zeros(parts, np.bool_)
    count = np.zeros(parts, np.int64)
    for y in range(height):
        for x in range(width):
            if held[y, x]:
                kind[y, x] = HELD
                for dy, dx in _STEPS:
                    v, u = y + dy, x + dx
                    if 0 <= v < height and 0 <= u < width:
                        anchored[part[v, u]] = True
    anchored[0] = False
    for y in range(height):
        for x in range(width):
            if anchored[part[y, x]]:
                kind[y, x] = WANTED
                count[part[y, x]] += 1
    return kind, count


@numba.njit(cache=True, nogil=True)
def start_values(target, donor, kind, part, parts, out):
    """Write the donor to ``out``, shifted to the level of its part's rim; without one, that level.

    A part that touches nothing held takes the donor as it is.

    Returns:
        Whether the donor is finite at every pixel wanted.
    """
    level, shift = _rim_means(target, donor, kind, part, parts)
    finite = True
    for y in range(kind.shape[0]):
        for x in range(kind.shape[1]):
            k = part[y, x]
            if k == 0:
                continue
            for c in range(target.shape[2]):
                if np.isfinite(donor[y, x, c]):
                    out[y, x, c] = donor[y, x, c] + shift[k, c]
                elif kind[y, x] == WANTED:
                    out[y, x, c] = level[k, c]
                    finite = False
    return finite


@numba.njit(cache=True, nogil=True)
def _rim_means(target, donor, kind, part, parts):
    """Over each part's joints to the rim: the target's mean, and its mean less the donor's.

    (parts, C) float64 twice; 0 for a part without joints, or without a donor there.
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
            if kind[y, x] != HELD:
                continue
            for dy, dx in _STEPS:
                v, u = y + dy, x + dx
                if 0 <= v < height and 0 <= u < width and kind[v, u] == WANTED:
                    _add_joint(target[y, x], donor[y, x], part[v, u], level, shift, joints, finite)
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
def lacking_gradients(target, donor, kind, mixed, at_rim_alone, start, right):
    """right (h + 2, C, w + 2) = Σ_q (g_pq − (start_p − start_q)) over neighbours that count.

    g is the difference wanted: the donor's, or with ``mixed`` the stronger of its and the target's.
    With ``at_rim_alone`` the start has g everywhere but across the rim.
    """
    height, width = kind.shape
    ignored = WANTED if at_rim_alone else FREE
    for y in range(height):
        for x in range(width):
            if kind[y, x] != WANTED:
                continue
            for dy, dx in _STEPS:
                v, u = y + dy, x + dx
                if not (0 <= v < height and 0 <= u < width) or kind[v, u] in (FREE, ignored):
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
