"""What the source did not see, filled with the donor's gradients (§3.2, Poisson editing)."""

import cv2
import numpy as np

from augment.render import Picture
from imaging.poisson import fill

CERTAIN = 0.99  # trust from which a photographed pixel is beyond doubt
HELD = 0.9  # trust from which a photographed pixel may hold the fill
RIM_BLUR_PX = 2.0  # at 256 px: how widely photo and donor are compared; the photo's grain is less
FOREIGN = 0.15  # photo farther than this from the donor shows hair, cloth or wall: it holds nothing
DOUBT = 0.1  # so far from the donor, a half-trusted photo is more likely misplaced than right
REACH = 0.15  # of the image's edge: how far the seam's correction reaches into the fill


def finish(picture: Picture, behind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill by Poisson, blend by trust, lay over the background.

    Args:
        picture: the turned foreground with both textures.
        behind: (h, w, 3) float32 in [0, 1], the background.

    Returns:
        (h, w, 3) uint8 colour, and (h, w) uint8: 255 where the pixel was not photographed.
    """
    covered = picture.alpha > 0
    apart = _difference(picture)
    trust = _doubted(picture.trust, apart)
    held = (picture.trust > HELD) & (picture.alpha > CERTAIN) & (_largest(apart) < FOREIGN)
    filled = picture.donor + _correction(apart, held, covered)
    share, alpha = trust[..., None], picture.alpha[..., None]
    front = share * picture.photo + (1 - share) * filled
    color = np.clip(alpha * front + (1 - alpha) * behind, 0, 1)
    synthesised = np.where(covered, (1 - trust) * 255, 0)
    return np.rint(color * 255).astype(np.uint8), np.rint(synthesised).astype(np.uint8)


def _difference(picture):
    """(h, w, 3) photo − donor, averaged over the trusted pixels around each; 0 far from any."""
    sigma = RIM_BLUR_PX * len(picture.trust) / 256
    weight = np.where(picture.alpha > CERTAIN, picture.trust, 0).astype(np.float32)
    total = cv2.GaussianBlur((picture.photo - picture.donor) * weight[..., None], (0, 0), sigma)
    return total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-4)[..., None]


def _largest(apart):
    """(h, w) of the channels' differences."""
    return np.abs(apart).max(-1)


def _doubted(trust, apart):
    """Trust without half-trusted pixels (rims, flanks) that show something else than the donor."""
    return np.where(trust < CERTAIN, trust * np.exp(-((_largest(apart) / DOUBT) ** 2)), trust)


def _correction(apart, held, covered):
    """(h, w, 3) float32: the rim's difference, carried into the fill.

    Poisson editing with the donor's gradients adds a membrane to the donor: the difference held
    at the rim (Dirichlet), free at the outline (Neumann). It is smooth, so that half the
    resolution serves. It fades with the distance from what was photographed, for the donor is
    the person's own colour already; a cheek's shift says little about the nape.
    """
    size = (held.shape[1] // 2, held.shape[0] // 2)
    weight = cv2.resize(held.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    rim = cv2.resize(apart * held[..., None], size, interpolation=cv2.INTER_AREA)
    rim = (rim / np.maximum(weight, 1e-6)[..., None]).astype(np.float32)
    known = weight > 0.5
    if not known.any():
        return np.zeros_like(apart)
    inside = cv2.resize(covered.astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0
    membrane = fill(rim, inside & ~known, np.zeros_like(rim), free=~(inside | known))
    distance = cv2.distanceTransform((~known).astype(np.uint8), cv2.DIST_L2, 5)
    membrane *= np.exp(-((distance / (REACH * len(known))) ** 2))[..., None]
    return _enlarged(membrane, inside, (apart.shape[1], apart.shape[0]))


def _enlarged(values, inside, size):
    """Values (h, w, 3) known inside alone, at a larger size; no outline mixes in what is beyond."""
    share = inside.astype(np.float32)
    total = cv2.resize(values * share[..., None], size, interpolation=cv2.INTER_LINEAR)
    share = cv2.resize(share, size, interpolation=cv2.INTER_LINEAR)
    return total / np.maximum(share, 1e-6)[..., None]
