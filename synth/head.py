"""A face model's surface as pieces of a scene: skin, eyes and mouth."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from faces.mesh import soften
from faces.morphable import PARTS, MorphableModel
from faces.uv import UvAtlas
from synth.eyes.piece import eye_piece, lid_gaps
from synth.noise import noise
from synth.scene import Piece
from synth.skin.chart import chart_of
from synth.skin.mouth_texture import with_crowns

GROUPS = {
    "skin": ("skin", "eye_socket"),
    "eye": ("eye",),
    "mouth": ("mouth_socket", "teeth", "gums", "tongue"),
}
# k_s and ν: of skin at the median person, of the tear film, of wet teeth and tongue; by eye
SKIN_GLOSS, SKIN_SHININESS = 0.08, 24.0
GLOSS = {"skin": (SKIN_GLOSS, SKIN_SHININESS), "eye": (0.5, 220.0), "mouth": (0.10, 40.0)}
SCATTER = {"skin": 1.0, "eye": 0.4, "mouth": 0.8}
# Upper and lower lids: how much light they keep off, and how far from their rim (mm)
LID_SHADE = ((0.6, 4.5), (0.25, 2.5))
# Mouths: lips' thickness, the depth behind them at which half of the light is lost, and how far
# they are apart where half of it comes in
LIPS_MM, MOUTH_MM, APART_MM = 6.0, 18.0, 7.0
# how much less than cheeks the parts around a face shine
SHINE = {"ears": 0.7, "neck": 0.5, "scalp": 0.4}
# and how much more the spots where sebum is most, or skin is thin and moist: the mean of these
# ibug68 points, mm above it, what is added, and the radius in mm (by eye from photographs)
SHINE_SPOTS = (
    ((19, 24), 26.0, 0.7, 30.0),  # forehead
    ((28,), 0.0, 0.5, 9.0),  # ridge of the nose
    ((30,), 0.0, 0.8, 9.0),  # its tip
    ((36, 36, 31, 2), 0.0, 0.4, 15.0),  # cheekbones
    ((45, 45, 35, 14), 0.0, 0.4, 15.0),
    ((57, 8), 0.0, 0.3, 10.0),  # chin
    ((51, 57), 0.0, 0.6, 11.0),  # lips
)
RELIEF_MM = ((256, 0.012), (512, 0.010))  # (cells over the texture, depth): pores and fine lines


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    vertices: np.ndarray  # (v,) int, of the model
    triangles: np.ndarray  # (t, 3) int32 into them
    triangle_uv: np.ndarray  # (t, 3) int32, of the model's
    occluder: np.ndarray | None  # (c, 3) int32 into the vertices: the coarse level's triangles


def head_pieces(
    model: MorphableModel,
    shape_mm: np.ndarray,
    albedo: np.ndarray,
    relief: np.ndarray | None = None,
) -> list[Piece]:
    """Skin, eyes and mouth, in the frame of the vertices; lashes belong to the skin's paint.

    Args:
        model: gives triangles, parts and texture coordinates.
        shape_mm: (V, 3) mm.
        albedo: (V, 3) sRGB in [0, 1], or a texture (H, W, 3) on the model's uv.
        relief: (H, W) mm on the model's uv, of the skin; crowns of teeth are added.
    """
    pieces = []
    if relief is not None and albedo.ndim == 3 and model.part_vertices("teeth").any():
        relief = with_crowns(relief, chart_of(model, len(relief)))
    for label, group in _groups(model).items():
        textured = albedo.ndim == 3
        strength, shininess = GLOSS[label]
        pieces.append(
            Piece(
                label,
                shape_mm[group.vertices],
                group.triangles,
                albedo if textured else albedo[group.vertices],
                model.uv if textured else None,
                group.triangle_uv if textured else None,
                gloss=strength * shine(model)[group.vertices],
                shininess=shininess,
                relief=relief if textured and label != "eye" else None,
                scatter=SCATTER[label],
                occluder=group.occluder,
                shade=_inner_shade(model, shape_mm, group.vertices, label),
            )
        )
        if label == "eye" and textured:
            pieces[-1] = eye_piece(model, shape_mm, albedo, pieces[-1])
    return pieces


def _inner_shade(model, shape_mm, chosen: np.ndarray, label: str) -> np.ndarray | None:
    """(v,) float32 of what lies behind lids or lips; None for the skin."""
    if label == "eye":
        return _lid_shade(model, shape_mm, chosen)
    if label == "mouth":
        return _mouth_shade(model, shape_mm, chosen)
    return None


def _mouth_shade(model: MorphableModel, shape_mm: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(v,) float32: the farther behind the lips, and the less they open, the less light."""
    marks = shape_mm[model.landmarks["ibug68"]]
    apart = np.linalg.norm(marks[[61, 62, 63]] - marks[[67, 66, 65]], axis=1).mean()
    behind = np.maximum(marks[60:68, 2].mean() - shape_mm[chosen, 2] - LIPS_MM, 0)
    share = apart / (apart + APART_MM)
    return (share / (1 + (behind / MOUTH_MM) ** 2)).astype(np.float32)


