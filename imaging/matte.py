"""Pixels that show person and background at once: how much of each, and the person's own colour."""

import cv2
import numpy as np

SURE = 0.95  # more of the person than this needs no unmixing
LEAST = 0.5  # where less of a pixel is the person, its neighbours' colour says more than its own
GAP = 0.05  # less than this is background
NOISE = 0.04  # distance from the background's colour up to which a pixel is background
WHOLE = (0.14, 0.3)  # distances from which it is the person: half the contrast, within these
DISTINCT = 0.15  # nearer colours of person and background tell nothing
KEY_REACH = 3.0  # outline's width over the rim's
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
    size = np.ones((2 * rim_px + 1,) * 2, np.uint8)
    pure = cv2.erode((alpha < GAP).astype(np.uint8), size, borderValue=1).astype(np.float32)
    reach = KEY_REACH * rim_px
    near = cv2.blur(pure, (2 * int(2 * reach) + 1,) * 2)
    band = (near > 0.02) & ~sure & (alpha >= GAP)
    if not band.any():
        return alpha
    behind, held = _around(color, pure, reach), _around(color, sure.astype(np.float32), reach)
    behind = behind[band]
    apart = np.linalg.norm(color[band] - behind, axis=-1)
    contrast = np.linalg.norm(held[band] - behind, axis=-1)
    whole = np.clip(contrast / 2, *WHOLE)  # no farther, for a person has more colours than one
    like = np.clip((apart - NOISE) / (whole - NOISE), 0, 1)
    out = alpha.astype(np.float32)
    told = contrast > DISTINCT
    out[band] = np.where(told, np.minimum(out[band], like), out[band])
    return out


def _around(color, weight, sigma):
    """Colours (H, W, 3) averaged around each pixel by a weight (H, W), at half the size."""
    small = (color.shape[1] // 2, color.shape[0] // 2)
    weight = cv2.resize(weight, small, interpolation=cv2.INTER_AREA) + np.float32(1e-6)
    total = cv2.resize(color, small, interpolation=cv2.INTER_AREA) * weight[..., None]
    total = cv2.GaussianBlur(total, (0, 0), sigma / 2)
    mean = total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma / 2), 1e-9)[..., None]
    return cv2.resize(mean, color.shape[1::-1])


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
    rows, columns = (np.nonzero(((alpha > 0) & (alpha < SURE)).any(k))[0] for k in (1, 0))
    if len(rows) == 0:
        return color
    part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    out = color.copy()
    out[part] = _unmixed(color[part], alpha[part], behind[part])
    return out


def _unmixed(color, alpha, behind):
    part = alpha[..., None]
    own = np.clip((color - (1 - part) * behind) / np.maximum(part, LEAST / 5), 0, 1)
    sure = alpha * alpha * alpha
    total = cv2.GaussianBlur(own * sure[..., None], (0, 0), REACH_PX)
    weight = cv2.GaussianBlur(sure, (0, 0), REACH_PX)
    mixed = (alpha > 0) & (alpha < SURE) & (weight > 1e-9)
    around = total[mixed] / weight[mixed][:, None]
    share = np.clip(part[mixed] / LEAST, 0, 1) ** 2
    out = color.copy()
    out[mixed] = share * own[mixed] + (1 - share) * around
    return out
