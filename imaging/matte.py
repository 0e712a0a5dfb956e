"""Pixels that show person and background at once: how much of each, and the person's own colour."""

import cv2
import numpy as np

from imaging.masks import box_of
from imaging.matte_kernels import steady_own, weigh_own

SURE = 0.95  # more of the person than this needs no unmixing
LEAST = 0.5  # where less of a pixel is the person, its neighbours' colour says more than its own
GAP = 0.05  # less than this is background
NOISE = 0.04  # distance from the background's colour up to which a pixel is background
WHOLE = (0.14, 0.3)  # distances from which it is the person: half the contrast, within these
DISTINCT = 0.15  # nearer colours of person and background tell nothing
KEY_REACH = 3.0  # outline's width over the rim's
REACHES = 3  # a Gaussian weighs nothing beyond so many of its σ
REDUCTION = 2  # of the image whose wide means are wanted
REACH_PX = 3.0  # how far the neighbours' colour carries


def keyed(color: np.ndarray, alpha: np.ndarray, sure: np.ndarray, rim_px: int) -> np.ndarray:
    """The matte, opened where a pixel near the outline looks like the background beside it.

    A mask decided at a reduced size closes the gaps between strands. Where the person's colour
    around is another than the background's, the gaps tell themselves.

    Args:
        color: (H, W, 3) float32 in [0, 1].
        alpha: (H, W) float32, how much of a pixel is the person, roughly.
        sure: (H, W) bool, what stays person.
        rim_px: a background pixel so far from the person is pure.
    """
    soft = alpha >= GAP
    if not soft.any():
        return alpha
    part, out = box_of(soft, int(REACHES * KEY_REACH * rim_px), REDUCTION), alpha.astype(np.float32)
    out[part] = _keyed(color[part], out[part], sure[part], rim_px)
    return out


def _keyed(color, alpha, sure, rim_px):
    """As keyed."""
    size = np.ones((2 * rim_px + 1,) * 2, np.uint8)
    pure = cv2.erode((alpha < GAP).astype(np.uint8), size, borderValue=1).astype(np.float32)
    reach = KEY_REACH * rim_px
    near = cv2.blur(pure, (2 * int(2 * reach) + 1,) * 2)
    band = (near > 0.02) & ~sure & (alpha >= GAP)
    if not band.any():
        return alpha
    behind, held = _around(color, pure, sure.astype(np.float32), sigma=reach)
    behind = behind[band]
    apart = np.linalg.norm(color[band] - behind, axis=-1)
    contrast = np.linalg.norm(held[band] - behind, axis=-1)
    whole = np.clip(contrast / 2, *WHOLE)  # no farther, for a person has more colours than one
    like = np.clip((apart - NOISE) / (whole - NOISE), 0, 1)
    out, told = alpha.copy(), contrast > DISTINCT
    out[band] = np.where(told, np.minimum(out[band], like), out[band])
    return out


def _around(color, *weights, sigma):
    """Colours (H, W, 3) averaged around each pixel by each of the weights (H, W), at a reduced
    size."""
    small = tuple(max(edge // REDUCTION, 1) for edge in color.shape[1::-1])
    full, color = color.shape[1::-1], cv2.resize(color, small, interpolation=cv2.INTER_AREA)
    for weight in weights:
        weight = cv2.resize(weight, small, interpolation=cv2.INTER_AREA) + np.float32(1e-6)
        both = np.dstack([color * weight[..., None], weight])
        total = cv2.GaussianBlur(both, (0, 0), sigma / REDUCTION)
        mean = total[..., :3] / np.maximum(total[..., 3:], 1e-9)
        yield cv2.resize(mean, full, interpolation=cv2.INTER_LINEAR)


def unmixed(color: np.ndarray, alpha: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """F of color = alpha F + (1 − alpha) behind, steadied by the colour of surer pixels.

    Laid over the same background with the same alpha, it gives the image back where the
    equation holds; elsewhere it brings none of the old background along.

    Args:
        color: (H, W, 3) float32 in [0, 1], the image.
        alpha: (H, W) float32, how much of a pixel is the person.
        behind: (H, W, 3) the background alone.

    Returns:
        (H, W, 3) float32 in [0, 1]; the image's where alpha is 0 or near 1.
    """
    mixed = (alpha > 0) & (alpha < SURE)
    if not mixed.any():
        return color
    part, out = box_of(mixed, 0), color.copy()
    color, alpha, behind = color[part], alpha[part], np.asarray(behind[part], np.float32)
    total = np.zeros((*alpha.shape, 4), np.float32)
    least, whole, enough = np.float32([LEAST / 5, SURE, LEAST])
    weigh_own(color, alpha, behind, least, total)
    around = cv2.GaussianBlur(total, (0, 0), REACH_PX)
    steady_own(color, alpha, behind, around, (least, whole, enough), out[part])
    return out
