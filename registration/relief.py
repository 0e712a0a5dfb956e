"""The last step: every depth pixel on the face moves the mesh along its normals.

Eq. 6 gives a vertex one pixel, the one most like it: of many noisy pixels the nearest, which holds
the mesh back. Here the current mesh is drawn into the image, and each pixel's distance to it along
the normal counts at the corners of its triangle, so that noise averages out over all pixels. With
areas M, pixels' areas and weights gathered in W and their weighted distances in r, the relief d
minimises

    Σ W d² − 2 Σ r d + ε Σ M d² + ℓ⁴ dᵀ L M⁻¹ L d

Nothing slides: along the surface a depth image says nothing that Eq. 6 has not used.
"""

from dataclasses import dataclass

import numpy as np

from faces.appearance import render_texture
from faces.camera import Camera
from faces.mesh import triangle_normals, vertex_normals
from faces.morphable import MorphableModel
from faces.types import Appearance
from faces.visibility import view_directions
from imaging.raster import rasterise
from registration.correspond import DepthTarget
from registration.nonrigid import biweight
from registration.template import template_of

HALVINGS = 12  # a step of 8 mm is then 2 µm


@dataclass(frozen=True, slots=True)
class ReliefSettings:
    """How the relief is found.

    Attributes:
        iterations: of drawing and solving; 0 leaves the mesh as it is.
        length_mm: least and largest ℓ.
        length_per_noise: ℓ in robust standard deviations of the pixels' distances, between these.
        prior: ε.
        within_mm: pixels further off are another surface's.
        robust_scale, robust_floor_mm: Tukey's cut-off, as of registration.nonrigid.
        cos_min: pixels seen at a flatter angle are left out; their depth errs most.
        tau_c: colour distance at which a pixel counts for nothing.
    """

    iterations: int = 2
    length_mm: tuple[float, float] = (1.5, 7.0)
    length_per_noise: float = 10.0
    prior: float = 0.01
    within_mm: float = 8.0
    robust_scale: float = 4.685
    robust_floor_mm: float = 2.0
    cos_min: float = 0.3
    tau_c: float = 0.2


def carve(
    model: MorphableModel,
    vertices_mm: np.ndarray,
    appearance: Appearance,
    target: DepthTarget,
    settings: ReliefSettings,
) -> np.ndarray:
    """The mesh (V, 3) float64 mm, camera frame, moved along its normals to the depth.

    Args:
        vertices_mm: (V, 3) mm, camera frame, registered to a few mm.
        appearance: for the colours that a pixel must have.
    """
    template = template_of(model)
    vertices = np.array(vertices_mm, dtype=np.float64)
    start = triangle_normals(vertices[template.vertices], template.triangles)
    for _ in range(settings.iterations):
        normals = vertex_normals(vertices, model.triangles)
        corners, share, distance = _pixels(model, vertices, normals, appearance, target, settings)
        if len(distance) == 0:
            return vertices
        spread = 1.4826 * np.median(np.abs(distance))
        cut = max(settings.robust_scale * spread, settings.robust_floor_mm)
        share = share * biweight(np.abs(distance) / cut)[:, None]
        count = len(vertices)
        weight = np.bincount(corners.ravel(), share.ravel(), count)[template.vertices]
        pull = np.bincount(corners.ravel(), (share * distance[:, None]).ravel(), count)
        weight *= template.data_share
        right = (template.data_share * pull[template.vertices])[:, None]
        length = np.clip(settings.length_per_noise * spread, *settings.length_mm)
        matrix = template.system(weight + settings.prior * template.area_mm2, 0.0, length**4)
        relief = template.symbolic.factorise(matrix).solve(right)
        step = relief * normals[template.vertices]
        vertices[template.vertices] += unfolded(
            vertices[template.vertices], step, template.triangles, start
        )
    return vertices


def unfolded(
    vertices_mm: np.ndarray, step_mm: np.ndarray, triangles: np.ndarray, upright: np.ndarray
) -> np.ndarray:
    """The step (n, 3), halved at the corners of every triangle that it would turn over.

    Normals of a thin rim, a lid's, cross within a millimetre or two: a relief longer than that
    would push the mesh through itself.

    Args:
        vertices_mm: (n, 3) before the step.
        step_mm: (n, 3).
        triangles: (t, 3) int.
        upright: (t, 3) normals of any length, from which none may turn by more than 90°.
    """
    step = step_mm.copy()
    for _ in range(HALVINGS):
        after = triangle_normals(vertices_mm + step, triangles)
        turned = np.einsum("ij,ij->i", upright, after) < 0
        if not turned.any():
            break
        step[np.unique(triangles[turned])] *= 0.5
    return step


def _pixels(model, vertices, normals, appearance, target, settings):
    """Pixels that show the skin: corners (P, 3), their shares (P, 3) mm² and distances (P,) mm."""
    camera = target.camera
    size = (camera.width, camera.height)
    fragments = rasterise(camera.screen(vertices), model.triangles, size, camera.is_perspective)
    colors = render_texture(appearance, model, vertices, camera)
    drawn = [fragments.interpolate(a, model.triangles) for a in (vertices, normals, colors)]
    use = fragments.mask & target.valid & ~target.rim
    points = target.points_mm[use].astype(np.float64)
    here, facing, color = (image[use] for image in drawn)
    facing = facing / np.maximum(np.linalg.norm(facing, axis=1, keepdims=True), 1e-9)
    gap = points - here  # along the pixel's ray
    distance = np.einsum("ij,ij->i", gap, facing)
    cosine = np.einsum("ij,ij->i", facing, view_directions(points, camera))
    tint = np.linalg.norm(color - target.colors[use], axis=1)
    keep = (np.linalg.norm(gap, axis=1) < settings.within_mm) & (cosine > settings.cos_min)
    keep &= tint < settings.tau_c
    area = _pixel_mm2(points[keep, 2], camera) / cosine[keep]
    area *= biweight(tint[keep] / settings.tau_c)
    corners = model.triangles[fragments.triangle_id[use][keep]]
    return corners, fragments.barycentric[use][keep] * area[:, None], distance[keep]


def _pixel_mm2(depth_mm: np.ndarray, camera: Camera) -> np.ndarray:
    """Area (P,) of a pixel at its depth, across the view."""
    if not camera.is_perspective:
        return np.full(len(depth_mm), camera.mm_per_px**2)
    return depth_mm**2 / (camera.fx * camera.fy)
