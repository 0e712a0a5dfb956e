"""Images of others opened with Pillow: few formats, and none larger than the limit."""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

from faces.errors import BadInput
from imaging.limits import limits, raise_it

# No others: Pillow would hand an EPS file to Ghostscript, whatever its name.
FORMATS = ("PNG", "JPEG", "BMP", "PPM", "TIFF", "WEBP", "GIF")


def open_picture(source: Path | io.BytesIO, what: str, expected: str = "an image") -> Image.Image:
    """An image whose header has been read, and nothing more.

    Args:
        source: the file, or its bytes.
        what: it is, for the message, e.g. ``"image 'a/b.png'"``.
        expected: what it should be, for the message.

    Raises:
        BadInput: of no format of FORMATS, damaged, or of more pixels than the limit.
    """
    try:
        with no_own_limit():
            image = Image.open(source, formats=FORMATS)
    except Exception as error:  # Pillow's plugins let many kinds through on damaged bytes
        got = f"unreadable: none of {', '.join(FORMATS)}, or its header is damaged"
        raise BadInput(what, got, expected, "copy it again, or export it as PNG") from error
    most = limits().image_pixels
    if image.width * image.height > most:
        image.close()
        got = f"the header says {image.width}×{image.height} pixels"
        expected = f"at most {most / 1e6:.3g} megapixels"
        raise BadInput(what, got, expected, f"scale it down; or {raise_it('image_pixels')}")
    return image


def check_picture(image: bytes | Path, what: str) -> None:
    """Refuse what open_picture refuses.

    Raises:
        BadInput: see there.
    """
    open_picture(io.BytesIO(image) if isinstance(image, bytes) else image, what).close()


@contextlib.contextmanager
def no_own_limit() -> Iterator[None]:
    """Pillow without its own limit of pixels, which is another one than imaging.limits'."""
    before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = before
