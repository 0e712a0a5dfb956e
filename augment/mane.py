"""Hair on both sides of a neck goes on behind it, hanging down from the skull."""

from dataclasses import dataclass

import cv2
import numpy as np

from augment.spread import carried

HAIR_LIKE = 0.25  # distance of colours in [0, 1]: strands shine and lie in each other's shadow
OTHER_HUE = 0.08  # the same of colours made as light as each other: cloth may be as light as hair
MOST = 0.4  # of a row's outermost cells on either side have to look like hair
OUTER_MM = 15.0  # cells so near to the outline are outermost
BESIDE_MM = 12.0  # beside the skull hair hangs so far within the outline, which ears have
COLLAR_MM = 100.0  # so far below the skull's hindmost point, past the jaw, a collar may begin
ROUND_MM = 60.0  # so far within the outline it reaches the back
STRAND_CELLS = 3.0  # hair hangs so straight
MIXED_ROWS = 3  # the topmost hair seen is mixed with the ear before it
WITHIN_MM, OFF_MM = 4.0, 6.0  # it comes out of the skull, and ends so far off it
GROWS_MM = 40.0  # on the way down


@dataclass(frozen=True, slots=True, eq=False)
class Mane:
    """Hair behind the neck, in the cells (h, w) of augment.bodies.

    Attributes:
        behind: bool, where it hangs, from the skull's hindmost row down to its end.
        hair: bool, the cells in which hair itself is seen beside the neck.
        top: the row of the skull's hindmost point, out of which it comes.
        first, last: the first row, and the one after the last, in which both sides show hair.
        middle: the head's column.
        depth_mm: float32, how far behind it lies.
        reach: float32 in [0, 1], how much of the way there from the outline's depth.
        tone: (3,) the skull's hair, into which it goes over.
    """

    behind: np.ndarray
    hair: np.ndarray
    top: int
    first: int
    last: int
    middle: float
    depth_mm: np.ndarray
    reach: np.ndarray
    tone: np.ndarray


def mane(
    own: np.ndarray,
    inside: np.ndarray,
    distance_mm: np.ndarray,
    color: np.ndarray,
    hindmost_mm: np.ndarray,
    middle: float,
    hair: np.ndarray,
    mm_per_cell: float,
) -> Mane | None:
    """Where hair hangs behind the neck; None where it is not seen on both of its sides.

    Args:
        own: (h, w) bool, the person beside the head.
        inside, distance_mm: (h, w) the person, and the distance from its outline.
        color: (h, w, 3) in [0, 1].
        hindmost_mm: (h, w) the head's farthest depth, 0 beside it.
        middle: column of the head's.
        hair: (3,) its colour.
        mm_per_cell: size of a cell.
    """
    alike = _alike(color, hair)
    outer = own & (distance_mm < OUTER_MM)
    column = np.arange(own.shape[1])
    both = np.ones(len(own), bool)
    for side in (column < middle, column > middle):
        count = (outer & side).sum(1)
        both &= (count > 0) & ((outer & side & alike).sum(1) >= MOST * count)
    drawn = np.flatnonzero(hindmost_mm.any(1))
    occiput = int(hindmost_mm[: int(drawn.mean())].max(1).argmax())
    first = occiput + int(both[occiput:].argmax())
    if not both[first] or (first - occiput) * mm_per_cell > COLLAR_MM:
        return None
    last = first + int(np.append(both[first:], False).argmin())
    row = np.arange(len(own))
    rows = (row >= first) & (row < last)
    hanging = (row >= occiput) & (row < last)
    within = _within(own, column) * mm_per_cell
    above = (hanging & ~rows)[:, None] & inside & (distance_mm > BESIDE_MM)
    return Mane(
        behind=(rows[:, None] & (within >= 0)) | above,
        hair=own & alike & rows[:, None],
        top=occiput,
        first=first,
        last=last,
        middle=middle,
        depth_mm=_fall(hindmost_mm, (row - occiput) * mm_per_cell),
        reach=np.where(rows[:, None], _rounded(within / ROUND_MM), 1),
        tone=hair,
    )


def across(color: np.ndarray, hanging: Mane) -> np.ndarray:
    """The colours (h, w, 3) of a back, in a mane's rows laid to and fro from the hair seen on
    either side, so that what hangs behind has the strands of what hangs before."""
    out, column = color.copy(), np.arange(color.shape[1])
    for row in range(hanging.first, hanging.last):
        seen = np.flatnonzero(hanging.hair[row])
        left, right = seen[seen < hanging.middle][::-1], seen[seen > hanging.middle]
        source = np.where(
            column < hanging.middle,
            left[_to_and_fro(left[0] - column, len(left))],
            right[_to_and_fro(column - right[0], len(right))],
        )
        out[row] = color[row, source]
    above = np.arange(hanging.first - hanging.top)
    rows = hanging.last - hanging.first
    clean = min(MIXED_ROWS, rows - 1)
    mirrored = out[hanging.first + clean + _to_and_fro(above, rows - clean)]
    share = ((above + 1) / max(len(above), 1))[:, None, None]
    out[hanging.first - 1 - above] = mirrored + share * (hanging.tone - mirrored)
    part = out[hanging.top : hanging.last]
    out[hanging.top : hanging.last] = cv2.GaussianBlur(part, (0, 0), 0.7, sigmaY=STRAND_CELLS)
    return out


def _alike(color, hair):
    """(h, w) bool: hair's colour, in whatever light."""
    lit = color.mean(-1, keepdims=True) / max(float(hair.mean()), 1e-3) * hair
    far = np.linalg.norm(color - hair, axis=-1)
    return (far < HAIR_LIKE) & (np.linalg.norm(color - lit, axis=-1) < OTHER_HUE)


def _to_and_fro(steps, length):
    """Integers wherever they are in 0 to length - 1, and mirrored into it from elsewhere."""
    swing = steps % (2 * length)
    return np.minimum(swing, 2 * length - 1 - swing)


def _within(own, column):
    """(h, w) cells from a row's first own one and from its last, whichever is nearer; outside of
    them below 0."""
    first = own.argmax(1)[:, None]
    last = (own.shape[1] - 1 - own[:, ::-1].argmax(1))[:, None]
    return np.where(own.any(1)[:, None], np.minimum(column - first, last - column), -1)


def _rounded(t):
    """A quarter of a circle, from 0 at 0 to 1 at 1."""
    return np.sqrt(1 - (1 - np.clip(t, 0, 1)) ** 2)


def _fall(hindmost_mm, below_mm):
    """(h, w) float32: straight down from the hindmost point above, a little off the skull."""
    hindmost_mm = cv2.morphologyEx(hindmost_mm, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    deepest = np.maximum.accumulate(hindmost_mm, axis=0)
    deepest = carried(deepest[..., None], deepest > 0)[..., 0]
    off = np.interp(below_mm, [0, GROWS_MM], [-WITHIN_MM, OFF_MM])
    return cv2.GaussianBlur(deepest, (0, 0), 1.5) + off[:, None].astype(np.float32)
