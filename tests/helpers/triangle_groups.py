"""Groups of triangles for kernels that are tested without them."""

import numpy as np


def one_group(count: int, outer: int) -> tuple:
    """The first ``outer`` triangles and the others as imaging.two_grids takes groups; each may be
    anywhere in the image."""
    starts = np.array([0, outer, count] if outer else [0, count], np.int32)
    groups = len(starts) - 1
    bounds = np.tile(np.array([0, 0, 1 << 20, 1 << 20], np.int32), (groups, 1))
    nearest, away = np.ones(groups), np.zeros(groups, np.uint8)
    return np.arange(count, dtype=np.int32), starts, groups - 1, bounds, nearest, away
