"""Image files, decoded whole or not at all."""

import contextlib
import io
import struct
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from faces.errors import BadInput
from imaging.codec import DEPTH_STEP_MM

MAX_DEPTH_MM = 65_535 * DEPTH_STEP_MM  # what a shard can keep; no face is scanned from so far
MAX_PIXELS = 100_000_000  # larger than any camera's frame; a header that says more is a bomb
_DEPTH_MODES = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def read_color(path: Path) -> np.ndarray:
    """Colour image (H, W, 3) uint8 sRGB from PNG, JPEG, or whatever else Pillow reads.

    Grey images are repeated to three channels, transparency is dropped. The EXIF orientation is
    not applied: depth and intrinsics belong to the pixels as stored.

    Raises:
        BadInput: missing, damaged, truncated, or above MAX_PIXELS.
    """
    with opened(path, "a colour image") as image:
        return np.array(image.convert("RGB"))


def read_depth(path: Path, scale_mm: float) -> np.ndarray:
    """Depth image (H, W) float32 in mm from a 16-bit grey PNG; 0 beyond MAX_DEPTH_MM.

    Args:
        path: the file.
        scale_mm: millimetres a unit, e.g. 1 for millimetres, 0.1 for tenths.

    Raises:
        BadInput: missing, damaged, truncated, above MAX_PIXELS, or not 16-bit grey.
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
def opened(path: Path | io.BytesIO, expected: str, name: str = "") -> Iterator[Image.Image]:
    """An image, decoded completely: OpenCV would hand out a truncated one half grey.

    Args:
        path: the file, or its bytes.
        expected: what it should be, for the message.
        name: of bytes, for the message.

    Raises:
        BadInput: missing, damaged, truncated, or above MAX_PIXELS.
    """
    what = f"image '{name or path}'"
    if isinstance(path, Path) and not path.is_file():
        raise BadInput(what, "no such file", expected, "check the name and the layout")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(path)
    except Image.DecompressionBombError as error:
        raise _too_large(what, str(error)) from error
    except (OSError, ValueError, SyntaxError, struct.error) as error:
        raise BadInput(what, f"unreadable ({error})", expected, "export it again") from error
    with image:
        decode(image, what, expected)
        yield image


def decode(image: Image.Image, what: str, expected: str = "an image") -> None:
    """Decode an opened image completely.

    Raises:
        BadInput: its header says more than MAX_PIXELS, or its data are damaged or cut short.
    """
    if image.width * image.height > MAX_PIXELS:
        raise _too_large(what, f"the header says {image.width}×{image.height} pixels")
    try:
        image.load()
    except (OSError, ValueError, SyntaxError, struct.error, EOFError, IndexError) as error:
        got = f"damaged or truncated ({error})"
        raise BadInput(what, got, expected, "copy or export it again") from error


def _too_large(what: str, got: str) -> BadInput:
    expected = f"at most {MAX_PIXELS / 1e6:.0f} megapixels"
    return BadInput(what, got, expected, "scale it down, or check that the file is an image")
