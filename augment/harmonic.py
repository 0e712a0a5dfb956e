"""Vertex values carried smoothly over a mesh."""

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from faces.mesh import unique_edges


def harmonic(wanted: np.ndarray, hold: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The smoothest vertex values that keep to the wanted ones.

    Minimises Σ hold_i ‖x_i − wanted_i‖² + Σ_edges ‖x_i − x_j‖².

    Args:
        wanted: (V, C) float.
        hold: (V,) weights above 0.
        triangles: (T, 3) int.

    Returns:
        (V, C) float64.
    """
    i, j = unique_edges(triangles).T
    count = len(hold)
    links = sp.coo_matrix((np.ones(2 * len(i)), (np.r_[i, j], np.r_[j, i])), (count, count))
    matrix = sp.diags(links.sum(1).A1 + hold) - links
    factor = splu(
        matrix.tocsc(),
        permc_spec="MMD_AT_PLUS_A",
        diag_pivot_thresh=0.0,
        options={"SymmetricMode": True},
    )
    return factor.solve(hold[:, None] * wanted)
