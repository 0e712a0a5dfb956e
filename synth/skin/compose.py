"""Pigments, masks and marks to sRGB in one pass over the texture."""

import numba
import numpy as np

from synth.skin.fields import GRID
from synth.skin.pigment import BLOOD_MAX, MELANIN_MAX, STEPS

PLAIN, RIM = 1, 2  # kinds of texels: plain skin, and near lids and lips
LIP_BLOOD, WET_BLOOD, LID_BLOOD = 0.05, 0.07, 0.06  # of dry lips, wet lips, lids' wet margins
LASH, SHADOW = 0.045, 0.12  # sRGB of lashes' roots and of what no light reaches
# A lip's cover is thin: less of what is white, yellow and grey lies over its blood.
LIP_TINT = np.float32([1.03, 0.94, 0.95])
_TO_ROW = np.float32((STEPS - 1) ** 2 / MELANIN_MAX)  # a place in the table squared, per share
_TO_COLUMN = np.float32((STEPS - 1) ** 2 / BLOOD_MAX)


@numba.njit(cache=True, nogil=True, fastmath=True)
def compose(smooth, marks, rims, kinds, table, grounds, person, make_up, out):
    """Fill ``out`` (S, S, 3) float32 where ``kinds`` (S, S) uint8 is not 0. All else is float32.

    Args:
        smooth: fields (5, S/4, S/4) of synth.skin.fields.pigment_fields, grain (2, S, S), and how
            this person mixes its layers (2, 2) for melanin and for blood.
        marks: (S, S) each: melanin and blood to add, and a factor on the colour.
        rims: (S, S) each: mm from the lids' margin, 1 above the eyes, mm into the lips, mm into
            their wet side.
        table: (STEPS, STEPS, 3) of synth.skin.pigment.
        grounds: (2, 4) sRGB and opacity of the ground under beard and scalp hair.
        person: redness, lightness, lash, crease, crease_mm of SkinParameters.
        make_up: lipstick's sRGB and opacity, and the liner's.
    """
    fields, grain, mix = smooth
    line = np.zeros((5, kinds.shape[1]), dtype=np.float32)
    coarse = np.zeros(fields.shape[2], dtype=np.float32)
    color = np.zeros(3, dtype=np.float32)
    one, half, top = np.float32(1), np.float32(0.5), np.float32(STEPS - 1)
    for i in range(kinds.shape[0]):
        _upsample(fields, i, coarse, line)
        _speckle(line, grain[:, i], mix, marks[0][i], marks[1][i], marks[2][i], person[1])
        for j in range(kinds.shape[1]):
            kind = kinds[i, j]
            if kind == 0:
                continue
            row, column, tone = line[0, j], line[1, j], line[2, j]
            if kind == RIM:
                lid, up, lip, mouth = rims[0][i, j], rims[1][i, j], rims[2][i, j], rims[3][i, j]
                row, column, tone = _lids(row, column, tone, lid, up, person)
                row, column, tone = _lips(row, column, tone, lip, mouth, grain[0, i, j], person)
            k, m = np.uint32(min(row, top) + half), np.uint32(min(column, top) + half)
            for c in range(3):
                color[c] = table[k, m, c] * tone
            if kind == RIM:
                _line_lids(color, lid, up, person, make_up)
                _line_lips(color, lip, mouth, make_up)
            for g in range(2):
                cover = grounds[g, 3] * line[3 + g, j]
                for c in range(3):
                    color[c] += cover * (grounds[g, c] - color[c])
            for c in range(3):
                out[i, j, c] = min(max(color[c], np.float32(0)), one)


