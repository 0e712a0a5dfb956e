"""What the source did not see, filled with the donor's gradients (§3.2, Poisson editing)."""

import cv2
import numpy as np

from augment.fill_kernels import judge_difference, lay_over, weighted_difference
from augment.render import Picture
from imaging.poisson import fill

CERTAIN = 0.99  # trust from which a photographed pixel is beyond doubt
HELD = 0.9  # trust from which a photographed pixel may hold the fill
RIM_BLUR_PX = 2.0  # at 256 px: how widely photo and donor are compared; the photo's grain is less
FOREIGN = 0.15  # photo farther than this from the donor shows hair, cloth or wall: it holds nothing
DOUBT = 0.1  # so far from the donor, a half-trusted photo is more likely misplaced than right
TOLERANCE = 0.5 / 255  # of the seam's correction, half a grey level
REACH = 0.15  # of the image's edge: how far the seam's correction reaches into the fill


def finish(picture: Picture, behind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill by Poisson, blend by trust, lay over the background.

    Args:
        picture: the turned foreground with both textures.
        behind: (h, w, 3) float32 in [0, 1], the background.

    Returns:
        (h, w, 3) uint8 colour, and (h, w) uint8: 255 where the pixel was not photographed.
    """
    doubted, rim, covered = _judged(picture)
    correction = _correction(rim, covered)
    color, synthesised = np.zeros_like(picture.photo, np.uint8), np.zeros_like(doubted, np.uint8)
    behind = np.ascontiguousarray(behind, np.float32)
    lay_over(
        picture.photo, picture.donor, correction, doubted, picture.alpha, behind, color, synthesised
    )
    return color, synthesised


def _judged(picture):
    """(h, w) trust, less where half-trusted pixels (rims, flanks) show something else than the
    donor; (h, w, 4) photo − donor, averaged over the trusted pixels around each, where it holds the
    fill, and 1 there; (h, w) 1 where there is any foreground."""
    shape = picture.trust.shape
    difference, rim = np.zeros((2, *shape, 4), np.float32)
    doubted, covered = np.zeros((2, *shape), np.float32)
    weighted_difference(
        picture.photo, picture.donor, picture.trust, picture.alpha, CERTAIN, difference
    )
    total = cv2.GaussianBlur(difference, (0, 0), RIM_BLUR_PX * len(covered) / 256)
    limits = CERTAIN, HELD, FOREIGN, DOUBT
    judge_difference(total, picture.trust, picture.alpha, limits, rim, doubted, covered)
    return doubted, rim, covered


def _correction(rim, covered):
    """(h, w, 4) float32: the rim's difference, carried into the fill, and its weight.

    Poisson editing with the donor's gradients adds a membrane to the donor: the difference held
    at the rim (Dirichlet), free at the outline (Neumann). It is smooth, so that half the
    resolution serves. It fades with the distance from what was photographed, for the donor is
    the person's own colour already; a cheek's shift says little about the nape.
    """
    size = (covered.shape[1] // 2, covered.shape[0] // 2)
    held = cv2.resize(rim, size, interpolation=cv2.INTER_AREA)
    known = held[..., 3] > 0.5
    if not known.any():
        return np.zeros_like(rim)
    held = held[..., :3] / np.maximum(held[..., 3:], 1e-6)
    inside = cv2.resize(covered, size, interpolation=cv2.INTER_AREA) > 0
    gap, free = inside & ~known, ~(inside | known)
    membrane = fill(held, gap, np.zeros_like(held), free, TOLERANCE)
    distance = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
    fading = np.exp(-((distance / (REACH * len(known))) ** 2))
    # known inside alone, so that no outline mixes in what is beyond
    share = inside.astype(np.float32)
    carried = np.dstack([membrane * (share * fading)[..., None], share])
    return cv2.resize(carried, covered.shape[::-1], interpolation=cv2.INTER_LINEAR)
