"""Albedo for FLAME at its vertices, from one of the texture spaces made for it.

Each is an .npz with texture coordinates (vt, ft) and a mean image with modes at 1 σ:
FLAME_texture.npz (mean, tex_dir; 0 to 255), FLAME_albedo_from_BFM.npz (MU, PC; 0 to 1), and
albedoModel2020_FLAME_albedoPart.npz of AlbedoMM (the same keys, but linear sRGB; Smith et al.,
A Morphable Face Albedo Model, CVPR 2020). Keys as in TF_FLAME's sample_texture.py and DECA's
FLAMETex; those flip the channels, so their order is told here from the mean: skin is redder than
blue.
"""

from pathlib import Path

import cv2
import numpy as np

from faces.errors import BadInput
from faces.models.inert import read_npz

# AlbedoMM first: it alone is free of the light it was taken in.
NAMES = (
    "albedoModel2020_FLAME_albedoPart.npz",
    "FLAME_albedo_from_BFM.npz",
    "FLAME_texture.npz",
)
LINEAR = NAMES[0]
MODES = 100  # kept: more than a fit can tell apart
DARKEST = 1e-3  # linear: below it sRGB's slope is its line's, and no skin is


def find_texture(folder: Path) -> Path | None:
    """The best texture space in a folder; None where there is none."""
    return next((folder / name for name in NAMES if (folder / name).is_file()), None)


def read_texture(path: Path, triangles: np.ndarray, count: int):
    """Texture coordinates and albedo at ``count`` vertices of ``triangles`` (T, 3).

    Returns:
        (uv (U, 2) with v down, triangle_uv (T, 3)), (mean (V, 3), modes (B, V, 3)) float32 sRGB.

    Raises:
        BadInput: the file is unreadable, lacks a key or belongs to other triangles.
    """
    file = read_npz(path)
    mean, basis = _images(path, file)
    uv = np.asarray(file["vt"], dtype=np.float64)[:, :2] * [1, -1] + [0, 1]
    triangle_uv = np.asarray(file["ft"], dtype=np.int64)
    if triangle_uv.shape != triangles.shape or triangle_uv.max() >= len(uv):
        raise _bad(path, f"ft of shape {triangle_uv.shape}", f"{triangles.shape}, into vt")
    place = np.zeros((count, 2))
    place[triangles.ravel()] = uv[triangle_uv.ravel()]
    colours = _sampled(mean, place)
    modes = np.stack([_sampled(image, place) for image in basis])
    if colours[:, 0].mean() < colours[:, 2].mean():
        colours, modes = colours[:, ::-1], modes[:, :, ::-1]
    if path.name == LINEAR:
        colours, modes = _displayed(colours, modes)
    return (uv, triangle_uv), (colours.astype(np.float32), modes.astype(np.float32))


def _images(path: Path, file: dict) -> tuple[np.ndarray, np.ndarray]:
    """Mean (H, W, 3) and modes (B, H, W, 3) in [0, 1], in the file's order of channels."""
    keys = next((pair for pair in (("MU", "PC"), ("mean", "tex_dir")) if pair[0] in file), ())
    if missing := [key for key in (*(keys or ("MU", "PC")), "vt", "ft") if key not in file]:
        raise _bad(path, f"no {', '.join(missing)} among {', '.join(sorted(file))}", "them")
    mean = np.asarray(file[keys[0]], dtype=np.float32)
    basis = file[keys[1]]
    if mean.ndim != 3 or mean.shape[2] != 3 or basis.shape[:3] != mean.shape:
        raise _bad(path, f"images of shape {mean.shape} and {basis.shape}", "(H, W, 3, modes)")
    unit = np.float32(255 if keys[0] == "mean" else 1)
    return mean / unit, np.moveaxis(basis[..., :MODES], 3, 0).astype(np.float32) / unit


def _sampled(image: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Colours (V, 3) of an image (H, W, 3) at places (V, 2) in [0, 1]."""
    height, width = image.shape[:2]
    pixel = (place * [width, height] - 0.5).astype(np.float32)[None]
    return cv2.remap(
        np.ascontiguousarray(image), pixel, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )[0]


def _displayed(mean: np.ndarray, modes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Linear colours as sRGB (IEC 61966-2-1), modes by the curve's slope at the mean."""
    linear = np.clip(mean.astype(np.float64), DARKEST, None)
    low = linear <= 0.0031308
    value = np.where(low, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    slope = np.where(low, 12.92, 1.055 / 2.4 * linear ** (1 / 2.4 - 1))
    return value, modes * slope


def _bad(path: Path, got: str, expected: str) -> BadInput:
    return BadInput(
        f"texture space '{path}'",
        got,
        expected,
        "take the file as it is, or move it away from the model to do without",
    )
