"""The known sets of poses, angle by angle; plans of one's own, and what is refused."""

import pickle
from itertools import product

import numpy as np
import pytest

from augment.view_plan import PROFILES, plan_views
from faces.errors import BadInput
from faces.poses import TargetPose
from synth.pose_plan import PRESETS, PosePlan, preset

NINE = [-90, -67.5, -45, -22.5, 0, 22.5, 45, 67.5, 90]
STEPS_65 = [65, 67.5, 70, 72.5, 75, 77.5, 80, 82.5, 85, 87.5, 90]
STEPS_60 = [60, 62.5, *STEPS_65]


def around(angle):
    return [
        (-angle, -angle), (-angle, 0), (-angle, angle), (0, -angle),
        (0, angle), (angle, -angle), (angle, 0), (angle, angle),
    ]  # fmt: skip


def both(angles):
    return [(-a, 0) for a in reversed(angles)] + [(a, 0) for a in angles]


EXPECTED = {
    "small": (around(15), 0),
    "large": (around(60), 6 / 8),
    "yaw": ([(a, 0) for a in NINE], 4 / 9),
    "pitch": ([(0, a) for a in NINE], 0),
    "deca": (both(STEPS_65), 1),
    "chen20": (both(STEPS_60), 1),
    "florence": (list(product(range(-90, 91, 15), (-20, 0, 20))), 18 / 39),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_preset_has_exactly_its_poses(name):
    plan, (angles, share) = preset(name), EXPECTED[name]
    assert [(pose.yaw_deg, pose.pitch_deg) for pose in plan] == angles
    assert all(pose.roll_deg == 0 for pose in plan)
    assert plan.achieved_share == share
    assert plan.name == name


def test_every_preset_is_tested():
    assert {*EXPECTED, "ladder"} == set(PRESETS)


def test_what_a_trainer_did_with_a_preset():
    """Section 2.3.1 of the paper."""
    assert (PosePlan.deca().batch_size, PosePlan.deca().steps) == (3, 6200)
    assert (PosePlan.chen20().batch_size, PosePlan.chen20().steps) == (5, 310)
    assert PosePlan.small().batch_size is None


def test_florence_is_what_rotation_calls_so():
    """Of a face that looks straight at the camera the base view is the grid's middle."""
    views = plan_views(0.0, 0.0, np.random.default_rng(0), PROFILES["florence"])
    rotated = sorted((view.yaw_deg, view.pitch_deg) for view in views)
    assert rotated == sorted((pose.yaw_deg, pose.pitch_deg) for pose in PosePlan.florence())


# The halves of rungs 0, 1, 2, 5 and 10, by hand from the middles of 9° cells.
RUNGS_OF_TEN = {
    0: [-40.5, -31.5, -22.5, -13.5, -4.5, 4.5, 13.5, 22.5, 31.5, 40.5],
    1: [-40.5, -31.5, -22.5, -13.5, -4.5, 13.5, 22.5, 31.5, 40.5, 49.5],
    2: [-49.5, -40.5, -31.5, -22.5, -13.5, 13.5, 22.5, 31.5, 40.5, 49.5],
    5: [-58.5, -49.5, -40.5, -31.5, -22.5, 31.5, 40.5, 49.5, 58.5, 67.5],
    10: [-85.5, -76.5, -67.5, -58.5, -49.5, 49.5, 58.5, 67.5, 76.5, 85.5],
}


def test_the_ladder_of_ten_has_every_tenth_exactly():
    ladder = PosePlan.ladder()
    assert [plan.achieved_share for plan in ladder] == [k / 10 for k in range(11)]
    assert [plan.requested_share for plan in ladder] == [k / 10 for k in range(11)]
    for number, yaws in RUNGS_OF_TEN.items():
        assert [pose.yaw_deg for pose in ladder[number]] == yaws
    assert max(abs(pose.yaw_deg) for plan in ladder for pose in plan) == 85.5
    assert {pose.pitch_deg for plan in ladder for pose in plan} == {0.0}


def test_the_ladder_of_26_is_as_near_as_mirrored_halves_come():
    """An even rung has as many large views on the left as on the right: an even number of them;
    an odd rung has one half turned further, and any number will do."""
    ladder = PosePlan.ladder(views=26)
    large = [round(26 * plan.achieved_share) for plan in ladder]
    assert large == [0, 3, 6, 8, 10, 13, 16, 18, 20, 23, 26]
    for number, count in enumerate(large):
        step = 2 if number % 2 == 0 else 1
        nearest = min(range(0, 27, step), key=lambda n: abs(n - 2.6 * number))
        assert count == nearest
        assert ladder[number].requested_share == number / 10
    # rung 0: cells of 90/26°; rung 10: all of them turned by 45°
    np.testing.assert_allclose(
        [pose.yaw_deg for pose in ladder[0]], (np.arange(26) + 0.5) * 90 / 26 - 45, atol=1e-12
    )
    outward = (np.arange(13) + 0.5) * 90 / 26 + 45
    yaws = [pose.yaw_deg for pose in ladder[10]]
    np.testing.assert_allclose(yaws, [*-outward[::-1], *outward], atol=1e-12)
    assert all(len(plan) == 26 for plan in ladder)


@pytest.mark.parametrize(("views", "nearest"), [(9, 10), (0, 2), (1, 2)])
def test_a_ladder_needs_two_halves(views, nearest):
    with pytest.raises(BadInput, match=f"--views {nearest}$"):
        PosePlan.ladder(views)


def yaws_of(*words, **more):
    return [pose.yaw_deg for pose in PosePlan.ranged(*words, **more)]


def test_the_papers_two_ranges():
    assert yaws_of((60, 90), 1.0) == [yaw for yaw, _ in EXPECTED["chen20"][0]]
    assert yaws_of((65, 90), 1.0) == [yaw for yaw, _ in EXPECTED["deca"][0]]


RANGES = {
    "spread evenly, end to end": (((60, 90), 1.0, 6), [-90, -75, -60, 60, 75, 90]),
    "the odd one looks right": (((60, 90), 1.0, 3), [-75, 60, 90]),
    "one alone is in the middle": (((60, 90), 1.0, 1), [75]),
    "half of them small": (((60, 90), 0.5, 8), [-90, -60, -33.75, -11.25, 11.25, 33.75, 60, 90]),
    "45° itself is no large pose": (((45, 90), 1.0, 6), [-90, -75, -60, 60, 75, 90]),
    "steps, filled up to the share": (
        ((80, 90), 0.75, None, 5.0),
        [-90, -85, -80, -22.5, 22.5, 80, 85, 90],
    ),
    "no share: all of the range": (((30, 60), None, None, 15.0), [-60, -45, -30, 30, 45, 60]),
    "no share, one arc": (((0, 90), None, 5), [-90, -45, 0, 45, 90]),
    "0 once": (((0, 20), None, None, 10.0), [-20, -10, 0, 10, 20]),
    "no large one": (((60, 90), 0.0, 3), [-30, 0, 30]),
    "one angle on either side": (((70, 70), 1.0), [-70, 70]),
}


@pytest.mark.parametrize("name", RANGES)
def test_a_range(name):
    words, expected = RANGES[name]
    np.testing.assert_allclose(yaws_of(*words), expected, atol=1e-12)


def test_one_side_alone():
    assert yaws_of((70, 90), 1.0, step_deg=10.0, both_sides=False) == [70, 80, 90]
    assert yaws_of((-90, -70), 1.0, step_deg=10.0, both_sides=False) == [-90, -80, -70]
    assert yaws_of((-90, 90), None, 3, both_sides=False) == [-90, 0, 90]


@pytest.mark.parametrize("views", [10, 20, 26, 100])
@pytest.mark.parametrize("lowest", [0.0, 30.0, 45.0, 46.0, 60.0])
def test_the_share_is_exactly_what_was_asked_for(views, lowest):
    for large in range(views + 1):
        plan = PosePlan.ranged((lowest, 90), large / views, views)
        assert len(plan) == views
        assert sum(abs(pose.yaw_deg) > 45 for pose in plan) == large
        assert plan.achieved_share == large / views
        inside = [abs(p.yaw_deg) for p in plan if p.is_large]
        assert all(lowest <= yaw <= 90 for yaw in inside)
        assert len(set(plan)) == views  # no pose twice


REFUSED = {
    "no large yaw there": (dict(yaw_range=(0, 40), ratio=1.0), "--yaw-range 40,90"),
    "nor at any step": (dict(yaw_range=(0, 50), ratio=1.0, step_deg=45.0), "--yaw-range 45,90"),
    "no whole number of views": (dict(yaw_range=(60, 90), ratio=0.1, views=26), "0.115385"),
    "or another number": (dict(yaw_range=(60, 90), ratio=0.1, views=26), "--views 30"),
    "nor of the steps": (dict(yaw_range=(60, 90), ratio=0.33), "--ratio 0.329114"),
    "step beyond the range": (dict(yaw_range=(60, 90), step_deg=40.0), "--step 30"),
    "no step": (dict(yaw_range=(60, 90), step_deg=0.0), "--step 2.5"),
    "step against views": (
        dict(yaw_range=(60, 90), ratio=0.5, views=40, step_deg=2.5),
        "--views 52",
    ),
    "and without a share": (dict(yaw_range=(60, 90), views=40, step_deg=2.5), "--views 26"),
    "empty": (dict(yaw_range=(60, 90), views=0), "--views 1"),
    "turned round": (dict(yaw_range=(90, 60)), "--yaw-range 60,90"),
    "beyond profile": (dict(yaw_range=(60, 120)), "--yaw-range 60,90"),
    "signed on both sides": (dict(yaw_range=(-90, 90)), "--yaw-range 0,90"),
    "two sides as one": (
        dict(yaw_range=(-90, 90), ratio=1.0, both_sides=False),
        "--yaw-range 0,90 --both-sides",
    ),
    "more than all": (dict(yaw_range=(60, 90), ratio=1.2), "--ratio 1$"),
    "no number": (dict(yaw_range=(60, float("nan")), ratio=1.0), "--yaw-range 0,60"),
    "none of how many": (dict(yaw_range=(60, 90), ratio=0.0), "say --views N"),
    "pitches turned round": (
        dict(yaw_range=(60, 90), pitch_range=(30, -30)),
        "--pitch-range -30,30",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_with_the_nearest(name):
    request, nearest = REFUSED[name]
    with pytest.raises(BadInput, match=nearest):
        PosePlan.ranged(**request)


def test_the_nearest_that_a_refusal_names_is_possible():
    assert len(PosePlan.ranged((60, 90), 0.115385, 26)) == 26
    assert PosePlan.ranged((60, 90), 0.1, 30).achieved_share == 0.1
    assert len(PosePlan.ranged((60, 90), 0.329114)) == 79
    assert len(PosePlan.ranged((60, 90), 0.5, 52, 2.5)) == 52


def test_pitches_are_drawn_for_each_input_and_change_no_yaw():
    plan = PosePlan.ranged((60, 90), 0.5, 20, pitch_range=(-30, 10))
    rng = np.random.default_rng(3)
    one, other = plan.for_input(rng), plan.for_input(rng)
    for poses in (one, other):
        assert [pose.yaw_deg for pose in poses] == [pose.yaw_deg for pose in plan]
        pitches = np.sort([pose.pitch_deg for pose in poses])
        strata = -30 + 2.0 * np.arange(21)  # twenty of 2°, one pitch in each
        assert ((strata[:-1] <= pitches) & (pitches <= strata[1:])).all()
    assert one != other
    assert one == plan.for_input(np.random.default_rng(3))
    assert {pose.pitch_deg for pose in plan} == {-10.0}


def test_without_a_range_nothing_is_drawn():
    plan, rng = PosePlan.large(), np.random.default_rng(0)
    assert plan.for_input(rng) == plan.poses
    assert rng.random() == np.random.default_rng(0).random()


def test_a_plan_is_a_value():
    assert PosePlan.chen20() == PosePlan.chen20()
    assert len({PosePlan.chen20(), PosePlan.chen20(), PosePlan.deca()}) == 2
    assert pickle.loads(pickle.dumps(PosePlan.ladder(26)[7])) == PosePlan.ladder(26)[7]
    with pytest.raises(AttributeError):
        PosePlan.small().name = "mine"


def test_it_says_what_it_is():
    text = str(PosePlan.ladder(26)[2])
    assert text.startswith("ladder 020 of 26: 26 views, 6 large (23.1%; 20.0% asked for)")
    assert "yaw -60 0 60; pitch -60 0 60" in str(PosePlan.large())
    assert "drawn in -5..5" in str(PosePlan.ranged((60, 90), 1.0, pitch_range=(-5, 5)))


def test_unknown_preset():
    with pytest.raises(BadInput, match="chen20"):
        preset("chen")
    with pytest.raises(BadInput, match="ladder"):
        preset("ladder")


def test_45_degrees_is_not_large():
    assert not TargetPose(45.0).is_large
    assert not TargetPose(-45.0, 80.0).is_large
    assert TargetPose(-45.1).is_large


def test_a_preset_with_pitches_of_a_range():
    plan = PosePlan.ladder()[3].with_pitches((-20, 20))
    assert [pose.yaw_deg for pose in plan] == [pose.yaw_deg for pose in PosePlan.ladder()[3]]
    assert plan.requested_share == 0.3
    assert {pose.pitch_deg for pose in plan.for_input(np.random.default_rng(0))} != {0.0}
    fixed = PosePlan.yaw().with_pitches((7, 7))
    assert {pose.pitch_deg for pose in fixed} == {7.0}
    assert fixed.pitch_range is None
    with pytest.raises(BadInput, match="of its own"):
        PosePlan.pitch().with_pitches((0, 5))
