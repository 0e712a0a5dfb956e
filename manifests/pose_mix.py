"""What to add to a set of images so that a wanted share of them is large poses; whole numbers."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Addition:
    """The fewest views that bring a set to a share, or past it where whole numbers cannot meet it.

    Attributes:
        large, small: views to add; at most one of them is not 0.
        share: of large poses thereafter, exact.
        why_not: why no number of views reaches the target; empty where one does.
    """

    large: int
    small: int
    share: Fraction
    why_not: str = ""

    @property
    def views(self) -> int:
        return self.large + self.small


def views_to_reach(large: int, total: int, target: Fraction | str | float) -> Addition:
    """The fewest views, all large or all small, after which the share is the target or past it.

    Below the target large views are added: the least a with (L + a) / (N + a) ≥ p/q, which is
    ⌈(pN − qL) / (q − p)⌉. Above it small ones: the least b with L / (N + b) ≤ p/q, which is
    ⌈(qL − pN) / p⌉. No mixture of both is shorter: a view of the other kind leads away.

    Args:
        large: images of the set with |yaw| > 45°.
        total: all images of the set.
        target: share in [0, 1]. A float counts as the shortest decimal that gives it, so 0.1 is
            one tenth; "1/3" is a third.

    Raises:
        ValueError: counts that no set has, or a target outside [0, 1].
    """
    if not 0 <= large <= total:
        raise ValueError(f"{large} large poses of {total}: expected 0 <= large <= total")
    wanted = share_of(target)
    p, q = wanted.numerator, wanted.denominator
    below = p * total - q * large
    if not total:
        return _nothing(large, total, "the set is empty: any plan with this share does it")
    if below > 0:
        if p == q:
            return _nothing(large, total, f"its {total - large:,} small poses would have to go")
        return _added(large, total, -(-below // (q - p)), 0)
    if below < 0:
        if p == 0:
            return _nothing(large, total, f"its {large:,} large poses would have to go")
        return _added(large, total, 0, -(below // p))
    return _added(large, total, 0, 0)


def share_of(target: Fraction | str | float) -> Fraction:
    """A share as an exact fraction.

    Raises:
        ValueError: not a number in [0, 1].
    """
    try:
        share = target if isinstance(target, Fraction) else Fraction(str(target))
    except (ValueError, ZeroDivisionError) as error:
        raise ValueError(f"share {target!r}: expected a number such as 0.5 or 1/3") from error
    if not 0 <= share <= 1:
        raise ValueError(f"share {target}: expected a number from 0 to 1")
    return share


def _added(large: int, total: int, more_large: int, more_small: int) -> Addition:
    count = total + more_large + more_small
    share = Fraction(large + more_large, count) if count else Fraction(0)
    return Addition(more_large, more_small, share)


def _nothing(large: int, total: int, why_not: str) -> Addition:
    return Addition(0, 0, Fraction(large, total) if total else Fraction(0), why_not)
