"""Who a skin belongs to: what is drawn once a person before anything is painted."""

from dataclasses import dataclass

import numpy as np

# Melanosomes' share of the epidermis at the ends of the range (Jacques 1998: 1.3-43 %).
MELANIN_RANGE = (0.013, 0.43)
# sRGB of hair from black to blond and red, and of irises, by eye from photographs
HAIR = np.array(
    [
        [0.05, 0.04, 0.04],
        [0.11, 0.075, 0.06],
        [0.20, 0.135, 0.095],
        [0.33, 0.23, 0.15],
        [0.50, 0.38, 0.25],
        [0.42, 0.22, 0.11],
    ]
)
IRIS = np.array(
    [
        [0.15, 0.085, 0.055],
        [0.25, 0.15, 0.085],
        [0.36, 0.26, 0.14],
        [0.35, 0.345, 0.255],
        [0.39, 0.43, 0.45],
        [0.33, 0.41, 0.49],
    ]
)
# Chance of each hair and iris colour in light, middle and dark skins.
HAIR_CHANCE = (
    (0.05, 0.2, 0.27, 0.2, 0.2, 0.08),
    (0.4, 0.4, 0.18, 0.02, 0, 0),
    (0.85, 0.15, 0, 0, 0, 0),
)
IRIS_CHANCE = (
    (0.1, 0.22, 0.2, 0.13, 0.15, 0.2),
    (0.45, 0.4, 0.12, 0.03, 0, 0),
    (0.85, 0.15, 0, 0, 0, 0),
)
GREY = np.array([0.62, 0.61, 0.6])
GREY_BROW = np.array([0.47, 0.42, 0.37])  # seen against skin, whose light shines through


@dataclass(frozen=True, slots=True, eq=False)
class SkinParameters:
    """All shares in [0, 1] unless they say otherwise; 0 switches a feature off.

    Attributes:
        age_years, male: whose skin it is.
        melanin: volume share of melanosomes in the epidermis, MELANIN_RANGE.
        blood: volume share of blood in the dermis, about 0.016.
        redness: factor on the blood of cheeks, nose, ears and lips, about 1.
        uneven: strength of blotches, about 1.
        dark_lids: how much darker the lids are, and ``shadows`` below the eyes.
        hair: (3,) sRGB; brow: (3,) sRGB of brows, lashes and beard.
        brow_density; brow_width: factor, about 1; brow_arch: mm the brow's middle lies higher.
        crease: strength of the upper lid's fold, ``crease_mm`` above the margin.
        lash: strength of the lash line; stubble: of the beard's shadow; beard_mm: its length.
        scalp: density of the hair painted on the scalp.
        freckles, moles, age_spots, blemishes: expected numbers.
        lines: strength of wrinkles' tone.
        lip_fill: opacity of lipstick and ``lip_color`` (3,) sRGB; liner: of make-up at the lids.
        iris: (3,) sRGB; pupil_mm: radius; sclera: yellowing; veins: their strength.
        teeth: yellowing.
    """

    age_years: float
    male: bool
    melanin: float
    blood: float
    redness: float
    uneven: float
    dark_lids: float
    shadows: float
    hair: np.ndarray
    brow: np.ndarray
    brow_density: float
    brow_width: float
    brow_arch: float
    crease: float
    crease_mm: float
    lash: float
    stubble: float
    beard_mm: float
    scalp: float
    freckles: float
    moles: float
    age_spots: float
    blemishes: float
    lines: float
    lip_fill: float
    lip_color: np.ndarray
    liner: float
    iris: np.ndarray
    pupil_mm: float
    sclera: float
    veins: float
    teeth: float

    @property
    def lightness(self) -> float:
        """0 for the darkest, 1 for the lightest skin, in even steps of appearance."""
        return _lightness(self.melanin)

    def bare(self) -> dict:
        """Changes (for dataclasses.replace) that leave what a linear basis can hold: no moles,
        spots, freckles, make-up, beard or veins."""
        none = ("freckles", "moles", "age_spots", "blemishes", "lip_fill", "liner", "stubble")
        return dict.fromkeys((*none, "beard_mm", "lines", "veins"), 0.0)


