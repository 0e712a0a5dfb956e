"""Who is person in a colour image: what neither depth nor the head mesh could decide."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from scipy.ndimage import gaussian_filter1d

from imaging.conjugate import relaxed
from imaging.guided_filter import guided_filter

BINS = 12  # along each axis of CIELAB: 20 grey levels, a wall's shading under a lamp
CHROMA_SPAN = 37.5  # most a*, b* of skin, hair, cloth and rooms stay within ± this
CONTRAST = 0.3  # edge weight e^-(30 ΔE/100)²: a step of 3 in L*a*b* separates


@dataclass(frozen=True, slots=True)
class PersonSettings:
    """Attributes:
    side_px: the longer side of the image that is decided on; the filter restores the full one.
    cell_px: edge of the cells within which colours are counted, px of that image.
    spread: (in place, in colour) σ of the counts, in cells and in bins: how far what was seen
        of one side speaks for its surroundings.
    everywhere: weight of the counts of the whole image; a colour met far off is some evidence.
    undecided: weight of undecided pixels in the counts, shared by their prior.
    reach: a pixel this far from the known person, in √area of that person, is person with half
        of the prior's odds at its rim.
    place: weight of the prior by place against the colour.
    hold: weight of a pixel's own evidence against an edge within one colour.
    sure: (background, person) shares beyond which the cut must follow the walk.
    filter_px, filter_epsilon: of the guided filter, px of the full image.
    """

    side_px: int = 160
    cell_px: int = 16
    spread: tuple[float, float] = (2.0, 0.7)
    everywhere: float = 0.05
    undecided: float = 0.15
    reach: float = 1.0
    place: float = 0.5
    hold: float = 0.02
    sure: tuple[float, float] = (0.1, 0.9)
    filter_px: float = 8.0
    filter_epsilon: float = 1e-4


def person_mask(
    color: np.ndarray,
    known_person: np.ndarray,
    known_other: np.ndarray,
    likely: np.ndarray | None = None,
    settings: PersonSettings = PersonSettings(),
) -> np.ndarray:
    """The share of each pixel that is the person: head, hair, neck and clothes.

    Colours of both sides are counted in cells of place and colour (a background beside the head
    is another than at the image's edge); a random walk (Grady 2006) carries them along equal
    colours; a cut (Rother et al. 2004) makes it a decision, and a guided filter (He et al. 2013)
    gives it the full image's edges, soft where hair is fine.

    Args:
        color: (H, W, 3) float32 in [0, 1].
        known_person: (H, W) bool, surely the person, such as the head mesh and what depth shows.
        known_other: (H, W) bool, surely not, such as the measured wall; may be empty.
        likely: (H, W) float32, the chance of the person by place (the chest in a photo, holes of
            a sensor around the skull); 0: nothing is said there. None: nowhere.
        settings: of every step.

    Returns:
        (H, W) float32 in [0, 1]; all 0 where nobody is known.
    """
    scale = min(settings.side_px / max(color.shape[:2]), 1.0)
    size = tuple(max(round(side * scale), 2) for side in color.shape[1::-1])
    small = cv2.resize(color, size, interpolation=cv2.INTER_AREA)
    person = _share(known_person, size) > 0.5
    other = (_share(known_other, size) > 0.5) & ~person
    if not person.any():
        return np.zeros(color.shape[:2], np.float32)
    chance = None if likely is None else cv2.resize(likely, size, interpolation=cv2.INTER_NEAREST)
    prior = _prior(person, other, chance, settings.reach)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    share = _walk(lab, _evidence(lab, prior, settings), person, other, settings.hold)
    cut = _attached(_cut(small, share, settings.sure), person)
    soft = guided_filter(color, cut, settings.filter_px, settings.filter_epsilon)
    return np.clip(soft, 0, 1)


def _share(mask, size):
    return cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)


def _prior(person, other, chance, reach):
    """(h, w) chance of the person by place alone: 1 and 0 where it is known."""
    distance = cv2.distanceTransform((~person).astype(np.uint8), cv2.DIST_L2, 3)
    prior = 0.5 * np.exp(-((distance / (reach * np.sqrt(person.sum()))) ** 2))
    if chance is not None:
        prior = np.where(chance > 0, chance, prior)
    prior = np.clip(prior, 0.02, 0.98)
    prior[person], prior[other] = 1, 0
    return prior


def _evidence(lab, prior, settings):
    """(h, w) chance of the person by colour and place."""
    cells, shape = _cells(lab, settings.cell_px)
    weight = np.where((prior == 0) | (prior == 1), 1.0, settings.undecided)
    inside, outside = _counts(cells, shape, [weight * prior, weight * (1 - prior)], settings)
    odds = np.clip(prior, 0.02, 0.98)
    logit = np.log((inside + 1e-6) / (outside + 1e-6))
    logit += settings.place * np.log(odds / (1 - odds))
    return 1 / (1 + np.exp(-logit))


def _cells(lab, cell_px):
    """(h·w,) cell of place and colour of each pixel, and how many there are along each axis."""
    height, width = lab.shape[:2]
    lowest, span = (0, -CHROMA_SPAN, -CHROMA_SPAN), (100, 2 * CHROMA_SPAN, 2 * CHROMA_SPAN)
    scaled = np.clip((lab - lowest) / span * BINS, 0, BINS - 1).astype(int)
    rows, columns = np.mgrid[:height, :width] // cell_px
    shape = (rows[-1, -1] + 1, columns[-1, -1] + 1, BINS, BINS, BINS)
    return np.ravel_multi_index((rows, columns, *np.moveaxis(scaled, -1, 0)), shape).ravel(), shape


def _counts(cells, shape, weights, settings):
    """(k, h, w) how much of each of the weights (h, w) lies around each pixel in place and colour.

    Along an axis of a dozen cells a Gaussian is a small matrix, and a product of matrices takes a
    tenth of a filter's time.
    """
    place, color = settings.spread
    size = np.prod(shape)
    total = np.stack([np.bincount(cells, weight.ravel(), size) for weight in weights])
    total = total.astype(np.float32)
    sigmas = (place, place, color, color, color)
    # the last axis is blurred and becomes the first but one
    for count, sigma in zip(reversed(shape), reversed(sigmas), strict=True):
        matrix = _gaussian(count, sigma)
        lines = total.reshape(len(weights), -1, len(matrix)) @ matrix
        total = np.ascontiguousarray(lines.swapaxes(1, 2))
    total = total.reshape(len(weights), shape[0] * shape[1], -1)
    total += settings.everywhere * total.mean(1, keepdims=True)
    return total.reshape(len(weights), -1)[:, cells].reshape(-1, *weights[0].shape)


@lru_cache(maxsize=16)
def _gaussian(count, sigma):
    """(count, count) float32: what a row of so many values is multiplied by, to be blurred."""
    return gaussian_filter1d(
        np.eye(count, dtype=np.float32), sigma, 1, mode="nearest", truncate=2.5
    )


def _walk(lab, evidence, person, other, hold):
    """(h, w) chance that a walk along equal colours, ending anywhere with chance ``hold`` by the
    pixel's evidence, ends at the person."""
    chance = np.where(person, 1.0, np.where(other, 0.0, evidence))
    free = ~(person | other).ravel()
    if not free.any():
        return chance
    edges, weights = _edges(lab)
    first, second = edges.T
    held, right = np.full(chance.size, hold), hold * evidence.ravel()
    for one, of in ((first, second), (second, first)):  # what is decided holds its neighbours
        rim = free[one] & ~free[of]
        held += np.bincount(one[rim], weights[rim], chance.size)
        right += np.bincount(one[rim], weights[rim] * chance.ravel()[of[rim]], chance.size)
    number, inner = np.cumsum(free) - 1, free[first] & free[second]
    start = chance.ravel()[free]
    # a decision near a half does not need more digits than this
    solved = relaxed(
        number[edges[inner]],
        weights[inner],
        held[free],
        right[free, None],
        start[:, None],
        tolerance=1e-3,
        most=60,
    )
    chance.ravel()[free] = np.clip(solved[:, 0], 0, 1)
    return chance


def _edges(lab):
    """Neighbours (n, 2), and their weights (n,) e^-(Δ/3)² of their colours."""
    number = np.arange(lab.shape[0] * lab.shape[1]).reshape(lab.shape[:2])
    pairs = [(np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])]
    steps = [(CONTRAST * (lab[a] - lab[b])).reshape(-1, 3) for a, b in pairs]
    weights = np.concatenate([np.exp(-(step**2).sum(1)) for step in steps]) + 1e-3
    edges = [np.stack([number[a].ravel(), number[b].ravel()], 1) for a, b in pairs]
    return np.concatenate(edges), weights.astype(np.float64)


def _cut(color, share, sure):
    """(h, w) bool: the minimal cut around what is sure."""
    label = np.where(share > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    label[share < sure[0]] = cv2.GC_BGD
    label[share > sure[1]] = cv2.GC_FGD
    person = (label & 1) == 1  # GC_FGD and GC_PR_FGD are odd
    if person.all() or not person.any():
        return person
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.setRNGSeed(0)  # its colour models begin from a k-means
    image = np.rint(255 * color).astype(np.uint8)
    cv2.grabCut(image, label, None, *models, 1, cv2.GC_INIT_WITH_MASK)
    return (label & 1) == 1


def _attached(mask, person):
    """(h, w) float32: the parts that hang together with the known person."""
    _, label = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    wanted = np.zeros(label.max() + 1, dtype=bool)
    wanted[label[person & mask]] = True
    return (wanted[label] & mask).astype(np.float32)
