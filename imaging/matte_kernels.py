"""The loops of imaging.matte over pixels; images are (h, w[, C]) float32."""

import numba
import numpy as np

ONE, ZERO = np.float32(1), np.float32(0)


@numba.njit(nogil=True, cache=True, inline="always")
def _own(color, behind, cover, least):
    """F of color = cover F + (1 − cover) behind, in [0, 1]."""
    return min(max((color - (ONE - cover) * behind) / max(cover, least), ZERO), ONE)


@numba.njit(nogil=True, cache=True)
def weigh_own(color, alpha, behind, least, out):
    """out (h, w, 4): the person's own colour times alpha³, and that weight."""
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            cover = alpha[y, x]
            sure = cover * cover * cover
            out[y, x, 3] = sure
            for n in range(3):
                out[y, x, n] = sure * _own(color[y, x, n], behind[y, x, n], cover, least)


@numba.njit(nogil=True, cache=True)
def steady_own(color, alpha, behind, around, limits, out):
    """out (h, w, 3) at mixed pixels: the own colour, the less of the person the more its
    neighbours'.

    Args:
        around: (h, w, 4), weigh_own averaged around each pixel.
        limits: what alpha is divided by at least; from where a pixel is not mixed; from where it
            is as good as its neighbours.
    """
    least, whole, enough = limits
    for y in range(alpha.shape[0]):
        for x in range(alpha.shape[1]):
            cover, weight = alpha[y, x], around[y, x, 3]
            if cover <= 0 or cover >= whole or weight <= np.float32(1e-9):
                continue
            share = min(cover / enough, ONE)
            share *= share
            for n in range(3):
                own = _own(color[y, x, n], behind[y, x, n], cover, least)
                out[y, x, n] = share * own + (ONE - share) * (around[y, x, n] / weight)
