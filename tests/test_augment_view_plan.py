from dataclasses import replace

import numpy as np
import pytest

from augment.view_plan import PROFILES, PlannedView, plan_views

FLORENCE = {float(yaw) for yaw in range(-90, 91, 15)}


def yaws_of(base_yaw, settings=PROFILES["fg3d"], seed=0):
    views = plan_views(base_yaw, 0.0, np.random.default_rng(seed), settings)
    return [view.yaw_deg for view in views[:: settings.pitches_per_yaw]]


def test_a_frontal_base_gives_the_papers_21_views():
    views = plan_views(0.0, 4.0, np.random.default_rng(0))
    assert len(views) == 21
    assert views[0] == PlannedView(0.0, 4.0)
    assert np.abs(yaws_of(0.0)).tolist() == [0, 15, 30, 45, 60, 75, 90]


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        (20.0, [20, 35, 50, 65, 80, 90]),
        (-40.0, [-40, -55, -70, -85]),  # 5° left are less than half a step
        (90.0, [90]),
        (-97.0, [-97]),
    ],
)
def test_yaw_is_enlarged_in_steps_to_the_side_it_looks_to(base, expected):
    assert yaws_of(base) == expected


def test_near_frontal_faces_turn_to_either_side():
    assert {np.sign(yaws_of(-5.0, seed=seed)[-1]) for seed in range(20)} == {-1, 1}


@pytest.mark.parametrize("name", PROFILES)
def test_no_profile_turns_back_or_leaves_the_range(name):
    """Whatever the base pose: |yaw| grows step by step on each side, beyond the base's; pitches
    stay in their range; no view comes twice."""
    settings, rng = PROFILES[name], np.random.default_rng(11)
    for yaw, pitch in rng.uniform((-89.0, -40.0), (89.0, 40.0), (300, 2)):
        first, *others = plan_views(yaw, pitch, rng, settings)
        assert first == PlannedView(yaw, pitch)
        beyond = [view for view in others if view.yaw_deg != yaw]
        assert all(abs(yaw) < abs(view.yaw_deg) <= 90 for view in beyond)
        assert all(abs(view.pitch_deg) <= settings.pitch_limit_deg for view in others)
        assert len({first, *others}) == 1 + len(others)
        for side in (-1, 1):
            turned = [abs(yaw), *(abs(v.yaw_deg) for v in beyond if v.yaw_deg * side > 0)]
            steps = np.diff(turned)
            assert np.all(steps >= 0)
            assert np.all(steps[steps > 0] <= 1.5 * settings.step_deg + 1e-9)
        if settings.sides == "one" and beyond and abs(yaw) >= settings.frontal_deg:
            assert {np.sign(view.yaw_deg) for view in beyond} == {np.sign(yaw)}


def test_florence_is_its_protocols_39_views():
    views = plan_views(0.0, 0.0, np.random.default_rng(0), PROFILES["florence"])
    assert len(views) == 39
    assert {view.yaw_deg for view in views} == FLORENCE
    assert {view.pitch_deg for view in views} == {-20.0, 0.0, 20.0}


def test_multiples_do_not_depend_on_where_the_base_looks():
    """A face 6° off the front takes the place of 0°, one at 40° that of 45°."""
    assert set(yaws_of(6.0, PROFILES["florence"])) == FLORENCE - {0.0} | {6.0}
    assert set(yaws_of(40.0, PROFILES["florence"])) == {40.0, 60, 75, 90, -60, -75, -90}


def test_dense_sees_every_five_degrees_on_both_sides():
    views = plan_views(0.0, 0.0, np.random.default_rng(0), PROFILES["dense"])
    assert len(views) == 111
    assert {view.yaw_deg for view in views} == {float(yaw) for yaw in range(-90, 91, 5)}


def test_steps_that_no_binary_fraction_holds_reach_the_limit_once():
    settings = replace(PROFILES["custom"], step_deg=0.1, max_yaw_deg=0.7, pitches_per_yaw=1)
    np.testing.assert_allclose(np.abs(yaws_of(0.0, settings)), np.arange(8) / 10, atol=1e-12)


def test_pitches_fill_every_stratum_of_the_range():
    views = plan_views(0.0, 0.0, np.random.default_rng(3))
    pitches = np.array([view.pitch_deg for view in views[3:]]).reshape(-1, 3)
    edges = [-25, -25 / 3, 25 / 3, 25]
    for k in range(3):
        assert np.all((pitches[:, k] >= edges[k]) & (pitches[:, k] <= edges[k + 1]))


def test_the_generator_alone_decides():
    make = lambda seed: plan_views(2.0, 1.0, np.random.default_rng(seed))  # noqa: E731
    assert make(5) == make(5)
    assert make(5) != make(6)
