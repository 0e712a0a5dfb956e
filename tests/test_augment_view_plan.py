import numpy as np
import pytest

from augment.view_plan import PROFILES, PlannedView, plan_views


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


def test_near_frontal_faces_turn_to_either_side_and_never_back():
    signs = set()
    for seed in range(20):
        yaws = np.array(yaws_of(-5.0, seed=seed))
        assert np.all(np.diff(np.abs(yaws)) > 0)
        signs.add(np.sign(yaws[-1]))
    assert signs == {-1, 1}


def test_both_sides_give_the_florence_count():
    views = plan_views(0.0, 0.0, np.random.default_rng(0), PROFILES["both_sides"])
    assert len(views) == 39
    yaws = {view.yaw_deg for view in views}
    assert yaws == {float(yaw) for yaw in range(-90, 91, 15)}


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
