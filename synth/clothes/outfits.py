"""What people wear on their shoulders: from T-shirts to jackets, in layers from the skin out."""

from dataclasses import replace
from functools import partial

import numpy as np

from synth.clothes.body import Body
from synth.clothes.cloth import Fabric, checked, plain, sample_dye, striped
from synth.clothes.sewing import AROUND, Garment, cords
from synth.scene import Piece

# (of women, of men) how often each is worn
CHANCE = {
    "tee": (2.2, 2.2),
    "vee": (1.0, 0.5),
    "scoop": (1.3, 0.0),
    "shirt": (0.9, 1.5),
    "polo": (0.3, 0.8),
    "jumper": (1.2, 1.1),
    "turtleneck": (0.5, 0.2),
    "hoodie": (0.7, 1.0),
    "blazer": (0.7, 0.8),
    "denim": (0.5, 0.4),
}
# profiles of edges: along the body and off it, mm, from the inside out
BAND = np.array([(2, 0.4), (-0.5, 0.8), (-1.5, 2.4), (0, 4.4), (5, 4.6), (9, 4.4), (11, 2.8)])
FINE = np.array([(2, 0.4), (-0.5, 0.8), (-0.8, 1.6), (0, 2.4), (4, 2.6), (7, 2.2)])
THICK = np.array([(3, 0.6), (-1.5, 1.2), (-3, 3.5), (-1, 6.5), (5, 7.6), (11, 7.2), (14, 5.0)])
TALL = np.array(
    [(0, 2.0), (-16, 2.0), (-30, 3.0), (-34, 5.0), (-30, 7.5), (-16, 8.5), (-6, 9.0), (0, 6.0)]
)
AHEAD = 0.5 + 0.5 * np.cos(AROUND)


def sample_outfit(body: Body, rng: np.random.Generator, male: bool) -> list[Piece]:
    """Pieces of "clothes" in the camera frame, by chance."""
    chances = np.array([chance[int(male)] for chance in CHANCE.values()])
    kind = list(CHANCE)[rng.choice(len(chances), p=chances / chances.sum())]
    return make_outfit(kind, body, rng)


def make_outfit(kind: str, body: Body, rng: np.random.Generator) -> list[Piece]:
    """Pieces of "clothes" in the camera frame; ``kind`` is a name of CHANCE."""
    return MAKERS[kind](body, rng)


def _jersey(rng, patterned: float = 0.2) -> Fabric:
    fabric = plain("jersey", sample_dye(rng))
    return striped(fabric, sample_dye(rng), rng) if rng.random() < patterned else fabric


def _shirting(rng) -> Fabric:
    pale = np.array([(0.88, 0.89, 0.9), (0.66, 0.74, 0.84), (0.84, 0.78, 0.78)])[rng.integers(3)]
    fabric = plain("poplin", pale if rng.random() < 0.6 else sample_dye(rng))
    return checked(fabric, sample_dye(rng), rng) if rng.random() < 0.2 else fabric


def _opening(body, wide_mm: float, low_mm: float) -> np.ndarray:
    """(SIDES,) reach of a V from ``wide_mm`` beside the throat down to ``low_mm``."""
    return 2 + body.line(AROUND, lambda reach: wide_mm * (1 - reach / low_mm))


def _crew(body, rng, inner: bool = False) -> list[Piece]:
    made = Garment(body, _jersey(rng, 0.05 if inner else 0.2), rng)
    loose, fold = (2.0, 0.5) if inner else (3.0, 7.0)
    front = rng.uniform(3, 16)
    made.pullover(2 + (front - 2) * AHEAD**3, BAND, loose, fold, ribbed=True)
    made.sleeves()
    return [made.piece()]


def _vee(body, rng) -> list[Piece]:
    made = Garment(body, _jersey(rng), rng)
    made.pullover(_opening(body, rng.uniform(64, 74), rng.uniform(45, 95)), FINE, 3.0, 7.0)
    made.sleeves()
    return [made.piece(), *_necklace(body, rng, 0.25)]


def _scoop(body, rng) -> list[Piece]:
    made = Garment(body, _jersey(rng), rng)
    neck = rng.uniform(8, 18) + rng.uniform(30, 62) * AHEAD ** rng.uniform(2, 4)
    made.pullover(neck, FINE, 2.4, 5.0)
    return [made.piece(), *_necklace(body, rng, 0.4)]


def _necklace(body, rng, chance: float) -> list[Piece]:
    """A fine chain, more or less often; clothes hide what lies below them."""
    if rng.random() > chance:
        return []
    angle = np.linspace(-np.pi, np.pi, 90)
    reach = 3 + rng.uniform(18, 55) * (0.5 + 0.5 * np.cos(angle)) ** 3
    tone = ((0.62, 0.48, 0.24), (0.6, 0.6, 0.62))[rng.integers(2)]
    return [cords(body, [(angle, reach, np.full(90, 0.9))], 0.8, np.array(tone), 0.6)]


