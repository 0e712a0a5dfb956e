"""What it costs to pack the buffers of a rendered view, in every sensible way: bytes and time.

    python -m benchmarks.encode [--faces 2] [--size 256] [--repeats 5] [--all]

The buffers are those of faces of the default model at the poses of the preset "large". Each way
packs all of them; the table has the mean size of one image and its CPU time, the least of the
repeats. Listed are the ways than which none is both smaller and faster, the one in use
(imaging.codec) and what OpenCV and Pillow do by themselves; ``--all`` lists every one. All are
lossless. "own" filters whole rows in NumPy and leaves the rest to zlib.
"""

import argparse
import io
import struct
import time
import zlib
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from PIL import Image

from benchmarks.tables import print_table
from faces.camera import Camera, Pose
from faces.models import load_model
from faces.rotation import matrix_from_euler
from imaging import codec
from pipelines.rendering.rendered import buffer_members
from synth.pose_plan import PosePlan
from synth.render import renderer
from synth.renderer import BUFFERS, Lighting
from synth.topology import face_mesh

STRATEGIES = {
    "default": cv2.IMWRITE_PNG_STRATEGY_DEFAULT,
    "filtered": cv2.IMWRITE_PNG_STRATEGY_FILTERED,
    "huffman": cv2.IMWRITE_PNG_STRATEGY_HUFFMAN_ONLY,
    "runs": cv2.IMWRITE_PNG_STRATEGY_RLE,
}
FILTERS = {
    "any": cv2.IMWRITE_PNG_ALL_FILTERS,
    "fast": cv2.IMWRITE_PNG_FAST_FILTERS,
    "none": cv2.IMWRITE_PNG_FILTER_NONE,
    "sub": cv2.IMWRITE_PNG_FILTER_SUB,
    "up": cv2.IMWRITE_PNG_FILTER_UP,
    "average": cv2.IMWRITE_PNG_FILTER_AVG,
    "paeth": cv2.IMWRITE_PNG_FILTER_PAETH,
}
OWN_FILTERS = {"none": 0, "sub": 1, "up": 2}  # numbers of the PNG specification, section 9
# what imaging.codec packs each member as
IN_USE = {
    "depth": "smooth",
    "normal": "relief",
    "pncc": "smooth",
    "uv": "fine",
    "mask": "flat",
    "parts": "flat",
    "ids": "fine",
}
LISTED_ALWAYS = ("cv2 any default 3", "Pillow 6", "npy")
Pack = Callable[[np.ndarray], bytes]


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--faces", type=int, default=2)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--all", action="store_true", help="every way, not the best alone")
    args = parser.parse_args()
    rows = []
    for name, images in rendered_images(args.faces, args.size).items():
        content = IN_USE[name]
        packs = dict(ways()) | {f"in use: {content}": lambda i, c=content: codec.encode_png(i, c)}
        costs = {way: measure(pack, images, args.repeats) for way, pack in packs.items()}
        for way, (size, seconds) in sorted(costs.items(), key=lambda item: item[1][1]):
            if args.all or way in LISTED_ALWAYS or way.startswith("in use") or best(way, costs):
                rows.append((name, way, f"{size / 1024:.1f}", f"{1e3 * seconds:.2f}"))
    print(f"{args.faces} faces × {len(PosePlan.large())} poses, {args.size}²\n")
    print_table(("buffer", "packed by", "KiB", "CPU ms"), rows)


def rendered_images(faces: int, size: int) -> dict[str, list[np.ndarray]]:
    """Member -> its images, integers as they are packed."""
    model, back_end = load_model("default"), renderer("raster", 2)
    camera = Camera.from_fov(size, size, 22.0)
    light = Lighting(np.eye(9, 3), np.array([0.0, 0.0, -1.0]), np.full(3, 0.5))
    images: dict[str, list[np.ndarray]] = {}
    rng = np.random.default_rng(0)
    for _ in range(faces):
        identity = rng.normal(size=len(model.identity_mm))
        shape = model.shape(identity, np.zeros(len(model.expression_names)))
        mesh = face_mesh(model, shape, None)
        for target in PosePlan.large():
            turned = matrix_from_euler(target.yaw_deg, target.pitch_deg)
            pose = Pose(turned, np.array([0.0, 0.0, 900.0]))
            view = back_end.render(mesh, pose, camera, light, None, BUFFERS)
            for suffix, data in buffer_members(view.buffers, BUFFERS).items():
                images.setdefault(suffix.removesuffix(".png"), []).append(codec.decode_image(data))
    return images


