"""CASIA-3D FaceV1: 001/001-001.wrl, a Minolta Vivid 910's surface with colours on its vertices."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from registration.readers.published import PublishedMeshReader


@dataclass(frozen=True)
class Casia3dReader(PublishedMeshReader):
    """CASIA-3D FaceV1: 123 people, 37 or 38 scans each."""

    LAYOUT: ClassVar[str] = "casia3d"
    TREE: ClassVar[str] = "001/001-001.wrl with a colour a vertex"
    PATTERN: ClassVar[re.Pattern] = re.compile(
        r"(?:^|/)(?P<subject>\d{3})/(?P<scan>(?P=subject)-\d{3})\.wrl$", re.I
    )
    KNOWN: ClassVar[Mapping[str, str]] = {
        "source": "CASIA-3D FaceV1",
        "licence": "CASIA-3D FaceV1 agreement (research, no redistribution)",
    }
