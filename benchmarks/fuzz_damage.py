"""Ways in which the files of a good input go wrong, each by a generator of random numbers."""

import io
import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

Damage = Callable[[Path, np.random.Generator], None]
HUGE = 1_000_000_000_000


def truncated(path: Path, rng) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * rng.uniform(0, 0.98))])


def flipped(path: Path, rng) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(int(rng.integers(1, 9))):
        data[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
    path.write_bytes(bytes(data))


def scrambled(path: Path, rng) -> None:
    data = bytearray(path.read_bytes())
    start = int(rng.integers(len(data)))
    data[start : start + 64] = rng.bytes(64)
    path.write_bytes(bytes(data))


def emptied(path: Path, rng) -> None:
    path.write_bytes(b"")


def zeroed(path: Path, rng) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def removed(path: Path, rng) -> None:
    path.unlink()


def nonsense(path: Path, rng) -> None:
    path.write_bytes(rng.bytes(2000))


def a_page_instead(path: Path, rng) -> None:
    path.write_text("<!DOCTYPE html><html><body>404 Not Found</body></html>")


def a_folder_instead(path: Path, rng) -> None:
    path.unlink()
    path.mkdir()


def a_dead_link_instead(path: Path, rng) -> None:
    path.unlink()
    path.symlink_to("nowhere")


BYTES = [truncated, flipped, scrambled, emptied, zeroed, removed, nonsense]
BYTES += [a_page_instead, a_folder_instead, a_dead_link_instead]


def png_header(width: int, height: int, depth: int = 8, kind: int = 2) -> bytes:
    """A PNG that promises a size and has no pixels."""

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    parts = chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(b"0")), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def a_bomb(path: Path, rng) -> None:
    path.write_bytes(png_header(50_000, 50_000))


def no_pixels(path: Path, rng) -> None:
    path.write_bytes(png_header(0, 10))


def as_image(change: Callable, name: str, **options) -> Damage:
    """The picture changed and saved again under its own suffix."""

    def damage(path: Path, rng) -> None:
        with Image.open(path) as opened:
            image = opened.copy()
        saved, stream = change(image, rng), io.BytesIO()
        kind = options.get("format") or ("PNG" if path.suffix == ".png" else "JPEG")
        saved.save(stream, **{"format": kind} | {k: v for k, v in options.items() if k != "format"})
        path.write_bytes(stream.getvalue())

    damage.__name__ = name
    return damage


def _noise(image, rng):
    shape = (image.height, image.width, 3)
    return Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8))


def _deep_grey(image, rng):
    return Image.fromarray(np.array(image.convert("L")).astype(np.uint16) << 8)


def _exif() -> bytes:
    tags = Image.Exif()
    tags[0x0112] = 6  # turned by a quarter
    return tags.tobytes()


def animated(path: Path, rng) -> None:
    with Image.open(path) as opened:
        image = opened.convert("RGB")
    frames = [_noise(image, rng)]
    image.save(path, format="GIF", save_all=True, append_images=frames)


def an_eps(path: Path, rng) -> None:
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\nshowpage\n")