@numba.njit(cache=True, fastmath=True)
def _upsample(fields, i, coarse, line):
    """Row i of the texture, (C, S), from fields (C, S/4, S/4): linear, held at the borders."""
    last = fields.shape[1] - 1
    y = min(max((i + 0.5) / GRID - 0.5, 0.0), float(last))
    k = min(int(y), last - 1)
    f = np.float32(y - k)
    for c in range(fields.shape[0]):
        upper, lower, own = fields[c, k], fields[c, k + 1], line[c]
        for x in range(last + 1):
            coarse[x] = upper[x] + f * (lower[x] - upper[x])
        own[: GRID // 2] = coarse[0]
        own[-(GRID // 2) :] = coarse[last]
        for x in range(last):
            step = (coarse[x + 1] - coarse[x]) / np.float32(GRID)
            first = coarse[x] + np.float32(0.5) * step
            for r in range(GRID):
                own[GRID * x + GRID // 2 + r] = first + np.float32(r) * step


@numba.njit(cache=True, fastmath=True)
def _speckle(line, grain, mix, melanin, blood, shade, lightness):
    """A row's grain and marks, put into its places in the table and its tone."""
    mottle, flush = np.float32(0.012) + np.float32(0.02) * lightness, np.float32(0.065)
    one = np.float32(1)
    for j in range(line.shape[1]):
        first, second = grain[0, j], grain[1, j]
        row = line[0, j] * (one + mottle * (mix[0, 0] * first + mix[0, 1] * second))
        column = line[1, j] * (one + flush * (mix[1, 0] * first + mix[1, 1] * second))
        line[0, j] = np.sqrt(row * row + _TO_ROW * melanin[j])
        line[1, j] = np.sqrt(column * column + _TO_COLUMN * blood[j])
        line[2, j] *= shade[j]


@numba.njit(cache=True, inline="always")
def _ramp(x):
    x = min(max(x, np.float32(0)), np.float32(1))
    return x * x * (np.float32(3) - np.float32(2) * x)


@numba.njit(cache=True, inline="always")
def _hill(x, width):
    x = x / np.float32(width)
    return np.exp(-x * x)


@numba.njit(cache=True, inline="always")
def _wetness(mouth):
    return _ramp(np.float32(0.5) + (mouth + np.float32(0.3)) / np.float32(2.4))


@numba.njit(cache=True)
def _lids(row, column, tone, lid, up, person):
    """The fold of the upper lid, and the margin's wet side."""
    if abs(lid) > 9:
        return row, column, tone
    fold = person[3] * up * _hill(lid - person[4], 0.9)
    tone *= np.float32(1) - np.float32(0.2) * fold
    column *= np.float32(1) + np.float32(0.2) * fold
    wet = _ramp(np.float32(0.5) - lid / np.float32(0.9))
    row *= np.float32(1) - np.float32(0.45) * wet
    column += (np.sqrt(np.float32(LID_BLOOD) * _TO_COLUMN) - column) * wet
    return row, column, tone


@numba.njit(cache=True)
def _lips(row, column, tone, lip, mouth, crease, person):
    """Lips: more blood than the skin around them, in dark skins less melanin, and fine folds."""
    one = np.float32(1)
    if lip < np.float32(-2.5):
        return row, column, tone
    tone *= one + np.float32(0.03) * _hill(lip + np.float32(1.3), 0.7)  # the pale roll outside
    on = _ramp(np.float32(0.5) + lip / np.float32(1.3))
    wet = on * _wetness(mouth)
    dark = one - person[1]
    row *= one - on * np.float32(0.06) * dark
    row *= one - wet * np.float32(0.16)
    column += (np.sqrt(np.float32(LIP_BLOOD) * person[0] * _TO_COLUMN) - column) * on
    column += (np.sqrt(np.float32(WET_BLOOD) * _TO_COLUMN) - column) * wet
    tone *= one - on * (np.float32(0.04) + np.float32(0.1) * dark + np.float32(0.028) * crease)
    return row, column, tone


@numba.njit(cache=True)
def _line_lids(color, lid, up, person, make_up):
    """The dark line of the lashes' roots along both margins, and the make-up above it."""
    if lid > 4 or lid < -4:
        return
    up = np.float32(0.2) + np.float32(0.8) * up
    roots = person[2] * up * _hill(lid - np.float32(0.15), np.float32(0.3) + np.float32(0.22) * up)
    liner = make_up[4] * up * _hill(lid - np.float32(0.6), 0.8)
    cover = min(roots + liner, np.float32(0.95))
    for c in range(3):
        color[c] += (np.float32(LASH) - color[c]) * cover


@numba.njit(cache=True)
def _line_lips(color, lip, mouth, make_up):
    """The lips' tint, lipstick, then the shadow where the lips meet."""
    one = np.float32(1)
    if lip < -1:
        return
    on, wet = _ramp(np.float32(0.5) + lip / np.float32(1.3)), _wetness(mouth)
    cover = make_up[3] * on * (one - np.float32(0.6) * wet)
    dark = np.float32(0.55) * on * _hill(mouth - np.float32(0.2), 0.8)
    for c in range(3):
        color[c] *= one + (LIP_TINT[c] - one) * on
        painted = make_up[c] * (np.float32(0.75) + np.float32(0.4) * color[c])
        color[c] += (painted - color[c]) * cover
        color[c] += (np.float32(SHADOW if c else 1.6 * SHADOW) - color[c]) * dark
