"""FaceScape's topologically uniform models (Yang et al. 2020): 1/models_reg/1_neutral.obj, .jpg.

doc/doc_tu_model.md of zhuhao-nju/facescape: 847 people, 20 expressions, a texture each.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from registration.readers.published import PublishedMeshReader


@dataclass(frozen=True)
class FacescapeReader(PublishedMeshReader):
    """FaceScape TU models; displacement maps (dpmap/) are not applied."""

    LAYOUT: ClassVar[str] = "facescape"
    TREE: ClassVar[str] = "1/models_reg/1_neutral.obj with 1_neutral.jpg"
    PATTERN: ClassVar[re.Pattern] = re.compile(
        r"(?:^|/)(?P<subject>\d+)/models_reg/(?P<expression>\d+_[^/]+)\.obj$", re.I
    )
    KNOWN: ClassVar[Mapping[str, str]] = {
        "source": "FaceScape",
        "licence": "FaceScape licence agreement (non-commercial research, no redistribution)",
    }
