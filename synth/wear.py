"""What a person wears and holds, chosen to suit them: hair by sex, age and colour."""

from dataclasses import replace

import numpy as np

from faces.morphable import MorphableModel
from synth.props.hair import COLORS, HairSettings
from synth.props.wardrobe import PropSettings, sample_props
from synth.scene import Piece
from synth.skin_parameters import SkinParameters

# (of women, of men) how often each style is worn
STYLE_CHANCE = {
    "buzz": (0.1, 1.3),
    "crop": (0.3, 2.0),
    "short": (0.6, 2.4),
    "quiff": (0.2, 1.2),
    "fringe": (0.6, 1.0),
    "bob": (1.5, 0.1),
    "long": (2.2, 0.2),
    "long fringe": (1.2, 0.05),
    "wavy": (1.6, 0.15),
    "curly": (0.8, 0.7),
    "bun": (1.8, 0.1),
}


def wear(
    model: MorphableModel,
    shape_mm: np.ndarray,
    skin: SkinParameters,
    tone: np.ndarray,
    occluder: str,
    rng: np.random.Generator,
) -> list[Piece]:
    """Hair and things in the frame of the shape.

    Args:
        model: gives scalp and landmarks.
        shape_mm: (V, 3) mm, the person in the model frame.
        skin: sex, age and hair's colour.
        tone: (3,) sRGB of the skin, which a hand shares.
        occluder: a name of synth.props.wardrobe.OCCLUDERS.
        rng: draws what is worn.

    Raises:
        BadInput: no such occluder.
    """
    hair = choose_hair(skin, rng)
    pieces = sample_props(model, shape_mm, rng, PropSettings(occluder=occluder, hair=hair))
    return [_toned(piece, tone) if piece.label == "hand" else piece for piece in pieces]


def choose_hair(skin: SkinParameters, rng: np.random.Generator) -> HairSettings:
    """A style as people of the sex and age wear it, in the colour of their brows' kind."""
    chances = np.array([chance[int(skin.male)] for chance in STYLE_CHANCE.values()])
    style = list(STYLE_CHANCE)[rng.choice(len(chances), p=chances / chances.sum())]
    apart = [np.linalg.norm(np.subtract(tone, skin.hair)) for tone, _ in COLORS.values()]
    color = list(COLORS)[int(np.argmin(apart))]
    bald = 0.25 * np.clip((skin.age_years - 28) / 25, 0, 1) if skin.male else 0.0
    # a bald crown is a style of its own, so none may be asked for with it
    if rng.random() < bald:
        return HairSettings(color=color, bald=1.0)
    return HairSettings(style, color, 0.0)


def _toned(piece: Piece, tone: np.ndarray) -> Piece:
    """A hand in the person's own colour, its shades kept."""
    own = np.median(piece.albedo.reshape(-1, 3), axis=0)
    return replace(piece, albedo=np.clip(piece.albedo * (tone / own), 0, 1), scatter=1.0)
