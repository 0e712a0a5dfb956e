"""Beards and moustaches with volume: layers of hair over the part of the face that grows it."""

from functools import lru_cache

import numpy as np

from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from imaging.raster import rasterise
from synth.props.strands import TALL, WIDE, Look, paint
from synth.scene import Piece
from synth.skin.chart import chart_of
from synth.skin.fields import solid_noise
from synth.skin.parameters import SkinParameters

CHART = 1024  # edge of the face's chart, the one that its skin is painted on
LEAST_MM, LONGEST_MM = 3.5, 24.0  # shorter hair is painted on the skin
LAYERS = ((0.4, 0.5), (1.0, 1.2))  # share of the thickness, and how wide gaps are there
SHAPES = ("full", "short", "goatee", "moustache")
SHAPE_CHANCE = (0.5, 0.25, 0.15, 0.1)


def make_beard(
    model: MorphableModel, shape_mm: np.ndarray, skin: SkinParameters, rng: np.random.Generator
) -> list[Piece]:
    """Layers labelled "hair" in the frame of the shape; none where a beard is short or thin.

    Args:
        model: gives the chart of the face; none grows where it has no texture coordinates.
        shape_mm: (V, 3) mm, the person in the model frame.
        skin: length, density and colour.
        rng: draws the cut.
    """
    shape, longer = SHAPES[rng.choice(4, p=SHAPE_CHANCE)], rng.lognormal(0.1, 0.5)
    if skin.beard_mm < LEAST_MM or skin.stubble < 0.25 or len(model.uv) == 0:
        return []
    ground = _ground(model)
    share, cover = _cut(model, shape)
    points = shape_mm[ground.vertices].astype(np.float64)
    normals = vertex_normals(points, ground.triangles)
    length = min(skin.beard_mm * longer, LONGEST_MM)
    tufts = 1 + 0.3 * solid_noise(points[None].astype(np.float32), 13.0, rng)[0]
    # hair on the chin grows longest and falls; a moustache lies close
    thick = length * (1 - 0.55 * ground.moustache) * (0.4 + 0.6 * ground.chin) * tufts
    rise = (thick * np.clip(1.6 * share, 0, 1))[:, None] * (0.45 * normals + [0.0, -0.32, 0.1])
    look = Look(0.03 + 1.1 * np.sort(skin.brow)[::-1], 0.0, np.array([1.2, 1.12, 1.05]))
    reach = np.full(WIDE, 150.0)
    albedo, _, relief = paint("bristle", look, reach, 2.0, 10.0, rng, (0.95, 1.1))
    gaps = 1 - np.clip(3.0 * albedo[..., 1] / albedo[..., 1].mean() - 2.4, 0, 1)
    dense = 1.9 * cover * (0.6 + 0.5 * skin.stubble)
    return [
        Piece(
            "hair",
            points + 0.5 * normals + height * rise,
            ground.triangles,
            albedo,
            ground.uv,
            ground.triangles,
            np.clip(dense - thin * gaps, 0, 1).astype(np.float32),
            np.full(len(points), 0.02, dtype=np.float32),
            12.0,
            two_sided=True,
            relief=relief,
        )
        for height, thin in LAYERS
    ]


class _Ground:
    """Where a beard grows on a model, at its mean shape."""

    def __init__(self, model: MorphableModel):
        masks = chart_of(model, CHART).masks
        grows = np.maximum(masks["stubble"], masks["moustache"]) * (1 - masks["lips"])
        skin = model.part_triangles("skin")
        kept = skin[(grows[skin] > 0.02).any(1)]
        self.vertices, local = np.unique(kept, return_inverse=True)
        self.triangles = local.reshape(-1, 3).astype(np.int32)
        self.share = np.clip(grows[self.vertices], 0, 1) ** 0.7
        self.moustache = np.clip(masks["moustache"][self.vertices], 0, 1)
        points = model.mean_mm[self.vertices].astype(np.float64)
        jaw = model.mean_mm[model.landmarks["ibug68"]]
        self.chin = np.exp(-(((points[:, 0]) / 32) ** 2)) * np.clip(
            (jaw[57, 1] - points[:, 1]) / 22, 0, 1
        )
        self.aside = np.abs(points[:, 0])
        self.cheek = np.clip((points[:, 1] - jaw[48, 1] + 8) / 12, 0, 1) * (1 - self.moustache)
        # around a vertical axis behind the mouth: strands run down the chart
        turn = np.arctan2(points[:, 0], points[:, 2] - jaw[[0, 16], 2].mean())
        high, low = points[:, 1].max(), points[:, 1].min()
        self.uv = np.column_stack(
            [0.5 + turn / (2 * np.pi), 0.01 + 0.98 * (high - points[:, 1]) / (high - low)]
        ).astype(np.float32)


@lru_cache(maxsize=2)
def _ground(model: MorphableModel) -> _Ground:
    return _Ground(model)


@lru_cache(maxsize=8)
def _cut(model: MorphableModel, shape: str) -> tuple[np.ndarray, np.ndarray]:
    """The density (N,) of a beard of that shape on its ground, and as a texture (TALL, WIDE)."""
    ground = _ground(model)
    share = ground.share
    if shape == "moustache":
        share = share * ground.moustache
    elif shape == "goatee":
        share = share * np.clip((40 - ground.aside) / 10, 0, 1)
    elif shape == "short":  # shaved on the cheeks
        share = share * np.clip(1.4 - ground.cheek, 0, 1)
    screen = np.column_stack([ground.uv * [WIDE, TALL], np.ones(len(share))])
    drawn = rasterise(screen, ground.triangles, (WIDE, TALL), perspective=False)
    texture = drawn.interpolate(share[:, None].astype(np.float32), ground.triangles)[..., 0]
    return share, np.where(drawn.mask, texture, 0).astype(np.float32)
