"""Gradient-domain filling and blending (Pérez, Gangnet and Blake 2003) with mixed boundaries.

What is solved for is the fill less the donor, shifted to the rim's level: it is smooth, and small.
"""

import cv2
import numpy as np

from imaging.multigrid import Multigrid
from imaging.multigrid_levels import FREE, WANTED
from imaging.poisson_kernels import add_wanted, kinds, lacking_gradients, start_values
from imaging.scratch import scratch

TOLERANCE = 0.5 / 255  # of colours in [0, 1]: half a grey level
LARGE = 0.05  # a part with a larger share of the wanted pixels is solved for by itself
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))


def fill(
    target: np.ndarray,
    mask: np.ndarray,
    donor: np.ndarray,
    free: np.ndarray | None = None,
    tolerance: float = TOLERANCE,
) -> np.ndarray:
    """The target with the mask filled by the donor's gradients.

    The rim, i.e. the target's pixels beside the mask, is held (Dirichlet), so that no seam shows;
    towards ``free`` pixels and the image's border the fill is unconstrained (Neumann). A part of
    the mask that touches no rim is the donor as it is: nothing says how to shift it.

    Args:
        target: (H, W, C) float, any unit.
        mask: (H, W) bool, pixels to fill.
        donor: (H, W, C) float in the target's unit; where it is not finite it wants no gradient
            (a membrane). It is read in the mask and on its rim.
        free: (H, W) bool, pixels outside the mask whose target is not to be relied on.
        tolerance: of the solution, in the target's unit; float32 is good to 1e-4 of the range.

    Returns:
        (H, W, C) float32; outside the mask the target.

    Raises:
        ValueError: where the shapes differ, or the rim holds a value that is not finite.
    """
    return _solve(target, mask, donor, free, False, tolerance)


def blend(
    target: np.ndarray,
    mask: np.ndarray,
    source: np.ndarray,
    free: np.ndarray | None = None,
    tolerance: float = TOLERANCE,
) -> np.ndarray:
    """As ``fill``, but the stronger of the target's and the source's gradients is kept.

    The target's own detail shows through where the source is flat (mixed gradients, Eq. 12 of
    Pérez et al.). The target must be finite inside the mask.
    """
    return _solve(target, mask, source, free, True, tolerance)


def _solve(target, mask, donor, free, mixed, tolerance):
    target, donor = (np.ascontiguousarray(image, np.float32) for image in (target, donor))
    mask = np.asarray(mask, dtype=bool)
    free = np.zeros_like(mask) if free is None else np.asarray(free, dtype=bool)
    _check_shapes(target, mask, donor, free)
    out = target.copy()
    if mask.any():
        box = _box(mask)
        held = ~(mask[box] | free[box])
        _check_rim(target[box], mask[box], held)
        _fill_box(target[box], mask[box], donor[box], held, mixed, tolerance, out[box])
    return out


def _fill_box(target, mask, donor, held, mixed, tolerance, out):
    """Write the fill of the mask to ``out``: a start, then what its gradients lack."""
    parts, part = cv2.connectedComponents(mask.view(np.uint8), connectivity=4)
    kind, count = kinds(held, part, parts)
    at_rim_alone = start_values(target, donor, kind, part, parts, out) and not mixed
    for some in _apart(kind, part, count):
        box = _box(some == WANTED)
        images, own = (image[box] for image in (target, donor, out)), some[box].copy()
        _add_lacking(*images, own, mixed, at_rim_alone, tolerance)


def _add_lacking(target, donor, out, kind, mixed, at_rim_alone, tolerance):
    with scratch() as zeros:
        grid = Multigrid(kind, target.shape[2], zeros)
        lacking_gradients(target, donor, kind, mixed, at_rim_alone, out, grid.right)
        add_wanted(grid.solve(tolerance), kind, out)


def _apart(kind, part, count):
    """Kinds of each large part alone, then of all the small ones; count: wanted pixels of each.

    A coarse cell that holds pixels of two parts joins them, which the solver has to undo; and what
    lies between parts is no work for either.
    """
    if np.count_nonzero(count) == 1:
        yield kind
        return
    large = count > LARGE * count.sum()
    for k in np.flatnonzero(large):
        yield np.where((kind == WANTED) & (part != k), np.uint8(FREE), kind)
    if count[~large].any():
        yield np.where((kind == WANTED) & large[part], np.uint8(FREE), kind)


def _box(mask):
    """The slices that hold the mask and its rim."""
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    return np.s_[max(y - 1, 0) : y + height + 1, max(x - 1, 0) : x + width + 1]


def _check_shapes(target, mask, donor, free):
    if target.ndim != 3 or donor.shape != target.shape:
        raise ValueError(
            f"donor: shape {donor.shape}; expected the target's (H, W, C), which is "
            f"{target.shape}; bring both to one size"
        )
    if mask.shape != target.shape[:2] or free.shape != mask.shape:
        raise ValueError(
            f"mask: shape {mask.shape}, free: {free.shape}; expected "
            f"{target.shape[:2]}; bring both to the target's size"
        )


def _check_rim(target, mask, held):
    rim = target[held & cv2.dilate(mask.view(np.uint8), _CROSS).view(bool)]
    bad = int((~np.isfinite(rim)).any(axis=1).sum())
    if bad:
        raise ValueError(
            f"target: {bad} of {len(rim)} rim pixels are not finite; expected "
            "finite values beside the mask; pass them as free, or widen the mask"
        )
