"""A range of yaws, a share of large ones and a number of views: turned into yaws, or refused."""

import math
from dataclasses import dataclass

import numpy as np

from faces.errors import BadInput
from faces.poses import LARGE_YAW_DEG

STEP_DEG = 2.5  # section 2.3.1 of the paper of synth.pose_plan
_TINY = 1e-9  # degrees: what binary arithmetic leaves of whole steps
_SHARE_DIGITS = 1e-5  # a share given with five digits counts as the fraction it stands for


def steps(first: float, last: float, step: float) -> list[float]:
    """Angles first, first + step, … up to last."""
    count = math.floor((last - first) / step + _TINY) + 1
    return [float(first + k * step) for k in range(count)]


def mirrored(angles: list[float]) -> list[float]:
    """Angles ≥ 0, ascending, with their negatives before them; 0 once."""
    return [-angle for angle in reversed(angles) if angle] + angles


@dataclass(frozen=True, slots=True)
class PoseRange:
    """A request of PosePlan.ranged; its attributes are that function's arguments."""

    yaw_range: tuple[float, float]
    ratio: float | None = None
    views: int | None = None
    step_deg: float | None = None
    both_sides: bool = True

    def yaws(self) -> list[float]:
        """The yaws in degrees, ascending, exactly ``ratio · views`` of them large.

        Raises:
            BadInput: what cannot be had, with the nearest that can.
        """
        self._check_range()
        self._check_numbers()
        if self.ratio is None:
            return self._all_in_range()
        large = self._large()
        return sorted(large + _cells(self._small_count(len(large))))

    def _all_in_range(self) -> list[float]:
        first, last = self.yaw_range
        if self.views is None or self.step_deg is not None:
            yaws = steps(first, last, self.step_deg or STEP_DEG)
            yaws = mirrored(yaws) if self.both_sides else yaws
            self._check_steps_give(self.views, len(yaws), len(yaws))
            return yaws
        if not self.both_sides:
            return _even(first, last, self.views)
        if first == 0:  # one arc from side to side, not two that meet in the middle
            return _even(-last, last, self.views)
        return _two_sided(self.views, lambda count: _even(first, last, count))

    def _large(self) -> list[float]:
        """The yaws beyond 45°: those of the steps, or ``ratio · views`` evenly to the end."""
        if self.ratio == 0:
            return []
        side, first, last = self._outward()
        if self.views is None or self.step_deg is not None:
            grid = steps(first, last, self.step_deg or STEP_DEG)
            grid = [angle for angle in grid if angle > LARGE_YAW_DEG]
            count = len(grid) * (2 if self.both_sides else 1)
            if not count:
                self._refuse_range("no step beyond 45°")
            if self.views is not None:
                self._check_steps_give(self._large_count(), count, round(count / self.ratio))
            return mirrored(grid) if self.both_sides else [side * angle for angle in grid]
        if self.both_sides:
            return _two_sided(self._large_count(), lambda count: _beyond(first, last, count))
        return [side * angle for angle in _beyond(first, last, self._large_count())]

    def _outward(self) -> tuple[float, float, float]:
        """(sign, nearest, farthest |yaw|) of the part of the range that has large yaws."""
        first, last = self.yaw_range
        if max(-first, last) <= LARGE_YAW_DEG:
            self._refuse_range("no yaw beyond 45°")
        if first < -LARGE_YAW_DEG and last > LARGE_YAW_DEG:
            raise self._bad_range("large on either side", f"0,{max(-first, last):g} --both-sides")
        side, near, far = (1.0, first, last) if last > LARGE_YAW_DEG else (-1.0, -last, -first)
        return side, max(near, 0.0), far

    def _large_count(self) -> int:
        """ratio · views, a whole number."""
        count = round(self.ratio * self.views)
        if abs(self.ratio * self.views - count) > _SHARE_DIGITS * self.views:
            raise self._no_such_share(self.views, count / self.views)
        return count

    def _small_count(self, large: int) -> int:
        """How many views the rest of the share is."""
        if self.views is not None:
            return self.views - large
        total = round(large / self.ratio)
        if abs(self.ratio * total - large) > _SHARE_DIGITS * total:
            raise self._no_such_share(None, large / total)
        return total - large

    def _check_range(self) -> None:
        first, last = self.yaw_range
        lowest = 0.0 if self.both_sides else -90.0
        if math.isfinite(first + last) and lowest <= first <= last <= 90:
            return
        near = sorted(np.clip(np.nan_to_num(self.yaw_range), -90, 90))
        if self.both_sides and near[0] < 0:
            near = sorted(np.abs(near)) if near[1] <= 0 else [0.0, max(np.abs(near))]
        what = f"degrees from {lowest:g} to 90, the smaller first"
        raise self._bad_range("{:g},{:g}".format(*self.yaw_range), "{:g},{:g}".format(*near), what)

    def _check_numbers(self) -> None:
        first, last = self.yaw_range
        if self.ratio is not None and not 0 <= self.ratio <= 1:
            near = f"nearest: --ratio {min(max(np.nan_to_num(self.ratio), 0), 1):g}"
            raise BadInput("--ratio", f"{self.ratio:g}", "a share from 0 to 1", near)
        if self.views is not None and self.views < 1:
            raise BadInput("--views", f"{self.views}", "at least 1", "nearest: --views 1")
        if self.ratio == 0 and self.views is None:
            remedy = "say --views N, which are spread over -45..45"
            raise BadInput("--ratio 0", "no --views", "how many views an input", remedy)
        step = self.step_deg
        if step is not None and not 0 < step <= max(last - first, 0 if last > first else math.inf):
            near = f"nearest: --step {last - first if step > 0 and last > first else STEP_DEG:g}"
            expected = f"more than 0, at most the range's {last - first:g}"
            raise BadInput("--step", f"{step:g}", expected, near)

    def _check_steps_give(self, wanted: int | None, count: int, views: int) -> None:
        """Whether steps give as many yaws in the range as views ask for."""
        if wanted not in (None, count):
            raise BadInput(
                f"--views {self.views}",
                f"needs {wanted} in the range, of which --step {self.step_deg:g} makes {count}",
                "views that fit the step",
                f"nearest: --views {views}, or no --step to spread them evenly",
            )

    def _no_such_share(self, views: int | None, near_ratio: float) -> BadInput:
        where = "the range's steps" if views is None else f"--views {views}"
        other = "" if views is None else self._whole_views(views)
        return BadInput(
            f"--ratio {self.ratio:g}",
            f"{where} cannot be parted so",
            "a whole number of large views",
            f"nearest: --ratio {near_ratio:.6g}{other}",
        )

    def _whole_views(self, views: int) -> str:
        """The number of views nearest to ``views`` that the ratio parts in whole numbers."""
        for away in range(1, 100):
            for near in (views - away, views + away):
                large = self.ratio * near
                if near > 0 and abs(large - round(large)) <= _SHARE_DIGITS * near:
                    return f" or --views {near}"
        return ""

    def _refuse_range(self, got: str) -> None:
        last = np.max(np.abs(self.yaw_range))
        raise self._bad_range(
            f"{got}, and --ratio {self.ratio:g} asks for some",
            f"{min(last, LARGE_YAW_DEG):g},90 (or --ratio 0 --views N)",
            "a range beyond 45°",
        )

    def _bad_range(self, got: str, near: str, expected: str = "one side") -> BadInput:
        words = "{:g},{:g}".format(*self.yaw_range)
        return BadInput(f"--yaw-range {words}", got, expected, f"nearest: --yaw-range {near}")


def _even(first: float, last: float, count: int) -> list[float]:
    """``count`` angles evenly from end to end; a single one in the middle."""
    if count == 1:
        return [(first + last) / 2]
    return [float(angle) for angle in np.linspace(first, last, count)]


def _beyond(first: float, last: float, count: int) -> list[float]:
    """``count`` angles > 45° evenly up to ``last``, from ``first`` on where it is > 45° itself."""
    if first > LARGE_YAW_DEG:
        return _even(first, last, count)
    width = (last - LARGE_YAW_DEG) / max(count, 1)
    return [LARGE_YAW_DEG + width * (k + 1) for k in range(count)]


def _two_sided(count: int, one_side) -> list[float]:
    """``count`` angles, half of them mirrored; an odd one looks to image right."""
    left = [-angle for angle in reversed(one_side(count // 2))] if count > 1 else []
    return left + one_side(count - count // 2)


def _cells(count: int) -> list[float]:
    """The middles of ``count`` equal cells of [-45°, 45°]."""
    return [LARGE_YAW_DEG * (2 * k + 1 - count) / count for k in range(count)]
