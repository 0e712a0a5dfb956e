"""What a person wears and holds, chosen to suit them: hair by sex, age, tone and colour."""

from dataclasses import replace

import numpy as np

from faces.morphable import MorphableModel
from synth.props.beard import make_beard
from synth.props.hair import HairSettings
from synth.props.wardrobe import PropSettings, sample_props
from synth.scene import Piece
from synth.skin.parameters import SkinParameters

# how often each style is worn: by women, by men; and, where hair coils tightly, by both
STYLE_CHANCE = {
    "buzz": (0.05, 1.0),
    "crop": (0.3, 2.4),
    "short": (0.6, 2.4),
    "quiff": (0.15, 1.4),
    "fringe": (0.5, 0.7),
    "bob": (1.5, 0.05),
    "long": (2.2, 0.2),
    "long fringe": (1.1, 0.02),
    "wavy": (1.5, 0.15),
    "ponytail": (2.6, 0.12),
    "bun": (1.5, 0.12),
    "curly": (0.6, 0.5),
}
COILED_CHANCE = {
    "buzz": (0.3, 2.6),
    "tight curls": (0.9, 2.2),
    "afro": (1.3, 0.8),
    "curly": (0.9, 0.3),
    "cornrows": (0.8, 0.4),
    "locks": (1.4, 0.5),
    "bun": (1.2, 0.05),
    "ponytail": (0.8, 0.0),
}
BARE = (0.004, 0.04)  # share of women and men without any hair
IN_THE_WAY = {"mask", "hand", "phone"}  # things fitted to the bare chin


def wear(
    model: MorphableModel,
    shape_mm: np.ndarray,
    skin: SkinParameters,
    tone: np.ndarray,
    occluder: str,
    rng: np.random.Generator,
    upright: np.ndarray | None = None,
) -> list[Piece]:
    """Hair, beard and things in the frame of the shape.

    Args:
        model: gives scalp and landmarks.
        shape_mm: (V, 3) mm, the person in the model frame.
        skin: sex, age, melanin, beard and hair's colour.
        tone: (3,) sRGB of the skin, which a hand shares.
        occluder: a name of synth.props.wardrobe.OCCLUDERS.
        rng: draws what is worn.
        upright: (3, 3) the head's rotation against the body's, on which long hair lies; None
            where both look the same way.

    Raises:
        BadInput: no such occluder.
    """
    hair = replace(choose_hair(skin, rng), upright=upright)
    bare = BARE[int(skin.male)]
    props = PropSettings(occluder=occluder, bare=bare, hair=hair)
    pieces = sample_props(model, shape_mm, rng, props)
    if occluder != "none" and not IN_THE_WAY & {piece.label for piece in pieces}:
        pieces += make_beard(model, shape_mm, skin, np.random.default_rng(rng.integers(2**63)))
    return [_toned(piece, tone) if piece.label == "hand" else piece for piece in pieces]


def choose_hair(skin: SkinParameters, rng: np.random.Generator) -> HairSettings:
    """A style as people of the sex, age and tone wear it, in the colour of their skin's."""
    coiled = rng.random() < np.clip((0.45 - skin.lightness) / 0.2, 0.02, 0.95)
    table = COILED_CHANCE if coiled else STYLE_CHANCE
    chances = np.array([chance[int(skin.male)] for chance in table.values()])
    if skin.age_years > 60:  # the old seldom wear it long
        short = np.array([name in SHORT for name in table])
        chances = chances * np.where(short, 1.0, 0.35)
    style = list(table)[rng.choice(len(chances), p=chances / chances.sum())]
    tone = tuple(float(value) for value in skin.hair)
    bald = 0.25 * np.clip((skin.age_years - 28) / 25, 0, 1) if skin.male else 0.0
    # a bald crown is a style of its own, so none may be asked for with it
    if rng.random() < bald:
        return HairSettings(bald=1.0, tone=tone)
    return HairSettings(style, bald=0.0, tone=tone)


SHORT = {"buzz", "crop", "short", "quiff", "bob", "bun", "curly", "tight curls", "fringe"}


def _toned(piece: Piece, tone: np.ndarray) -> Piece:
    """A hand in the person's own colour, its shades kept."""
    own = np.median(piece.albedo.reshape(-1, 3), axis=0)
    return replace(piece, albedo=np.clip(piece.albedo * (tone / own), 0, 1), scatter=1.0)
