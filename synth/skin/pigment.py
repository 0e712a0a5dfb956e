"""The colour of skin from its two pigments: melanin above, blood below.

A thin epidermis that scatters and absorbs lies over a deep dermis. Kubelka and Munk's layer gives
the epidermis' reflectance R_e and transmittance T_e, and Kubelka's sum of two layers the whole:

    R(λ) = F + (1 - F) [R_e + T_e² R_d / (1 - R_e R_d)],
    K = 2 [f_mel μ_mel + (1 - f_mel) μ_base], S = 3/4 μ_s', μ_a = f_blood μ_blood + (1 - f_blood)
    μ_base in the dermis,

R_d the diffuse reflectance of a deep medium of Flock et al. (1989) and F Fresnel's share of the
surface. Where the numbers come from (per cm, λ in nm):

- μ_base = 0.244 + 85.3 exp(-(λ - 154)/66.2) of bloodless skin, Jacques, *Skin Optics*, Oregon
  Medical Laser Center News, January 1998, section 1.1: compared with the page.
- μ_mel = 6.6e11 λ^-3.33 of melanosomes, which fill 1.3-43 % of the epidermis: the same page, as
  published code quotes it. Jacques' later page on melanosomes has 1.70e12 λ^-3.48, which differs
  by less than 4 % between 450 and 600 nm.
- blood of 150 g/l, 64,500 g/mol: Prahl's *Tabulated Molar Extinction Coefficient for Hemoglobin in
  Water* (omlc.org, 1999): each entry compared with copies of the table.
- D65 and the CIE 1931 observer in the fits of Wyman, Sloan & Shirley (2013): compared.
- μ_s' = 46 (λ/500)^-1.421, the mean over published skins, and 75 % oxygen: Jacques, Phys. Med.
  Biol. 58 (2013), tables 2 and 3; R_d's constants: not yet compared with print.

The thickness stands for the layer that holds the melanin. It is chosen such that colours measured
on people (tests/test_synth_skin_pigment.py has them) are met best: to 1.2 ΔE (RMS), with
melanosomes of 3-6 % in light skins and 28 % in the darkest of them.
"""

from functools import lru_cache

import numpy as np

WAVELENGTHS_NM = np.arange(400, 701, 20.0)
# Prahl's molar extinction at these wavelengths, per cm and mol/l, with oxygen and without.
OXY = [266232, 480360, 102580, 44480, 26629, 20933, 24202, 53236]
OXY += [32613, 50104, 3200, 942, 442, 320, 278, 290]
DEOXY = [223296, 407560, 413280, 23389, 14550, 20862, 31590, 46592]
DEOXY += [53788, 37020, 14677, 6510, 4345, 3227, 2408, 1794]
D65 = [82.75, 93.43, 104.86, 117.81, 115.92, 109.35, 104.79, 104.41]
D65 += [100.0, 95.79, 90.01, 87.70, 83.70, 80.21, 78.28, 71.61]
OXYGENATION = 0.75  # of the dermis' blood, between arteries and veins (Jacques 2013)
EPIDERMIS_CM = 0.004
INDEX = 1.4  # refractive, of skin
BLOOD_PER_CM = np.log(10) * 150 / 64500  # g/l over g/mol: extinction to absorption of whole blood
SURFACE = ((INDEX - 1) / (INDEX + 1)) ** 2  # Fresnel, sent back before any melanin
TO_RGB = np.array(
    [
        [3.2404542, -1.5371385, -0.4985314],
        [-0.9692660, 1.8760108, 0.0415560],
        [0.0556434, -0.2040259, 1.0572252],
    ]
)
WHITE = np.array([0.95047, 1.0, 1.08883])  # XYZ of D65
# The table: fractions grow with the square of the index, where skins differ by equal steps.
STEPS, MELANIN_MAX, BLOOD_MAX = 384, 0.8, 0.4


