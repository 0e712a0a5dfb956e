"""The least-squares problem of Eq. 5: residuals, their analytic Jacobian, and the minimiser."""

from dataclasses import dataclass, replace

import numpy as np

from faces.phong_rows import shade_rows

TAIL = 11  # unknowns after β: √Amb (3), √Dir (3), l not normalised (3), √k_s, ln ν
SHININESS = (2.0, 80.0)  # ν of skin lies well within
SHININESS_PRIOR = (np.log(12.0), 0.5)  # mean and σ of ln ν; broad highlights, as skin has
# Of the logarithm of Amb + Dir's mean: bright light on dark skin and dim light on fair skin make
# the same colours; without a say in it, teeth and eyes come out too bright or too dark.
LIGHT_SIGMA = 0.3
# Of ln r/g and ln b/g of Amb + Dir: cameras balance white, and a blue cloth is no skin in blue
# light.
TINT_SIGMA = 0.15
GLOSS_SIGMA = 0.5  # of √k_s: keeps a highlight nobody sees at 0
_TAIL_PRECISION = np.array([0.0] * (TAIL - 2) + [1 / GLOSS_SIGMA, 1 / SHININESS_PRIOR[1]])
# Least and largest σ of a colour channel: about two steps of 8 bits, and more than a model of skin
# errs by; beyond it most of what is seen is something else.
SPREAD = (0.01, 0.05)
HUBER = 2.0  # σ up to which Huber's weights leave a colour as it is
FEWEST_OF_PART, PART_SAMPLES = 30, 150  # samples of a part: at least, and enough
MISS = 0.1  # colour distance from which a sample counts as not explained
PRIOR_WORTH = 60.0  # squared σ of the priors that outweigh a face not explained at all
# Three tenths of 3-vectors of unit normals are shorter than this. Not the median: a mask and what
# else is no skin may be more than half of what is seen.
CHI3_SHARE, CHI3_LENGTH = 0.3, 1.1934


@dataclass(frozen=True, slots=True)
class Parameters:
    """p_tex of Eq. 5, in its own units; beta (B,), ambient, directional and light (3,)."""

    beta: np.ndarray
    ambient: np.ndarray
    directional: np.ndarray
    light: np.ndarray
    specular: float
    shininess: float

    def pack(self) -> np.ndarray:
        """(B + 11,) unconstrained: squares keep Amb, Dir and k_s positive, an exponential ν."""
        gloss = [np.sqrt(max(self.specular, 1e-4)), np.log(self.shininess)]
        amounts = np.sqrt(np.maximum(np.concatenate([self.ambient, self.directional]), 1e-4))
        return np.concatenate([self.beta, amounts, self.light, gloss])

    @classmethod
    def unpack(cls, p: np.ndarray) -> "Parameters":
        a, d, light = p[-11:-8], p[-8:-5], p[-5:-2]
        return cls(p[:-TAIL], a**2, d**2, light / np.linalg.norm(light), float(p[-2] ** 2), _nu(p))


def _nu(p):
    return float(np.exp(np.clip(p[-1], *np.log(SHININESS))))


