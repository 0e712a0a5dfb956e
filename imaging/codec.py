"""Images and vertices as bytes: the same input gives the same bytes, and back.

Colour is RGB everywhere outside this file; OpenCV's BGR stays inside it.
"""

import zlib

import cv2
import numpy as np

from imaging.limits import limits, raise_it

DEPTH_STEP_MM = 0.1  # 16 bits then reach 6.5 m, and the step lies below any face sensor's noise
# 4:4:4 keeps a chroma sample a pixel: lips and eyes of a 256² face lose their edges in 4:2:0
_SAMPLING = {
    "444": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    "420": cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420,
}
_LEVEL, _STRATEGY = cv2.IMWRITE_PNG_COMPRESSION, cv2.IMWRITE_PNG_STRATEGY
_FILTER = cv2.IMWRITE_PNG_FILTER
# How a PNG is packed, by what is in it; chosen by benchmarks/encode.py, which prints what each way
# costs. Left to choose a filter for every row, libpng tries all five.
_PNG = {
    # photographs, noise: zlib's higher levels take several times as long for a few per cent
    "plain": [_LEVEL, 3],
    # gradients, as depth and coordinates have
    "smooth": [_FILTER, cv2.IMWRITE_PNG_FILTER_UP, _LEVEL, 1],
    # the same of 16 bits a channel, or in steps
    "fine": [_FILTER, cv2.IMWRITE_PNG_FILTER_UP, _STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE],
    # gradients with relief, as normals have
    "relief": [_FILTER, cv2.IMWRITE_PNG_FILTER_PAETH, _STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE],
    # few values in even regions
    "flat": [_FILTER, cv2.IMWRITE_PNG_FILTER_NONE, _STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE],
}


def encode_jpeg(color: np.ndarray, quality: int = 95, sampling: str = "444") -> bytes:
    """(H, W, 3) uint8 sRGB to a JPEG; ``sampling`` is "444" or "420"."""
    _expect(color, "JPEG", np.uint8, (3,))
    if sampling not in _SAMPLING:
        raise ValueError(f"JPEG sampling: '{sampling}'; expected 444 or 420; choose one of them")
    options = [cv2.IMWRITE_JPEG_QUALITY, int(quality)]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, _SAMPLING[sampling]]
    return _encode(".jpg", cv2.cvtColor(color, cv2.COLOR_RGB2BGR), options)


def encode_png(image: np.ndarray, content: str = "plain") -> bytes:
    """(H, W), (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16, to a lossless PNG.

    ``content`` says what is in it, and so how it is packed best: "plain", a photograph; "smooth",
    gradients; "fine", those of 16 bits or in steps; "relief", those with fine detail; "flat", few
    values in even regions.
    """
    if image.dtype not in (np.uint8, np.uint16) or image.shape[2:] not in ((), (3,), (4,)):
        raise ValueError(
            f"PNG: {image.dtype} of shape {image.shape}; expected uint8 or uint16 (H, W), "
            "(H, W, 3) or (H, W, 4); convert it first"
        )
    swap = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
    swapped = image if image.ndim == 2 else cv2.cvtColor(image, swap[image.shape[2]])
    return _encode(".png", swapped, _PNG[content])


def encode_mask(mask: np.ndarray) -> bytes:
    """(H, W) uint8 of few levels in even regions to a lossless PNG, by runs."""
    if mask.dtype != np.uint8 or mask.ndim != 2:
        raise ValueError(
            f"mask: {mask.dtype} of shape {mask.shape}; expected uint8 (H, W); "
            "take encode_png or encode_depth for others"
        )
    return encode_png(mask, "flat")


def decode_image(data: bytes, what: str = "image") -> np.ndarray:
    """A PNG or JPEG to (H, W), (H, W, 3) RGB or (H, W, 4) RGBA, uint8 or uint16 as stored.

    Args:
        data: the file's bytes.
        what: named in the error, e.g. the file's path.

    Raises:
        ValueError: where the bytes are no whole PNG or JPEG.
    """
    _check_whole(data, what)
    _check_size(data, what)
    # orientation tags are ignored: a label is made for the pixels as stored
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        image = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), flags)
    except cv2.error as error:
        raise _broken(what, data, f"cannot be decoded ({error.err})") from error
    if image is None:
        raise _broken(what, data, "cannot be decoded")
    if image.ndim == 2:
        return image
    swap = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
    return cv2.cvtColor(image, swap[image.shape[2]])


