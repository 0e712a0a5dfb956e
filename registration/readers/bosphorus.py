"""Bosphorus (Savran et al. 2008): bs000/bs000_E_ANGER_0.bnt, a grid of points, with its .png.

A .bnt, little-endian: rows and columns (uint16), the background's z (float64), the image's name
(uint16 length, characters), the count of numbers (uint32), then x, y, z in mm and the image
coordinates a, b in [0, 1] of all points, one after the other (float64), as the data set's own
read_bntfile has it.
"""

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from faces.errors import BadInput
from faces.files import read_bytes
from registration.readers.base import ScanRef
from registration.readers.images import read_color
from registration.readers.mesh_files import TexturedMesh, place
from registration.readers.organised import MIN_POINTS, grid_mesh
from registration.readers.published import PublishedMeshReader

COLUMNS = 5


@dataclass(frozen=True)
class BosphorusReader(PublishedMeshReader):
    """Bosphorus: the grid is taken as a textured surface and rendered from the front."""

    LAYOUT: ClassVar[str] = "bosphorus"
    TREE: ClassVar[str] = "bs000/bs000_E_ANGER_0.bnt with bs000_E_ANGER_0.png"
    SUFFIXES: ClassVar[tuple[str, ...]] = (".bnt",)
    PATTERN: ClassVar[re.Pattern] = re.compile(
        r"(?:^|/)(?P<subject>bs\d{3})_(?P<scan>[^/]+)\.bnt$", re.I
    )
    KNOWN: ClassVar[Mapping[str, str]] = {
        "source": "Bosphorus",
        "licence": "Bosphorus agreement (research, no redistribution)",
    }

    def _mesh(self, ref: ScanRef) -> TexturedMesh:
        path = self.root / ref.files["mesh"]
        what = f"scan '{path}'"
        if "texture" not in ref.files:
            raise BadInput(what, "no colour image", "a .png of its name", "put it beside the scan")
        points, image_at = read_bnt(path)
        mesh = grid_mesh(points, image_at, read_color(self.root / ref.files["texture"]))
        return place(mesh, self.unit, self.up, self.front, what)


def read_bnt(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points (H, W, 3) float64, NaN in the background, and texture coordinates (H, W, 2), v up.

    The format does not say whether b runs up or down the image. A face stands upright in its
    image, so b runs up where it grows with y.

    Raises:
        BadInput: cut short, or with other counts than its header says.
    """
    what, expected = f"scan '{path}'", "a header, then five numbers for every point of its grid"
    try:
        data = read_bytes(path, what, "mesh_bytes")
        rows, columns, background, length = struct.unpack_from("<HHdH", data)
        at = 14 + length
        (count,) = struct.unpack_from("<I", data, at)
    except struct.error as error:
        raise BadInput(what, f"unreadable ({error})", expected, "copy it again") from error
    wanted, there = rows * columns * COLUMNS, (len(data) - at - 4) // 8
    if not wanted == count <= there:
        got = f"{rows}×{columns} points, {count:,} numbers by the header, {there:,} in the file"
        raise BadInput(what, got, expected, "copy it again")
    numbers = np.frombuffer(data, "<f8", count, at + 4).reshape(COLUMNS, rows, columns)
    points, image_at = np.moveaxis(numbers[:3], 0, -1).copy(), np.moveaxis(numbers[3:], 0, -1)
    points[(numbers[2] == background) | ~np.isfinite(points).all(-1)] = np.nan
    valid = np.isfinite(points[..., 0])
    if valid.sum() < MIN_POINTS:
        got = f"{int(valid.sum()):,} points that are not background"
        raise BadInput(what, got, f"at least {MIN_POINTS:,}", "leave this scan out")
    a, b = image_at[..., 0], image_at[..., 1]
    heights = points[..., 1][valid]
    upwards = (heights - heights.mean()) @ b[valid] > 0  # the sign of their covariance
    return points, np.stack([a, b if upwards else 1 - b], -1)
