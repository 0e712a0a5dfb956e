"""A scene of labelled surfaces before a camera: colour, depth and labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from faces.camera import Camera, Pose
from imaging.develop import developed
from synth.assembly import Assembly
from synth.light import Light

LABELS = (
    "background",
    "skin",
    "eye",
    "mouth",
    "hair",
    "glasses",
    "hand",
    "phone",
    "mask",
    "scarf",
    "clothes",
    "room",
)


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """A surface with its own colour.

    Attributes:
        label: a name of LABELS.
        vertices_mm: (V, 3) float64, in the model frame until moved(), then in the camera frame.
        triangles: (T, 3) int32, outward normals.
        albedo: (V, 3) float32 sRGB in [0, 1], or a texture (H, W, 3) float32.
        uv: (U, 2) float32, u right, v down, where there is a texture.
        triangle_uv: (T, 3) int32 into ``uv``.
        alpha: (H, W) float32 on the same uv, the share of a strand card that is there; None
            where all of it is.
        gloss: (V,) float32 factor on the light's specular term, 0 where matte.
        shininess: ν of the highlight.
        two_sided: whether its back is lit as its front is.
        relief: (H, W) float32 mm on the same uv, what is too fine for the mesh; None where smooth.
        occluder: (t, 3) int32, fewer triangles over the same vertices, good enough for what keeps
            the light all around off other surfaces; None for ``triangles``.
        shade: (V,) float32 share of the light around that reaches the surface past what is too
            thin for the scene's own count: lids before an eye. None for all of it.
        scatter: how much light wanders below the surface: 1 skin, 0 none.
    """

    label: str
    vertices_mm: np.ndarray
    triangles: np.ndarray
    albedo: np.ndarray
    uv: np.ndarray | None = None
    triangle_uv: np.ndarray | None = None
    alpha: np.ndarray | None = None
    gloss: np.ndarray | None = None
    shininess: float = 10.0
    two_sided: bool = False
    relief: np.ndarray | None = None
    scatter: float = 0.0
    shade: np.ndarray | None = None
    occluder: np.ndarray | None = None

    def moved(self, pose: Pose) -> "Piece":
        """The piece where the pose carries it."""
        return replace(self, vertices_mm=pose.apply(self.vertices_mm))


@dataclass(frozen=True, slots=True, eq=False)
class SceneImage:
    """What a perfect camera sees.

    Attributes:
        color: (H, W, 3) uint8 sRGB, supersampled.
        depth_mm: (H, W) float32, z at the pixel's centre; 0 where there is nothing.
        labels: (H, W) uint8, index into LABELS.
        piece_id: (H, W) int16, index of the piece, -1 where there is none.
        mask: (H, W) bool, pixels whose centre a piece covers.
    """

    color: np.ndarray
    depth_mm: np.ndarray
    labels: np.ndarray
    piece_id: np.ndarray
    mask: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Backdrop:
    """What stands behind all pieces.

    Attributes:
        color: (H, W, 3) float32, linear light.
        depth_mm: (H, W) float32.
        labels: (H, W) uint8, index into LABELS.
    """

    color: np.ndarray
    depth_mm: np.ndarray
    labels: np.ndarray


def render_scene(
    pieces: Sequence[Piece],
    camera: Camera,
    light: Light,
    supersample: int = 2,
    shadows: bool = True,
    backdrop: Backdrop | None = None,
) -> SceneImage:
    """The pieces (camera frame) under the light.

    Args:
        pieces: of any labels; the nearest surface wins at each sample.
        camera: without distortion.
        light: in the camera frame.
        supersample: colour samples along each pixel axis; depth and labels are never averaged.
        shadows: whether pieces keep the lamp and the environment off each other.
        backdrop: seen where no piece is.
    """
    size = (camera.width, camera.height)
    whole = Assembly.of(pieces)
    plain = whole.seen_by(camera)
    samples = whole.samples(camera, supersample, plain)
    color = whole.lit(samples, size, light, shadows)
    piece_id = np.where(plain.mask, whole.owner[plain.triangle_id], -1).astype(np.int16)
    ids = np.array([LABELS.index(piece.label) for piece in pieces] + [0], dtype=np.uint8)
    labels, depth = ids[piece_id], plain.depth
    if backdrop is not None:
        color = color + (1 - samples.cover(size)[..., None]) * backdrop.color
        labels = np.where(plain.mask, labels, backdrop.labels)
        depth = np.where(plain.mask, depth, backdrop.depth_mm)
    return SceneImage(developed(color), depth, labels, piece_id, plain.mask)