def _lid_shade(model: MorphableModel, shape_mm: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """(v,) float32: lids and lashes shade the eye behind them, the upper ones more."""
    upper, lower, _, _ = lid_gaps(model, shape_mm, shape_mm[chosen])
    shade = np.ones(len(chosen), dtype=np.float32)
    for gap, (depth, reach_mm) in zip((upper, lower), LID_SHADE, strict=True):
        shade *= 1 - depth * np.exp(-((gap / reach_mm) ** 2))
    return shade


def vertex_albedo(model: MorphableModel, albedo: np.ndarray) -> np.ndarray:
    """Colours (V, 3) float32 of a texture at the vertices; colours as they are."""
    if albedo.ndim == 2:
        return albedo
    return _atlas(model, len(albedo)).sample(albedo)


@lru_cache(maxsize=4)
def _atlas(model: MorphableModel, size: int) -> UvAtlas:
    return UvAtlas(model, size)


@lru_cache(maxsize=4)
def shine(model: MorphableModel) -> np.ndarray:
    """(V,) float32 factors on the highlight over the face, 1 on plain cheeks."""
    factors = np.ones(model.vertex_count)
    for region, factor in SHINE.items():
        if region in model.regions:
            factors += (factor - 1) * soften(model.regions[region], model.triangles, 12)
    points = model.mean_mm[model.landmarks["ibug68"]]
    for chosen, above, more, radius in SHINE_SPOTS:
        spot = points[list(chosen)].mean(0) + np.array([0, above, 0])
        away = np.linalg.norm((model.mean_mm - spot) * [1, 1, 0.5], axis=1)  # means lie inside
        factors += more * np.exp(-((away / radius) ** 2))
    factors[model.part_vertices("eye", "teeth", "gums", "tongue")] = 1
    factors[model.part_vertices("eye_socket", "mouth_socket")] *= 0.5
    factors = np.maximum(factors, 0.2).astype(np.float32)
    factors.setflags(write=False)
    return factors


def pore_relief(rng: np.random.Generator, size: int = 1024) -> np.ndarray:
    """(size, size) float32 mm: pores and the fine net of lines between them."""
    relief = np.zeros((size, size), dtype=np.float32)
    for cells, depth in RELIEF_MM:
        relief += depth * noise(rng, (cells, cells), size)
    return relief


@lru_cache(maxsize=4)
def neck_rim(model: MorphableModel) -> np.ndarray:
    """Indices (N,) of the vertices on the lower rim of the neck: where skin ends below."""
    skin = model.part_triangles("skin")
    sides = np.sort(skin[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, uses = np.unique(sides, axis=0, return_counts=True)
    open_edges = edges[uses == 1]
    count = model.vertex_count
    links = sp.coo_matrix((np.ones(len(open_edges)), open_edges.T), shape=(count, count))
    loops = connected_components(links, directed=False)[1]
    on_rim = np.unique(open_edges)
    lowest = on_rim[np.argmin(model.mean_mm[on_rim, 1])]
    return on_rim[loops[on_rim] == loops[lowest]]


@lru_cache(maxsize=4)
def _groups(model: MorphableModel) -> dict[str, _Group]:
    groups = {}
    for label, parts in GROUPS.items():
        wanted = np.isin(model.triangle_part, [PARTS.index(part) for part in parts])
        if wanted.any():
            used, local = np.unique(model.triangles[wanted], return_inverse=True)
            triangles = local.reshape(-1, 3).astype(np.int32)
            coarse = None
            if model.coarse is not None:
                corners = model.coarse_vertices[model.coarse.part_triangles(*parts)]
                coarse = np.searchsorted(used, corners).astype(np.int32)
            groups[label] = _Group(used, triangles, model.triangle_uv[wanted], coarse)
    return groups