def skin_reflectance(melanin: np.ndarray, blood: np.ndarray) -> np.ndarray:
    """Diffuse reflectance (..., 16) at WAVELENGTHS_NM.

    Args:
        melanin: (...) volume share of melanosomes in the epidermis.
        blood: (...) volume share of blood in the dermis.
    """
    wave = WAVELENGTHS_NM
    melanin, blood = np.asarray(melanin)[..., None], np.asarray(blood)[..., None]
    base = 0.244 + 85.3 * np.exp(-(wave - 154) / 66.2)
    extinction = OXYGENATION * np.array(OXY) + (1 - OXYGENATION) * np.array(DEOXY)
    absorption = blood * BLOOD_PER_CM * extinction + (1 - blood) * base
    scattering = 46.0 * (wave / 500) ** -1.421
    dermis = _diffuse(scattering / (absorption + scattering))
    veil, through = _layer(melanin * 6.6e11 * wave**-3.33 + (1 - melanin) * base, scattering)
    return SURFACE + (1 - SURFACE) * (veil + through**2 * dermis / (1 - veil * dermis))


def _layer(absorption: np.ndarray, scattering: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Reflectance and transmittance of the epidermis for diffuse light (Kubelka 1948), with
    K = 2 μ_a and S = 3/4 μ_s' (Star, Marijnissen & van Gemert 1988, less μ_a's share of S)."""
    s = 0.75 * scattering
    a = 1 + 2 * absorption / s
    b = np.sqrt(a * a - 1)
    x = b * s * EPIDERMIS_CM
    whole = a * np.sinh(x) + b * np.cosh(x)
    return np.sinh(x) / whole, b / whole


def _diffuse(albedo: np.ndarray) -> np.ndarray:
    """Flock et al. (1989): what a deep medium of reduced albedo a' sends back."""
    inner = -1.440 / INDEX**2 + 0.710 / INDEX + 0.668 + 0.0636 * INDEX
    k = (1 + inner) / (1 - inner)
    lost = 1 - albedo
    return albedo / (1 + 2 * k * lost + (1 + 2 * k / 3) * np.sqrt(3 * lost))


def skin_color(melanin: np.ndarray, blood: np.ndarray) -> np.ndarray:
    """sRGB (..., 3) in [0, 1] of skin with these shares (...) of melanosomes and blood."""
    linear = skin_reflectance(melanin, blood) @ _observer() @ TO_RGB.T
    return encode(np.clip(linear, 0, 1))


def encode(linear: np.ndarray) -> np.ndarray:
    """IEC 61966-2-1's curve: linear light in [0, 1] to sRGB."""
    low = linear <= 0.0031308
    return np.where(low, 12.92 * linear, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055)


@lru_cache(maxsize=1)
def color_table() -> np.ndarray:
    """(STEPS, STEPS, 3) float32 sRGB: row i is the melanin MELANIN_MAX (i/(STEPS-1))², column j
    the blood BLOOD_MAX (j/(STEPS-1))²."""
    share = np.linspace(0, 1, STEPS) ** 2
    rows = [skin_color(np.full(STEPS, m), share * BLOOD_MAX) for m in share * MELANIN_MAX]
    return np.stack(rows).astype(np.float32)


def _observer() -> np.ndarray:
    """(16, 3): reflectance to XYZ under D65, a perfect white having Y = 1."""
    wave = WAVELENGTHS_NM

    def lobe(centre, below, above):
        width = np.where(wave < centre, below, above)
        return np.exp(-0.5 * ((wave - centre) * width) ** 2)

    x = 0.362 * lobe(442.0, 0.0624, 0.0374) + 1.056 * lobe(599.8, 0.0264, 0.0323)
    x = x - 0.065 * lobe(501.1, 0.0490, 0.0382)
    y = 0.821 * lobe(568.8, 0.0213, 0.0247) + 0.286 * lobe(530.9, 0.0613, 0.0322)
    z = 1.217 * lobe(437.0, 0.0845, 0.0278) + 0.681 * lobe(459.0, 0.0385, 0.0725)
    weights = np.stack([x, y, z], 1) * np.array(D65)[:, None]
    return weights / weights.sum(0) * WHITE  # the sampled sum's hue is brought onto D65
