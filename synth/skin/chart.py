"""A model's texture as a chart: where on the head each texel lies, made once a model."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.ndimage import distance_transform_edt

from faces.errors import BadInput
from faces.models import albedo, anatomy
from faces.morphable import MorphableModel
from faces.uv import UvAtlas

COARSE = 2  # smooth fields are made at this part of the texture's edge


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """Texels continue beyond the islands with the nearest island's values.

    Attributes:
        model: whose texture it is.
        head: the mean through its landmarks.
        size: edge, texels.
        mask: (S, S) bool, texels on a triangle.
        nearest: (S, S) int32, flat index of the nearest texel on one.
        gutter: (N,) int, flat indices of the texels outside the mask.
        xyz: (S, S, 3) float32 mm, place on the mean, model frame.
        step_u, step_v: (S, S, 3) float32 mm, how the place moves a texel to the right and down.
        part: (S, S) uint8, index into faces.morphable.PARTS.
        coarse: the vertices' map at half the size, and its ``coarse_nearest``.
        masks: name -> (V,) float64, faces.models.albedo.find_masks.
    """

    model: MorphableModel
    head: anatomy.Head
    size: int
    mask: np.ndarray
    nearest: np.ndarray
    gutter: np.ndarray
    xyz: np.ndarray
    step_u: np.ndarray
    step_v: np.ndarray
    part: np.ndarray
    coarse: UvAtlas
    coarse_nearest: np.ndarray
    masks: dict

    def smooth_map(self, values: np.ndarray) -> np.ndarray:
        """Values (V, C) on vertices as a padded map (S/2, S/2, C) float32."""
        flat = self.coarse.to_map(values).reshape(-1, values.shape[1])
        return flat[self.coarse_nearest]

    def to_texels(self, mm: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Offsets (N, 3) mm on the surface at texels as offsets (N, 2) = (u, v) in texels."""
        u, v = self.step_u[rows, columns], self.step_v[rows, columns]
        uu, vv, uv = (u * u).sum(1), (v * v).sum(1), (u * v).sum(1)
        a, b = (mm * u).sum(1), (mm * v).sum(1)
        det = np.maximum(uu * vv - uv * uv, 1e-9)
        return np.stack([(vv * a - uv * b) / det, (uu * b - uv * a) / det], 1)


def chart_of(model: MorphableModel, size: int) -> Chart:
    """The chart of a model's texture of ``size`` texels; kept for the next call.

    Raises:
        BadInput: the model has no texture coordinates.
    """
    if len(model.uv) == 0:
        got, expected = "no texture coordinates", "a chart to paint on"
        raise BadInput(f"model '{model.name}'", got, expected, "use the default model")
    return _chart(model, size)


@lru_cache(maxsize=2)
def _chart(model: MorphableModel, size: int) -> Chart:
    atlas, coarse = UvAtlas(model, size), UvAtlas(model, size // COARSE)
    head = anatomy.make_head(
        model.mean_mm,
        model.triangles,
        model.part_vertices("skin"),
        model.landmarks["ibug68"],
        model.regions["ears"],
    )
    place = atlas.to_map(model.mean_mm)
    nearest = nearest_inside(atlas.mask)
    step_v, step_u = _steps(place, atlas.mask)
    part = np.zeros((model.vertex_count, 1), dtype=np.float32)
    part[model.triangles.ravel(), 0] = np.repeat(model.triangle_part, 3)
    masks = albedo.find_masks(head, model.regions, model.triangles, model.triangle_part)

    def padded(values):
        return values.reshape(size * size, -1)[nearest]

    return Chart(
        model=model,
        head=head,
        size=size,
        mask=atlas.mask,
        nearest=nearest,
        gutter=np.flatnonzero(~atlas.mask),
        xyz=padded(place),
        step_u=padded(step_u),
        step_v=padded(step_v),
        part=np.rint(padded(atlas.to_map(part))[..., 0]).astype(np.uint8),
        coarse=coarse,
        coarse_nearest=nearest_inside(coarse.mask),
        masks=masks,
    )


def nearest_inside(mask: np.ndarray) -> np.ndarray:
    """(S, S) int32: flat index of the nearest texel of the mask; its own inside."""
    index = distance_transform_edt(~mask, return_distances=False, return_indices=True)
    return (index[0] * mask.shape[1] + index[1]).astype(np.int32)


def _steps(place: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Differences (S, S, 3) down and to the right, central where both neighbours are inside."""
    result = []
    for axis in (0, 1):
        total = np.zeros_like(place)
        count = np.zeros((*mask.shape, 1), dtype=np.float32)
        for shift in (1, -1):
            both = mask & np.roll(mask, -shift, axis)
            total[both] += shift * (np.roll(place, -shift, axis) - place)[both]
            count[both] += 1
        result.append(total / np.maximum(count, 1))
    return result[0], result[1]
