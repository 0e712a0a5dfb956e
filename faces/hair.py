"""Hair on the model's bald head: its colour, up to a hairline that goes on as it was seen."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from faces.camera import Camera
from faces.harmonic import harmonic
from faces.mesh import unique_edges
from faces.morphable import MorphableModel
from faces.texture import sample
from faces.visibility import visible_vertices

SKIN_REGIONS = ("cheeks", "nose")
SEEN_COSINE = 0.2
OTHER_THAN_SKIN = 0.12  # colour distance in [0, 1] from which a scalp wears hair
OTHER_HUE = 0.035  # the same of the shares of red, green and blue: grey hair is as light as skin
SEEN_LEAST = 12  # vertices: fewer say nothing about a head of hair
LUMINANCE = (0.299, 0.587, 0.114)
DARKER = (
    0.6  # share of the seen hair that tells its tone: the rest shines, as crowns under lamps do
)
DARKEST = 0.2  # where so much of a scalp is as skin, and the rest lighter, it is bare and shines
PRIOR = 0.3  # hold of "a scalp wears what is seen on it" against what is seen itself
# the person's hairline may lie so much before the model's; a brow's end is 30 mm away from it
BEFORE_MM = 22.0
BEFORE = 0.02  # hold of "no hair there": it lets hair on both sides meet over 7 edges


@dataclass(frozen=True, slots=True, eq=False)
class Hair:
    """The head's V vertices with their hair.

    Attributes:
        colors: (V, 3) float32 in [0, 1].
        cover: (V,) float32, how much hair each wears.
        shown: (V,) bool, where the image shows it; nowhere on a bare scalp.
        tone: (3,) float32 in [0, 1], what most of the seen hair looks like; None: there is none.
    """

    colors: np.ndarray
    cover: np.ndarray
    shown: np.ndarray
    tone: np.ndarray | None = None


def with_hair(
    colors: np.ndarray,
    image: np.ndarray,
    alpha: np.ndarray,
    vertices_mm: np.ndarray,
    model: MorphableModel,
    triangles: np.ndarray,
    camera: Camera,
) -> Hair:
    """The head's colours with hair where the image shows some, and where it goes on.

    The fitted colours are those of a bare skin. What the image shows on scalp and temples says
    whether and where there is hair; unseen, the scalp wears what was seen on it. A bare head
    keeps its colours.

    Args:
        colors: (V, 3) float32 in [0, 1], of the bare head.
        image: (H, W, 3) float32 in [0, 1].
        alpha: (H, W) float32, how much of a pixel is the person.
        vertices_mm: (V, 3) camera frame, the grown head.
        model: names the regions.
        triangles: (T, 3) drawn ones.
        camera: of the image.
    """
    bald = Hair(colors, np.zeros(len(colors), np.float32), np.zeros(len(colors), bool))
    if "scalp" not in model.regions:
        return bald
    pixels = camera.project(vertices_mm)
    photo = sample(image, pixels)
    whole = sample(np.repeat(alpha[..., None], 3, 2), pixels)[:, 0] > 0.9
    seen = visible_vertices(vertices_mm, triangles, camera, cos_min=SEEN_COSINE) & whole
    zone = _zone(model)
    skin = np.logical_or.reduce([model.regions[name] for name in SKIN_REGIONS]) & seen
    above = model.regions["scalp"] & seen
    if above.sum() < SEEN_LEAST or skin.sum() < SEEN_LEAST:
        return bald
    bare = np.median(photo[skin], axis=0)
    tone, shines = _tone(photo[above], bare)
    share = 1.0 * model.regions["scalp"] if shines else _share(photo, tone, bare)
    if share is None:
        return bald
    before = _before_scalp(model) & ~zone
    told = (zone | before) & seen
    prior = np.where(model.regions["scalp"], 1.0, 0.0)
    hold = np.select([told, zone, before], [1.0, PRIOR, BEFORE], 10.0)
    hair = told & (share > 0.5)
    loose = hair & ~_hanging_together(hair, model.regions["scalp"] | before, triangles)
    share, hair = np.where(loose, 0, share), hair & ~loose
    wanted = np.where(told, share, prior)
    rows = np.concatenate([wanted[:, None], np.where(hair[:, None], photo, tone)], 1)
    carried = harmonic(rows, hold, triangles)
    cover = np.where(zone | before, _smooth(carried[:, 0] * 2 - 0.5), 0)[:, None]
    dressed = np.clip((1 - cover) * colors + cover * carried[:, 1:], 0, 1).astype(np.float32)
    shown = hair & zone & (not shines)
    return Hair(dressed, cover[:, 0].astype(np.float32), shown, None if shines else tone)


def _tone(photo, bare):
    """(3,) colour of hair seen as (n, 3), and whether it is a bare scalp that shines instead."""
    luminance = photo @ np.float32(LUMINANCE)
    darker, darkest = (
        np.median(photo[luminance <= np.quantile(luminance, part)], axis=0)
        for part in (DARKER, DARKEST)
    )
    skin_like = np.linalg.norm(darkest - bare) < OTHER_THAN_SKIN
    lighter = (darker - bare) @ np.float32(LUMINANCE) > 0
    shines = bool(skin_like and lighter)
    return (darkest, True) if shines else (darker, False)


def _share(photo, tone, bare):
    """(V,) how much of a colour between skin and hair is hair; None where the two are alike.

    Grey hair may be as light as the skin, and is then told by its hue.
    """
    share = _between(photo, bare, tone, OTHER_THAN_SKIN)
    if share is None:
        share = _between(*map(_hue, (photo, bare, tone)), OTHER_HUE)
    return None if share is None else _smooth(share * 2 - 0.5)


def _between(values, low, high, least):
    """(V,) in [0, 1]: where values (V, 3) lie on the way from ``low`` to ``high`` (3,); None where
    these are nearer to each other than ``least``."""
    axis = high - low
    if np.linalg.norm(axis) < least:
        return None
    return np.clip((values - low) @ axis / (axis @ axis), 0, 1)


def _hue(colors):
    """Each channel's share of the light, of colours (..., 3)."""
    return colors / np.maximum(colors.sum(-1, keepdims=True), 0.02)


def _hanging_together(hair, scalp, triangles):
    """(V,) bool: the hair that goes on to the scalp's; a shadow below a chin does not."""
    edges = unique_edges(triangles[hair[triangles].sum(1) > 1])
    i, j = edges[hair[edges].all(1)].T
    graph = coo_matrix((np.ones(len(i), np.int8), (i, j)), (len(hair),) * 2)
    _, label = connected_components(graph, directed=False)
    return np.isin(label, label[hair & scalp])


def _zone(model):
    """(V,) bool: where hair grows: skin that is neither face nor ear."""
    other = [model.regions[n] for n in ("face", "ears") if n in model.regions]
    return model.part_vertices("skin") & ~np.logical_or.reduce(other)


@lru_cache(maxsize=4)
def _before_scalp(model):
    """(V,) bool: the face's skin within BEFORE_MM of the scalp, where temple hair may grow."""
    face = model.regions.get("face", np.zeros(model.vertex_count, bool))
    scalp = model.mean_mm[model.regions["scalp"]]
    distance, _ = cKDTree(scalp).query(model.mean_mm, distance_upper_bound=BEFORE_MM)
    return face & model.part_vertices("skin") & np.isfinite(distance)


def _smooth(t):
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)
