"""Eyes, teeth, gums, tongue and lashes: carried along with the skin around them, unbent.

A depth camera sees little of them and what it sees (wet, transparent, in shadow) is wrong, so they
are not matched. Each connected piece moves as a whole, by the mean displacement of the skin near
it: an eyeball stays a ball and goes where its lids go.
"""

import numpy as np
import scipy.sparse as sp
import scipy.spatial

from faces.morphable import MorphableModel
from registration.template import SOFT_PARTS

REACH_MM = 5.0  # how far beyond the nearest skin a piece's neighbourhood fades out
_made: dict[tuple[str, int], list] = {}


def carry_parts(
    model: MorphableModel, base_mm: np.ndarray, registered_mm: np.ndarray
) -> np.ndarray:
    """The registered mesh with its stiff parts moved after the skin.

    Args:
        model: whose parts they are.
        base_mm: (V, 3) camera frame, the last model fit: the stiff parts' own shape and place.
        registered_mm: (V, 3) camera frame, right on the soft parts.

    Returns:
        (V, 3) float64 mm, camera frame; soft vertices as given.
    """
    out = np.array(registered_mm, dtype=np.float64)
    moved = registered_mm - base_mm
    for piece, skin, weight in _pieces(model):
        out[piece] = base_mm[piece] + weight @ moved[skin]
    return out


def _pieces(model):
    """[(piece vertices, skin vertices near it, their weights summing to 1)], made once a model."""
    key = (model.name, model.vertex_count)
    if key not in _made:
        _made[key] = _find_pieces(model)
    return _made[key]


def _find_pieces(model):
    soft = model.part_vertices(*SOFT_PARTS)
    stiff = ~soft[model.triangles].any(1)
    edges = model.triangles[stiff][:, [0, 1, 1, 2]].reshape(-1, 2)
    graph = sp.csr_matrix(
        (np.ones(len(edges)), edges.T), shape=(model.vertex_count, model.vertex_count)
    )
    labels = sp.csgraph.connected_components(graph, directed=False)[1]
    skin = np.flatnonzero(model.part_vertices("skin"))
    used = np.unique(model.triangles[stiff])
    found = []
    for label in np.unique(labels[used]):
        piece = np.flatnonzero(labels == label)
        near = scipy.spatial.cKDTree(model.mean_mm[piece]).query(model.mean_mm[skin])[0]
        weight = np.exp(-(((near - near.min()) / REACH_MM) ** 2))
        keep = weight > 0.01
        found.append((piece, skin[keep], weight[keep] / weight[keep].sum()))
    return found
