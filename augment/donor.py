"""The model's texture as the fill's donor, corrected to the person's own colours."""

from dataclasses import replace

import numpy as np

from augment.texture import correct_colors, sample
from augment.visibility import judge
from faces.appearance import render_texture
from faces.mesh import vertex_normals
from faces.visibility import view_directions

FOREIGN_COLOR = 0.3  # an ear or neck farther than this from the fitted colour shows hair or cloth
SOCKET_SHADE = 0.45  # the mouth's inside lies in its own shadow, which Eq. 4 does not know


def head_colors(color, face, hull, model, triangles, maps, settings):
    """(V, 3) float32: the fitted colours C, corrected to the image where it shows the vertex."""
    normals = vertex_normals(hull, triangles)
    facing = facing_of(hull, normals, face.camera)
    column = hull[:, None].astype(np.float32)
    every = np.ones((len(facing), 1), dtype=bool)
    front = np.ones_like(facing)[:, None]  # any view that looks straight at the vertex
    trust, pixels = judge(
        column, facing[:, None], front, every, every, maps, face.camera, settings.visibility
    )
    photo = sample(color, pixels[:, 0])
    difference = np.abs(photo - face.appearance.colors).max(1)
    foreign = _bare_skin(model) & (difference > FOREIGN_COLOR)
    weight = np.where(foreign, 0, trust.weight[:, 0])
    matt = render_texture(
        replace(face.appearance, specular=0.0), model, face.vertices_mm, face.camera
    )  # a highlight belongs to the source's view alone
    colors = correct_colors(matt, photo, weight, triangles)
    colors[model.part_vertices("mouth_socket")] *= SOCKET_SHADE
    return colors


def _bare_skin(model):
    """(V,) bool: regions that show skin or something else before it, but no hair of their own."""
    regions = [model.regions[name] for name in ("ears", "neck") if name in model.regions]
    return np.logical_or.reduce([np.zeros(model.vertex_count, bool), *regions])


def facing_of(points_mm, normals, camera):
    """(N,) cosine between the normals and the directions to the camera."""
    return (normals * view_directions(points_mm, camera)).sum(1)
