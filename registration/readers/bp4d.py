"""BP4D-Spontaneous and BP4D+ (Zhang et al. 2014, 2016): F001/T1/0001.obj or .wrl with its .jpg."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from registration.readers.published import PublishedMeshReader


@dataclass(frozen=True)
class Bp4dReader(PublishedMeshReader):
    """BP4D and BP4D+: a subject, a task, a frame."""

    LAYOUT: ClassVar[str] = "bp4d"
    TREE: ClassVar[str] = "F001/T1/0001.obj (or .wrl) with 0001.jpg"
    PATTERN: ClassVar[re.Pattern] = re.compile(
        r"(?:^|/)(?P<subject>[FM]\d{3})/(?P<task>T\d{1,2})/(?P<frame>\d+)\.(?:obj|wrl)$", re.I
    )
    KNOWN: ClassVar[Mapping[str, str]] = {
        "source": "BP4D",
        "licence": "BP4D licence agreement (research, no redistribution)",
    }
