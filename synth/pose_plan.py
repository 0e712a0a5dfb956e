"""Which poses every input is rendered at: the known sets of poses, and plans of one's own.

The sets are those of "Detailed 3D face reconstruction in large pose scenarios" (supplementary
material, section 2), which shows that the share of large poses decides what a set is worth.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from faces.errors import BadInput
from faces.poses import (
    FLORENCE_PITCHES_DEG,
    FLORENCE_STEP_DEG,
    FLORENCE_YAW_LIMIT_DEG,
    LARGE_YAW_DEG,
    TargetPose,
    large_share,
)
from synth.pose_range import PoseRange, mirrored, steps

RUNGS = 11  # of the ladder: shares of 0 %, 10 %, …, 100 %
RUNG_DEG = 9.0  # by which a rung turns half of the views outward (section 2.2.3)
_NINE = mirrored(steps(0, 90, 22.5))


@dataclass(frozen=True, slots=True)
class PosePlan:
    """A named list of poses. ``len()``, iteration and ``str()`` are of its poses.

    Attributes:
        name: of the preset, or what was asked for in words.
        poses: in the order in which the samples of an input are numbered.
        requested_share: of |yaw| > 45° that was asked for, in [0, 1]; None where the plan names
            its poses and no share.
        pitch_range: of pitches drawn for each input, see ``for_input``; None keeps the poses'.
        batch_size, steps: what the paper trained with on this set, for a trainer; None where it
            does not say.
    """

    name: str
    poses: tuple[TargetPose, ...]
    requested_share: float | None = None
    pitch_range: tuple[float, float] | None = None
    batch_size: int | None = None
    steps: int | None = None

    def __len__(self) -> int:
        return len(self.poses)

    def __iter__(self) -> Iterator[TargetPose]:
        return iter(self.poses)

    def __str__(self) -> str:
        """The plan in a line and a half: ``chen20: 26 views, 26 large (100 %; …); yaw …``."""
        large = sum(pose.is_large for pose in self.poses)
        asked = "" if self.requested_share is None else f"; {self.requested_share:.1%} asked for"
        pitches = _listed(pose.pitch_deg for pose in self.poses)
        if self.pitch_range is not None:
            pitches = "drawn in {:g}..{:g}".format(*self.pitch_range)
        return (
            f"{self.name}: {len(self)} views, {large} large ({self.achieved_share:.1%}{asked}); "
            f"yaw {_listed(pose.yaw_deg for pose in self.poses)}; pitch {pitches}"
        )

    @property
    def achieved_share(self) -> float:
        """Share of the poses with |yaw| > 45°, in [0, 1]."""
        return large_share(self.poses)

    def for_input(self, rng: np.random.Generator) -> tuple[TargetPose, ...]:
        """The poses of one input: the plan's, with pitches drawn where it has a range.

        The range is cut into as many strata as there are poses, one pitch is drawn in each, and
        they are dealt out at random, so that few views still spread and no yaw has a pitch of its
        own. Yaws stay as they are, and with them every share.
        """
        if self.pitch_range is None:
            return self.poses
        low, high = self.pitch_range
        strata = rng.permutation(len(self)) + rng.uniform(size=len(self))
        pitches = low + (high - low) * strata / len(self)
        pairs = zip(self.poses, pitches, strict=True)
        return tuple(replace(pose, pitch_deg=float(pitch)) for pose, pitch in pairs)

    def with_pitches(self, pitch_range: tuple[float, float]) -> "PosePlan":
        """The same yaws with pitches of a range (lowest, highest), drawn for each input.

        Until they are drawn the poses have the range's middle.

        Raises:
            BadInput: the plan has pitches of its own, or no such range.
        """
        if any(pose.pitch_deg for pose in self.poses):
            got, expected = f"plan '{self.name}' has pitches of its own", "a plan without"
            raise BadInput("--pitch-range", got, expected, "leave one of them out")
        low, high = _pitch_range(pitch_range)
        poses = tuple(replace(pose, pitch_deg=(low + high) / 2) for pose in self.poses)
        return replace(self, poses=poses, pitch_range=None if low == high else (low, high))

    @classmethod
    def small(cls) -> "PosePlan":
        """Set S: yaw and pitch of -15°, 0 and 15° but for the frontal pose, 8 views."""
        return cls("small", _around(15.0))

    @classmethod
    def large(cls) -> "PosePlan":
        """Set L: as S with ±60°, 8 views. Two of them have no yaw: 75 % are large by yaw."""
        return cls("large", _around(60.0))

    @classmethod
    def yaw(cls) -> "PosePlan":
        """Set Y: 9 yaws evenly over [-90°, 90°], no pitch."""
        return cls("yaw", tuple(TargetPose(angle) for angle in _NINE))

    @classmethod
    def pitch(cls) -> "PosePlan":
        """Set P: 9 pitches evenly over [-90°, 90°], no yaw."""
        return cls("pitch", tuple(TargetPose(0.0, angle) for angle in _NINE))

    @classmethod
    def deca(cls) -> "PosePlan":
        """What was best for DECA: ±[65°, 90°] every 2.5°, 22 views (section 2.3.1)."""
        return replace(cls.ranged((65.0, 90.0), 1.0), name="deca", batch_size=3, steps=6200)

    @classmethod
    def chen20(cls) -> "PosePlan":
        """What was best for Chen20: ±[60°, 90°] every 2.5°, 26 views (section 2.3.1)."""
        return replace(cls.ranged((60.0, 90.0), 1.0), name="chen20", batch_size=5, steps=310)

    @classmethod
    def florence(cls) -> "PosePlan":
        """The Florence protocol: yaw -90°..90° every 15° at pitches of -20°, 0 and 20°, 39 views.

        The same poses as augment's profile "florence" gives a frontal face.
        """
        yaws = mirrored(steps(0, FLORENCE_YAW_LIMIT_DEG, FLORENCE_STEP_DEG))
        return cls("florence", tuple(TargetPose(*p) for p in product(yaws, FLORENCE_PITCHES_DEG)))

    @classmethod
    def ladder(cls, views: int = 10) -> tuple["PosePlan", ...]:
        """Eleven plans with 0 %, 10 %, …, 100 % large poses (section 2.2.3); no pitch.

        Rung 0 has the views at the middles of equal cells of [-45°, 45°]. Each further rung turns
        one half of them, those of the right and those of the left in turn, 9° outward. Of 10
        views every share is exact and the largest yaw 85.5°; 26 views have no tenths, and each
        rung holds the number nearest to its share that two mirrored halves allow, at most one
        view off. (Read to the letter, "ten poses evenly in [-45, 45], all moved by 9° a step" has
        two poses at ±45°, ends at 90 % where its ends are kept, and turns to 130.5° where one
        sign moves.)

        Raises:
            BadInput: an odd number of views, or fewer than two: halves must mirror each other.
        """
        if views < 2 or views % 2:
            near = max(2, views + 1)
            expected = "an even number, for two mirrored halves"
            raise BadInput("ladder of --views", str(views), expected, f"nearest: --views {near}")
        return tuple(_rung(views, number) for number in range(RUNGS))

    @classmethod
    def ranged(
        cls,
        yaw_range: tuple[float, float],
        ratio: float | None = None,
        views: int | None = None,
        step_deg: float | None = None,
        pitch_range: tuple[float, float] = (0.0, 0.0),
        both_sides: bool = True,
    ) -> "PosePlan":
        """Views inside a range of yaws, filled up with small ones to a share of large poses.

        Args:
            yaw_range: (first, last) in degrees; of |yaw| where ``both_sides``.
            ratio: share of large poses in [0, 1]. The large ones lie in the range, the rest at
                the middles of equal cells of [-45°, 45°]. None: all in the range, and the share
                is what the range has.
            views: how many; None: as many as the steps make.
            step_deg: from yaw to yaw in the range; 2.5 where neither it nor ``views`` is given.
                With ``views`` and no step the yaws are spread evenly from end to end.
            pitch_range: drawn anew for each input, see ``for_input``.
            both_sides: mirror the range; an odd one of the views looks to image right.

        Raises:
            BadInput: what cannot be had, with the nearest that can.
        """
        yaws = PoseRange(yaw_range, ratio, views, step_deg, both_sides).yaws()
        name = "yaw {:g},{:g}".format(*yaw_range)
        plan = cls(name, tuple(TargetPose(float(yaw)) for yaw in yaws), ratio)
        return plan.with_pitches(pitch_range)


PRESETS = ("small", "large", "yaw", "pitch", "deca", "chen20", "ladder", "florence")


def preset(name: str) -> PosePlan:
    """A preset by name, but for the ladder, which is eleven plans.

    Raises:
        BadInput: no preset of this name.
    """
    known = [known for known in PRESETS if known != "ladder"]
    if name not in known:
        raise BadInput("--preset", f"'{name}'", f"one of {', '.join(PRESETS)}", "choose one")
    return getattr(PosePlan, name)()


def _around(angle: float) -> tuple[TargetPose, ...]:
    pairs = product((-angle, 0.0, angle), repeat=2)
    return tuple(TargetPose(yaw, pitch) for yaw, pitch in pairs if (yaw, pitch) != (0, 0))


def _rung(views: int, number: int) -> PosePlan:
    """The ladder's plan ``number``: halves turned right, left, right, …"""
    right, left = -(-number // 2), number // 2
    half = LARGE_YAW_DEG * (2 * np.arange(views // 2) + 1) / views
    yaws = np.concatenate([-(half + RUNG_DEG * left)[::-1], half + RUNG_DEG * right])
    share = number / (RUNGS - 1)
    poses = tuple(TargetPose(float(yaw)) for yaw in yaws)
    return PosePlan(f"ladder {round(100 * share):03d} of {views}", poses, share)


def _pitch_range(pitch_range: tuple[float, float]) -> tuple[float, float]:
    low, high = pitch_range
    if not -90 <= low <= high <= 90:
        near = sorted(np.clip(np.nan_to_num(pitch_range), -90, 90))
        raise BadInput(
            "--pitch-range",
            f"{low:g},{high:g}",
            "degrees from -90 to 90, the smaller first",
            "nearest: --pitch-range {:g},{:g}".format(*near),
        )
    return float(low), float(high)


def _listed(angles: Iterable[float]) -> str:
    """Distinct angles, rounded for reading; ends and number where they are many."""
    distinct = sorted(set(angles))
    if len(distinct) > 10:
        return f"{distinct[0]:.4g}..{distinct[-1]:.4g} ({len(distinct)} values)"
    return " ".join(f"{angle:.4g}" for angle in distinct)
