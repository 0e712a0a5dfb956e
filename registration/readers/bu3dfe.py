"""BU-3DFE (Yin et al. 2006): F0001/F0001_AN01WH_F3D.wrl with _F2D.bmp and 83 points in _F3D.bnd.

A name says sex and number, expression (AN, DI, FE, HA, NE, SA, SU), its level 00–04, and ancestry.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from faces.errors import BadInput
from faces.files import read_text
from registration.readers.published import IMAGE_SUFFIXES, PublishedMeshReader, with_suffix_of

POINTS = 83


@dataclass(frozen=True)
class Bu3dfeReader(PublishedMeshReader):
    """BU-3DFE; the points of .bnd are ``truth["bu83_mm"]`` (83, 3), in the files' order."""

    LAYOUT: ClassVar[str] = "bu3dfe"
    TREE: ClassVar[str] = "F0001/F0001_AN01WH_F3D.wrl with F0001_AN01WH_F2D.bmp"
    PATTERN: ClassVar[re.Pattern] = re.compile(
        r"(?:^|/)(?P<subject>[FM]\d{4})_(?P<expression>[A-Z]{2}\d{2}[A-Z]{2})_F3D\.(?:wrl|obj)$"
    )
    KNOWN: ClassVar[Mapping[str, str]] = {
        "source": "BU-3DFE",
        "licence": "BU-3DFE licence agreement (research, no redistribution)",
    }

    def _files(self, path: Path) -> dict[str, Path]:
        points = path.with_suffix(".bnd")
        return super()._files(path) | ({"landmarks_3d": points} if points.is_file() else {})

    def _texture(self, path: Path) -> Path | None:
        return with_suffix_of(path.with_name(path.stem[: -len("3D")] + "2D"), IMAGE_SUFFIXES)

    def _points_3d(self, path: Path) -> tuple[str, np.ndarray]:
        if path.suffix.lower() != ".bnd":
            return super()._points_3d(path)
        return "bu83_mm", read_bnd(path)


def read_bnd(path: Path) -> np.ndarray:
    """(83, 3) float64 points, file coordinates, from lines of a vertex' number and x, y, z.

    Raises:
        BadInput: not 83 lines of four numbers.
    """
    lines = read_text(path, f"landmarks '{path}'").splitlines()
    try:
        rows = np.array([line.split() for line in lines if line.split()]).astype(np.float64)
    except ValueError as error:
        got = str(error)
    else:
        if rows.shape == (POINTS, 4) and np.isfinite(rows).all():
            return rows[:, 1:]
        got = f"numbers of shape {rows.shape}"
    expected = f"{POINTS} lines of a vertex' number and three coordinates"
    raise BadInput(f"landmarks '{path}'", got, expected, "copy it again, or delete it")
