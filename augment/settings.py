"""Settings of every step of the rotation."""

from dataclasses import dataclass, field
from typing import Literal

from augment.background import BackgroundSettings
from augment.foreground import ForegroundSettings
from augment.image_mesh import MeshSettings
from augment.visibility import VisibilitySettings


@dataclass(frozen=True, slots=True)
class RotateSettings:
    """Attributes:
    size_px: edge of the square views; the paper's 256.
    margin: the crop's edge over the longer edge of the projected face's box, less 1.
    supersample: colour is rendered at this multiple of the size and averaged.
    background: "still" leaves it where the camera sees it, "turn" turns it with the head as
        the paper does (and smears it at large yaw).
    relight: whether the light stays where it was in the room when the head turns (the fitted one
        of Eq. 4); else shading turns with the head, as in the paper.
    buffers: extra images to make, of augment.labels.BUFFERS.
    """

    size_px: int = 256
    margin: float = 0.25
    supersample: int = 2
    background: Literal["still", "turn"] = "still"
    relight: bool = False
    buffers: tuple[str, ...] = ()
    foreground: ForegroundSettings = field(default_factory=ForegroundSettings)
    anchors: BackgroundSettings = field(default_factory=BackgroundSettings)
    mesh: MeshSettings = field(default_factory=MeshSettings)
    visibility: VisibilitySettings = field(default_factory=VisibilitySettings)
