"""What a person wears, chosen to suit them: hair by sex, age and colour."""

import numpy as np

from faces.morphable import MorphableModel
from synth.props.hair import COLORS, HairSettings, make_hair
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


def wear_hair(
    model: MorphableModel, shape_mm: np.ndarray, skin: SkinParameters, rng: np.random.Generator
) -> list[Piece]:
    """Hair in the frame of the shape (V, 3) mm, in the colour of the brows' kind.

    Args:
        model: gives the scalp.
        shape_mm: (V, 3) mm, the person in the model frame.
        skin: sex, age and hair's colour.
        rng: draws the style and its strands.
    """
    chances = np.array([chance[int(skin.male)] for chance in STYLE_CHANCE.values()])
    style = list(STYLE_CHANCE)[rng.choice(len(chances), p=chances / chances.sum())]
    apart = [np.linalg.norm(np.subtract(tone, skin.hair)) for tone, _ in COLORS.values()]
    color = list(COLORS)[int(np.argmin(apart))]
    bald = 0.25 * np.clip((skin.age_years - 28) / 25, 0, 1) if skin.male else 0.0
    # a bald crown is drawn among the styles of its own, so no style may be asked for with it
    if rng.random() < bald:
        return make_hair(model, shape_mm, rng, HairSettings(color=color, bald=1.0))
    return make_hair(model, shape_mm, rng, HairSettings(style, color, 0.0))
