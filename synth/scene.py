"""A scene of labelled surfaces before a camera: colour, depth and labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from faces.camera import Camera, Pose
from faces.mesh import vertex_normals
from imaging.raster import downsample, rasterise
from imaging.shading import phong, sample_texture
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


def render_scene(
    pieces: Sequence[Piece],
    camera: Camera,
    light: Light,
    supersample: int = 2,
    shadows: bool = True,
) -> SceneImage:
    """The pieces (camera frame) under the light.

    Args:
        pieces: of any labels; the nearest surface wins at each sample.
        camera: without distortion.
        light: in the camera frame.
        supersample: colour samples along each pixel axis; depth and labels are never averaged.
        shadows: whether the lamp's light is kept off by what stands before it.
    """
    size = (camera.width, camera.height)
    fine_camera = camera.crop(0, 0, *(supersample * n for n in size), zoom=supersample)
    points = np.concatenate([piece.vertices_mm for piece in pieces])
    starts = np.cumsum([0] + [len(piece.vertices_mm) for piece in pieces])
    triangles = np.concatenate([p.triangles + s for p, s in zip(pieces, starts[:-1], strict=True)])
    owner = np.repeat(np.arange(len(pieces)), [len(piece.triangles) for piece in pieces])
    first = np.cumsum([0] + [len(piece.triangles) for piece in pieces])
    plain = rasterise(camera.screen(points), triangles, size, camera.is_perspective)
    fine = rasterise(fine_camera.screen(points), triangles, (fine_camera.width, fine_camera.height))
    color = np.zeros((*fine.mask.shape, 3), dtype=np.float32)
    owner_fine = np.where(fine.mask, owner[fine.triangle_id], -1)
    for index, piece in enumerate(pieces):
        chosen = owner_fine == index
        local = fine.triangle_id[chosen] - first[index]
        weights = fine.barycentric[chosen][..., None]
        normals = vertex_normals(piece.vertices_mm, piece.triangles)
        at = piece.triangles[local]
        normal = (weights * normals[at]).sum(1)
        if piece.albedo.ndim == 3:
            uv = (weights * piece.uv[piece.triangle_uv[local]]).sum(1)
            albedo = sample_texture(piece.albedo, uv)
        else:
            albedo = (weights * piece.albedo[at]).sum(1)
        color[chosen] = phong(
            albedo, normal, -normal, light.direction, light.ambient, light.directional, 0, 1
        )
    piece_id = np.where(plain.mask, owner[plain.triangle_id], -1).astype(np.int16)
    ids = np.array([LABELS.index(piece.label) for piece in pieces] + [0], dtype=np.uint8)
    color = downsample(np.clip(color, 0, 1), supersample)
    return SceneImage(
        np.rint(255 * color).astype(np.uint8), plain.depth, ids[piece_id], piece_id, plain.mask
    )
