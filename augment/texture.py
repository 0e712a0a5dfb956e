"""The model's texture as a donor: the fitted colours, corrected to the person's own."""

import cv2
import numpy as np

from augment.harmonic import harmonic

HOLD = 10.0  # weight of a seen vertex against its six edges of weight 1: smooths pixel noise a bit

TRUST_MIN = 0.1


def correct_colors(
    model_color: np.ndarray, photo_color: np.ndarray, trust: np.ndarray, triangles: np.ndarray
) -> np.ndarray:
    """The model's colours, shifted to meet the image's wherever the image shows the vertex.

    The difference photo − model is kept at seen vertices and carried to the others as a harmonic
    function on the mesh (the Poisson equation with the model's gradients, on the surface instead
    of in the image), so that every view starts from one and the same donor.

    Args:
        model_color: (V, 3) C of Eq. 4 as fitted, [0, 1].
        photo_color: (V, 3) image colours, read where they are trusted.
        trust: (V,) in [0, 1], in the image's colour.
        triangles: (T, 3) int.

    Returns:
        (V, 3) float32 in [0, 1]; the model's own on parts that hold no seen vertex.
    """
    seen = np.asarray(trust) > TRUST_MIN
    if not seen.any():
        return model_color.astype(np.float32)
    wanted = np.where(seen[:, None], photo_color - model_color, 0)
    hold = np.where(
        seen, HOLD * np.asarray(trust, float), 1e-6
    )  # a whisper of the model itself where nothing was seen
    shift = harmonic(wanted, hold, triangles)
    return np.clip(model_color + shift, 0, 1).astype(np.float32)


def sample(color: np.ndarray, pixels: np.ndarray, border: int = cv2.BORDER_REPLICATE) -> np.ndarray:
    """Bilinear colours (..., 3) float32 of an image (H, W, 3) at pixels (..., 2), centres at +0.5.

    Non-finite pixels read the border.
    """
    flat = np.nan_to_num(pixels, nan=-1.0).astype(np.float32).reshape(-1, 1, 2) - np.float32(0.5)
    parts = [  # OpenCV addresses at most 2^15 rows
        cv2.remap(color, flat[k : k + 32000], None, cv2.INTER_LINEAR, borderMode=border)
        for k in range(0, len(flat), 32000)
    ]
    return np.concatenate(parts).reshape(*pixels.shape[:-1], color.shape[2])