def ways() -> Iterator[tuple[str, Pack]]:
    """Names and functions from an image to bytes."""
    for strategy, number in STRATEGIES.items():
        # runs and Huffman codes alone look for no matches, which is all that levels are about
        for level in (1, 3, 6) if strategy in ("default", "filtered") else (1,):
            for name, bits in FILTERS.items():
                options = [cv2.IMWRITE_PNG_FILTER, bits, cv2.IMWRITE_PNG_COMPRESSION, level]
                options += [cv2.IMWRITE_PNG_STRATEGY, number]
                yield f"cv2 {name} {strategy} {level}", lambda i, o=options: by_opencv(i, o)
            for name, kind in OWN_FILTERS.items():
                how = (kind, level, number)
                yield f"own {name} {strategy} {level}", lambda i, h=how: by_zlib(i, *h)
    yield "Pillow 1", lambda image: by_pillow(image, 1)
    yield "Pillow 6", lambda image: by_pillow(image, 6)
    yield "npy", by_numpy
    yield "npz", lambda image: by_numpy(image, np.savez_compressed)


def by_opencv(image: np.ndarray, options: list[int]) -> bytes:
    """A PNG by libpng."""
    return cv2.imencode(".png", image, options)[1].tobytes()


def by_pillow(image: np.ndarray, level: int) -> bytes:
    """A PNG by Pillow; of 16-bit colour, which it lacks, the rows as 8-bit grey."""
    if image.dtype == np.uint16 and image.ndim == 3:
        image = image.reshape(len(image), -1).view(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG", compress_level=level)
    return stream.getvalue()


def by_numpy(image: np.ndarray, save: Callable = np.save) -> bytes:
    """An NPY or NPZ file."""
    stream = io.BytesIO()
    save(stream, image)
    return stream.getvalue()


def by_zlib(image: np.ndarray, kind: int, level: int, strategy: int) -> bytes:
    """A PNG whose rows all have one filter, by NumPy and zlib."""
    height, width = image.shape[:2]
    channels = 1 if image.ndim == 2 else image.shape[2]
    octets = image.astype(image.dtype.newbyteorder(">")).view(np.uint8).reshape(height, -1)
    filtered = np.zeros((height, octets.shape[1] + 1), dtype=np.uint8)
    filtered[:, 0], filtered[:, 1:] = kind, octets
    if kind == OWN_FILTERS["sub"]:
        step = channels * image.dtype.itemsize
        filtered[:, 1 + step :] -= octets[:, :-step]
    if kind == OWN_FILTERS["up"]:
        filtered[1:, 1:] -= octets[:-1]
    packer = zlib.compressobj(level, zlib.DEFLATED, 15, 9, strategy)
    body = packer.compress(filtered.tobytes()) + packer.flush()
    about = (width, height, 8 * image.dtype.itemsize, 2 if channels == 3 else 0, 0, 0, 0)
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", *about)), (b"IDAT", body), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def measure(pack: Pack, images: list[np.ndarray], repeats: int) -> tuple[float, float]:
    """Mean bytes of an image, and its CPU seconds: the least of the repeats."""
    seconds, size = [], 0
    for _ in range(repeats):
        start = time.process_time()
        size = sum(len(pack(image)) for image in images)
        seconds.append(time.process_time() - start)
    return size / len(images), min(seconds) / len(images)


def best(way: str, costs: dict[str, tuple[float, float]]) -> bool:
    """Whether no other way is both smaller and faster."""
    size, seconds = costs[way]
    return not any(s < size and t < seconds for s, t in costs.values())


if __name__ == "__main__":
    main()
