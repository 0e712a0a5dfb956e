"""Image files, decoded whole or not at all."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from faces.errors import BadInput
from faces.pictures import open_picture
from imaging.codec import DEPTH_STEP_MM

MAX_DEPTH_MM = 65_535 * DEPTH_STEP_MM  # what a shard can keep; no face is scanned from so far
_DEPTH_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def read_color(path: Path) -> np.ndarray:
    """Colour image (H, W, 3) uint8 sRGB of any format that is read; of an animation the first.

    Grey images are repeated to three channels, transparency is dropped. The EXIF orientation is
    not applied: depth and intrinsics belong to the pixels as stored.

    Raises:
        BadInput: missing, damaged, truncated, or above the limit of pixels.
    """
    with opened(path, "a colour image") as image:
        return rgb_of(image, f"image '{path}'")


def rgb_of(image: Image.Image, what: str) -> np.ndarray:
    """(H, W, 3) uint8 of a decoded image.

    Raises:
        BadInput: grey of more than 8 bits, which Pillow would cut to black and white.
    """
    if image.mode in (*_DEPTH_MODES, "F"):
        got = f"grey of more than 8 bits (mode '{image.mode}')"
        raise BadInput(what, got, "8-bit colour or grey", "is it depth? else save it with 8 bits")
    return np.array(image.convert("RGB"))


def read_depth(path: Path, scale_mm: float) -> np.ndarray:
    """Depth image (H, W) float32 in mm from a 16-bit grey PNG; 0 beyond MAX_DEPTH_MM.

    Args:
        path: the file.
        scale_mm: millimetres a unit, e.g. 1 for millimetres, 0.1 for tenths.

    Raises:
        BadInput: missing, damaged, truncated, above the limit of pixels, or not 16-bit grey.
    """
    with opened(path, "a 16-bit depth PNG") as image:
        if image.mode not in _DEPTH_MODES:
            got = f"an image of mode '{image.mode}' with {len(image.getbands())} channels"
            if image.mode in ("L", "P", "1"):
                got = "8-bit depth"
            remedy = "export the raw sensor depth, not a preview of it"
            raise BadInput(f"depth '{path}'", got, "16-bit grey PNG", remedy)
        return within_reach(np.array(image).astype(np.float32) * np.float32(scale_mm))


def within_reach(depth_mm: np.ndarray) -> np.ndarray:
    """Depth (H, W) mm, 0 where it is beyond MAX_DEPTH_MM: the walls of a room."""
    return np.where(depth_mm <= MAX_DEPTH_MM, depth_mm, 0).astype(np.float32)


@contextlib.contextmanager
def opened(path: Path | io.BytesIO, expected: str, what: str = "") -> Iterator[Image.Image]:
    """An image, decoded completely: OpenCV would hand out a truncated one half grey.

    Args:
        path: the file, or its bytes.
        expected: what it should be, for the message.
        what: of bytes, for the message, e.g. ``"photo 'a.jpg'"``; of a file its path.

    Raises:
        BadInput: missing, damaged, truncated, or above the limit of pixels.
    """
    what = what or f"image '{path}'"
    if isinstance(path, Path) and not path.is_file():
        raise BadInput(what, "no such file", expected, "check the name and the layout")
    image = open_picture(path, what, expected)
    with image:
        decode(image, what, expected)
        yield image


def decode(image: Image.Image, what: str, expected: str = "an image") -> None:
    """Decode an opened image completely.

    Raises:
        BadInput: its data are damaged or cut short.
    """
    try:
        image.load()
    except Exception as error:  # Pillow's plugins let many kinds through on damaged bytes
        got = f"damaged or truncated ({error})"
        raise BadInput(what, got, expected, "copy or export it again") from error
