"""Which views to make of a base image: yaw enlarged step by step, pitch drawn at random."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from faces.poses import FLORENCE_PITCHES_DEG, FLORENCE_STEP_DEG, FLORENCE_YAW_LIMIT_DEG


@dataclass(frozen=True, slots=True)
class PlannedView:
    """A requested head pose, in degrees (faces.rotation's convention); roll stays the base's."""

    yaw_deg: float
    pitch_deg: float


@dataclass(frozen=True, slots=True)
class PlanSettings:
    """The enlargement plan; the defaults are the profile "fg3d" (Beyond 3DMM Space, §3.2).

    Attributes:
        step_deg: the yaw's step; the paper's 15°.
        max_yaw_deg: where the yaw ends; the paper's 90°.
        sides: "one" turns further to the side the face already looks to (drawn at random where
            it is near frontal); "both" goes both ways.
        frontal_deg: below this |yaw| a face counts as near frontal; half a step.
        multiples: yaws are whole multiples of the step, beyond the base's, as an evaluation on
            fixed angles wants them; else steps counted from the base's own yaw.
        pitch_limit_deg: pitches are drawn in ± this; the paper's 25°.
        pitches_per_yaw: how many are drawn; three fit the paper's counts (about 21 images a base).
        pitches_deg: these and no others, where any are given.
    """

    step_deg: float = 15.0
    max_yaw_deg: float = 90.0
    sides: Literal["one", "both"] = "one"
    frontal_deg: float = 7.5
    multiples: bool = False
    pitch_limit_deg: float = 25.0
    pitches_per_yaw: int = 3
    pitches_deg: tuple[float, ...] = ()


# "fg3d" is the paper's plan. "dense" is for training at large poses: 5° steps to both sides, so
# that a network sees every yaw, and three pitches: 111 views of a frontal face. "florence" is the
# protocol of the Florence tests: yaw -90°..90° in steps of 15° at pitches of ±20° and 0°, 39
# views. "custom" is where a plan of one's own starts: the paper's values.
PROFILES = {
    "fg3d": PlanSettings(),
    "dense": PlanSettings(step_deg=5.0, frontal_deg=2.5, sides="both"),
    "florence": PlanSettings(
        step_deg=FLORENCE_STEP_DEG,
        max_yaw_deg=FLORENCE_YAW_LIMIT_DEG,
        sides="both",
        multiples=True,
        pitches_deg=FLORENCE_PITCHES_DEG,
    ),
    "custom": PlanSettings(),
}


def plan_views(
    base_yaw_deg: float,
    base_pitch_deg: float,
    rng: np.random.Generator,
    settings: PlanSettings = PlanSettings(),
) -> list[PlannedView]:
    """The views of one base image; the first is the base view itself.

    On either side yaws come in order of |yaw|, which never falls below the base's: enlarging only
    hides what the camera saw; turning back would need what it never saw. Drawn pitches have one
    in every of ``pitches_per_yaw`` equal strata of ± ``pitch_limit_deg``, so that few draws still
    spread; of the base's yaw the one nearest to the base's pitch gives way to it.
    """
    sides = _sides(base_yaw_deg, rng, settings)
    yaws = _enlarged(abs(base_yaw_deg), settings)
    views = []
    for yaw in [base_yaw_deg] + [side * yaw for side in sides for yaw in yaws]:
        pitches = _pitches(rng, settings)
        if not views:
            pitches = _with_base_first(pitches, base_pitch_deg)
        views += [PlannedView(float(yaw), float(pitch)) for pitch in pitches]
    return views


def _sides(base_yaw_deg, rng, settings):
    """Signs of the yaw to enlarge towards."""
    drawn = rng.choice([-1.0, 1.0])  # always drawn, so that later draws do not depend on the yaw
    if settings.sides == "both":
        return [-1.0, 1.0]
    return [drawn if abs(base_yaw_deg) < settings.frontal_deg else np.sign(base_yaw_deg)]


def _enlarged(magnitude_deg, settings):
    """|yaw| beyond the base: whole steps, then the limit itself where half a step is left.

    On multiples the first is at least half a step beyond the base, or it would be its double.
    """
    step, limit = settings.step_deg, settings.max_yaw_deg
    start = magnitude_deg
    if settings.multiples:
        start = step * np.floor(magnitude_deg / step + 0.5)
    count = int(np.floor((limit - start) / step + 1e-9))
    if count < 0:
        return []
    yaws = [start + step * (k + 1) for k in range(count)]
    left = limit - start - step * count
    return [*yaws, limit] if left >= step / 2 else yaws


def _pitches(rng, settings):
    """The given pitches, or one uniform draw in each of the equal strata of the range."""
    if settings.pitches_deg:
        return np.array(settings.pitches_deg)
    count = settings.pitches_per_yaw
    strata = (np.arange(count) + rng.uniform(size=count)) / count
    return settings.pitch_limit_deg * (2 * strata - 1)


def _with_base_first(pitches, base_pitch_deg):
    """The pitches with the one nearest to the base's replaced by it and put first."""
    nearest = np.argmin(np.abs(pitches - base_pitch_deg))
    return np.concatenate([[base_pitch_deg], np.delete(pitches, nearest)])
