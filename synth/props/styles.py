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
KINDS = ("straight", "wavy", "coil", "fuzz", "plait", "bristle")  # of strands: synth.props.strands


@dataclass(frozen=True, slots=True)
class Style:
    """How hair is cut and combed; lengths in mm.

    Attributes:
        top, side: height of the hair's surface over the skin.
        comb: where strands lie: away from the "crown", from the hairline back to a "knot", or
            from a "part" down.
        kind: of strand, a name of KINDS.
        rough: height of the tufts and curls in the surface.
        tufts, tuft: how many locks stand out of the surface, and their length.
        sweep: how much tufts go aside rather than away from the crown.
        length: that hair hangs below the head, 0 where none does.
        hangs: "curtain", "tail", "bun" or "locks": how.
        fringe: how far hair falls over the forehead, 0 for none.
        recede: how far the hairline lies back at the temples.
        fade: over how many mm the hair thins out towards its line.
        rise: over how many mm from its line it reaches its height.
    """

    top: float
    side: float
    comb: str = "crown"
    kind: str = "straight"
    rough: float = 1.0
    tufts: int = 0
    tuft: float = 0.0
    sweep: float = 0.0
    length: float = 0.0
    hangs: str = ""
    fringe: float = 0.0
    recede: float = 4.0
    fade: float = 7.0
    rise: float = 14.0


STYLES = {
    "buzz": Style(2, 1.5, kind="fuzz", rough=0.2, recede=6, fade=9, rise=8),
    "crop": Style(9, 4, rough=2.0, tufts=330, tuft=15, recede=6, fade=6),
    "short": Style(13, 6, rough=2.5, tufts=300, tuft=26, sweep=0.8, recede=5),
    "quiff": Style(20, 5, "knot", rough=3.0, tufts=240, tuft=24, sweep=0.2, recede=6, rise=10),
    "fringe": Style(14, 11, rough=2.5, tufts=220, tuft=30, fringe=46, recede=0),
    "bob": Style(13, 14, "part", rough=2.5, length=40, hangs="curtain", recede=2),
    "long": Style(11, 11, "part", rough=2.5, length=190, hangs="curtain", recede=2),
    "long fringe": Style(
        11, 11, "part", rough=2.5, length=180, hangs="curtain", fringe=48, recede=0
    ),
    "wavy": Style(15, 19, "part", "wavy", rough=4.5, length=130, hangs="curtain", recede=2),
    "ponytail": Style(5, 4, "knot", rough=0.8, length=210, hangs="tail", recede=3, fade=11),
    "bun": Style(5, 4, "knot", rough=0.8, hangs="bun", recede=3, fade=11),
    "curly": Style(19, 17, kind="coil", rough=3.5, tufts=200, tuft=12, recede=3, rise=16),
    "tight curls": Style(11, 7, kind="coil", rough=1.6, recede=4, fade=5, rise=7),
    "afro": Style(38, 32, kind="coil", rough=3.0, recede=3, fade=4, rise=40),
    "cornrows": Style(4, 3.5, "knot", "plait", rough=0.0, length=120, hangs="tail", fade=4),
    "locks": Style(9, 8, "part", "plait", rough=2.0, length=120, hangs="locks", recede=3),
}
