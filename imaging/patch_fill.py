"""A hole in an image closed with patches of the rest of it.

Wexler, Shechtman and Irani, "Space-time completion of video" (2007), with the search of Barnes et
al., "PatchMatch" (2009), from coarse to fine.
"""

import cv2
import numpy as np

from imaging.patch_fill_kernels import RADIUS, search, vote
from imaging.poisson import fill

ROUNDS = (8, 3, 1)  # of search and vote at a level, the coarsest first
LEAST_EDGE = 24  # px of the coarsest level: a handful of patches
REACH = 8  # px: how far a finer level looks around what the coarser one found
NEAR = 1.3  # a pixel of the hole counts so much less for each px that it lies deeper (Wexler's γ)


def patch_fill(image: np.ndarray, hole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill a hole so that every patch of the fill is found in the rest of the image.

    The same input gives the same output: the search draws from a generator of its own.

    Args:
        image: (H, W, 3) float32, any unit; read outside the hole.
        hole: (H, W) bool.

    Returns:
        (H, W, 3) float32, filled; and (H, W, 2) int32 row and column of the pixel whose
        surroundings each pixel of the hole shows, (-1, -1) where there is none.
    """
    levels = [(image.astype(np.float32), np.asarray(hole, bool))]
    while len(levels) < len(ROUNDS) and min(levels[-1][1].shape) >= 2 * LEAST_EDGE:
        levels.append(_halved(*levels[-1]))
    field = None
    estimate = _nearest(*levels[-1])
    for level in range(len(levels) - 1, -1, -1):
        known, gone = levels[level]
        if level < len(levels) - 1:
            larger = cv2.resize(estimate, gone.shape[1::-1], interpolation=cv2.INTER_LINEAR)
            estimate = np.where(gone[..., None], larger, known)
        rounds = ROUNDS[len(levels) - 1 - level]
        estimate, field = _level(estimate, gone, field, rounds)
        if field is None:
            return _membrane(*levels[0]), np.full((*hole.shape, 2), -1, np.int32)
    shown = np.where(levels[0][1][..., None], field, -1)
    return fill(image, levels[0][1], estimate), shown


def _level(estimate, gone, coarser, rounds):
    """Estimate and field after some rounds of search and vote; field None without any source."""
    square = np.ones((2 * RADIUS + 1, 2 * RADIUS + 1), np.uint8)
    inner = np.zeros(gone.shape, np.uint8)
    inner[RADIUS:-RADIUS, RADIUS:-RADIUS] = 1
    source = (cv2.dilate(gone.astype(np.uint8), square) == 0) & (inner > 0)
    if not source.any():
        return estimate, None
    wanted = cv2.dilate(gone.astype(np.uint8), square) > 0
    depth = cv2.distanceTransform(gone.astype(np.uint8), cv2.DIST_L2, 5)
    weight = (NEAR**-depth).astype(np.float32)
    places = np.argwhere(source).astype(np.int32)
    field = _started(coarser, source, places)
    estimate = np.ascontiguousarray(estimate, np.float32)
    cost = np.zeros(gone.shape, np.float32)
    reach = max(gone.shape) if coarser is None else REACH
    for k in range(rounds):
        search(estimate, weight, source, wanted, field, cost, reach, k)
        vote(estimate.copy(), weight, gone, wanted, field, cost, estimate)
    return estimate, field


def _started(field, source, places):
    """(h, w, 2) int32: the coarser level's field, and something allowed where that is none."""
    draw = np.random.default_rng(0).integers(len(places), size=source.shape)
    start = places[draw]
    if field is None:
        return start
    rows, columns = np.indices(source.shape)
    row, column = (
        np.minimum(i // 2, n - 1) for i, n in zip((rows, columns), field.shape[:2], strict=True)
    )
    finer = 2 * field[row, column] + np.stack([rows % 2, columns % 2], -1)
    finer = np.minimum(finer, np.array(source.shape) - 1)
    allowed = source[finer[..., 0], finer[..., 1]]
    return np.where(allowed[..., None], finer, start).astype(np.int32)


def _halved(image, hole):
    """Image and hole at half the size; of a pixel that is partly gone what is left of it."""
    size = (image.shape[1] // 2, image.shape[0] // 2)
    kept = (~hole).astype(np.float32)
    weight = cv2.resize(kept, size, interpolation=cv2.INTER_AREA)
    total = cv2.resize(image * kept[..., None], size, interpolation=cv2.INTER_AREA)
    return total / np.maximum(weight, 1e-6)[..., None], weight < 0.5


def _nearest(image, hole):
    """The hole in the colours of its nearest rim: what it shows goes on as far as its middle."""
    if hole.all():
        return image
    _, label = cv2.distanceTransformWithLabels(
        hole.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colors = np.zeros((label.max() + 1, 3), np.float32)
    colors[label[~hole]] = image[~hole]
    return colors[label]


def _membrane(image, hole):
    return fill(np.where(hole[..., None], 0, image), hole, np.full_like(image, np.nan))