def sample_skin(
    rng: np.random.Generator, age_years: float | None = None, male: bool | None = None
) -> SkinParameters:
    """A random skin; tones are even in appearance from the lightest to the darkest."""
    age = float(rng.uniform(16, 78)) if age_years is None else float(age_years)
    man = bool(rng.random() < 0.5) if male is None else bool(male)
    low, high = np.sqrt(MELANIN_RANGE)
    melanin = float(rng.uniform(low, high) ** 2)
    light, old = _lightness(melanin), np.clip((age - 35) / 40, 0, 1)
    group = 0 if light > 0.68 else 1 if light > 0.3 else 2
    hair, brow = _hair(rng, group, age)
    made_up = not man and rng.random() < 0.25
    return SkinParameters(
        age_years=age,
        male=man,
        melanin=melanin,
        blood=float(rng.lognormal(np.log(0.016), 0.28) * (0.85 + 0.15 * light)),
        redness=float(rng.lognormal(0, 0.3)),
        uneven=float(rng.lognormal(-0.1, 0.35) * (1 + 0.4 * old)),
        dark_lids=float(rng.beta(1.6, 3)),
        shadows=float(rng.beta(1.8, 3) * (0.7 + 0.5 * old)),
        hair=hair,
        brow=brow,
        brow_density=float(np.clip(rng.normal(0.86 if man else 0.74, 0.15), 0.3, 1)),
        brow_width=float(np.clip(rng.normal(1.1 if man else 0.82, 0.18), 0.5, 1.6)),
        brow_arch=float(rng.normal(-0.2 if man else 0.6, 0.6)),
        crease=float(rng.beta(3, 2)),
        crease_mm=float(np.clip(rng.normal(4.6, 0.7), 3, 6.5)),
        lash=float(np.clip(rng.normal(0.68 if man else 0.8, 0.1), 0.4, 1)),
        stubble=float(rng.beta(1.3, 1.6)) if man else 0.0,
        beard_mm=float(rng.choice([0.4, 0.8, 1.5, 4.0, 7.0], p=[0.4, 0.25, 0.17, 0.1, 0.08])),
        scalp=float(rng.uniform(0.6, 0.95)),
        freckles=float(rng.choice([0, 60, 250], p=[0.7, 0.2, 0.1]) * light),
        moles=float(rng.exponential(5.0)),
        age_spots=float(14 * old * rng.random()),
        blemishes=float(rng.exponential(5.0 if age < 30 else 1.5)),
        lines=float(np.clip((age - 24) / 45, 0, 1) * rng.uniform(0.5, 1.1)),
        lip_fill=float(rng.uniform(0.1, 0.5)) if made_up else 0.0,
        lip_color=_lipstick(rng),
        liner=float(rng.uniform(0.2, 0.8)) if made_up and rng.random() < 0.7 else 0.0,
        iris=_near(rng, IRIS[rng.choice(6, p=IRIS_CHANCE[group])], 0.12),
        pupil_mm=float(rng.uniform(1.4, 2.5)),
        sclera=float(rng.beta(2, 4) * (0.6 + 0.6 * old) + 0.25 * (1 - light)),
        veins=float(rng.beta(2, 3)),
        teeth=float(rng.beta(2, 3) * (0.7 + 0.5 * old)),
    )


def _hair(rng, group: int, age: float) -> tuple[np.ndarray, np.ndarray]:
    """Colours of hair and brows; brows are a little darker than light hair, and grey later."""
    base = _near(rng, HAIR[rng.choice(6, p=HAIR_CHANCE[group])], 0.15)
    grey = float(np.clip((age - rng.uniform(38, 68)) / 20, 0, 1))
    brow = base * (1 - 0.3 * np.clip(base.mean() / 0.35, 0, 1))
    return base + grey * (GREY - base), brow + 0.5 * grey * (GREY_BROW - brow)


def _lipstick(rng) -> np.ndarray:
    """Rose, red, berry, brown or coral."""
    shades = np.array(
        [
            [0.72, 0.38, 0.40],
            [0.56, 0.14, 0.16],
            [0.42, 0.16, 0.23],
            [0.55, 0.34, 0.29],
            [0.74, 0.43, 0.38],
        ]
    )
    return _near(rng, shades[rng.choice(5, p=(0.35, 0.1, 0.15, 0.25, 0.15))], 0.08)


def _near(rng, color: np.ndarray, spread: float) -> np.ndarray:
    return np.clip(color * rng.lognormal(0, spread) + rng.normal(0, 0.012, 3), 0.02, 0.95)


def _lightness(melanin: float) -> float:
    low, high = np.sqrt(MELANIN_RANGE)
    return float(np.clip((high - np.sqrt(melanin)) / (high - low), 0, 1))
