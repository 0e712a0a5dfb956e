"""The scans of the NoW benchmark (Sanyal et al. 2019): scans/PERSON/NAME.obj and seven points.

The points are MeshLab's, in scans_lmks_onlypp/PERSON/NAME_picked_points.pp, as the benchmark's
compute_error.py finds them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from xml.etree import ElementTree

import numpy as np

from faces.errors import BadInput
from faces.files import read_text
from registration.readers.published import PublishedMeshReader

POINTS = 7
FOLDER = "scans_lmks_onlypp"


@dataclass(frozen=True)
class NowReader(PublishedMeshReader):
    """NoW; the points are ``truth["now7_mm"]`` (7, 3): eyes' corners, nose, mouth's corners."""

    LAYOUT: ClassVar[str] = "now"
    TREE: ClassVar[str] = f"scans/PERSON/NAME.obj with {FOLDER}/PERSON/NAME_picked_points.pp"
    PATTERN: ClassVar[re.Pattern] = re.compile(
        r"(?:^|/)scans/(?P<subject>[^/]+)/(?P<scan>[^/]+)\.(?:obj|ply)$", re.I
    )
    KNOWN: ClassVar[Mapping[str, str]] = {
        "source": "NoW",
        "licence": "NoW licence (non-commercial research, no redistribution)",
    }

    def _files(self, path: Path) -> dict[str, Path]:
        points = sorted((path.parents[2] / FOLDER / path.parent.name).glob("*.pp"))
        return super()._files(path) | ({"landmarks_3d": points[0]} if points else {})

    def _points_3d(self, path: Path) -> tuple[str, np.ndarray]:
        return ("now7_mm", read_pp(path)) if path.suffix == ".pp" else super()._points_3d(path)


def read_pp(path: Path) -> np.ndarray:
    """(7, 3) float64 points, file coordinates, of MeshLab's picked points, in the file's order.

    Raises:
        BadInput: no XML, or not seven points of three coordinates.
    """
    try:
        # No entity is declared in such a file; one that declares some is not read.
        text = read_text(path, f"landmarks '{path}'")
        if "<!ENTITY" in text:
            raise ValueError("it declares entities")
        tags = ElementTree.fromstring(text).iter("point")
        points = np.array([[float(tag.attrib[axis]) for axis in "xyz"] for tag in tags])
    except BadInput:
        raise
    except (ValueError, KeyError, RecursionError, ElementTree.ParseError) as error:
        got = f"{type(error).__name__}: {error}"
    else:
        if points.shape == (POINTS, 3) and np.isfinite(points).all():
            return points
        got = f"points of shape {points.shape}"
    expected = f"MeshLab's picked points, {POINTS} of them"
    raise BadInput(f"landmarks '{path}'", got, expected, "copy it again, or delete it")
