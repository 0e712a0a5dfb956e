"""Headspace (Dai et al. 2020), the scans behind LYHM: 00001/NUMBER.obj with NUMBER.bmp."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from registration.readers.published import PublishedMeshReader


@dataclass(frozen=True)
class HeadspaceReader(PublishedMeshReader):
    """Headspace: 1,519 people in latex caps; a folder a person, one 3dMD scan or more in it."""

    LAYOUT: ClassVar[str] = "headspace"
    TREE: ClassVar[str] = "00001/090625104234.obj with its .bmp (or .jpg, .png)"
    PATTERN: ClassVar[re.Pattern] = re.compile(
        r"(?:^|/)(?P<subject>\d{5})/(?P<scan>\d{8,})\.obj$", re.I
    )
    KNOWN: ClassVar[Mapping[str, str]] = {
        "source": "Headspace",
        "licence": "Headspace agreement (university-based non-commercial research)",
    }
