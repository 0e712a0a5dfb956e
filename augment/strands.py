"""Strands for hair that nobody saw: the seen hair's own, to and fro over the head."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from augment.image_mesh import SceneMesh
from faces.hair import Hair
from faces.morphable import MorphableModel
from faces.texture import sample
from imaging.wide_blur import wide_blur

SEEN_LEAST = 24  # vertices: fewer are no patch
PATCH = (0.15, 0.85)  # quantiles of the seen hair's place: its rim is mixed with skin and wall
NEAR = np.deg2rad(10)  # so wide a wedge tells where the seen hair lies
LEAST_SPAN = np.deg2rad(20)
LINES = 33
BESIDE_MM = 8.0  # farther from any seen hair's vertex, an edge of the mesh, it is something else
ALONG = np.deg2rad(60)  # over so much of a strand the place in the patch swings once
SWING = 0.6  # by so much of it, between the forehead's side and the crown's
TONE_MM = 6.0  # what is finer than this is strands, what is wider tone
WHOLE = 0.9  # of the cover: at a hairline the donor is half skin, which has no strands
GAIN = (0.4, 2.5)  # what the tone here may ask of a patch seen in a light or a shadow
SHARE = 0.8  # of the strands' contrast: a curl's highlight belongs to its place
APART_MM = 40.0  # no triangle spans so much of the photo, unless the patch's parts do not meet
DARK = 0.02  # keeps ratios of black finite


def with_strands(
    scene: SceneMesh,
    hair: Hair,
    pixels: np.ndarray,
    color: np.ndarray,
    alpha: np.ndarray,
    mm_per_px: float,
    model: MorphableModel,
    triangles: np.ndarray,
) -> SceneMesh:
    """The scene, its unseen hair with the seen hair's strands as the second photo.

    Hair is taken to hang from the crown. Around the head the seen hair is laid to and fro, so that
    it goes on without a step, and drawn out along the strands. What is finer than its tone comes
    along; the tone is the donor's.

    Args:
        scene: of the source; its first V vertices are the head's.
        hair: which of these wear hair, and which of them show it.
        pixels: (V, 2) where they lie in the image.
        color, alpha: (H, W, 3) and (H, W) float32, the person's own colours and share.
        mm_per_px: size of a pixel at the head.
        model: of the head.
        triangles: (T, 3) int, what is drawn of it.
    """
    place = combed(model)
    shown = _above(hair.shown, place)
    if shown.sum() < SEEN_LEAST:
        return scene
    wearing = np.flatnonzero(hair.cover > WHOLE)
    taken = _taken(place, shown, wearing, pixels).clip(0, alpha.shape[::-1])
    near = cKDTree(pixels[hair.shown]).query(taken)[0] < BESIDE_MM / mm_per_px
    wearing, taken = wearing[near], taken[near]
    if not len(wearing):
        return scene
    tone = _tone(color, alpha, taken, TONE_MM / mm_per_px)
    gain = np.clip(scene.model_color[wearing] / np.maximum(tone, DARK), *GAIN)
    px, weight, gains = (
        a.copy() for a in (scene.second_px, scene.second_weight, scene.second_gain)
    )
    px[wearing], weight[wearing], gains[wearing] = taken, SHARE, gain
    own = np.zeros(len(weight), bool)
    own[wearing] = True
    around = triangles[own[triangles].any(1)]
    weight[own & _torn(px, weight, around, APART_MM / mm_per_px)] = 0
    return replace(scene, second_px=px, second_weight=weight, second_gain=gains)


@lru_cache(maxsize=4)
def combed(model: MorphableModel) -> np.ndarray:
    """(V, 2) float64 rad: azimuth from the front about the scalp's middle, along which strands
    lie side by side, and the angle from the crown, along which they run."""
    x, y, z = (model.mean_mm - model.mean_mm[model.regions["scalp"]].mean(0)).T
    return np.stack([np.arctan2(x, z), np.arctan2(np.hypot(x, z), y)], 1)


def _above(shown, place):
    """The half (V,) bool of what is shown that lies nearer to the crown: lower it may frame a
    face."""
    return shown & (place[:, 1] <= np.median(place[shown, 1])) if shown.any() else shown


def _taken(place, shown, wearing, pixels):
    """(n, 2) float32 px: where in the photo the vertices ``wearing`` find their strands.

    Once around the head is a whole number of times to and fro across the patch.
    """
    low, high = np.quantile(place[shown, 0], PATCH)
    span = np.pi / max(1, round(np.pi / max(high - low, LEAST_SPAN)))
    at = place[wearing]
    side = _to_and_fro((at[:, 0] - (low + high) / 2) / span + 0.5)
    along = 0.5 + SWING * (_to_and_fro(at[:, 1] / ALONG) - 0.5)
    ends = _ends(place[shown], pixels[shown], np.linspace(low, high, LINES))
    grid = np.linspace(0, 1, LINES)
    front, crown = (
        np.stack([np.interp(side, grid, line[:, axis]) for axis in (0, 1)], 1) for line in ends
    )
    return (front + along[:, None] * (crown - front)).astype(np.float32)


def _ends(place, pixels, azimuths):
    """(n, 2) px each: the middle of the seen hair's half at the forehead and of that at the crown,
    at every azimuth."""
    near = np.exp(-(((place[:, 0] - azimuths[:, None]) / NEAR) ** 2)) + 1e-9
    middle = (near @ place[:, 1]) / near.sum(1)
    halves = place[:, 1] > middle[:, None], place[:, 1] <= middle[:, None]
    weights = [near * half for half in halves]
    return [(w @ pixels) / np.maximum(w.sum(1), 1e-12)[:, None] for w in weights]


def _to_and_fro(t):
    """t wherever it is in [0, 1], and mirrored into it from elsewhere."""
    return 1 - np.abs(np.mod(t, 2) - 1)


def _torn(pixels, weight, triangles, most):
    """(N,) bool: corners of triangles whose second photo would be smeared over more pixels."""
    used = (weight[triangles] > 0)[..., None]
    high = np.where(used, pixels[triangles], -np.inf).max(1)
    low = np.where(used, pixels[triangles], np.inf).min(1)
    out = np.zeros(len(pixels), bool)
    out[triangles[(high - low > most).any(1)]] = True
    return out


def _tone(color, alpha, pixels, sigma):
    """(n, 3) the person's colours averaged around pixels (n, 2)."""
    margin = int(3 * sigma) + 1
    first = np.maximum(np.floor(pixels.min(0)).astype(int) - margin, 0)
    last = np.ceil(pixels.max(0)).astype(int) + margin
    box = np.s_[first[1] : last[1], first[0] : last[0]]
    weight = np.where(alpha[box] > WHOLE, np.float32(1), np.float32(1e-6))
    total = wide_blur(color[box] * weight[..., None], sigma)
    mean = total / np.maximum(wide_blur(weight, sigma), 1e-9)[..., None]
    return sample(mean, pixels - first)
