"""Hair on the model's bald head: its colour, up to a hairline that goes on as it was seen."""

from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from faces.camera import Camera
from faces.harmonic import harmonic
from faces.morphable import MorphableModel
from faces.texture import sample
from faces.visibility import visible_vertices

SKIN_REGIONS = ("cheeks", "nose")
SEEN_COSINE = 0.2
OTHER_THAN_SKIN = 0.12  # colour distance in [0, 1] from which a scalp wears hair
OTHER_HUE = 0.035  # the same of the shares of red, green and blue: grey hair is as light as skin
SEEN_LEAST = 12  # vertices: fewer say nothing about a head of hair
STRAND_DEPTH = 0.1  # share of the tone by which combed hair varies, at most
PRIOR = 0.3  # hold of "a scalp wears what is seen on it" against what is seen itself
# the person's hairline may lie so much before the model's; a brow's end is 30 mm away from it
BEFORE_MM = 22.0
BEFORE = 0.02  # hold of "no hair there": it lets hair on both sides meet over 7 edges
STRANDS = ((11, 0.7), (17, 2.1), (29, 4.4), (37, 1.3))  # waves around the head, and their phases


def with_hair(
    colors: np.ndarray,
    image: np.ndarray,
    alpha: np.ndarray,
    vertices_mm: np.ndarray,
    model: MorphableModel,
    triangles: np.ndarray,
    camera: Camera,
) -> np.ndarray:
    """The head's colours (V, 3) with hair where the image shows some, and where it goes on.

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
    if "scalp" not in model.regions:
        return colors
    pixels = camera.project(vertices_mm)
    photo = sample(image, pixels)
    whole = sample(np.repeat(alpha[..., None], 3, 2), pixels)[:, 0] > 0.9
    seen = visible_vertices(vertices_mm, triangles, camera, cos_min=SEEN_COSINE) & whole
    zone = _zone(model)
    skin = np.logical_or.reduce([model.regions[name] for name in SKIN_REGIONS]) & seen
    above = model.regions["scalp"] & seen
    if above.sum() < SEEN_LEAST or skin.sum() < SEEN_LEAST:
        return colors
    tone, bare = np.median(photo[above], axis=0), np.median(photo[skin], axis=0)
    share = _between(photo, bare, tone, OTHER_THAN_SKIN)
    if share is None:
        share = _between(*map(_hue, (photo, bare, tone)), OTHER_HUE)
    if share is None:
        return colors
    share = _smooth(share * 2 - 0.5)
    before = _before_scalp(model) & ~zone
    told = (zone | before) & seen
    prior = np.where(model.regions["scalp"], 1.0, 0.0)
    hold = np.select([told, zone, before], [1.0, PRIOR, BEFORE], 10.0)
    wanted = np.where(told, share, prior)
    hair = told & (share > 0.5)
    rows = np.concatenate([wanted[:, None], np.where(hair[:, None], photo, tone)], 1)
    carried = harmonic(rows, hold, triangles)
    shade = carried[:, 1:]
    spread = np.abs(photo[hair] - shade[hair]).mean() if hair.any() else 0.0
    depth = min(spread / max(float(tone.mean()), 0.02), STRAND_DEPTH)
    strands = shade * (1 + depth * _strands(model)[:, None])
    cover = np.where(zone | before, _smooth(carried[:, 0] * 2 - 0.5), 0)[:, None]
    return np.clip((1 - cover) * colors + cover * strands, 0, 1).astype(np.float32)


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


def _strands(model):
    """(V,) in [-1, 1]: what lies along meridians, as combed hair does."""
    x, _, z = (model.mean_mm - model.mean_mm[model.regions["scalp"]].mean(0)).T
    meridian = np.arctan2(x, z)
    waves = [np.sin(k * meridian + phase) for k, phase in STRANDS]
    return np.mean(waves, axis=0)


def _smooth(t):
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)
