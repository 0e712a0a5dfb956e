"""How a subject's surface looks: lit vertex colours, and detail finer than the mesh."""

from collections.abc import Callable

import numpy as np
from scipy.ndimage import map_coordinates

from faces.camera import Camera
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.visibility import view_directions
from imaging.raster import Fragments
from imaging.shading import phong
from synth.subjects import Light

# k_s and ν of wet parts, by eye: a small sharp glint in the eye, a broad one on teeth and tongue
WET = {"eye": (0.7, 80.0), "teeth": (0.15, 25.0), "tongue": (0.15, 15.0), "gums": (0.15, 15.0)}
# the light that lids and lips keep from what lies behind them, by eye
SHADE = {
    "eye": 0.9,
    "teeth": 0.9,
    "gums": 0.5,
    "tongue": 0.5,
    "mouth_socket": 0.3,
    "eye_socket": 0.5,
}
NOISE_MM = ((9.0, 0.035), (3.0, 0.035), (1.1, 0.045))  # (period, strength): mottling to pores
LATTICE = 48


def lit_colors(
    model: MorphableModel,
    vertices_mm: np.ndarray,
    albedo: np.ndarray,
    light: Light,
    camera: Camera,
) -> np.ndarray:
    """Vertex colours (V, 3) float32 in [0, 1] by Eq. 4, each part with its own gloss.

    Args:
        model: gives triangles and parts.
        vertices_mm: (V, 3) mm in the camera frame.
        albedo: (V, 3) in [0, 1].
        light: in the camera frame.
        camera: towards which the highlights go.
    """
    normals = vertex_normals(vertices_mm, model.triangles)
    view = view_directions(vertices_mm, camera)
    colors = _phong(albedo, normals, view, light, light.specular, light.shininess)
    for part, gloss in WET.items():
        chosen = model.part_vertices(part)
        colors[chosen] = _phong(albedo[chosen], normals[chosen], view[chosen], light, *gloss)
    for part, factor in SHADE.items():
        colors[model.part_vertices(part)] *= factor
    return np.clip(colors, 0, 1).astype(np.float32)


def skin_detail(
    model: MorphableModel, rng: np.random.Generator
) -> Callable[[Fragments], np.ndarray]:
    """Mottling and pores as factors (h, w, 3) float32 about 1, fixed to the subject's skin.

    A solid noise in the mean head's space: it moves with the face, needs no texture coordinates
    and has no seams. Eyes and mouth have none.
    """
    lattices = rng.normal(size=(len(NOISE_MM), LATTICE, LATTICE, LATTICE)).astype(np.float32)
    share = model.part_vertices("skin").astype(np.float32)
    carried = np.concatenate([model.mean_mm, share[:, None]], axis=1)

    def factors(fragments: Fragments) -> np.ndarray:
        mask = fragments.mask
        values = fragments.interpolate(carried, model.triangles)[mask]
        noise = np.zeros(len(values), dtype=np.float32)
        for (period_mm, strength), lattice in zip(NOISE_MM, lattices, strict=True):
            at = values[:, :3].T * np.float32(2 / period_mm)
            noise += strength * map_coordinates(lattice, at, order=1, mode="grid-wrap")
        out = np.ones((*mask.shape, 3), dtype=np.float32)
        # melanin and blood take most from green and blue: spots are redder, not just darker
        out[mask] += (noise * values[:, 3])[:, None] * np.array([0.7, 1.0, 1.1], dtype=np.float32)
        return out

    return factors


def _phong(albedo, normals, view, light: Light, specular: float, shininess: float) -> np.ndarray:
    return phong(
        albedo,
        normals,
        view,
        light.direction,
        light.ambient,
        light.directional,
        specular,
        shininess,
    )
