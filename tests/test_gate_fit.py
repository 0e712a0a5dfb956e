"""The gate's predictor: fitted to made captures it finds what made them, and invents nothing."""

import numpy as np
import pytest

from benchmarks.gate_fit import (
    FLOORS,
    beyond_limits,
    cross_validated_odds,
    curve,
    fit_logistic,
    fit_predictor,
    log_odds,
)
from registration.predictor import read_predictor, shipped_predictor, write_predictor
from registration.quality import LIMITED, WORDS, QualitySettings

NAMES = tuple(dict.fromkeys((*FLOORS, *LIMITED)))
TELLING = {"stretch": 3.0, "albedo": 1.5}  # what decides in the made captures, and how much


def made(count, seed, offset=-3.0, telling=TELLING):
    """(figures (N, F), failed (N,)): log-normal figures around a tenth of each limit."""
    rng = np.random.default_rng(seed)
    logs = rng.normal(0, 0.7, (count, len(NAMES)))
    settings = QualitySettings()
    middle = [getattr(settings, n)[0] / 10 if n in LIMITED else 1.0 for n in NAMES]
    odds = offset + sum(
        w * np.maximum(logs[:, NAMES.index(name)], 0) for name, w in telling.items()
    )
    return np.exp(logs) * middle, rng.random(count) < 1 / (1 + np.exp(-odds))


def test_a_logistic_regression_finds_the_weights_and_lets_none_be_negative():
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, 4))
    truth, offset = np.array([2.0, 0.5, 0.0, -1.0]), -0.7
    failed = rng.random(4000) < 1 / (1 + np.exp(-features @ truth - offset))
    weights, found = fit_logistic(features[:, :3], failed, 1e-6)
    # The fourth, left out, only blurs: weights shrink by 1 / √(1 + 1²/1.7²), the probit's factor.
    assert weights == pytest.approx(truth[:3] / np.sqrt(1 + 1 / 1.7**2), abs=0.15)
    assert found < 0
    weights, found = fit_logistic(features, failed, 1e-6)
    assert weights[3] == 0
    both = np.column_stack([features[:, :3], -features[:, 3]])
    weights, found = fit_logistic(both, failed, 1e-6)
    assert [*weights, found] == pytest.approx([2, 0.5, 0, 1, -0.7], abs=0.25)  # 3 standard errors


def test_the_fit_says_which_figures_tell_and_how_often_it_is_right():
    figures, failed = made(3000, 0)
    predictor = fit_predictor(NAMES, figures, failed)
    weights = {term.figure: term.weight for term in predictor.terms}
    for name, weight in weights.items():
        # 4 standard errors of 3000 captures, and the ridge's pull
        assert weight == pytest.approx(TELLING.get(name, 0.0), abs=0.45)
    fresh, truth = made(4000, 1)
    chances = 1 / (1 + np.exp(-log_odds(predictor, NAMES, fresh)))
    for low, high in ((0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)):
        here = (chances >= low) & (chances < high)
        assert truth[here].mean() == pytest.approx(chances[here].mean(), abs=0.06)
    rows = (dict(zip(NAMES, row, strict=True)) for row in fresh[:50])
    assert [predictor.chance(row) for row in rows] == pytest.approx(chances[:50])


def test_the_cut_meets_both_shares_on_faces_not_learnt_from_where_it_can():
    telling = {"stretch": 24.0, "albedo": 12.0}
    predictor = fit_predictor(NAMES, *made(1500, 0, -12.0, telling))
    fresh, truth = made(4000, 1, -12.0, telling)
    flagged = log_odds(predictor, NAMES, fresh) >= np.log(predictor.review / (1 - predictor.review))
    assert flagged[truth].mean() > 0.9
    assert flagged[~truth].mean() < 0.05


def test_cross_validation_finds_nothing_in_noise():
    figures, failed = made(400, 2, offset=0.0, telling={})
    caught, false = curve(cross_validated_odds(NAMES, figures, failed), failed)
    assert caught < 0.15  # 0.05 by chance; 200 failures, 3 standard errors and the good's own
    assert false > 0.8  # 0.9 by chance


def test_the_curve_counts_what_was_refused_as_caught():
    odds = np.arange(40.0)
    failed = odds >= 20
    odds[20:23] = [-3, -2, -1]  # three failures that look best of all
    assert curve(odds, failed) == (17 / 20, 1.0)  # 18 are needed: one that is below all the good
    assert curve(odds, failed, refused=20) == (37 / 40, 0.0)  # 36 are needed: 20 and the best 16


def test_captures_beyond_a_limit_need_no_predictor():
    figures, failed = made(300, 3)
    column = NAMES.index("size")
    figures[:5, column] = 1.0
    assert beyond_limits(NAMES, figures)[:5].all()
    assert np.isinf(cross_validated_odds(NAMES, figures, failed)[:5]).all()
    other = failed.copy()
    other[:5] = ~other[:5]
    weights = [
        [term.weight for term in fit_predictor(NAMES, figures, labels).terms]
        for labels in (failed, other)
    ]
    # Only the usual figure, a median over the good, may move by the five; weights do not.
    assert weights[0] == pytest.approx(weights[1], abs=1e-5)


def test_the_same_captures_give_the_same_bytes_and_what_is_written_is_read(tmp_path):
    figures, failed = made(300, 4)
    first, second = (fit_predictor(NAMES, figures, failed) for _ in range(2))
    write_predictor(first, tmp_path / "first.json")
    write_predictor(second, tmp_path / "second.json")
    assert (tmp_path / "first.json").read_bytes() == (tmp_path / "second.json").read_bytes()
    assert read_predictor(tmp_path / "first.json") == first


def test_the_shipped_predictor_takes_the_figures_that_have_words():
    shipped = shipped_predictor()
    assert [term.figure for term in shipped.terms] == list(FLOORS)
    assert all(term.figure in WORDS and term.weight >= 0 for term in shipped.terms)
    assert 0 < shipped.review < shipped.reject < 1
    usual = {term.figure: term.usual for term in shipped.terms}
    assert shipped.chance(usual) < 0.1
    for name in usual:
        assert shipped.chance(usual | {name: 3 * usual[name]}) >= shipped.chance(usual)
