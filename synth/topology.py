"""What all faces of a model share when they are rendered, and one face on it."""

from functools import lru_cache

import numpy as np

from faces.mesh import vertex_normals
from faces.models import albedo, anatomy
from faces.morphable import PARTS, MorphableModel
from synth.renderer import PART_LABELS, FaceMesh, Topology

# What a triangle of a model's part shows; lashes and sockets are seen between the lids alone.
SHOWN = {
    "skin": "skin",
    "mouth_socket": "mouth",
    "eye_socket": "eyes",
    "eye": "eyes",
    "teeth": "teeth",
    "gums": "mouth",
    "tongue": "mouth",
    "lashes": "eyes",
}
SOME = 0.5  # of a smooth mask, averaged over a triangle's corners, from which on it is of that part


@lru_cache(maxsize=8)
def topology_of(model: MorphableModel) -> Topology:
    """The triangles, charts, PNCC, parts and landmarks of a model's faces; kept for the next call.

    Skin is told apart by the model's regions and its 68 landmarks: ears and neck where all three
    corners lie in the region, brows and lips where faces.models.albedo paints them. A region that
    the model lacks stays skin. A model without texture coordinates has none here: uv (0, 2).
    """
    pncc = _pncc(model.mean_mm)
    triangles = np.ascontiguousarray(model.triangles, dtype=np.int32)
    triangle_uv = np.zeros_like(triangles)
    if len(model.uv):
        triangle_uv = np.ascontiguousarray(model.triangle_uv, dtype=np.int32)
    arrays = {
        "triangles": triangles,
        "uv": np.ascontiguousarray(model.uv, dtype=np.float32).reshape(-1, 2),
        "triangle_uv": triangle_uv,
        "pncc": pncc,
        "parts": _parts(model),
        "landmarks": model.landmarks["ibug68"].astype(np.int32),
    }
    for name, array in arrays.items():  # shared by every face: nobody may change it
        arrays[name] = array.view()
        arrays[name].setflags(write=False)
    return Topology(**arrays)


def face_mesh(
    model: MorphableModel,
    vertices_mm: np.ndarray,
    colors: np.ndarray | None,
    texture: tuple[np.ndarray, ...] | None = None,
) -> FaceMesh:
    """A face of a model, ready to be rendered at any pose.

    Args:
        model: gives the topology.
        vertices_mm: (V, 3) mm in the model frame.
        colors: (V, 3) sRGB albedo in [0, 1]; the model's mean where None.
        texture: levels of imaging.mipmap.mip_levels on the model's uv; None for ``colors``.
    """
    colors = model.albedo_mean if colors is None else colors
    normals = vertex_normals(np.asarray(vertices_mm, dtype=np.float64), model.triangles)
    return FaceMesh(
        topology_of(model),
        np.ascontiguousarray(vertices_mm, dtype=np.float32),
        normals.astype(np.float32),
        np.ascontiguousarray(colors, dtype=np.float32),
        () if texture is None else tuple(texture),
    )


def _pncc(mean_mm: np.ndarray) -> np.ndarray:
    """(V, 3) float32: the mean's coordinates scaled to its box, a code of the place on the face
    (Zhu et al. 2016, Eq. 5)."""
    low, high = mean_mm.min(0), mean_mm.max(0)
    return ((mean_mm - low) / (high - low)).astype(np.float32)


def _parts(model: MorphableModel) -> np.ndarray:
    """(T,) uint8, index into PART_LABELS."""
    shown = np.array([PART_LABELS.index(SHOWN[part]) for part in PARTS], dtype=np.uint8)
    parts = shown[model.triangle_part]
    skin = model.triangle_part == PARTS.index("skin")
    for label in ("neck", "ears"):
        if label in model.regions:
            inside = model.regions[label][model.triangles].all(1)
            parts[skin & inside] = PART_LABELS.index(label)
    masks = _painted(model)
    for label in ("brows", "lips"):
        inside = masks[label][model.triangles].mean(1) > SOME
        parts[skin & inside] = PART_LABELS.index(label)
    return parts


def _painted(model: MorphableModel) -> dict[str, np.ndarray]:
    """Smooth masks (V,) of what is painted on the model."""
    nowhere = np.zeros(model.vertex_count, dtype=bool)
    ears = model.regions.get("ears", nowhere)
    head = anatomy.make_head(
        model.mean_mm,
        model.triangles,
        model.part_vertices("skin"),
        model.landmarks["ibug68"],
        ears,
    )
    regions = model.regions | {"ears": ears}
    return albedo.find_masks(head, regions, model.triangles, model.triangle_part)
