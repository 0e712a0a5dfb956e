"""Where hair grows: the scalp of a model, its hairline, and roots spread over it."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from faces.mesh import triangle_normals
from faces.morphable import MorphableModel
from imaging.raster import rasterise
from synth.props.headmap import disc, head_centre

CAP = 512  # edge of the cap's texture
BEFORE_MM = 22.0  # how far before the model's hairline hair may grow


@dataclass(frozen=True, slots=True, eq=False)
class Scalp:
    """The scalp of a model and a band of skin around it, at its mean shape.

    Attributes:
        vertices: (N,) int, of the model.
        triangles: (T, 3) int32 into them.
        uv: (N, 2) float32, places on the head's disc (synth.props.headmap).
        inside_mm: (CAP, CAP) float32, how far within the hairline; negative before it.
        turn_rad: (CAP, CAP) float32, azimuth: 0 ahead, ±π behind.
        bank: (M, 3) float64 weights and bank_triangle (M,) int: roots spread evenly.
        bank_inside_mm, bank_turn_rad: (M,), as the textures have it.
    """

    vertices: np.ndarray
    triangles: np.ndarray
    uv: np.ndarray
    inside_mm: np.ndarray
    turn_rad: np.ndarray
    bank: np.ndarray
    bank_triangle: np.ndarray
    bank_inside_mm: np.ndarray
    bank_turn_rad: np.ndarray


@lru_cache(maxsize=4)
def find_scalp(model: MorphableModel, roots: int = 6000) -> Scalp:
    """The scalp of the model, with a bank of ``roots`` even places on it."""
    mean = model.mean_mm.astype(np.float64)
    inside = _within(model, mean)
    skin = model.part_triangles("skin")
    near = skin[(inside[skin] > -BEFORE_MM).all(1)]
    vertices, local = np.unique(near, return_inverse=True)
    triangles = local.reshape(-1, 3).astype(np.int32)
    away = mean[vertices] - head_centre(model, mean)
    uv = disc(away)
    turn = np.arctan2(away[:, 0], away[:, 2])
    screen = np.column_stack([uv * CAP, np.ones(len(uv))])
    drawn = rasterise(screen, triangles, (CAP, CAP), perspective=False)
    values = np.column_stack([inside[vertices], np.sin(turn), np.cos(turn)]).astype(np.float32)
    inside_map, sine, cosine = np.moveaxis(drawn.interpolate(values, triangles), -1, 0)
    chosen, weights = _spread(mean[vertices], triangles, roots)
    rooted = np.einsum("nk,nkc->nc", weights, values[triangles[chosen]])
    return Scalp(
        vertices,
        triangles,
        uv.astype(np.float32),
        np.where(drawn.mask, inside_map, -BEFORE_MM).astype(np.float32),
        np.arctan2(sine, cosine),
        weights,
        chosen,
        rooted[:, 0],
        np.arctan2(rooted[:, 1], rooted[:, 2]),
    )


def roots_on(scalp: Scalp, points_mm: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Places (N, 3) mm of the bank's roots ``chosen`` on the scalp's own points (n, 3)."""
    corners = points_mm[scalp.triangles[scalp.bank_triangle[chosen]]]
    return np.einsum("nk,nkc->nc", scalp.bank[chosen], corners)


def _within(model: MorphableModel, mean: np.ndarray) -> np.ndarray:
    """(V,) mm from the border of the scalp, positive inside; no hair grows on ears."""
    scalp = model.regions["scalp"]
    others = np.zeros(model.vertex_count, dtype=bool)
    others[model.part_vertices("skin")] = True
    others &= ~scalp
    to_scalp = cKDTree(mean[scalp]).query(mean)[0]
    to_others = cKDTree(mean[others]).query(mean)[0]
    inside = np.where(scalp, to_others, -to_scalp)
    return np.where(model.regions["ears"], -BEFORE_MM, inside)


def _spread(points, triangles, count) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (count,) and weights (count, 3): evenly over the area, the same every time."""
    rng = np.random.default_rng(0)  # a property of the model: people differ in what they choose
    area = np.linalg.norm(triangle_normals(points, triangles), axis=1)
    chosen = rng.choice(len(triangles), count, p=area / area.sum())
    root, share = np.sqrt(rng.random(count)), rng.random(count)
    return chosen, np.column_stack([1 - root, root * (1 - share), root * share])