IMAGES = [
    a_bomb,
    no_pixels,
    an_eps,
    animated,
    as_image(lambda i, r: i.convert("L"), "grey"),
    as_image(lambda i, r: i.convert("CMYK"), "CMYK", format="JPEG"),
    as_image(lambda i, r: i.convert("P"), "palette", format="PNG"),
    as_image(lambda i, r: i.convert("1"), "black and white", format="PNG"),
    as_image(lambda i, r: i.convert("LA"), "with alpha", format="PNG"),
    as_image(_deep_grey, "16-bit grey", format="PNG"),
    as_image(lambda i, r: i.resize((i.width // 2, i.height // 2)), "half the size"),
    as_image(lambda i, r: i.resize((1, 1)), "one pixel"),
    as_image(lambda i, r: i.resize((4000, 3)), "a stripe"),
    as_image(_noise, "noise"),
    as_image(lambda i, r: i.convert("RGB"), "turned by EXIF", format="JPEG", exif=_exif()),
    as_image(lambda i, r: i.convert("RGB"), "damaged EXIF", format="JPEG", exif=b"Exif\0\0II*\0??"),
    as_image(lambda i, r: i.convert("RGB"), "TIFF", format="TIFF"),
    as_image(lambda i, r: i.convert("RGB"), "WebP", format="WEBP"),
]


def in_depth(change: Callable, name: str) -> Damage:
    """The depth PNG (uint16) changed."""

    def damage(path: Path, rng) -> None:
        with Image.open(path) as opened:
            depth = np.array(opened).astype(np.uint16)
        Image.fromarray(change(depth, rng)).save(path)

    damage.__name__ = name
    return damage


DEPTHS = [
    in_depth(lambda d, r: d * 0, "all zero"),
    in_depth(lambda d, r: d // 1000, "metres"),
    in_depth(lambda d, r: np.full_like(d, 65535), "all farthest"),
    in_depth(lambda d, r: np.where(r.random(d.shape) < 0.95, 0, d), "sparse"),
    in_depth(lambda d, r: r.integers(0, 65536, d.shape, dtype=np.uint16), "random depth"),
    in_depth(lambda d, r: (d >> 8).astype(np.uint8), "8-bit depth"),
    in_depth(lambda d, r: d[::-1].copy(), "upside down"),
    in_depth(lambda d, r: d[: len(d) // 2], "half of it"),
]


def in_json(name: str, change: Callable[[dict, np.random.Generator], object]) -> Damage:
    """The JSON file changed; Python's NaN and Infinity stay as JSON writers write them."""

    def damage(path: Path, rng) -> None:
        record = json.loads(path.read_text())
        changed = change(record, rng)
        path.write_text(json.dumps(record if changed is None else changed))

    damage.__name__ = name
    return damage


def deep(path: Path, rng) -> None:
    path.write_text("[" * 100_000)


def in_other_letters(path: Path, rng) -> None:
    path.write_bytes(path.read_text().encode("utf-16"))


TEXTS = [deep, in_other_letters]


def _set(**values):
    return lambda record, rng: record.update(values)


CAMERAS = [
    *(in_json(f"no {key}", lambda r, g, key=key: r.pop(key) and None) for key in ("fx", "width")),
    in_json("negative focal length", _set(fx=-300.0)),
    in_json("focal length 0", _set(fy=0)),
    in_json("infinite focal length", _set(fx=float("inf"))),
    in_json("huge focal length", _set(fx=1e300, fy=1e300)),
    in_json("tiny focal length", _set(fx=1e-300, fy=1e-300)),
    in_json("infinite width", _set(width=float("inf"))),
    in_json("huge width", _set(width=HUGE)),
    in_json("focal length in words", _set(fx="wide")),
    in_json("a list for a number", _set(cx=[1])),
    in_json("distortion NaN", _set(distortion=[float("nan")] * 5)),
    in_json("distortion absurd", _set(distortion=[1e9, -1e9, 5.0, 7.0])),
    in_json("distortion a word", _set(distortion="none")),
    in_json("a principal point outside", _set(cx=-500.0, cy=9000.0)),
    in_json("a list", lambda r, g: [1, 2, 3]),
]


def _points(change):
    def applied(record, rng):
        record["points_px"] = change(np.array(record["points_px"]), rng).tolist()

    return applied


LANDMARKS = [
    in_json("landmarks outside", _points(lambda p, r: p + 5000)),
    in_json("landmarks NaN", _points(lambda p, r: p * np.nan)),
    in_json("landmarks infinite", _points(lambda p, r: p * np.inf)),
    in_json("landmarks huge", _points(lambda p, r: p * 1e300)),
    in_json("landmarks at one place", _points(lambda p, r: p * 0 + 100)),
    in_json("landmarks shuffled", _points(lambda p, r: r.permutation(p))),
    in_json("landmarks mirrored", _points(lambda p, r: p * [-1, 1] + [320, 0])),
    in_json("half of the landmarks", _points(lambda p, r: p[:34])),
    in_json("landmarks in 3D", _points(lambda p, r: np.c_[p, p[:, 0]])),
    in_json("landmarks in words", lambda r, g: r.update(points_px="none")),
    in_json("unknown scheme", _set(scheme=["ibug68"])),
    in_json("confidence in words", _set(confidence=["high"] * 68)),
    in_json("no points", lambda r, g: r.pop("points_px") and None),
]


def huge_array(path: Path, rng) -> None:
    """An .npz of one member whose header promises 8 TB."""
    import zipfile

    stream = io.BytesIO()
    header = {"descr": "<f8", "fortran_order": False, "shape": (HUGE,)}
    np.lib.format.write_array_header_1_0(stream, header)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("vertices_mm.npy", stream.getvalue() + bytes(64))


def pickled(path: Path, rng) -> None:
    np.savez(path, vertices_mm=np.array([{}], dtype=object))


def unpacking_bomb(path: Path, rng) -> None:
    np.savez_compressed(path, vertices_mm=np.zeros((9_000, 9_000)))


ARRAYS = [huge_array, pickled, unpacking_bomb]


def in_text(name: str, *pairs: tuple[bytes, bytes], count: int = -1) -> Damage:
    """Bytes of a mesh or list replaced by others."""

    def damage(path: Path, rng) -> None:
        data = path.read_bytes()
        for before, after in pairs:
            data = data.replace(before, after, count)
        path.write_bytes(data)

    damage.__name__ = name
    return damage


MESHES = {
    ".obj": [
        in_text("NaN vertices", (b"v ", b"v nan "), count=3),
        in_text("an index of 10¹²", (b"\nf ", b"\nf 1 2 1000000000000\nf "), count=1),
        in_text("a negative index", (b"\nf ", b"\nf -1 -2 -999999999\nf "), count=1),
        in_text("words for numbers", (b"\nv 1", b"\nv one")),
        in_text("no faces", (b"\nf ", b"\n# ")),
        in_text("material outside", (b"mtllib ", b"mtllib ../../../../etc/")),
        in_text("material of another", (b"mtllib ", b"mtllib /etc/")),
        in_text("huge coordinates", (b"\nv ", b"\nv 1e300 1e300 1e300\nv "), count=1),
    ],
    ".ply": [
        in_text("10¹² vertices", (b"element vertex ", b"element vertex 9999999999")),
        in_text("10¹² faces", (b"element face ", b"element face 9999999999")),
        in_text("-1 vertices", (b"element vertex ", b"element vertex -")),
        in_text("another format", (b"binary_little_endian", b"binary_big_endian")),
        in_text("doubles for floats", (b"property float x", b"property double x")),
    ],
    ".glb": [
        in_text("a list of 10⁹", (b'"count":', b'"count":9999999'), count=1),
        in_text("a buffer of 10⁹", (b'"byteLength":', b'"byteLength":9999'), count=1),
        in_text("another version", (b"glTF\x02", b"glTF\x09")),
    ],
    ".wrl": [
        in_text("an index outside", (b"coordIndex [ ", b"coordIndex [ 0, 1, 99999999, -1, ")),
        in_text("NaN points", (b"point [ ", b"point [ nan nan nan ")),
        in_text("never closed", (b"]", b" ")),
        in_text("nested without end", (b"Shape {", b"Group { children [ " * 2000 + b"Shape {")),
        in_text("VRML 1.0", (b"#VRML V2.0 utf8", b"#VRML V1.0 ascii")),
    ],
    ".abs": [
        in_text("10¹² rows", (b" rows", b"0000000000 rows")),
        in_text("no rows", (b" rows", b" lines")),
        in_text("words in a line", (b" 1 1 ", b" one 1 "), count=1),
        in_text("NaN points", (b"-999999", b"nan")),
    ],
    ".bnt": [],
    ".txt": [
        in_text("files outside", (b"rgb/", b"../../rgb/"), (b"depth/", b"/etc/")),
        in_text("times in words", (b"0.", b"zero.")),
        in_text("times NaN", (b"0.0", b"nan ")),
    ],
}
