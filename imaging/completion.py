"""What lies behind the person: a plain wall's colours meet, a room's patches go on."""

import cv2
import numpy as np

from imaging.patch_fill import patch_fill
from imaging.patch_fill_kernels import add_detail
from imaging.poisson import fill

REDUCTION = 4  # solved at a quarter of the size, shown at the full one
GRAIN_SIGMAS = 3.0
PLAIN = 0.015  # change of colour a pixel of the small image, below which a wall is plain
AROUND_PX = (2, 12)  # of the small image: how near the hole that is looked at
SPARED_PX = 1  # of it: a pixel touched by the hole shows nothing


def completed(color: np.ndarray, gone: np.ndarray) -> np.ndarray:
    """The background behind what is gone, (H, W, 3) float32.

    A plain wall, and a picture without enough of it, is a membrane between the colours of all
    sides with the grain of what lies beside; anything else goes on in patches of itself.

    Args:
        color: (H, W, 3) float32 in [0, 1].
        gone: (H, W) bool, not to be looked at; not everything.
    """
    small = _reduced(color, gone)
    hole = np.isnan(small[..., 0])
    if not is_plain(small, hole):
        field, estimate = _patches(small, hole)
        if field is not None:
            return _shown(color, gone, estimate, field)
    membrane = fill(np.nan_to_num(small), hole, np.full_like(small, np.nan))
    shapes = cv2.resize(membrane, color.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return shapes + _grain(color, gone.astype(np.uint8))


def is_plain(small, hole):
    """Whether nine in ten small pixels around the hole are nearly as those beside them."""
    near, far = (
        cv2.dilate(hole.astype(np.uint8), np.ones((2 * px + 1, 2 * px + 1))) > 0 for px in AROUND_PX
    )
    down, across = np.gradient(small.mean(-1))
    steep = np.maximum(np.abs(down), np.abs(across))[far & ~near]
    steep = steep[np.isfinite(steep)]
    return len(steep) == 0 or float(np.quantile(steep, 0.9)) < PLAIN


def _patches(small, hole):
    """What each small pixel of the hole shows, and its colours; None where nothing is left."""
    size = 2 * SPARED_PX + 1
    hole = cv2.dilate(hole.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    estimate, field = patch_fill(np.nan_to_num(small), hole)
    return (field, estimate) if (field >= 0).any() else (None, estimate)


def _shown(color, gone, estimate, field):
    """The small estimate at full size, with the detail of what each of its pixels shows."""
    shapes = cv2.resize(estimate, color.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    detail = color - shapes
    # where patches meet an object's edge would be cut into steps; noise may stay
    limit = (
        GRAIN_SIGMAS
        * 1.48
        * np.median(np.abs(detail.reshape(-1, 3)[np.flatnonzero(~gone)[::7]]), axis=0)
    )
    add_detail(detail, gone, field, _torn(field), REDUCTION, limit, shapes)
    return shapes


def _torn(field):
    """(h, w) bool: small pixels that a neighbour shows another place than beside theirs."""
    offset = field - np.stack(np.indices(field.shape[:2]), -1)
    torn = np.zeros(field.shape[:2], bool)
    down = (np.diff(offset, axis=0) != 0).any(-1)
    across = (np.diff(offset, axis=1) != 0).any(-1)
    torn[1:] |= down
    torn[:-1] |= down
    torn[:, 1:] |= across
    torn[:, :-1] |= across
    return torn


def _grain(color, gone):
    """(H, W, 3) the noise of the background, mirrored at its rim into what is gone; 0 elsewhere."""
    _, label = cv2.distanceTransformWithLabels(gone, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    kept, holes = (np.flatnonzero(gone == k).astype(np.int32) for k in (0, 1))
    nearest = np.zeros(label.max() + 1, np.int32)
    nearest[label.ravel()[kept]] = kept
    rim = nearest[label.ravel()[holes]]
    height, width = gone.shape
    row = _mirrored(2 * (rim // width) - holes // width, height)
    column = _mirrored(2 * (rim % width) - holes % width, width)
    source = row * np.int32(width) + column
    fine = (color - cv2.GaussianBlur(color, (0, 0), 1.5)).reshape(-1, 3)
    # an object's edge is no grain: mirrored it would be a crumb
    limit = GRAIN_SIGMAS * 1.48 * np.median(np.abs(fine[kept[::7]]), axis=0)
    grain = np.zeros_like(fine)
    grain[holes] = np.clip(fine[source], -limit, limit) * (1 - gone.ravel()[source])[:, None]
    return grain.reshape(color.shape)


def _mirrored(index, count):
    """Whole numbers between -count and 2 count, mirrored into [0, count) about its first and last
    as OpenCV's BORDER_REFLECT_101."""
    return (count - 1) - np.abs((count - 1) - np.abs(index))


def _reduced(color, gone):
    """The background alone, averaged over blocks; NaN where a block has none."""
    size = (color.shape[1] // REDUCTION, color.shape[0] // REDUCTION)
    kept = (~gone).astype(np.float32)
    weight = cv2.resize(kept, size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(color * kept[..., None], size, interpolation=cv2.INTER_AREA)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(weight[..., None] > 0.05, total / weight[..., None], np.nan)
