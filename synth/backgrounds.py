"""Backgrounds that do not belong to the face: a folder's images, and plain colours."""

from pathlib import Path

import cv2
import numpy as np

from faces.errors import BadInput
from imaging.codec import decode_image
from synth.rooms.room import find_photos
from synth.settings import RenderSettings

SHARE = (0.5, 1.0)  # of an image's shorter side that a crop takes


def background_of(settings: RenderSettings, rng: np.random.Generator) -> np.ndarray:
    """(S, S, 3) uint8: a square of an image of the folder, or the plain colour.

    Args:
        settings: size_px, background ("folder", or "plain" for anything else) and its values.
        rng: draws the image and the square; a plain colour draws nothing.

    Raises:
        BadInput: no folder is named, or it holds no image.
    """
    size = settings.size_px
    if settings.background != "folder":
        row = np.tile(np.array(settings.background_color, dtype=np.uint8), size)
        return np.full((size, 3 * size), row).reshape(size, size, 3)  # rows: no pixel by itself
    if not Path(settings.background_folder).is_dir() or not settings.background_folder:
        got = f"no folder '{settings.background_folder}'"
        raise BadInput("background_folder", got, "a folder of images", "name one")
    photos = find_photos(settings.background_folder)
    path = photos[rng.integers(len(photos))]
    image = _rgb(decode_image(Path(path).read_bytes(), path))
    edge = max(int(rng.uniform(*SHARE) * min(image.shape[:2])), 1)
    top, left = (int(rng.integers(n - edge + 1)) for n in image.shape[:2])
    crop = image[top : top + edge, left : left + edge]
    way = cv2.INTER_AREA if edge > size else cv2.INTER_LINEAR
    return cv2.resize(crop, (size, size), interpolation=way)


def _rgb(image: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 of grey, coloured, or half transparent images of 8 or 16 bits."""
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.ndim == 2:
        return np.repeat(image[..., None], 3, 2)
    return image[..., :3]