def _collar(made: Garment, gap_mm: float, stand: float, width: float, off: float) -> None:
    """A collar whose ends are ``gap_mm`` from the middle and reach lower the wider they are."""
    gap = float(np.arcsin(gap_mm / 62))
    angle = np.linspace(gap, 2 * np.pi - gap, 72)
    angle = angle + 0.3 * np.sin(angle)  # closer at its ends
    ahead = 0.5 + 0.5 * np.cos(angle)
    fold = 6 - stand + (stand * 0.5 + 0.35 * gap_mm) * ahead**4
    points = width + made.rng.uniform(10, 22) * ahead**4
    spread = 0.25 * made.rng.uniform(0.5, 1.2)
    lean = spread * ahead**5 * np.sign(np.pi - angle)
    made.leaf(angle, fold, points, lean, stand, off)


def _shirt(body, rng, inner: bool = False) -> list[Piece]:
    made = Garment(body, _shirting(rng), rng)
    gap, low = ((3.0, 12.0), (17.0, 48.0), (26.0, 80.0))[rng.integers(3)]  # buttons left open
    loose, fold = (2.0, 0.5) if inner else (3.4, 8.0)
    made.pullover(_opening(body, gap + 6, low), FINE, loose, fold, seamed=False)
    made.sleeves()
    made.placket(low + 24, 300)
    _collar(made, gap, 24.0, 36.0, 6.5 if inner else 7.5)
    return [made.piece()]


def _polo(body, rng) -> list[Piece]:
    made = Garment(body, plain("pique", sample_dye(rng)), rng)
    gap, low = ((4.0, 14.0), (18.0, 55.0))[rng.integers(2)]
    made.pullover(_opening(body, gap + 6, low), FINE, 3.2, 7.0, seamed=False)
    made.sleeves()
    made.placket(low + 20, 135)
    _collar(made, gap, 19.0, 34.0, 7.0)
    return [made.piece()]


def _jumper(body, rng) -> list[Piece]:
    kind = ("knit", "knit", "rib", "fleece")[rng.integers(4)]
    made = Garment(body, plain(kind, sample_dye(rng)), rng)
    made.pullover(8 + rng.uniform(4, 16) * AHEAD**3, THICK, 7.0, 8.0, ribbed=True)
    made.sleeves()
    if rng.random() > 0.3:
        return [made.piece()]
    shirt = Garment(body, _shirting(rng), rng)
    _collar(shirt, 4.0, 24.0, 36.0, 6.0)
    return [made.piece(), shirt.piece()]


def _turtleneck(body, rng) -> list[Piece]:
    made = Garment(body, plain(("rib", "jersey")[rng.integers(2)], sample_dye(rng)), rng)
    made.pullover(np.full(len(AROUND), 8.0), TALL, 4.5, 6.0)
    return [made.piece()]


def _hoodie(body, rng) -> list[Piece]:
    dye = sample_dye(rng)
    made = Garment(body, plain("fleece", dye), rng)
    made.pullover(10 + 24 * AHEAD**4, FINE, 7.0, 9.0, seamed=False)
    made.sleeves()
    made.hood()
    tone = np.clip(dye * rng.choice([0.75, 1.8]), 0.05, 0.9)
    reach = np.linspace(36, 150, 20)
    swing = 22 + 6 * np.sin(reach / rng.uniform(18, 30))
    angle, off = body.angle_at(swing, reach), 17 - 0.03 * reach
    strings = cords(body, [(side * angle, reach, off) for side in (-1, 1)], 2.3, tone, 0.01)
    return [*_crew(body, rng, inner=True), made.piece(), strings]


def _blazer(body, rng) -> list[Piece]:
    inner = (_shirt if rng.random() < 0.55 else _crew)(body, rng, inner=True)
    dye = np.array([(0.09, 0.10, 0.15), (0.07, 0.07, 0.075), (0.24, 0.25, 0.27), (0.42, 0.36, 0.3)])
    made = Garment(body, plain("suiting", dye[rng.integers(4)] * rng.uniform(0.8, 1.2)), rng)
    gap = partial(np.interp, xp=[0, 215, 300], fp=[rng.uniform(58, 66), 6, 3])
    made.open_front(gap, -4.0, 11.0, 4.0)
    made.sleeves()
    made.lapels(gap, 13.0)
    angle = np.linspace(0.95, 2 * np.pi - 0.95, 56)
    ahead = 0.5 + 0.5 * np.cos(angle)
    fold = -16 + 34 * (ahead / ahead.max()) ** 2
    made.leaf(angle, fold, np.full(56, 38.0), np.zeros(56), 16.0, 13.0)
    return [*inner, made.piece()]


def _denim(body, rng) -> list[Piece]:
    blue = np.array([(0.20, 0.28, 0.40), (0.36, 0.46, 0.58), (0.12, 0.15, 0.22)])[rng.integers(3)]
    thread = (0.62, 0.45, 0.26) if rng.random() < 0.7 else tuple(1.4 * blue)
    made = Garment(body, replace(plain("denim", blue), thread=thread), rng)
    gap = partial(np.interp, xp=[0, 60, 300], fp=[52, rng.uniform(25, 50), rng.uniform(10, 70)])
    made.open_front(gap, -2.0, 9.0, 6.0)
    made.sleeves()
    _collar(made, rng.uniform(28, 42), 22.0, 50.0, 12.0)
    return [*_crew(body, rng, inner=True), made.piece()]


MAKERS = {
    "tee": _crew,
    "vee": _vee,
    "scoop": _scoop,
    "shirt": _shirt,
    "polo": _polo,
    "jumper": _jumper,
    "turtleneck": _turtleneck,
    "hoodie": _hoodie,
    "blazer": _blazer,
    "denim": _denim,
}
