"""Where rendered faces come from: one protocol for registered scans and virtual people."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from faces.camera import Camera, Pose
from synth.renderer import Rendered


@dataclass(frozen=True, slots=True, eq=False)
class SourceView:
    """A face rendered at a pose.

    Attributes:
        rendered: the image with its labels.
        camera: of the image, without distortion.
        pose: carries the source's shape_mm into the camera frame; its rotation is the one asked
            for.
    """

    rendered: Rendered
    camera: Camera
    pose: Pose


class Renderable(Protocol):
    """A face that can be looked at from any side.

    Attributes:
        shape_mm: (V, 3) float64 in the model frame, the model's vertices.
    """

    shape_mm: np.ndarray

    def view(
        self, yaw_deg: float, pitch_deg: float, roll_deg: float, rng: np.random.Generator
    ) -> SourceView:
        """The face at a pose (faces.rotation's angles).

        ``rng`` draws what the settings leave open: a random light, a place in a folder's image.
        """
