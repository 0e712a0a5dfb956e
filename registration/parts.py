"""What is not skin: eyes, teeth, gums and tongue move as wholes, sockets and lashes follow.

A depth camera sees little of them and what it sees (wet, transparent, in shadow) is wrong, so they
are not matched. Each connected stiff piece moves by the mean displacement of the skin near it: an
eyeball stays a ball and goes where its lids go. Sockets and lashes hang on the skin's rims and
take, vertex by vertex, the displacement of the skin next to them.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import scipy.spatial

from faces.morphable import MorphableModel

STIFF = ("eye", "teeth", "gums", "tongue")
REACH_MM = 5.0  # how far beyond the nearest skin a piece's neighbourhood fades out
NEIGHBOURS = 8  # skin vertices that a socket's vertex follows
_made: dict[tuple[str, int], "Followers"] = {}


@dataclass(frozen=True, slots=True, eq=False)
class Followers:
    """What moves with the skin.

    Attributes:
        vertices: (f,) int64, all that is not skin.
        group: (f,) int64 in [0, G): a stiff piece is one group, any other vertex its own.
        weights: (G, V) CSR, a group's displacement from the skin's; rows sum to 1.
    """

    vertices: np.ndarray
    group: np.ndarray
    weights: sp.csr_matrix


def carry_parts(
    model: MorphableModel, base_mm: np.ndarray, registered_mm: np.ndarray
) -> np.ndarray:
    """The registered mesh with everything but the skin moved after the skin.

    Args:
        model: whose parts they are.
        base_mm: (V, 3) camera frame, where displacements start: the parts' own shape and place.
        registered_mm: (V, 3) camera frame, right on the skin.

    Returns:
        (V, 3) float64 mm, camera frame; the skin as given.
    """
    key = (model.name, model.vertex_count)
    if key not in _made:
        _made[key] = find_followers(model)
    followers = _made[key]
    out = np.array(registered_mm, dtype=np.float64)
    moved = followers.weights @ (registered_mm - base_mm)
    out[followers.vertices] = base_mm[followers.vertices] + moved[followers.group]
    return out


def find_followers(model: MorphableModel) -> Followers:
    """Stiff pieces with the skin around them, and every other vertex with the skin next to it."""
    skin = model.part_vertices("skin")
    stiff = model.part_vertices(*STIFF) & ~skin
    pieces = _pieces(model, stiff)
    around = [_neighbourhood(model, piece, np.flatnonzero(skin)) for piece in pieces]
    loose = np.flatnonzero(~skin & ~stiff)
    distance, near = _nearest_skin(model, loose, np.flatnonzero(skin))
    weight = 1 / (distance + 0.1) ** 2  # a vertex on the rim takes the rim's own displacement
    around += list(zip(near, weight / weight.sum(1, keepdims=True), strict=True))
    sizes = [len(piece) for piece in pieces] + [1] * len(loose)
    rows = np.repeat(np.arange(len(around)), [len(w) for _, w in around])
    columns, values = (
        np.concatenate([pair[k] for pair in around]) if around else np.zeros(0) for k in (0, 1)
    )
    shape = (len(around), model.vertex_count)
    weights = sp.csr_matrix((values, (rows, columns.astype(np.int64))), shape=shape)
    return Followers(
        np.concatenate([*pieces, loose]), np.repeat(np.arange(len(sizes)), sizes), weights
    )


def _pieces(model, stiff):
    """Vertex lists of the connected pieces of the stiff parts."""
    count = model.vertex_count
    edges = model.part_triangles(*STIFF)[:, [0, 1, 1, 2]].reshape(-1, 2)
    graph = sp.csr_matrix((np.ones(len(edges)), edges.T), shape=(count, count))
    labels = sp.csgraph.connected_components(graph, directed=False)[1]
    return [np.flatnonzero((labels == label) & stiff) for label in np.unique(labels[stiff])]


def _neighbourhood(model, piece, skin):
    """Skin vertices near a piece and their weights, summing to 1."""
    gap = scipy.spatial.cKDTree(model.mean_mm[piece]).query(model.mean_mm[skin])[0]
    weight = np.exp(-(((gap - gap.min()) / REACH_MM) ** 2))
    keep = weight > 0.05
    return skin[keep], weight[keep] / weight[keep].sum()


def _nearest_skin(model, loose, skin):
    """Distances (l, k) and vertices (l, k) of the skin nearest to each loose vertex."""
    k = min(NEIGHBOURS, len(skin))
    tree = scipy.spatial.cKDTree(model.mean_mm[skin])
    distance, index = tree.query(model.mean_mm[loose], k=np.arange(1, k + 1))
    return distance, skin[index]
