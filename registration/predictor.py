"""The chance that a registration is wrong, from its figures alone: a small logistic regression.

Every figure enters as the logarithm of how many times its usual size it has, and not at all below
it, with a weight that is not negative: a figure that grows never lowers the chance, none makes up
for another, and what each of them adds to the log odds can be told to a person.

The numbers come from captures of virtual people whose truth is known (benchmarks.gate --fit) and
stand in gate.json beside this file. They belong to the schedules of registration.ticp and to a
fitting model like that of synth.beyond: fit them anew when either changes.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

SHIPPED = Path(__file__).with_name("gate.json")


@dataclass(frozen=True, slots=True)
class Term:
    """One figure's part.

    Attributes:
        figure: its name in registration.figures.measure.
        floor: of the figure's size that means nothing; keeps the logarithm finite.
        usual: the median over good faces.
        weight: ≥ 0, log odds for every e-fold over the usual.
    """

    figure: str
    floor: float
    usual: float
    weight: float

    def evidence(self, value: float) -> float:
        """log((value + floor) / (usual + floor)), and 0 up to the usual."""
        return float(max(np.log((value + self.floor) / (self.usual + self.floor)), 0.0))


@dataclass(frozen=True, slots=True)
class Predictor:
    """Chance of a failure and the cuts made in it.

    Attributes:
        offset: log odds where every figure is as usual or better.
        terms: of the figures that take part.
        review, reject: chances from which a face is looked at and left out.
        source: what it was fitted on, in words.
    """

    offset: float
    terms: tuple[Term, ...]
    review: float
    reject: float
    source: str = ""

    def contributions(self, figures: Mapping[str, float]) -> dict[str, float]:
        """What each figure adds to the log odds, ≥ 0."""
        return {t.figure: t.weight * t.evidence(figures[t.figure]) for t in self.terms}

    def chance(self, figures: Mapping[str, float]) -> float:
        """Chance in [0, 1] that the registration is wrong."""
        odds = self.offset + sum(self.contributions(figures).values())
        return float(1 / (1 + np.exp(-np.clip(odds, -50, 50))))

    def usual(self, figure: str) -> float:
        """The median of a figure over good faces."""
        return next(t.usual for t in self.terms if t.figure == figure)


def write_predictor(predictor: Predictor, path: Path = SHIPPED) -> None:
    """As JSON."""
    path.write_text(json.dumps(asdict(predictor), indent=1) + "\n", encoding="utf-8")


def read_predictor(path: Path = SHIPPED) -> Predictor:
    """What write_predictor wrote."""
    stored = json.loads(path.read_text(encoding="utf-8"))
    terms = tuple(Term(**term) for term in stored.pop("terms"))
    return Predictor(terms=terms, **stored)


@lru_cache(maxsize=1)
def shipped_predictor() -> Predictor:
    """The one in gate.json."""
    return read_predictor()
