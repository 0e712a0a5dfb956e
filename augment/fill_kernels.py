"""The loops of augment.fill over a view's pixels; images are (h, w[, C]) float32."""

import numba
import numpy as np


@numba.njit(nogil=True, cache=True, error_model="numpy")
def weighted_difference(photo, donor, trust, alpha, certain, out):
    """out (h, w, 4) = trust · (photo − donor), and that trust; 0 where not wholly covered."""
    for y in range(trust.shape[0]):
        for x in range(trust.shape[1]):
            weight = trust[y, x] if alpha[y, x] > certain else np.float32(0)
            out[y, x, 3] = weight
            for n in range(3):
                out[y, x, n] = weight * (photo[y, x, n] - donor[y, x, n])


@numba.njit(nogil=True, cache=True, error_model="numpy")
def judge_difference(total, trust, alpha, limits, rim, doubted, covered):
    """What holds the fill, and how far the photo is believed, in place.

    Args:
        total: (h, w, 4), weighted_difference averaged around each pixel.
        trust, alpha: (h, w) of the picture.
        limits: certain, held, foreign and doubt of augment.fill.
        rim: (h, w, 4) zeros: the difference and 1 where the pixel holds the fill.
        doubted: (h, w), trust without half-trusted pixels that show something else.
        covered: (h, w), 1 where there is any foreground.
    """
    certain, held, foreign, doubt = limits
    for y in range(trust.shape[0]):
        for x in range(trust.shape[1]):
            covered[y, x] = alpha[y, x] > 0
            weight = max(total[y, x, 3], np.float32(1e-4))
            red, green, blue = (
                total[y, x, 0] / weight,
                total[y, x, 1] / weight,
                total[y, x, 2] / weight,
            )
            largest = max(abs(red), abs(green), abs(blue))
            share = trust[y, x]
            doubted[y, x] = share
            if 0 < share < certain:
                doubted[y, x] = share * np.exp(-((largest / doubt) ** 2))
            if share > held and alpha[y, x] > certain and largest < foreign:
                rim[y, x, 0], rim[y, x, 1], rim[y, x, 2], rim[y, x, 3] = red, green, blue, 1


@numba.njit(nogil=True, cache=True, error_model="numpy")
def lay_over(photo, donor, correction, trust, alpha, behind, color, synthesised):
    """color, synthesised (uint8, in place): photo over the corrected donor over the background.

    ``correction`` is (h, w, 4): what to add to the donor, weighed by the fourth channel.
    """
    one = np.float32(1)
    for y in range(trust.shape[0]):
        for x in range(trust.shape[1]):
            share, cover = trust[y, x], alpha[y, x]
            weight = max(correction[y, x, 3], np.float32(1e-6))
            for n in range(3):
                filled = donor[y, x, n] + correction[y, x, n] / weight
                front = share * photo[y, x, n] + (one - share) * filled
                value = cover * front + (one - cover) * behind[y, x, n]
                color[y, x, n] = np.rint(min(max(value, 0.0), 1.0) * 255)
            if cover > 0:
                synthesised[y, x] = np.rint((one - share) * 255)
