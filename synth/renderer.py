"""What every back end renders, and what it gives back: one protocol for raster, gl and cuda."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from faces.camera import Camera, Pose

# Images that a back end makes besides the colour, on request; read at pixel centres and never
# averaged, 0 on the background (triangle ids: -1).
BUFFERS = ("depth_mm", "normal", "pncc", "uv", "mask", "parts", "triangle_id")
# What a pixel of the buffer "parts" shows.
PART_LABELS = (
    "background",
    "skin",
    "brows",
    "eyes",
    "lips",
    "teeth",
    "mouth",
    "ears",
    "neck",
    "hair",
    "glasses",
    "clothes",
    "other",
)


@dataclass(frozen=True, slots=True, eq=False)
class Topology:
    """What all faces of a model share; made once a model.

    Attributes:
        triangles: (T, 3) int32, outward normals.
        uv: (U, 2) float32, u right, v down; triangle_uv: (T, 3) int32 into it.
        pncc: (V, 3) float32 in [0, 1], the mean shape's coordinates scaled to its box.
        parts: (T,) uint8, index into PART_LABELS.
        landmarks: (L,) int32, the vertices of the model's landmarks.
    """

    triangles: np.ndarray
    uv: np.ndarray
    triangle_uv: np.ndarray
    pncc: np.ndarray
    parts: np.ndarray
    landmarks: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class FaceMesh:
    """A face to be rendered at any pose.

    Attributes:
        topology: of its model.
        vertices_mm: (V, 3) float32, in the model frame.
        normals: (V, 3) float32, unit, in the model frame.
        colors: (V, 3) float32 sRGB albedo in [0, 1], read where there is no texture.
        texture: mip levels of an sRGB albedo on the topology's uv, each (h, w, 3) float32 in
            [0, 1], the finest first, its islands padded; empty where colours are on the vertices.
    """

    topology: Topology
    vertices_mm: np.ndarray
    normals: np.ndarray
    colors: np.ndarray
    texture: tuple[np.ndarray, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Lighting:
    """Light in the camera frame: an environment, one lamp, and how surfaces shine (Eq. 4).

    Colour = albedo · (environment at the normal + color · ⟨n, l⟩) + specular · color · ⟨r, ve⟩^ν.
    Phong's ambient light is an environment that is constant.

    Attributes:
        environment: (9, 3), irradiance over π as imaging.shading.irradiance_polynomial gives it.
        direction: (3,) unit, towards the lamp; color: (3,) its strength.
        specular: k_s; shininess: ν > 0.
        linear: whether strengths are of linear light and the picture is developed as a camera does
            (imaging.develop); else all is in sRGB values, as faces.appearance fits them.
        shadows: whether the mesh keeps the lamp off itself.
    """

    environment: np.ndarray
    direction: np.ndarray
    color: np.ndarray
    specular: float = 0.0
    shininess: float = 10.0
    linear: bool = False
    shadows: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """One rendered image with its labels.

    Attributes:
        color: (H, W, 3) uint8 sRGB, supersampled.
        buffers: the requested ones of BUFFERS: "depth_mm" (H, W) float32, z in the camera frame;
            "normal" (H, W, 3) float32 unit, model axes as the camera sees them (x right, y up, z
            to the camera); "pncc" (H, W, 3) float32; "uv" (H, W, 2) float32; "mask" (H, W) uint8,
            255 where the centre is covered; "parts" (H, W) uint8; "triangle_id" (H, W) int32.
        landmarks_px: (L, 2) float64; landmarks_mm: (L, 3) float64, camera frame.
        landmarks_visible: (L,) bool: in the image, turned to the camera, hidden by nothing.
    """

    color: np.ndarray
    landmarks_px: np.ndarray
    landmarks_mm: np.ndarray
    landmarks_visible: np.ndarray
    buffers: dict[str, np.ndarray] = field(default_factory=dict)


class Renderer(Protocol):
    """A back end. ``supersample`` (colour samples along each pixel axis) belongs to its making."""

    name: str

    def render(
        self,
        face: FaceMesh,
        pose: Pose,
        camera: Camera,
        lighting: Lighting,
        background: np.ndarray | None = None,
        buffers: Sequence[str] = (),
    ) -> Rendered:
        """The face over a background (H, W, 3) uint8; black where None.

        Raises:
            BadInput: an unknown buffer, or shapes that do not fit each other.
        """
