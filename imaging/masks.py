"""Masks grown and shrunk by discs."""

import cv2
import numba
import numpy as np

FAR = 255  # px, more than a disc's radius


def box_of(mask: np.ndarray, margin_px: int, step_px: int = 1) -> tuple[slice, slice]:
    """Rows and columns of a mask (H, W) bool, and so many pixels around; all, where it is empty.

    What is only wanted in a part of the image need not be computed in all of it. The box begins
    and ends at multiples of ``step_px``, or at the image's border.
    """
    spans = []
    for axis, edge in enumerate(mask.shape):
        held = np.flatnonzero(mask.any(1 - axis))
        held = held if len(held) else np.array([0, edge - 1])
        first = (held[0] - margin_px) // step_px * step_px
        last = -((-held[-1] - 1 - margin_px) // step_px) * step_px
        spans.append(slice(max(first, 0), min(last, edge)))
    return spans[0], spans[1]


def disc(radius_px: float) -> np.ndarray:
    """A round structuring element (2r + 1, 2r + 1) uint8."""
    size = 2 * round(radius_px) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def shrunk(mask: np.ndarray, radius_px: float) -> np.ndarray:
    """The mask (H, W) bool without its rim; the image's border is none."""
    return cv2.erode(mask.astype(np.uint8), disc(radius_px), borderValue=1) > 0


def grown(mask: np.ndarray, radius_px: float) -> np.ndarray:
    """The mask (H, W) bool and what lies so near to it."""
    return cv2.dilate(mask.astype(np.uint8), disc(radius_px)) > 0


def opened(mask: np.ndarray, radius_px: float) -> np.ndarray:
    """The mask (H, W) bool without what is narrower than the disc."""
    return cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, disc(radius_px)) > 0


def closed(mask: np.ndarray, radius_px: float) -> np.ndarray:
    """The mask (H, W) bool with its gaps of up to twice the radius closed.

    At the image's border it goes on as it is there, which must not stop the closing. Equal to
    OpenCV's closing, which takes three times as long for a wide disc.
    """
    pad = int(np.ceil(radius_px)) + 1
    half = (disc(radius_px).sum(1) // 2).astype(np.uint8)
    padded = cv2.copyMakeBorder(mask.astype(np.uint8), pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    gaps = 1 - _dilated(padded, half)
    return _dilated(gaps, half)[pad:-pad, pad:-pad] == 0


@numba.njit(cache=True, nogil=True)
def _dilated(mask, half):
    """The mask (H, W) uint8 of 0 and 1 grown by a shape of rows ``half`` wide to either side."""
    height, width = mask.shape
    reach = len(half) // 2
    away, out = np.full(mask.shape, FAR, np.uint8), np.zeros(mask.shape, np.uint8)
    for y in range(height):
        run = FAR
        for x in range(width):
            run = 0 if mask[y, x] else min(run + 1, FAR)
            away[y, x] = run
        run = FAR
        for x in range(width - 1, -1, -1):
            run = 0 if mask[y, x] else min(run + 1, FAR)
            away[y, x] = min(run, away[y, x])
    for y in range(height):
        for dy in range(max(-reach, -y), min(reach, height - 1 - y) + 1):
            wide, row = half[dy + reach], away[y + dy]
            for x in range(width):
                out[y, x] |= np.uint8(row[x] <= wide)
    return out
