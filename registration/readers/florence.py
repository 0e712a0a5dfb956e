"""Florence 2D/3D (MICC; Bagdanov et al. 2011): subject_01/Model/frontal1/obj/NUMBER.obj."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from registration.readers.published import PublishedMeshReader


@dataclass(frozen=True)
class FlorenceReader(PublishedMeshReader):
    """Florence 2D/3D: the scans called frontal1, frontal2 and so on; profiles are left out.

    A scan from the side has no frontal view that a detector knows as a face.
    """

    LAYOUT: ClassVar[str] = "florence"
    TREE: ClassVar[str] = "subject_01/Model/frontal1/obj/110920150452.obj with its texture"
    PATTERN: ClassVar[re.Pattern] = re.compile(
        r"(?:^|/)(?P<subject>subject_\d+)/Model/(?P<view>frontal\d*)/obj/(?P<scan>[^/]+)\.obj$",
        re.I,
    )
    KNOWN: ClassVar[Mapping[str, str]] = {
        "source": "Florence 2D/3D",
        "licence": "Florence 2D/3D agreement (research, no redistribution)",
    }
