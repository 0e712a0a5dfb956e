"""Faces rendered inside of a training step: batched, on the tensors' device, with gradients.

Visibility is fixed: gradients reach vertices, colours and light through what is seen at each
sample, and none comes from outlines that move. Needs the extra 'train'.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from faces.camera import FLIP, Camera
from faces.errors import BadInput
from imaging.raster_torch import TensorFragments, rasterise
from imaging.shading_torch import phong, unit, vertex_normals
from synth.renderer import Lighting

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True, eq=False)
class StepImages:
    """B images of a step.

    Attributes:
        color: (B, H, W, 3) sRGB, not clipped above, over the background.
        normal: (B, H, W, 3) unit, model axes as the camera sees them (x right, y up, z to the
            camera), at pixel centres; 0 on the background.
        seen: what is at pixel centres; its ``depth`` is in mm, and its ``interpolate`` carries any
            other attribute (PNCC, texture coordinates, …) to the pixels.
    """

    color: "torch.Tensor"
    normal: "torch.Tensor"
    seen: TensorFragments


def render_step(
    vertices_mm: "torch.Tensor",
    triangles: "torch.Tensor",
    colors: "torch.Tensor",
    camera: Camera,
    lighting: Lighting,
    background: "torch.Tensor | None" = None,
    supersample: int = 1,
) -> StepImages:
    """Faces of one mesh, lit by Eq. 4 of Beyond 3DMM Space in sRGB values, over backgrounds.

    Args:
        vertices_mm: (B, V, 3) mm in the camera frame (to_camera), float32 or float64.
        triangles: (T, 3) int64, outward normals.
        colors: (V, 3) or (B, V, 3) sRGB albedo in [0, 1].
        camera: without distortion, of all images.
        lighting: without shadows and not linear; its arrays may be tensors with gradients.
        background: (H, W, 3) or (B, H, W, 3) in [0, 1]; black where None.
        supersample: colour samples along each pixel axis.

    Raises:
        BadInput: a light that needs the whole renderer (synth.render).
    """
    if lighting.shadows or lighting.linear:
        raise BadInput(
            "lighting of a training step",
            f"shadows={lighting.shadows}, linear={lighting.linear}",
            "both False",
            "render before the step with synth.render.renderer",
        )
    size = (camera.width, camera.height)
    normals = vertex_normals(vertices_mm, triangles)
    seen = rasterise(screen(vertices_mm, camera), triangles, size, camera.is_perspective)
    fine = seen
    if supersample > 1:
        zoomed = (size[0] * supersample, size[1] * supersample)
        lens = camera.crop(0, 0, *zoomed, zoom=supersample)
        fine = rasterise(screen(vertices_mm, lens), triangles, zoomed, camera.is_perspective)
    lit = _lit(fine, vertices_mm, normals, triangles, colors, camera, lighting)
    share = fine.mask.to(lit.dtype)[..., None]
    lit, share = (_averaged(image, supersample) for image in (lit * share, share))
    color = lit if background is None else lit + (1 - share) * background
    flip = vertices_mm.new_tensor(np.diag(FLIP))
    return StepImages(color, unit(seen.interpolate(normals, triangles)) * flip, seen)


def to_camera(
    vertices_mm: "torch.Tensor", rotation: "torch.Tensor", translation_mm: "torch.Tensor"
) -> "torch.Tensor":
    """Model-frame (B, V, 3) or (V, 3) mm to the camera frame (B, V, 3): Pose.apply at scale 1.

    ``rotation`` (B, 3, 3) in model axes; ``translation_mm`` (B, 3), the model origin's place.
    """
    flip = rotation.new_tensor(FLIP)
    return vertices_mm @ (flip @ rotation).mT + translation_mm[:, None]


def screen(points_mm: "torch.Tensor", camera: Camera) -> "torch.Tensor":
    """Camera-frame points (..., 3) mm to (u px, v px, z mm), as Camera.screen.

    Behind a pinhole u and v are finite and mean nothing: rasterise drops such points by their z.
    """
    import torch

    x, y, z = points_mm.unbind(-1)
    if camera.mm_per_px is not None:
        u, v = x / camera.mm_per_px + camera.cx, y / camera.mm_per_px + camera.cy
        return torch.stack([u, v, z], -1)
    ahead = z.where(z > 0, 1)
    u, v = camera.fx * x / ahead + camera.cx, camera.fy * y / ahead + camera.cy
    return torch.stack([u, v, z], -1)


def _lit(seen, vertices, normals, triangles, colors, camera, lighting):
    """Colours (B, h, w, 3) of the seen samples; of no meaning where nothing is."""
    import torch

    def tensor(values):
        return torch.as_tensor(values, dtype=vertices.dtype, device=vertices.device)

    albedo = seen.interpolate(colors.to(vertices.dtype), triangles)
    normal = unit(seen.interpolate(normals, triangles))
    if camera.is_perspective:
        view = unit(-seen.interpolate(vertices, triangles))
    else:
        view = tensor([0.0, 0, -1])
    return phong(
        albedo,
        normal,
        view,
        tensor(lighting.direction),
        tensor(lighting.environment),
        tensor(lighting.color),
        lighting.specular,
        lighting.shininess,
    )


def _averaged(image, factor):
    """Box average (B, H, W, C) of (B, H·factor, W·factor, C)."""
    batch, height, width, channels = image.shape
    blocks = image.reshape(batch, height // factor, factor, width // factor, factor, channels)
    return blocks.mean((2, 4))
