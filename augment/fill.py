"""What the source did not see, filled with the donor's gradients (§3.2, Poisson editing)."""

import cv2
import numpy as np

from augment.render import Picture
from imaging.poisson import fill

FADE = 0.2  # of the image's edge: how far the seam's correction reaches into the fill


def finish(picture: Picture, behind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Fill by Poisson, blend by trust, lay over the background.

    Args:
        picture: the turned foreground with both textures.
        behind: (h, w, 3) float32 in [0, 1], the background.

    Returns:
        (h, w, 3) uint8 colour, and (h, w) uint8: 255 where the pixel was not photographed.
    """
    covered = picture.alpha > 0
    mask = covered & (picture.trust < 0.99)
    filled = fill(picture.photo, mask, picture.donor, free=~covered)
    filled = _faded(filled, picture.donor, mask, covered & ~mask)
    trust, alpha = picture.trust[..., None], picture.alpha[..., None]
    front = trust * picture.photo + (1 - trust) * filled
    color = np.clip(alpha * front + (1 - alpha) * behind, 0, 1)
    synthesised = np.where(covered, (1 - picture.trust) * 255, 0)
    return np.rint(color * 255).astype(np.uint8), np.rint(synthesised).astype(np.uint8)


def _faded(filled, donor, mask, rim):
    """The fill, its shift against the donor fading with the distance from what was photographed.

    The donor is the person's own colour already; a cheek's shift says little about the nape.
    """
    if not rim.any():
        return filled
    distance = cv2.distanceTransform((~rim).astype(np.uint8), cv2.DIST_L2, 5)
    share = np.exp(-((distance / (FADE * len(mask))) ** 2))
    return np.where(mask[..., None], donor + share[..., None] * (filled - donor), filled)
