"""What to add for a wanted share: against a search through all small numbers, and by hand."""

from fractions import Fraction

import pytest

from manifests.pose_mix import share_of, views_to_reach


def searched(large, total, target, most=400):
    """(large, small) with the fewest views that reach or pass the target from their side."""
    share = Fraction(large, total)
    if share == target:
        return 0, 0
    for views in range(1, most):
        for more in range(views + 1):
            after = Fraction(large + more, total + views)
            if after >= target if share < target else after <= target:
                return more, views - more
    return None


@pytest.mark.parametrize("target", ["0.1", "1/3", "0.5", "0.6342", "0.9", "1/20"])
def test_it_is_the_fewest_of_all_mixtures(target):
    """Brute force over every number of views and every mixture of large and small ones."""
    for total in range(1, 13):
        for large in range(total + 1):
            found = views_to_reach(large, total, target)
            wanted = searched(large, total, Fraction(target))
            assert wanted == (found.large, found.small), (large, total, target)
            assert found.share == Fraction(large + found.large, total + found.views)


def test_the_papers_datasets_by_hand():
    """284,701 of 4,489,391 are large: half needs N − 2L more of them, and is met exactly."""
    found = views_to_reach(284_701, 4_489_391, "0.5")
    assert (found.large, found.small) == (4_489_391 - 2 * 284_701, 0)
    assert found.share == Fraction(1, 2)


def test_a_float_is_the_decimal_it_stands_for():
    """0.1 as a binary number is more than a tenth; 1 of 10 must be enough all the same."""
    assert views_to_reach(1, 10, 0.1).views == 0
    assert views_to_reach(3, 10, 0.3).views == 0
    assert share_of("1/3") == Fraction(1, 3)


def test_too_many_large_ones_ask_for_small_ones():
    found = views_to_reach(9, 10, 0.5)
    assert (found.large, found.small, found.share) == (0, 8, Fraction(1, 2))


def test_what_cannot_be_reached_is_said():
    assert "7 small poses would have to go" in views_to_reach(3, 10, 1).why_not
    assert "3 large poses would have to go" in views_to_reach(3, 10, 0).why_not
    assert "empty" in views_to_reach(0, 0, 0.5).why_not
    for large, target in ((10, 1), (0, 0)):
        there = views_to_reach(large, 10, target)
        assert there.views == 0
        assert not there.why_not


@pytest.mark.parametrize("target", ["1.01", "-0.1", "half", "1/0", float("nan")])
def test_shares_that_are_none_are_refused(target):
    with pytest.raises(ValueError, match="share"):
        views_to_reach(1, 2, target)


def test_counts_that_no_set_has_are_refused():
    with pytest.raises(ValueError, match="11 large poses of 10"):
        views_to_reach(11, 10, 0.5)
