"""A person's skin, eyes and mouth as a texture: pigment maps to colour, then hairs on top.

The pigments vary over the face as blood and melanin do; synth.pigment turns them into sRGB. What a
linear albedo basis cannot hold (hairs, moles, freckles, lines, make-up) is painted here too.
"""

import cv2
import numba
import numpy as np

from faces.morphable import MorphableModel
from synth import skin_hair, skin_marks
from synth.eye_texture import paint_eyes
from synth.mouth_texture import paint_mouth
from synth.pigment import BLOOD_MAX, MELANIN_MAX, STEPS, color_table
from synth.skin_chart import Chart, chart_of
from synth.skin_features import Features, features_of
from synth.skin_fields import blotches, grain, pigment_fields
from synth.skin_parameters import SkinParameters

LID_RED = 0.10  # blood of the lids' wet margin and of what lies behind it
LIP_BLOOD, WET_BLOOD = 0.075, 0.13  # of lips' dry and wet parts


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
    skin_hair.paint_hair(texture, chart, features, skin, rng)
    paint_mouth(texture, chart, skin)
    paint_eyes(texture, chart, features, skin, rng)
    flat = texture.reshape(-1, 3)
    flat[chart.gutter] = flat[chart.nearest.ravel()[chart.gutter]]
    return texture


def _bare_skin(chart: Chart, features: Features, skin: SkinParameters, rng) -> np.ndarray:
    fields = pigment_fields(chart, skin)
    spots = blotches(chart, rng)
    # uneven pigment: long and middle waves; where there is much melanin it shows the more
    fields[..., 0] *= np.exp(
        skin.uneven * (0.4 + 0.6 * skin.lightness) * (0.035 * spots[..., 0] + 0.03 * spots[..., 1])
    )
    fields[..., 1] *= np.exp(skin.uneven * (0.09 * spots[..., 2] + 0.08 * spots[..., 3]))
    fine = cv2.resize(fields, (chart.size, chart.size), interpolation=cv2.INTER_LINEAR)
    marks = skin_marks.marks(chart, features, skin, rng)
    lip = _lipstick(skin)
    out = np.zeros((chart.size, chart.size, 3), dtype=np.float32)
    _compose(
        fine,
        *grain(chart, rng),
        marks.melanin,
        marks.blood,
        marks.shade,
        features.lid_mm,
        features.lip_mm,
        features.mouth_mm,
        features.upper,
        chart.part,
        color_table(),
        np.float32([skin.redness, skin.liner, skin.lightness]),
        lip,
        out,
    )
    return out


def _lipstick(skin: SkinParameters) -> np.ndarray:
    """(4,) float32: colour and opacity."""
    return np.float32([*skin.lip_color, skin.lip_fill])


@numba.njit(cache=True, inline="always")
def _ramp(x):
    x = min(max(x, np.float32(0)), np.float32(1))
    return x * x * (np.float32(3) - np.float32(2) * x)


@numba.njit(cache=True, fastmath=True)
def _compose(
    fine, layers, mix, melanin, blood, shade, lid, lip, mouth, upper, part, table, how, stick, out
):
    """Pigments and masks (S, S) to sRGB ``out`` (S, S, 3) of all texels of the skin."""
    one, half = np.float32(1), np.float32(0.5)
    redness, liner, light = how
    steps = np.float32(STEPS - 1)
    to_a, to_b = steps / np.float32(np.sqrt(MELANIN_MAX)), steps / np.float32(np.sqrt(BLOOD_MAX))
    top = steps - np.float32(1e-3)
    for i in range(part.shape[0]):
        for j in range(part.shape[1]):
            if part[i, j] > 2:
                continue
            speck = mix[0, 0] * layers[i, j, 0] + mix[0, 1] * layers[i, j, 1]
            flush = mix[1, 0] * layers[i, j, 0] + mix[1, 1] * layers[i, j, 1]
            mel = fine[i, j, 0] * (one + np.float32(0.03 + 0.06 * light) * speck) + melanin[i, j]
            red = fine[i, j, 1] * (one + np.float32(0.18) * flush) + blood[i, j]
            on_lip, wet, line = np.float32(0), np.float32(0), np.float32(0)
            if lid[i, j] < 4:  # the margin's wet side, and what make-up there is on the dry one
                inner = _ramp(half - lid[i, j] / np.float32(0.9))
                mel += (np.float32(0.3) * mel - mel) * inner
                red += (np.float32(LID_RED) - red) * inner
                gap = (lid[i, j] - half) / np.float32(0.9)
                line = liner * np.exp(-gap * gap) * (np.float32(0.35 + 0.65 * upper[i, j]))
            if lip[i, j] > -1:  # paler in melanin than the skin around, the wet side more so
                on_lip = _ramp(half + lip[i, j] / np.float32(1.6))
                wet = on_lip * _ramp(half + (mouth[i, j] + np.float32(0.3)) / np.float32(2.4))
                mel += (mel * np.float32(0.92 - 0.6 * light) - mel) * on_lip
                mel += (np.float32(0.6 - 0.3 * light) * mel - mel) * wet
                full = np.float32(LIP_BLOOD) * redness * (one + np.float32(0.2) * flush)
                red += (full - red) * on_lip
                red += (np.float32(WET_BLOOD) - red) * wet
            a = min(np.sqrt(max(mel, np.float32(0))) * to_a, top)
            b = min(np.sqrt(max(red, np.float32(0))) * to_b, top)
            k, m = np.int32(a), np.int32(b)
            fa, fb = a - np.float32(k), b - np.float32(m)
            tone = fine[i, j, 2] * shade[i, j]
            cover = stick[3] * on_lip * (one - np.float32(0.6) * wet)
            for c in range(3):
                low = table[k, m, c] + fb * (table[k, m + 1, c] - table[k, m, c])
                high = table[k + 1, m, c] + fb * (table[k + 1, m + 1, c] - table[k + 1, m, c])
                value = (low + fa * (high - low)) * tone
                value += (stick[c] * (np.float32(0.75) + np.float32(0.4) * value) - value) * cover
                value += (np.float32(0.06) - value) * min(line, np.float32(0.9))
                out[i, j, c] = min(max(value, np.float32(0)), one)
