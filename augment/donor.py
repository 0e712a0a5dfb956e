"""The model's texture as the fill's donor, corrected to the person's own colours."""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import dijkstra

from augment.texture import WHISPER, carry, sample, smoothstep
from augment.visibility import judge
from faces.appearance import render_texture
from faces.mesh import unique_edges, vertex_normals
from faces.visibility import view_directions

FOREIGN_COLOR = 0.25  # an ear or neck farther than this from the fitted colour shows hair or cloth
HAIRY_COLOR = 0.15  # a scalp farther than this from it bears hair, which says nothing about skin
SOCKET_SHADE = 0.45  # the mouth's inside lies in its own shadow, which Eq. 4 does not know
STRETCHED_DEG, FEATHER_DEG = 80.0, 18.0  # a colour may be read at a flatter angle than a texture
# mm behind the model's hairline: the person's own lies elsewhere, so that what is seen between
# them is neither scalp nor skin
HAIRLINE_MM = (5.0, 15.0)
GOES_OVER_MM = 12.0  # within so much behind the hairline skin's correction goes over in the scalp's
SCALP_PRIOR = 1e-3  # of a seen vertex's weight of 1: the scalp is as the skin's correction says


def head_colors(color, face, hull, model, triangles, maps, settings):
    """(V, 3) float32: the fitted colours C, corrected to the image where it shows the vertex.

    Skin and scalp are corrected each by what is seen of it, for a shaved, dyed or covered scalp
    says nothing about cheeks and ears, nor do they about it.
    """
    photo, weight = _seen(color, face, hull, model, triangles, maps, settings)
    matt = render_texture(
        replace(face.appearance, specular=0.0), model, hull, face.camera
    )  # a highlight belongs to the source's view alone
    depth = scalp_depth(model)
    shift = _corrections(photo - matt, weight, depth, triangles)
    colors = np.clip(matt + shift, 0, 1).astype(np.float32)
    colors[model.part_vertices("mouth_socket")] *= SOCKET_SHADE
    return colors


@lru_cache(maxsize=4)
def scalp_depth(model) -> np.ndarray:
    """(V,) float64: mm along the mean's surface from its border; 0 outside the scalp."""
    scalp = model.regions.get("scalp", np.zeros(model.vertex_count, dtype=bool))
    if not scalp.any():
        return np.zeros(model.vertex_count)
    i, j = unique_edges(model.triangles).T
    lengths = np.linalg.norm(model.mean_mm[i] - model.mean_mm[j], axis=1)
    shape = (model.vertex_count, model.vertex_count)
    graph = sp.coo_matrix((lengths, (i, j)), shape).tocsr()
    outside = np.flatnonzero(~scalp)
    depth = dijkstra(graph, directed=False, indices=outside, min_only=True)
    return np.where(scalp & np.isfinite(depth), depth, 0)


def facing_of(points_mm, normals, camera):
    """(N,) cosine between the normals and the directions to the camera."""
    return (normals * view_directions(points_mm, camera)).sum(1)


def _seen(color, face, hull, model, triangles, maps, settings):
    """The image's colours (V, 3) at the vertices, and the trust (V, 2) in them as skin's or
    scalp's."""
    normals = vertex_normals(hull, triangles)
    facing = facing_of(hull, normals, face.camera)[:, None]
    column = hull[:, None].astype(np.float32)
    every = np.ones(facing.shape, dtype=bool)
    front = np.ones_like(facing)  # any view that looks straight at the vertex
    flat = replace(settings.visibility, stretched_deg=STRETCHED_DEG, feather_deg=FEATHER_DEG)
    trust, pixels = judge(column, facing, front, every, every, maps, face.camera, flat)
    photo = sample(color, pixels[:, 0])
    apart = np.abs(photo - face.appearance.colors).max(1)
    scalp = model.regions.get("scalp", np.zeros(model.vertex_count, dtype=bool))
    foreign = _bare_skin(model) & (apart > FOREIGN_COLOR)
    skin = np.where(foreign | (scalp & (apart > HAIRY_COLOR)), 0, trust.weight[:, 0])
    low, high = HAIRLINE_MM
    behind = smoothstep((scalp_depth(model) - low) / (high - low))
    return photo, np.stack([skin, np.where(scalp, trust.weight[:, 0] * behind, 0)], 1)


def _corrections(wanted, weight, depth, triangles):
    """(V, 3): the wanted differences, carried from where they are trusted to everywhere else."""
    skin = carry(wanted, weight[:, 0], 0 * wanted, WHISPER, triangles)
    on_scalp = triangles[(depth > 0)[triangles].any(1)]
    if not len(on_scalp) or not (weight[:, 1] > 0).any():
        return skin
    scalp = carry(wanted, weight[:, 1], skin, SCALP_PRIOR, on_scalp)
    return skin + smoothstep(depth / GOES_OVER_MM)[:, None] * (scalp - skin)


def _bare_skin(model):
    """(V,) bool: regions that show skin or something else before it, but no hair of their own."""
    regions = [model.regions[name] for name in ("ears", "neck") if name in model.regions]
    return np.logical_or.reduce([np.zeros(model.vertex_count, bool), *regions])
