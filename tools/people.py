"""Natural people from MakeHuman's targets: strengths that give diversity without caricature."""

from itertools import product

import numpy as np
from makehuman import MakeHuman

LOCAL_GROUPS = ("cheek", "chin", "ears", "eyebrows", "eyes", "forehead", "mouth", "nose")
LOCAL_SIGMA = 0.18  # above about 0.3 the faces turn into caricatures
ASYMMETRY_SIGMA = LOCAL_SIGMA / 3
ETHNICITIES, SEXES = ("african", "asian", "caucasian"), ("female", "male")
OPPOSITES = (
    ("incr", "decr"),
    ("up", "down"),
    ("in", "out"),
    ("forward", "backward"),
    ("convex", "concave"),
    ("compress", "uncompress"),
)


class People:
    """Draws head shapes (V, 3) mm over the vertices ``kept`` (V,) of the base mesh."""

    def __init__(self, data: MakeHuman, kept: np.ndarray):
        self.base = data.base[0][kept]
        self.macros = {name: data.macro(name)[kept] for name in _macro_names()}
        self.axes = _axes({k: v[kept] for g in LOCAL_GROUPS for k, v in data.locals(g).items()})
        asymmetry = {k: v[kept] for k, v in data.locals("asym").items()}
        self.asymmetry = [v for v in asymmetry.values() if np.abs(v).max() > 0]

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """One person (V, 3) float64 mm."""
        shape = self.base + self._macro(rng)
        for up, down in self.axes:
            amount = rng.normal(0, LOCAL_SIGMA)
            shape += amount * up if amount > 0 else -amount * down
        for offsets in self.asymmetry:
            shape += abs(rng.normal(0, ASYMMETRY_SIGMA)) * offsets
        return shape

    def _macro(self, rng: np.random.Generator) -> np.ndarray:
        ethnicity = dict(zip(ETHNICITIES, rng.dirichlet([0.6] * 3), strict=True))
        male = rng.beta(0.5, 0.5)
        old = rng.beta(0.9, 2.4)
        sex = {"male": male, "female": 1 - male}
        age = {"old": old, "young": 1 - old}
        muscle = _three(rng.normal(0.5, 0.15), "muscle")
        weight = _three(rng.normal(0.5, 0.17), "weight")
        total = np.zeros_like(self.base)
        for s, a in product(sex, age):
            for e in ethnicity:
                total += ethnicity[e] * sex[s] * age[a] * self.macros[f"{e}-{s}-{a}"]
            for m, w in product(muscle, weight):
                amount = sex[s] * age[a] * muscle[m] * weight[w]
                total += amount * self.macros[f"universal-{s}-{a}-{m}-{w}"]
        return total


def _macro_names() -> list[str]:
    kinds = [
        f"{size}muscle-{other}weight"
        for size, other in product(("min", "average", "max"), repeat=2)
    ]
    ages = ("young", "old")
    names = [f"{e}-{s}-{a}" for e, s, a in product(ETHNICITIES, SEXES, ages)]
    return names + [f"universal-{s}-{a}-{k}" for s, a, k in product(SEXES, ages, kinds)]


def _three(value: float, quantity: str) -> dict[str, float]:
    """Shares of the targets min, average and max at a value in [0, 1]."""
    x = 2 * float(np.clip(value, 0.05, 0.95)) - 1
    shares = {"min": max(-x, 0), "average": 1 - abs(x), "max": max(x, 0)}
    return {f"{size}{quantity}": share for size, share in shares.items()}


def _axes(targets: dict[str, np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
    """(towards +, towards −) of each independent axis; a left target carries its right twin."""
    both = {}
    for name, offsets in targets.items():
        if name.startswith(("l-", "r-")):
            both[name[2:]] = both.get(name[2:], 0) + offsets
        else:
            both[name] = offsets
    axes, used = [], set()
    for name in sorted(both):
        if name in used:
            continue
        twin = next((t for t in map(name.replace, *_opposite(name)) if t in both), None)
        used |= {name, twin}
        axes.append((both[name], both[twin] if twin else 0 * both[name]))
    return axes


def _opposite(name: str) -> tuple[list[str], list[str]]:
    last = name.rsplit("-", 1)[-1]
    pairs = [(a, b) for a, b in OPPOSITES if a == last] + [
        (b, a) for a, b in OPPOSITES if b == last
    ]
    return [f"-{a}" for a, _ in pairs], [f"-{b}" for _, b in pairs]
