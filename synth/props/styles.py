"""Cuts and colours of hair."""

from dataclasses import dataclass

# sRGB of hair in plain light, by eye from photographs; how often, most people being dark-haired
COLORS = {
    "black": ((0.085, 0.073, 0.068), 0.30),
    "dark brown": ((0.15, 0.10, 0.075), 0.27),
    "brown": ((0.24, 0.155, 0.10), 0.15),
    "light brown": ((0.38, 0.27, 0.18), 0.08),
    "blond": ((0.60, 0.48, 0.32), 0.07),
    "red": ((0.42, 0.19, 0.09), 0.03),
    "grey": ((0.46, 0.45, 0.44), 0.07),
    "white": ((0.74, 0.73, 0.71), 0.03),
}


@dataclass(frozen=True, slots=True)
class Style:
    """How hair is cut and combed; lengths in mm.

    Attributes:
        top, side, back: lengths where the roots lie so.
        volume: height of the outermost layer over the skin.
        ribbons: how many.
        width: of a ribbon.
        comb: where hair on top goes: "whorl" (away from the crown), "part", "back", "bun" or
            "out" (every way, as tight curls do).
        gravity: share of the pull down, at the tip.
        lift: how steeply strands leave the skin.
        wave: how much locks differ in direction.
        fringe: length of hair that falls over the forehead, 0 for none.
        recede: how far the hairline lies back at the temples.
        fade: over how many mm the cap begins.
    """

    top: float
    side: float
    back: float
    volume: float
    ribbons: int
    width: float
    comb: str = "whorl"
    gravity: float = 0.2
    lift: float = 0.5
    wave: float = 0.2
    fringe: float = 0.0
    recede: float = 4.0
    fade: float = 9.0


STYLES = {
    "buzz": Style(0, 0, 0, 1.0, 0, 0.0, recede=6, fade=14),
    "crop": Style(24, 13, 14, 8, 900, 7, lift=0.9, wave=0.45, recede=6),
    "short": Style(42, 20, 22, 13, 850, 9, "part", 0.12, 0.8, 0.35, recede=5),
    "quiff": Style(55, 14, 16, 22, 850, 9, "back", 0.05, 1.3, 0.3, recede=6),
    "fringe": Style(62, 42, 48, 12, 800, 11, "whorl", 0.35, 0.5, 0.25, fringe=50, recede=0),
    "bob": Style(150, 125, 110, 15, 700, 14, "part", 0.75, 0.5, 0.15, fringe=0, recede=2),
    "long": Style(290, 260, 240, 16, 700, 17, "part", 0.9, 0.5, 0.14, recede=2),
    "long fringe": Style(290, 260, 240, 15, 750, 16, "part", 0.9, 0.5, 0.14, fringe=52, recede=0),
    "wavy": Style(210, 190, 180, 24, 750, 16, "part", 0.8, 0.7, 0.3, recede=2),
    "curly": Style(34, 30, 30, 30, 1000, 13, "out", 0.0, 1.5, 1.2, recede=3),
    "bun": Style(120, 110, 110, 7, 650, 14, "bun", 0.0, 0.05, 0.06, recede=3),
}
OFTEN = {  # the rest are as frequent as each other
    "long": 1.6,
    "short": 1.8,
    "crop": 1.5,
    "buzz": 0.9,
    "wavy": 1.2,
}