def encode_depth(
    depth_mm: np.ndarray, step_mm: float = DEPTH_STEP_MM, content: str = "plain"
) -> bytes:
    """Depth (H, W) float mm to a 16-bit PNG in steps of ``step_mm``; 0 stays "nothing seen".

    ``content`` as of encode_png: "smooth" for depth without noise.

    Raises:
        ValueError: where a depth is negative, not finite, or beyond 65,535 steps.
    """
    depth = np.asarray(depth_mm, dtype=np.float64)
    good = np.isfinite(depth) & (depth >= 0) & (depth <= 65535 * step_mm)
    if depth.ndim != 2 or not good.all():
        raise ValueError(
            f"depth: shape {depth.shape}, {int((~good).sum())} values outside; expected (H, W) "
            f"in 0..{65535 * step_mm:g} mm; clear them to 0, or take a larger step"
        )
    steps = np.rint(depth / step_mm)
    seen = (depth > 0) & (steps == 0)
    steps[seen] = 1  # a depth below half a step must not turn into a hole
    return encode_png(steps.astype(np.uint16), content)


def decode_depth(
    data: bytes, step_mm: float = DEPTH_STEP_MM, what: str = "depth image"
) -> np.ndarray:
    """A 16-bit PNG to depth (H, W) float32 mm; 0 = nothing seen.

    Raises:
        ValueError: where it is no whole image, or no single 16-bit channel.
    """
    steps = decode_image(data, what)
    if steps.dtype != np.uint16 or steps.ndim != 2:
        raise ValueError(
            f"{what}: {steps.dtype} of shape {steps.shape}; expected one 16-bit channel; "
            "export the depth as a 16-bit PNG"
        )
    return (steps * np.float64(step_mm)).astype(np.float32)


def encode_normals(normals: np.ndarray) -> bytes:
    """Unit normals (H, W, 3) to an 8-bit PNG, rgb = 127.5·(n + 1); zero vectors become black."""
    if normals.ndim != 3 or normals.shape[2] != 3:
        raise ValueError(f"normals: shape {normals.shape}; expected (H, W, 3); stack x, y, z")
    steps = cv2.convertScaleAbs(np.maximum(normals, -1), alpha=127.5, beta=127.5)
    x, y, z = (normals[..., axis] for axis in range(3))
    steps[(x == 0) & (y == 0) & (z == 0)] = 0
    return encode_png(steps, "relief")


def decode_normals(data: bytes, what: str = "normal map") -> np.ndarray:
    """The inverse of encode_normals: (H, W, 3) float32 unit vectors, 0 where black."""
    steps = decode_image(data, what)
    _expect(steps, what, np.uint8, (3,))
    normals = steps.astype(np.float32) / 127.5 - 1
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    return np.where((steps > 0).any(axis=2, keepdims=True), normals, 0).astype(np.float32)


def encode_unit(values: np.ndarray) -> bytes:
    """Smooth values (H, W, 3) in [0, 1] to an 8-bit PNG of 255 · value."""
    return encode_png(cv2.convertScaleAbs(np.maximum(values, 0), alpha=255), "smooth")


def encode_uv(uv: np.ndarray, mask: np.ndarray) -> bytes:
    """Coordinates (H, W, 2) in [0, 1] to a 16-bit PNG: red u and green v in steps of 1/65535,
    blue 65535 where ``mask`` (H, W) is not 0, so that (0, 0) is a place as any other."""
    if uv.ndim != 3 or uv.shape[2] != 2 or mask.shape != uv.shape[:2]:
        raise ValueError(
            f"uv: shape {uv.shape} with a mask of {mask.shape}; expected (H, W, 2) and (H, W); "
            "stack u, v"
        )
    steps = np.zeros((*mask.shape, 3), dtype=np.uint16)
    np.rint(65535 * np.clip(uv, 0, 1), out=steps[..., :2], casting="unsafe")
    steps[..., 2] = np.where(mask != 0, 65535, 0)
    return encode_png(steps, "fine")


def decode_uv(data: bytes, what: str = "uv map") -> tuple[np.ndarray, np.ndarray]:
    """The inverse of encode_uv: (H, W, 2) float32 and (H, W) bool."""
    steps = decode_image(data, what)
    _expect(steps, what, np.uint16, (3,))
    return (steps[..., :2] / np.float32(65535)).astype(np.float32), steps[..., 2] > 0


