"""Gradient-domain filling and blending (Pérez, Gangnet and Blake 2003) with mixed boundaries.

What is solved for is the fill less the donor, shifted to the rim's level: it is smooth, and small.
"""

import cv2
import numpy as np

from imaging.multigrid import Multigrid
from imaging.multigrid_levels import HELD, WANTED
from imaging.poisson_kernels import add_wanted, lacking_gradients, rim_means, start_values
from imaging.scratch import scratch

TOLERANCE = 0.2 / 255  # of colours in [0, 1]: a fifth of a grey level
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
    free = np.zeros_like(mask) if free is None else np.asarray(free, dtype=bool) & ~mask
    _check(target, mask, donor, free)
    out = target.copy()
    held = ~mask & ~free
    part, anchored = _parts(mask, held)
    fixed = anchored[part]
    loose = mask & ~fixed
    if loose.any():
        kept = loose[..., None] & np.isfinite(donor)
        out[kept] = donor[kept]
    if fixed.any():
        box = _box(fixed)
        kind = WANTED * fixed[box].astype(np.uint8) + HELD * held[box]
        images = (target[box], donor[box], kind, part[box], len(anchored))
        _correct(*images, mixed, tolerance, out[box])
    return out


def _correct(target, donor, kind, part, parts, mixed, tolerance, out):
    """Write the fill of the wanted pixels to ``out``: a start, then what its gradients lack."""
    with scratch() as zeros:
        start_values(target, donor, kind, part, *rim_means(target, donor, kind, part, parts), out)
        grid = Multigrid(kind, target.shape[2], zeros)
        lacking_gradients(target, donor, kind, mixed, out, grid.right)
        add_wanted(grid.solve(grid.right, tolerance), kind, out)


def _box(mask):
    """The slices that hold the mask and its rim."""
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    return np.s_[max(y - 1, 0) : y + height + 1, max(x - 1, 0) : x + width + 1]


def _check(target, mask, donor, free):
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
    rim = cv2.dilate(mask.astype(np.uint8), _CROSS).astype(bool) & ~mask & ~free
    bad = int((~np.isfinite(target[rim])).any(axis=1).sum())
    if bad:
        raise ValueError(
            f"target: {bad} of {int(rim.sum())} rim pixels are not finite; expected "
            "finite values beside the mask; pass them as free, or widen the mask"
        )


def _parts(mask, held):
    """The mask's 4-connected parts: (H, W) number, 0 outside; and which touch a held pixel."""
    count, part = cv2.connectedComponents(mask.astype(np.uint8), connectivity=4)
    touching = mask & cv2.dilate(held.astype(np.uint8), _CROSS).astype(bool)
    anchored = np.zeros(count, dtype=bool)
    anchored[part[touching]] = True
    return part, anchored
