"""Labels of a rotated view, from the registered mesh at the view's pose."""

from collections.abc import Sequence

import numpy as np

from augment.image_mesh import SceneMesh, turned_screen
from faces.camera import FLIP, Camera
from faces.errors import BadInput
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.visibility import visible_vertices
from imaging.raster import rasterise

BUFFERS = ("depth_mm", "normal", "pncc", "mask")


def project_landmarks(
    head_mm: np.ndarray, model: MorphableModel, camera: Camera
) -> tuple[np.ndarray, np.ndarray]:
    """The 68 landmarks (68, 2) float64 px of a head (V, 3) mm, and which are seen (68,) bool."""
    indices = model.landmarks["ibug68"]
    seen = visible_vertices(head_mm, model.triangles, camera)
    return camera.project(head_mm[indices]), seen[indices]


def make_buffers(
    names: Sequence[str],
    scene: SceneMesh,
    vertices_mm: np.ndarray,
    model: MorphableModel,
    camera: Camera,
) -> dict[str, np.ndarray]:
    """The named buffers of a view; never averaged over pixels, 0 where they say nothing.

    Args:
        names: of BUFFERS. "depth_mm" (h, w) float32: z of head, hair and shoulders. "normal"
            (h, w, 3) float32: unit, model axes (x right, y up, z to the camera). "pncc" (h, w, 3)
            float32 in [0, 1]: the mean shape's coordinates, on the model's head. "mask" (h, w)
            uint8: 255 on the face region where nothing hides it.
        scene: the mesh; its first vertices are the model's.
        vertices_mm: (N, 3) its vertices in the view's camera frame.

    Raises:
        BadInput: for a name that is none of BUFFERS.
    """
    unknown = sorted(set(names) - set(BUFFERS))
    if unknown:
        raise BadInput("buffers", f"{unknown}", f"names of {BUFFERS}", "mend the setting")
    if not names:
        return {}
    size = (camera.width, camera.height)
    shown = rasterise(
        turned_screen(scene, vertices_mm, camera), scene.triangles, size, camera.is_perspective
    )
    makers = {
        "depth_mm": lambda: shown.depth,
        "normal": lambda: _normals(shown, scene, vertices_mm),
        "pncc": lambda: _pncc(shown, scene, model),
        "mask": lambda: _mask(shown, scene, model),
    }
    return {name: makers[name]() for name in names}


def _padded(values, count):
    """Vertex values (V, C) with zeros for the grid's vertices."""
    out = np.zeros((count, values.shape[1]), dtype=np.float32)
    out[: len(values)] = values
    return out


def _normals(shown, scene, vertices_mm):
    normals = vertex_normals(vertices_mm, scene.triangles) @ FLIP
    image = shown.interpolate(normals, scene.triangles)
    length = np.linalg.norm(image, axis=-1, keepdims=True)
    return np.divide(image, length, out=np.zeros_like(image), where=length > 0)


def _pncc(shown, scene, model):
    low, high = model.mean_mm.min(0), model.mean_mm.max(0)
    code = _padded((model.mean_mm - low) / (high - low), len(scene.vertices_mm))
    return shown.interpolate(code, scene.triangles)


def _mask(shown, scene, model):
    face = _padded(model.regions["face"][:, None], len(scene.vertices_mm))
    share = shown.interpolate(face, scene.triangles)[..., 0]
    return np.where(share > 0.5, 255, 0).astype(np.uint8)
