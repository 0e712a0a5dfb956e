"""Light on surfaces as torch tensors: imaging.shading's Phong model and harmonics, with gradients.

Needs the extra 'train'.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def vertex_normals(vertices: "torch.Tensor", triangles: "torch.Tensor") -> "torch.Tensor":
    """Unit normals (B, V, 3), area-weighted over the triangles (T, 3) around each vertex (B, V, 3).

    A vertex without area has a zero normal.
    """
    import torch

    first, second, third = (vertices[:, corner] for corner in triangles.T)
    faces = torch.linalg.cross(second - first, third - first)
    sums = torch.zeros_like(vertices)
    for corner in triangles.T:
        sums = sums.index_add(1, corner, faces)
    return unit(sums)


def irradiance(environment: "torch.Tensor", normals: "torch.Tensor") -> "torch.Tensor":
    """Irradiance over π (..., 3) at unit normals (..., 3), clamped at 0.

    ``environment``: (9, 3) of imaging.shading.irradiance_polynomial, in the normals' frame.
    """
    import torch

    x, y, z = normals.unbind(-1)
    terms = [torch.ones_like(x), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
    return (torch.stack(terms, -1) @ environment).clamp(min=0)


def phong(
    albedo: "torch.Tensor",
    normals: "torch.Tensor",
    view: "torch.Tensor",
    direction: "torch.Tensor",
    environment: "torch.Tensor",
    color: "torch.Tensor",
    specular: float,
    shininess: float,
) -> "torch.Tensor":
    """Colours (..., 3) of the Phong model (Beyond 3DMM Space, Eq. 4) before an environment.

    C = albedo · (environment at n + color · ⟨n, l⟩) + k_s · color · ⟨r, ve⟩^ν, products clamped at
    0 and no highlight where the lamp is behind the surface, as imaging.shading.phong.

    Args:
        albedo: (..., 3) in [0, 1].
        normals, view: (..., 3) unit, outwards and towards the camera.
        direction: (3,) unit, towards the lamp; color: (3,) its strength.
        environment: (9, 3), as of irradiance().
        specular: k_s; shininess: ν > 0.
    """
    incidence = (normals * direction).sum(-1, keepdim=True)
    lit = albedo * (irradiance(environment, normals) + color * incidence.clamp(min=0))
    mirrored = 2 * incidence * normals - direction
    cosine = (mirrored * view).sum(-1, keepdim=True)
    shows = (cosine > 0) & (incidence > 0)
    # where it does not show a power of 1 keeps the gradient finite
    highlight = cosine.where(shows, 1) ** shininess * shows
    return lit + specular * color * highlight


def unit(vectors: "torch.Tensor") -> "torch.Tensor":
    """Vectors (..., 3) of length 1; those without length stay 0, and so does their gradient."""
    square = (vectors**2).sum(-1, keepdim=True)
    return vectors * (square > 0) / square.where(square > 0, 1).sqrt()
