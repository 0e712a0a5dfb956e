import numpy as np

from synth.pigment import BLOOD_MAX, MELANIN_MAX, STEPS, color_table, skin_color, skin_reflectance
from synth.skin_parameters import MELANIN_RANGE

MELANIN = np.linspace(0.01, 0.45, 23)


def test_more_melanin_takes_from_every_wavelength():
    spectra = skin_reflectance(MELANIN, np.full(len(MELANIN), 0.015))
    assert (np.diff(spectra, axis=0) < 0).all()
    assert (np.diff(skin_color(MELANIN, np.full(len(MELANIN), 0.015)), axis=0) < 0).all()


def test_more_blood_takes_more_green_than_red():
    colors = skin_color(np.full(20, 0.04), np.linspace(0.003, 0.1, 20))
    change = np.diff(colors, axis=0)
    assert (change < 0).all()
    assert (change[:10, 1] < 1.5 * change[:10, 0]).all()  # up to where green is spent


def test_ends_of_the_range_span_the_typological_classes():
    """Individual typology angle atan((L* - 50)/b*) (Chardon et al. 1991): above 55° is very light,
    below -30° dark; and the colours of dark skins are duller than those of brown ones."""
    low, high = MELANIN_RANGE
    tones = np.linspace(np.sqrt(low), np.sqrt(high), 25) ** 2
    lab = np.array([_lab(skin_color(melanin, 0.005)) for melanin in tones])
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
    for row, column in ((0, 0), (20, 30), (70, 10), (STEPS - 1, STEPS - 1)):
        share = (np.array([row, column]) / (STEPS - 1)) ** 2
        expected = skin_color(share[0] * MELANIN_MAX, share[1] * BLOOD_MAX)
        np.testing.assert_allclose(table[row, column], expected, atol=1e-6)  # float32
    # halfway between entries a linear reading is off by less than half an 8-bit step
    half = ((np.arange(STEPS - 1) + 0.5) / (STEPS - 1)) ** 2
    exact = skin_color(half * MELANIN_MAX, np.full(STEPS - 1, BLOOD_MAX * (30 / (STEPS - 1)) ** 2))
    read = (table[1:, 30] + table[:-1, 30]) / 2
    assert np.abs(read - exact).max() < 0.5 / 255


def _lab(srgb: np.ndarray) -> np.ndarray:
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ linear / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])
