"""Hair: a shell that hugs the head, locks that stand out of it, and what hangs below."""

from dataclasses import dataclass, replace

import numpy as np

from faces.morphable import MorphableModel
from synth.props.curtain import curtain, fringe, locks
from synth.props.headmap import HeadMap
from synth.props.knots import bun, tail
from synth.props.scalp import Fan, Hairline
from synth.props.sheets import Ground, hung_piece
from synth.props.shell import Shell, strips
from synth.props.shoulders import Shoulders
from synth.props.strands import WIDE, Look
from synth.props.styles import COLORS, STYLES, Style
from synth.scene import Piece

RAYS = 96  # on which the hairline is looked for
HANG = {"curtain": curtain, "locks": locks}
KNOTTED = {"tail": tail, "bun": bun}
FLYAWAYS = 30  # single hairs that stray from combed hair


@dataclass(frozen=True, slots=True)
class HairSettings:
    """Which hair.

    Attributes:
        style: a name of STYLES; drawn where None.
        color: a name of COLORS; drawn where None.
        bald: share of people with a bald crown (or nothing) and short sides.
        tone: sRGB of the hair, in place of ``color``; None for that.
        upright: (3, 3) from the model frame to the body's, which stays upright when the head
            turns; None where the head looks straight ahead.
    """

    style: str | None = None
    color: str | None = None
    bald: float = 0.08
    tone: tuple[float, float, float] | None = None
    upright: np.ndarray | None = None


def make_hair(
    model: MorphableModel,
    shape_mm: np.ndarray,
    rng: np.random.Generator,
    settings: HairSettings = HairSettings(),
) -> list[Piece]:
    """Pieces labelled "hair" in the frame of the shape; the shell comes first.

    Args:
        model: gives the scalp.
        shape_mm: (V, 3) mm in the model frame.
    """
    look = _look(rng, settings)
    style, bald = _style(rng, settings)
    head = HeadMap(model, shape_mm)
    line = Hairline.drawn(model, rng, style.recede)
    pole = _pole(style, rng)
    shell = Shell(head, Fan.about(pole, line, RAYS), style, rng)
    pieces = shell.pieces(look, _bald_reach(rng) if bald else None, rng)
    if style.comb == "part":  # a layer below what hangs
        pieces = [replace(pieces[0], vertices_mm=shell.points(0.3))]
    if style.hangs or style.fringe:
        fan = Fan.about(np.array([0.0, 1.0, 0.0]), line, RAYS)
        ground = Ground(head, fan, Shoulders.below(model, shape_mm, settings.upright))
        sheets = _sheets(ground, pole, style, rng)
        tips = {"bun": 1.0, "locks": 3.0}.get(style.hangs, 50.0 if style.hangs else 22.0)
        pieces.append(hung_piece(sheets, style, look, tips, rng))
    if style.tufts:
        paths, width = shell.tufts(rng)
        pieces.append(strips(paths, width, head, look, rng))
    elif style.comb == "knot" and style.kind == "straight":
        paths, width = shell.flyaways(rng, FLYAWAYS)
        pieces.append(strips(paths, width, head, look, rng, single=True))
    return pieces


def _sheets(ground: Ground, pole: np.ndarray, style: Style, rng) -> list:
    sheets = []
    if style.hangs in HANG:
        sheets += HANG[style.hangs](ground, style, rng)
    elif style.hangs in KNOTTED:
        sheets += KNOTTED[style.hangs](ground, pole, style, rng)
    if style.fringe:
        sheets += fringe(ground, style, rng)
    return sheets


def _pole(style: Style, rng: np.random.Generator) -> np.ndarray:
    """(3,) unit: the crown from which hair goes, or the knot to which it is combed."""
    polar, azimuth = rng.uniform(0.25, 0.5), np.pi + rng.normal(0, 0.2)
    if style.hangs == "bun":
        polar = rng.uniform(0.5, 1.7)
    elif style.hangs == "tail":
        polar = rng.uniform(1.1, 1.85)
    elif style.comb == "knot":
        polar = rng.uniform(0.6, 0.9)
    elif style.kind in ("coil", "fuzz"):
        polar = 0.15
    across = np.sin(polar)
    return np.array([across * np.sin(azimuth), np.cos(polar), across * np.cos(azimuth)])


def _bald_reach(rng: np.random.Generator) -> np.ndarray:
    """(WIDE,) share of the way from the crown to the hairline without hair: all before, less to
    the sides and behind."""
    turn = np.linspace(-np.pi, np.pi, WIDE, endpoint=False)
    ahead = np.abs(np.roll(turn, WIDE // 2)) / np.pi
    beside, behind = rng.uniform(0.5, 0.62), rng.uniform(0.3, 0.5)
    front = np.clip((0.5 - ahead) / 0.16, 0, 1) ** 2
    uneven = 0.02 * np.cumsum(rng.normal(size=WIDE)) / np.sqrt(WIDE)
    return 1.2 * front + (1 - front) * (beside + (behind - beside) * ahead**3) + uneven


def _look(rng: np.random.Generator, settings: HairSettings) -> Look:
    """Colour, share of grey strands, and how light has bleached the tips."""
    shares = np.array([share for _, share in COLORS.values()])
    drawn = rng.choice(len(COLORS), p=shares / shares.sum())
    base = np.array(COLORS[settings.color or list(COLORS)[drawn]][0])
    if settings.tone is not None:
        base = np.sort(settings.tone)[::-1]  # no hair is blue: red leads, blue is last
    # strands lie in their own shade, the more visibly the lighter they are
    base = 0.02 + base * rng.uniform(0.9, 1.15) * (1 - 0.28 * base.mean())
    grey = float(np.clip(rng.normal(-0.12, 0.12), 0, 0.2))
    bleached = rng.uniform(0.05, 0.4) * np.array([1.0, 0.9, 0.75])
    return Look(base, grey, 1 + bleached * (1 - base.mean()))


def _style(rng: np.random.Generator, settings: HairSettings) -> tuple[Style, bool]:
    """A style with this person's own lengths, and whether the crown is bald."""
    drawn = list(STYLES)[rng.integers(len(STYLES))]
    bald = rng.random() < settings.bald
    size, rough, length = rng.uniform(0.8, 1.25, 3)
    style = STYLES[settings.style or drawn]
    if bald and settings.style is None:
        return replace(STYLES["buzz"], top=2.5, side=2.5, recede=0), True
    return replace(
        style,
        top=style.top * size,
        side=style.side * size,
        rough=style.rough * rough,
        length=style.length * length,
        fringe=style.fringe * rng.uniform(0.85, 1.05),
    ), False
