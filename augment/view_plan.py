"""Which views to make of a base image: yaw enlarged step by step, pitch drawn at random."""

from dataclasses import dataclass
from typing import Literal

import numpy as np


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
        pitch_limit_deg: pitches are drawn in ± this; the paper's 25°.
        pitches_per_yaw: three fit the paper's counts (about 21 images a base).
        sides: "one" turns further to the side the face already looks to (drawn at random where
            it is near frontal); "both" goes both ways, as the Florence protocol does.
        frontal_deg: below this |yaw| a face counts as near frontal; half a step.
    """

    step_deg: float = 15.0
    max_yaw_deg: float = 90.0
    pitch_limit_deg: float = 25.0
    pitches_per_yaw: int = 3
    sides: Literal["one", "both"] = "one"
    frontal_deg: float = 7.5


PROFILES = {"fg3d": PlanSettings(), "both_sides": PlanSettings(sides="both")}


def plan_views(
    base_yaw_deg: float,
    base_pitch_deg: float,
    rng: np.random.Generator,
    settings: PlanSettings = PlanSettings(),
) -> list[PlannedView]:
    """The views of one base image; the first is the base view itself.

    Yaws come in order of |yaw|, which never falls below the base's (enlarging only hides what
    the camera saw; turning back would need what it never saw). Each yaw has one pitch in every
    of ``pitches_per_yaw`` equal strata of ± ``pitch_limit_deg``, so that few draws still spread.
    """
    sides = _sides(base_yaw_deg, rng, settings)
    yaws = _enlarged(abs(base_yaw_deg), settings)
    views = []
    for yaw in [base_yaw_deg] + [side * yaw for side in sides for yaw in yaws]:
        pitches = _stratified_pitches(rng, settings)
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
    """|yaw| beyond the base: whole steps, then the limit itself where half a step is left."""
    count = int((settings.max_yaw_deg - magnitude_deg) // settings.step_deg)
    if count < 0:
        return []
    yaws = [magnitude_deg + settings.step_deg * (k + 1) for k in range(count)]
    left = settings.max_yaw_deg - magnitude_deg - settings.step_deg * count
    return [*yaws, settings.max_yaw_deg] if left >= settings.step_deg / 2 else yaws


def _stratified_pitches(rng, settings):
    """One uniform draw in each of the equal strata of the pitch range, lowest first."""
    count = settings.pitches_per_yaw
    strata = (np.arange(count) + rng.uniform(size=count)) / count
    return settings.pitch_limit_deg * (2 * strata - 1)


def _with_base_first(pitches, base_pitch_deg):
    """The drawn pitches with the one nearest to the base's replaced by it and put first."""
    nearest = np.argmin(np.abs(pitches - base_pitch_deg))
    return np.concatenate([[base_pitch_deg], np.delete(pitches, nearest)])
