"""Fit the gate's predictor (registration.predictor) to captures whose error is known."""

from collections.abc import Sequence

import numpy as np

from registration.predictor import Predictor, Term
from registration.quality import LIMITED, QualitySettings

# Figures that take part, with the size of each that means nothing.
FLOORS = {
    "refit_far_mm": 0.1,
    "moved_mm": 0.1,
    "stretch": 0.005,
    "identity": 0.1,
    "albedo": 0.1,
    "color_residual": 0.005,
    "landmarks_median_mm": 0.3,
    "residual_mm": 0.1,
    "uncovered": 0.05,
    "mouth_uncovered": 0.05,
    "flipped": 0.0005,
}
RIDGE = 4.0  # on weights of standardised figures; 1 to 10 do as well, 20 loses a little
STEPS = 60
FOLDS, SHUFFLES = 10, 4
FALSE_SHARE, CAUGHT_SHARE = 0.05, 0.90  # what the gate must do
SURE = 0.9  # the chance from which a face is rejected


def fit_predictor(names: Sequence[str], figures: np.ndarray, failed: np.ndarray) -> Predictor:
    """A predictor with its cuts, from captures (N, F) and which of them failed (N,) bool.

    Captures beyond a limit of QualitySettings need no predictor and teach nothing. The review cut
    lies half way, in log odds, between the one that lets FALSE_SHARE of the good faces fall and
    the one that catches CAUGHT_SHARE of the failures, both on faces that were not learnt from.
    """
    plain = ~beyond_limits(names, figures)
    features, usual = _features(names, figures, plain & ~failed)
    weights, offset = fit_logistic(features[plain], failed[plain], RIDGE)
    terms = (
        Term(name, floor, float(f"{middle:.6g}"), round(float(weight), 6))
        for (name, floor), middle, weight in zip(FLOORS.items(), usual, weights, strict=True)
    )
    review = 1 / (1 + np.exp(-_cut(_cross_validated(features, failed, plain), failed)))
    source = f"{len(failed)} captures, {failed.sum()} of them failures"
    return Predictor(round(float(offset), 6), tuple(terms), round(float(review), 4), SURE, source)


def beyond_limits(names: Sequence[str], figures: np.ndarray) -> np.ndarray:
    """(N,) bool: captures that a limit alone sends to review."""
    settings = QualitySettings()
    over = [figures[:, list(names).index(n)] > getattr(settings, n)[0] for n in LIMITED]
    return np.any(over, axis=0)


def log_odds(predictor: Predictor, names: Sequence[str], figures: np.ndarray) -> np.ndarray:
    """(N,) log odds of a failure; infinite beyond a limit."""
    rows = (dict(zip(names, row, strict=True)) for row in figures)
    odds = [predictor.offset + sum(predictor.contributions(row).values()) for row in rows]
    return np.where(beyond_limits(names, figures), np.inf, odds)


def _features(names, figures, good):
    """((N, T) as Term.evidence, (T,) the usual sizes), by which are good (N,) bool."""
    chosen = figures[:, [list(names).index(name) for name in FLOORS]]
    floors, usual = np.array(list(FLOORS.values())), np.median(chosen[good], axis=0)
    return np.maximum(np.log((chosen + floors) / (usual + floors)), 0), usual


def fit_logistic(
    features: np.ndarray, failed: np.ndarray, ridge: float
) -> tuple[np.ndarray, float]:
    """Weights (T,) ≥ 0 and offset of a ridge logistic regression, by projected Newton steps.

    The ridge is on the weights of features scaled to unit variance.
    """
    spread = features.std(0) + 1e-9
    design = np.column_stack([np.ones(len(features)), features / spread])
    penalty = np.diag([1e-6] + [ridge] * features.shape[1])
    x = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ x, -30, 30)))
        gradient = design.T @ (chance - failed) + penalty @ x
        curvature = (design.T * (chance * (1 - chance))) @ design + penalty
        free = (x > 0) | (gradient < 0)
        free[0] = True
        step = np.zeros(len(x))
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        x = x - step
        x[1:] = np.maximum(x[1:], 0)
    return x[1:] / spread, float(x[0])


def cross_validated_odds(
    names: Sequence[str], figures: np.ndarray, failed: np.ndarray
) -> np.ndarray:
    """(N,) log odds of each capture from predictors that have not seen it (nor its person: every
    capture is another), averaged over a few ways of dividing them; infinite beyond a limit."""
    plain = ~beyond_limits(names, figures)
    features, _ = _features(names, figures, plain & ~failed)
    return _cross_validated(features, failed, plain)


def _cross_validated(features, failed, plain):
    rng, odds = np.random.default_rng(0), np.zeros(len(failed))
    for _ in range(SHUFFLES):
        fold = rng.permutation(len(failed)) % FOLDS
        for k in range(FOLDS):
            learn, told = plain & (fold != k), fold == k
            weights, offset = fit_logistic(features[learn], failed[learn], RIDGE)
            odds[told] += (offset + features[told] @ weights) / SHUFFLES
    return np.where(plain, odds, np.inf)


def curve(odds: np.ndarray, failed: np.ndarray, refused: int = 0) -> tuple[float, float]:
    """(share of failures over the odds that FALSE_SHARE of the good exceed, share of the good
    over the odds that CAUGHT_SHARE of the failures reach); ``refused`` more failures are caught."""
    high, low = cut_ends(odds, failed, refused)
    caught = (odds[failed] > high).sum() + refused
    return float(caught / (failed.sum() + refused)), float((odds[~failed] >= low).mean())


def cut_ends(odds: np.ndarray, failed: np.ndarray, refused: int = 0) -> tuple[float, float]:
    """Log odds that at most FALSE_SHARE of the good exceed, and the highest that at least
    CAUGHT_SHARE of the failures reach."""
    good, bad = np.sort(odds[~failed])[::-1], np.sort(odds[failed])[::-1]
    needed = int(np.ceil(CAUGHT_SHARE * (len(bad) + refused))) - refused
    return float(good[int(FALSE_SHARE * len(good))]), float(bad[max(needed, 1) - 1])


def _cut(odds, failed):
    ends = np.clip(cut_ends(odds, failed), -10, 10)  # infinite beyond a limit
    return ends.mean()
