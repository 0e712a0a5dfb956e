"""What a person wears and holds: drawn by chance, or as asked for."""

from dataclasses import dataclass, field

import numpy as np

from faces.errors import BadInput
from faces.morphable import MorphableModel
from synth.props.glasses import make_glasses
from synth.props.hair import HairSettings, make_hair
from synth.props.hand import HandSettings, make_hand, make_phone
from synth.props.mask import make_mask
from synth.props.scarf import make_scarf
from synth.scene import Piece

MAKERS = {
    "glasses": make_glasses,
    "hand": make_hand,
    "phone": make_phone,
    "mask": make_mask,
    "scarf": make_scarf,
}
HANDS = ("hand", "phone")  # things that show a hand
OCCLUDERS = ("none", "hair", *MAKERS, "random")


@dataclass(frozen=True, slots=True)
class PropSettings:
    """What hides a face.

    Attributes:
        occluder: a name of OCCLUDERS. "none" is a bare head, "hair" hair alone, a thing's name
            hair and that thing, "random" hair and what the shares below say.
        shares: probability of each thing where "random"; they are drawn independently, but of
            hand, phone and mask only one comes at a time.
        bare: share of "random" people without hair.
        hair: which hair.
    """

    occluder: str = "random"
    shares: dict[str, float] = field(
        default_factory=lambda: {
            "glasses": 0.22,
            "hand": 0.06,
            "phone": 0.04,
            "mask": 0.06,
            "scarf": 0.08,
        }
    )
    bare: float = 0.03
    hair: HairSettings = field(default_factory=HairSettings)


def sample_props(
    model: MorphableModel,
    shape_mm: np.ndarray,
    rng: np.random.Generator,
    settings: PropSettings = PropSettings(),
    tone: np.ndarray | None = None,
) -> list[Piece]:
    """Pieces in the model frame, fitted to a shape (V, 3) mm; the same for the same ``rng``.

    Args:
        tone: (3,) sRGB of the person's skin, for the hands; the model's mean cheek where None.

    Raises:
        BadInput: an occluder that is not in OCCLUDERS.
    """
    if settings.occluder not in OCCLUDERS:
        raise BadInput(
            "occluder", repr(settings.occluder), f"one of {', '.join(OCCLUDERS)}", "choose one"
        )
    hair_rng, *prop_rngs, chance = rng.spawn(len(MAKERS) + 2)
    if settings.occluder == "none":
        return []
    wanted = _wanted(chance, settings)
    pieces = []
    if "hair" in wanted:
        pieces += make_hair(model, shape_mm, hair_rng, settings.hair)
    for (name, maker), own in zip(MAKERS.items(), prop_rngs, strict=True):
        if name in wanted:
            own_settings = (HandSettings(tone=_tone(model, tone)),) if name in HANDS else ()
            pieces += maker(model, shape_mm, own, *own_settings)
    return pieces


def _tone(model: MorphableModel, tone: np.ndarray | None) -> tuple[float, float, float]:
    if tone is None:
        tone = np.median(model.albedo_mean[model.regions["cheeks"]], axis=0)
    return tuple(float(value) for value in tone)


def _wanted(rng: np.random.Generator, settings: PropSettings) -> set[str]:
    draws = rng.random(len(MAKERS) + 1)
    if settings.occluder != "random":
        return {"hair", settings.occluder}
    names = {
        name
        for name, draw in zip(MAKERS, draws[1:], strict=True)
        if draw < settings.shares.get(name, 0.0)
    }
    for first, others in (("mask", {"hand", "phone"}), ("phone", {"hand"})):
        if first in names:
            names -= others
    return names if draws[0] < settings.bare else names | {"hair"}