@dataclass(frozen=True, slots=True, eq=False)
class PhongProblem:
    """Eq. 5 at N vertices.

    Attributes:
        mean: (N, 3) T̄; modes: (N, 3, B), contiguous.
        normals, view: (N, 3) unit, camera frame.
        colors: (N, 3) in [0, 1], the image under the vertices.
        precision: weight of a squared colour residual against the priors.
        beta_sigma: σ of β's prior.
        cutoff: Tukey's, in σ.
    """

    mean: np.ndarray
    modes: np.ndarray
    normals: np.ndarray
    view: np.ndarray
    colors: np.ndarray
    precision: float
    beta_sigma: float
    cutoff: float

    def part(self, where: np.ndarray, worth: float = 1.0) -> "PhongProblem":
        """The problem of some of the samples; they tell as much as ``worth`` of the whole."""
        names = ("mean", "modes", "normals", "view", "colors")
        few = {name: getattr(self, name)[where] for name in names}
        return replace(self, **few, precision=worth * self.precision * len(self.mean) / len(where))

    def start(self) -> np.ndarray:
        """Packed parameters from a linear, unclamped Lambert fit of the mean albedo."""
        ratio = self.colors / np.clip(self.mean, 0.05, None)
        tint = np.clip(np.median(ratio, 0) / max(np.median(ratio), 1e-3), 0.2, 5)
        level = (ratio / tint).mean(1)
        system = np.concatenate([np.ones((len(level), 1)), self.normals], 1)
        weights = np.ones(len(level))
        for _ in range(6):  # iteratively reweighted towards least absolute deviations
            tall = system * weights[:, None]
            solution = np.linalg.solve(tall.T @ system + 1e-3 * np.eye(4), tall.T @ level)
            weights = 1 / np.maximum(np.abs(level - system @ solution), 0.02)
        strength = np.linalg.norm(solution[1:])
        light = solution[1:] / strength if strength > 0.05 else self.view.mean(0)
        ambient, directional = max(solution[0], 0.1) * tint, max(strength, 0.1) * tint
        beta = np.zeros(self.modes.shape[2])
        return Parameters(beta, ambient, directional, light, 0.05, 12.0).pack()

    def shade(self, p: np.ndarray, jacobian: bool = False):
        """C of Eq. 4 (N, 3), not clipped, and dC/dp (N, 3, B + 11) where asked for (else None).

        The Jacobian has the dtype of the modes.
        """
        q = Parameters.unpack(p)
        flat = self.modes.reshape(-1, len(q.beta))
        albedo = self.mean + (flat @ q.beta.astype(flat.dtype)).reshape(-1, 3)
        colors = np.zeros(albedo.shape)
        rows = np.zeros((len(albedo) if jacobian else 0, 3, len(p)), dtype=self.modes.dtype)
        # ν is held where it touches its bounds.
        held = not np.log(SHININESS[0]) < p[-1] < np.log(SHININESS[1])
        view, light = np.ascontiguousarray(self.view), q.light
        shade_rows(
            albedo, self.normals, view, self.modes, p, light, q.shininess, held, colors, rows
        )
        return colors, rows if jacobian else None

    def weights(self, residual: np.ndarray, reject: bool = True) -> np.ndarray:
        """Robust weights (N,) of residuals (N, 3), their spread taken from their median.

        Tukey's where ``reject``; else Huber's, which let the modes explain dark brows and red
        lips before anything is called an outlier.
        """
        length = np.sqrt(np.einsum("ij,ij->i", residual, residual))
        sigma = np.clip(_quantile(length, CHI3_SHARE) / CHI3_LENGTH, *SPREAD)
        if not reject:
            return np.minimum(1, HUBER * sigma / np.maximum(length, 1e-12))
        return np.clip(1 - (length / (self.cutoff * sigma)) ** 2, 0, None) ** 2

    def prior(self, p: np.ndarray) -> np.ndarray:
        """Residuals (B + 14,) of the priors."""
        own = p.copy()
        own[-1] -= SHININESS_PRIOR[0]
        own[:-TAIL] /= self.beta_sigma
        own[-TAIL:] *= _TAIL_PRECISION
        light = _light(p)
        total = light.sum()
        tints = np.log(light[[0, 2]] / light[1]) / TINT_SIGMA
        return np.concatenate([own, [np.log(total / 3) / LIGHT_SIGMA], tints])

    def prior_slopes(self, p: np.ndarray) -> np.ndarray:
        """Their Jacobian (B + 14, B + 11)."""
        count = len(p)
        slopes, light, amounts = np.zeros((count + 3, count)), _light(p), p[-11:-5]
        own = slopes.reshape(-1)[: count * count : count + 1]
        own[:-TAIL], own[-TAIL:] = 1 / self.beta_sigma, _TAIL_PRECISION
        slopes[count, -11:-5] = 2 * amounts / light.sum() / LIGHT_SIGMA
        tint = 2 * amounts / np.tile(light, 2) / TINT_SIGMA
        for row, channel in ((-2, 0), (-1, 2)):
            for first in (-11, -8):
                slopes[row, first + channel] = tint[first + 11 + channel]
                slopes[row, first + 1] = -tint[first + 12]
        return slopes


def _quantile(values, share):
    """np.quantile, which takes as long for some hundred values as all the rest of a step."""
    place = share * (len(values) - 1)
    below = int(place)
    above = min(below + 1, len(values) - 1)
    found = np.partition(values, (below, above))
    return found[below] + (place - below) * (found[above] - found[below])


def _light(p):
    """Amb + Dir (3,), never quite 0."""
    return np.maximum(p[-11:-8] ** 2 + p[-8:-5] ** 2, 1e-6)


