"""The model's texture as the fill's donor, corrected to the person's own colours."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra

from augment.seen import SeenHead, region
from faces.appearance import render_texture
from faces.mesh import unique_edges
from faces.mirror import mirrored_vertices
from faces.morphable import MorphableModel
from faces.texture import WHISPER, carry, smoothstep
from faces.types import RegisteredFace

SOCKET_SHADE = 0.45  # the mouth's inside lies in its own shadow, which Eq. 4 does not know
GOES_OVER_MM = 20.0  # within so much of the scalp's border skin's correction goes over in its own
MIRRORED = 0.1  # of a seen vertex's weight of 1: a vertex whose partner on the other half is seen
DARK, LIGHT_MAX = 0.02, 2.0  # keep the ratio of the halves' light within reason
SCALP_PRIOR = 1e-3  # of a seen vertex's weight of 1: the scalp is as the skin's correction says


def head_colors(
    seen: SeenHead,
    face: RegisteredFace,
    hull: np.ndarray,
    normals: np.ndarray,
    model: MorphableModel,
    triangles: np.ndarray,
) -> np.ndarray:
    """(V, 3) float32: the fitted colours C, corrected to the image where it shows the vertex.

    Skin and scalp are corrected each by what is seen of it, for a shaved, dyed or covered scalp
    says nothing about cheeks and ears, nor do they about it.

    Args:
        seen: the image's colours at the vertices.
        face: the fitted appearance.
        hull, normals: (V, 3) mm in the camera frame, and unit.
        model: names the regions.
        triangles: (T, 3) int, what is drawn of the head.
    """
    matt = render_texture(
        replace(face.appearance, specular=0.0), model, hull, face.camera, normals
    )  # a highlight belongs to the source's view alone
    wanted, skin = _with_mirrored(seen.photo - matt, seen.skin, matt, model)
    shift = _corrections(wanted, skin, seen.scalp, scalp_depth(model), triangles)
    colors = np.clip(matt + shift, 0, 1).astype(np.float32)
    colors[model.part_vertices("mouth_socket")] *= SOCKET_SHADE
    return colors


@lru_cache(maxsize=4)
def scalp_depth(model: MorphableModel) -> np.ndarray:
    """(V,) float64: mm along the mean's surface from the scalp's border; 0 outside the scalp."""
    scalp = region(model, "scalp")
    if not scalp.any():
        return np.zeros(model.vertex_count)
    i, j = unique_edges(model.triangles).T
    lengths = np.linalg.norm(model.mean_mm[i] - model.mean_mm[j], axis=1)
    shape = (model.vertex_count, model.vertex_count)
    graph = sp.coo_matrix((lengths, (i, j)), shape).tocsr()
    outside = np.flatnonzero(~scalp)
    depth = dijkstra(graph, directed=False, indices=outside, min_only=True)
    return np.where(scalp & np.isfinite(depth), depth, 0)


def _with_mirrored(wanted, trust, matt, model):
    """Wanted differences and trust, an unseen vertex's from the other half of the face: albedo is
    nearly symmetric, and the light there is the model's. (On necks, collars are not.)"""
    partner, paired = mirrored_vertices(model)
    borrowed = np.where(paired & model.regions["face"], MIRRORED * trust[partner], 0)
    light = matt / np.maximum(matt[partner], DARK)
    own = trust >= borrowed
    mirrored = wanted[partner] * np.minimum(light, LIGHT_MAX)
    return np.where(own[:, None], wanted, mirrored), np.where(own, trust, borrowed)


def _corrections(wanted, trust, on_scalp, depth, triangles):
    """(V, 3): the wanted differences, carried from where they are trusted to everywhere else."""
    skin = carry(wanted, trust, 0 * wanted, WHISPER, triangles)
    of_scalp = triangles[(depth > 0)[triangles].any(1)]
    if not len(of_scalp) or not (on_scalp > 0).any():
        return skin
    scalp = carry(wanted, on_scalp, skin, SCALP_PRIOR, of_scalp)
    return skin + smoothstep(depth / GOES_OVER_MM)[:, None] * (scalp - skin)
