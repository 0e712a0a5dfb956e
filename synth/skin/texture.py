"""A person's skin, eyes and mouth as a texture: pigment maps to colour, then hairs on top.

The pigments vary over the face as blood and melanin do; synth.skin.pigment turns them into sRGB.
What a linear albedo basis cannot hold (hairs, moles, freckles, lines, make-up) is painted here too.
"""

from functools import lru_cache

import numba
import numpy as np

from faces.morphable import MorphableModel
from synth.skin import brows_and_beard, marks
from synth.skin.chart import Chart, chart_of
from synth.skin.compose import PLAIN, RIM, compose
from synth.skin.eye_texture import paint_eyes
from synth.skin.features import Features, features_of
from synth.skin.fields import grain, pigment_fields
from synth.skin.mouth_texture import paint_mouth
from synth.skin.parameters import SkinParameters
from synth.skin.pigment import color_table

LIDS_MM, LIPS_MM = 9.0, 2.5  # how far from their lines lids and lips are more than plain skin


def paint_person(
    model: MorphableModel, skin: SkinParameters, rng: np.random.Generator, size: int = 1024
) -> np.ndarray:
    """The person's texture (size, size, 3) float32 sRGB in [0, 1] on the model's uv.

    The same for the same parameters and state of ``rng``. Texels outside the islands continue
    their nearest island, so that filtering across an edge finds its colour.

    Raises:
        BadInput: the model has no texture coordinates.
    """
    chart = chart_of(model, size)
    features = features_of(chart)
    texture = _bare_skin(chart, features, skin, rng)
    brows_and_beard.paint_hair(texture, chart, features, skin, rng)
    paint_mouth(texture, chart, skin)
    paint_eyes(texture, chart, features, skin, rng)
    _continue(texture.reshape(-1, 3), chart.gutter, _beside(chart))
    return texture


def _bare_skin(chart: Chart, features: Features, skin: SkinParameters, rng) -> np.ndarray:
    fields = pigment_fields(chart, skin, rng)
    turn = rng.uniform(0, 2 * np.pi)
    mix = np.float32([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    spots = marks.marks(chart, features, skin, rng)
    fields[2] *= spots.soft
    out = np.zeros((chart.size, chart.size, 3), dtype=np.float32)
    compose(
        (fields, grain(chart), mix),
        (spots.melanin, spots.blood, spots.shade),
        (features.lid_mm, features.upper, features.lip_mm, features.mouth_mm),
        _kinds(chart, features),
        color_table(),
        brows_and_beard.grounds(skin),
        np.float32([skin.redness, skin.lightness, skin.lash, skin.crease, skin.crease_mm]),
        np.float32([*skin.lip_color, skin.lip_fill, skin.liner]),
        out,
    )
    return out


@lru_cache(maxsize=2)
def _kinds(chart: Chart, features: Features) -> np.ndarray:
    """(S, S) uint8: 0 where no skin is, PLAIN, and RIM near lids and lips."""
    rim = (np.abs(features.lid_mm) < LIDS_MM) | (features.lip_mm > -LIPS_MM)
    kinds = np.where(rim, RIM, PLAIN) * ((chart.part <= 2) & chart.mask)
    return kinds.astype(np.uint8)


@lru_cache(maxsize=2)
def _beside(chart: Chart) -> np.ndarray:
    """(N,) flat indices of the texels that those of the gutter continue."""
    return chart.nearest.ravel()[chart.gutter]


@numba.njit(cache=True)
def _continue(flat, gutter, beside):
    for n in range(len(gutter)):
        for c in range(3):
            flat[gutter[n], c] = flat[beside[n], c]