def minimise(problem: PhongProblem, start: np.ndarray, huber: int, tukey: int) -> np.ndarray:
    """Packed parameters by Levenberg–Marquardt, at most ``huber`` steps that reject nothing and
    ``tukey`` steps that reject outliers."""
    return _descend(problem, _descend(problem, _unit_light(start), huber, False), tukey, True)


def _descend(problem, p, steps, reject):
    """Steps with weights renewed at each; ends early when one gains less than a thousandth."""
    damping = 1e-2
    colors, jacobian = problem.shade(p, jacobian=True)
    for _ in range(steps):
        weights = problem.weights(colors - problem.colors, reject) * problem.precision
        normal, gradient = _normal_equations(problem, p, colors, jacobian, weights)
        before = _cost(problem, p, colors, weights)
        step = np.linalg.solve(normal + damping * np.diag(np.diag(normal) + 1e-6), gradient)
        trial = _unit_light(p - step)
        shaded, _ = problem.shade(trial)
        after = _cost(problem, trial, shaded, weights)
        if after >= before:
            damping *= 10
            continue
        p, damping = trial, max(damping * 0.2, 1e-7)
        if before - after < 1e-3 * before:
            break
        colors, jacobian = problem.shade(p, jacobian=True)
    return p


def _unit_light(p):
    """The light's length is no parameter of Eq. 4: held at 1."""
    p = p.copy()
    p[-5:-2] /= np.linalg.norm(p[-5:-2])
    return p


def _normal_equations(problem, p, colors, jacobian, weights):
    prior, prior_jacobian = problem.prior(p), problem.prior_slopes(p)
    root = np.sqrt(weights).astype(jacobian.dtype)[:, None]
    tall = (jacobian * root[..., None]).reshape(-1, len(p))
    residual = ((colors - problem.colors) * root).astype(jacobian.dtype)
    normal = (tall.T @ tall).astype(np.float64)
    gradient = (residual.ravel() @ tall).astype(np.float64)
    return normal + prior_jacobian.T @ prior_jacobian, gradient + prior_jacobian.T @ prior


def _cost(problem, p, colors, weights):
    prior = problem.prior(p)
    return (weights * ((colors - problem.colors) ** 2).sum(1)).sum() + prior @ prior


def likeliest_start(problem: PhongProblem, parts: list[np.ndarray], steps: int) -> np.ndarray:
    """Packed parameters fitted to that part of the samples which explains the whole best.

    Each part is fitted alone, by ``steps`` steps that reject nothing, then taken on over the whole
    by half as many that reject outliers. That fit wins which leaves the fewest of all samples
    unexplained by a likely skin in a likely light.

    Args:
        parts: indices (m,) into the samples.
    """
    best, least = problem.start(), np.inf
    thin = _thinned(problem, np.arange(len(problem.mean)))
    for part in parts:
        if len(part) < FEWEST_OF_PART:
            continue
        few = _thinned(problem, part)
        found = _descend(few, _unit_light(few.start()), steps, False)
        found = _descend(thin, found, steps // 2, True)
        cost = _unlikeliness(thin, found)
        if cost < least:
            best, least = found, cost
    return best


def _thinned(problem, part):
    """The problem of at most twice PART_SAMPLES of a part's samples (m,)."""
    few = part[:: max(len(part) // PART_SAMPLES, 1)]
    return problem.part(few, len(part) / len(problem.mean))


def _unlikeliness(problem, p):
    """Share of the samples that a fit leaves unexplained, and how unlikely it is as skin in light.

    The light is judged by what falls on the samples: one from behind counts as none.
    """
    colors = problem.shade(p)[0]
    misses = np.minimum(((colors - problem.colors) ** 2).sum(1) / MISS**2, 1).mean()
    beta = Parameters.unpack(p).beta
    flat = problem.modes.reshape(-1, len(beta))
    albedo = problem.mean + (flat @ beta.astype(flat.dtype)).reshape(-1, 3)
    light = np.maximum(np.median(colors / np.clip(albedo, 0.02, None), 0), 1e-3)
    tint = np.log(light[[0, 2]] / light[1]) / TINT_SIGMA
    level = np.log(light.mean()) / LIGHT_SIGMA
    surprise = tint @ tint + level**2 + beta @ beta / problem.beta_sigma**2
    return misses + surprise / PRIOR_WORTH