def encode_ids(ids: np.ndarray) -> bytes:
    """Numbers (H, W) from -1, nothing, to 2²⁴ - 2 as a 24-bit PNG of number + 1, red the high byte.

    Raises:
        ValueError: a number outside.
    """
    numbers = np.asarray(ids, dtype=np.int32) + np.int32(1)
    if numbers.ndim != 2 or numbers.min(initial=0) < 0 or numbers.max(initial=0) >= 1 << 24:
        raise ValueError(f"ids: shape {numbers.shape}; expected (H, W) from -1 to 2**24 - 2")
    octets = numbers.astype(">i4")[..., None].view(np.uint8)[..., 1:]
    return encode_png(np.ascontiguousarray(octets), "fine")


def decode_ids(data: bytes, what: str = "id map") -> np.ndarray:
    """The inverse of encode_ids: (H, W) int32, -1 where nothing is."""
    octets = decode_image(data, what)
    _expect(octets, what, np.uint8, (3,))
    return octets.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32) - 1


def quantise_vertices(vertices_mm: np.ndarray) -> tuple[np.ndarray, float]:
    """Vertices (V, 3) mm to (V, 3) int16 and the step in mm: vertices ≈ step · int16.

    The step is the smallest that holds the farthest coordinate, at most half a step off: 2 µm for
    a head of ±130 mm.

    Raises:
        ValueError: where a coordinate is not finite.
    """
    vertices = np.asarray(vertices_mm, dtype=np.float64)
    bad = int((~np.isfinite(vertices)).sum())
    if bad:
        raise ValueError(f"vertices: {bad} values not finite; expected mm; drop the face")
    step_mm = float(np.abs(vertices).max(initial=0)) / 32767 or 1.0
    return np.rint(vertices / step_mm).astype(np.int16), step_mm


def restore_vertices(quantised: np.ndarray, step_mm: float) -> np.ndarray:
    """The inverse of quantise_vertices: (V, 3) float64 mm."""
    return quantised.astype(np.float64) * step_mm


def _expect(image, what, dtype, channels):
    if image.dtype != dtype or image.ndim != 3 or image.shape[2:] != channels:
        raise ValueError(
            f"{what}: {image.dtype} of shape {image.shape}; expected {np.dtype(dtype)} "
            f"(H, W, {channels[0]}); convert it first"
        )


def _encode(suffix, image, options):
    done, data = cv2.imencode(suffix, image, options)
    if not done:
        raise ValueError(f"{suffix} of shape {image.shape}: the encoder refused it")
    return data.tobytes()


def _check_whole(data, what):
    """OpenCV fills a damaged file up with grey and says nothing, so the marks are checked here."""
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        _check_chunks(data, what)
    elif data[:2] == b"\xff\xd8":
        # cameras append bytes after the end mark, so it need not be the very last
        if b"\xff\xd9" not in data[-4096:]:
            raise _broken(what, data, "truncated JPEG (no end mark)")
    else:
        raise _broken(what, data, "neither PNG nor JPEG")


def _check_size(data, what):
    """The header's size against the limit, before OpenCV makes room for it."""
    width, height = _header_size(data)
    if width * height > limits().image_pixels:
        raise ValueError(
            f"{what}: the header says {width}×{height} pixels; expected at most "
            f"{limits().image_pixels:,}; {raise_it('image_pixels')}"
        )


def _header_size(data):
    """(width, height) by a PNG's IHDR or a JPEG's frame header; (0, 0) where there is none."""
    if data[:2] != b"\xff\xd8":
        return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
    at = 2
    while at + 9 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # SOF0 to SOF15
            height = int.from_bytes(data[at + 5 : at + 7], "big")
            return int.from_bytes(data[at + 7 : at + 9], "big"), height
        # a fill byte, or a segment with its length
        at += 1 if marker == 0xFF else 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return 0, 0


def _check_chunks(data, what):
    """A PNG's chunks: length, name, body, CRC of name and body; the last one is IEND."""
    start, name = 8, b""
    while name != b"IEND":
        if start + 12 > len(data):
            raise _broken(what, data, "truncated PNG")
        size, name = int.from_bytes(data[start : start + 4], "big"), data[start + 4 : start + 8]
        end = start + 8 + size
        if end + 4 > len(data):
            raise _broken(what, data, "truncated PNG")
        if zlib.crc32(data[start + 4 : end]) != int.from_bytes(data[end : end + 4], "big"):
            raise _broken(what, data, f"damaged PNG (checksum of {name.decode('latin-1')})")
        start = end + 4


def _broken(what, data, reason):
    return ValueError(
        f"{what}: {reason}, {len(data):,} bytes; expected a whole PNG or JPEG; copy it again"
    )
