"""The last step: every depth pixel on the face moves the mesh along its normals.

Eq. 6 gives a vertex one pixel, the one most like it: of many noisy pixels the nearest, which holds
the mesh back. Here the current mesh is drawn into the image, and each pixel's distance to it along
the normal counts at the corners of its triangle, so that noise averages out over all pixels. With
areas M, pixels' areas and weights gathered in W and their weighted distances in r, the relief d
minimises

    Σ W d² − 2 Σ r d + ε Σ M d² + ℓ⁴ dᵀ L M⁻¹ L d

It is the likeliest relief where the distances carry white noise of spectral density N, and the
Laplacian of what the mesh lacks is white as well, of density ρ: then ℓ⁴ = N/ρ (Kimeldorf and Wahba,
Ann. Math. Statist. 41, 1970, on splines). N is read off the scan itself: a scanner's and a stereo
camera's differ by a factor of hundreds.

Nothing slides: along the surface a depth image says nothing that Eq. 6 has not used.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from faces.appearance import render_texture
from faces.camera import Camera
from faces.mesh import triangle_normals, vertex_normals
from faces.morphable import MorphableModel
from faces.types import Appearance
from faces.visibility import view_directions
from imaging.raster import Fragments, rasterise
from registration.correspond import DepthTarget
from registration.nonrigid import biweight, rough_factor
from registration.pcg import polished
from registration.template import template_of

ALIKE = 1.25  # ratio of ℓ up to which one factor, as a preconditioner, serves both: 4 to 6 steps
HALVINGS = 12  # a step of 8 mm is then 2 µm
TOLERANCE = 1e-3  # relative residual: of a relief of 1 mm, far less than any sensor tells


@dataclass(frozen=True, slots=True)
class ReliefSettings:
    """How the relief is found.

    Attributes:
        iterations: of drawing and solving; 0 leaves the mesh as it is.
        roughness: ρ, no unit; a Laplacian of 0.03/mm, usual for what Eq. 6 leaves on simulated
            subjects, in patches of 11 mm². Twice or half of it costs some sensors 4 % and wins
            others as much.
        length_mm: least and largest ℓ.
        block_mm: noise is measured in means over squares of this side. Neighbouring pixels of a
            stereo camera err together; over less than that, their noise would pass for relief.
        prior: ε.
        within_mm: pixels further off are another surface's.
        robust_scale, robust_floor_mm: Tukey's cut-off, as of registration.nonrigid.
        cos_min: pixels seen at a flatter angle are left out; their depth errs most.
        tau_c: colour distance at which a pixel counts for nothing.
    """

    iterations: int = 2
    roughness: float = 0.01
    length_mm: tuple[float, float] = (0.7, 9.0)
    block_mm: float = 6.0
    prior: float = 0.001
    within_mm: float = 8.0
    robust_scale: float = 4.685
    robust_floor_mm: float = 2.0
    cos_min: float = 0.1
    tau_c: float = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Pixels:
    """P pixels that show the skin.

    Attributes:
        corners: (P, 3) int, the vertices of the triangle that is drawn there.
        share: (P, 3) float64 mm², the pixel's area and weight at each.
        distance_mm: (P,) float64, from the mesh along its normal.
        at: (P,) int64, the pixel in the image, row by row.
        area_mm2: their median area across the view.
    """

    corners: np.ndarray
    share: np.ndarray
    distance_mm: np.ndarray
    at: np.ndarray
    area_mm2: float


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
    factor, made_for = None, 1.0
    for _ in range(settings.iterations):
        normals = vertex_normals(vertices, model.triangles)
        seen = _pixels(model, vertices, normals, appearance, target, settings)
        if len(seen.at) == 0:
            return vertices
        matrix, right, length = _system(template, seen, len(vertices), target.valid.shape, settings)
        if factor is None or not 1 / ALIKE < length / made_for < ALIKE:
            factor, made_for = rough_factor(template, matrix), length
        step = polished(matrix, right, factor.solve, TOLERANCE) * normals[template.vertices]
        vertices[template.vertices] += unfolded(
            vertices[template.vertices], step, template.triangles, start
        )
    return vertices


def _system(template, seen, count, shape, settings):
    """Matrix (n, n) and right side (n, 1) of the relief d, mm, and its smoothing length, mm."""
    distance = seen.distance_mm
    spread = 1.4826 * np.median(np.abs(distance))
    cut = max(settings.robust_scale * spread, settings.robust_floor_mm)
    share = seen.share * biweight(np.abs(distance) / cut)[:, None]
    weight = np.bincount(seen.corners.ravel(), share.ravel(), count)[template.vertices]
    pull = np.bincount(seen.corners.ravel(), (share * distance[:, None]).ravel(), count)
    weight *= template.data_share
    right = (template.data_share * pull[template.vertices])[:, None]
    noise = noise_density(seen, shape, settings.block_mm)
    length = np.clip((noise / settings.roughness) ** 0.25, *settings.length_mm)
    diagonal = weight + settings.prior * template.area_mm2
    return template.system(diagonal, 0.0, length**4), right, length


def noise_density(seen: Pixels, shape: tuple[int, int], block_mm: float) -> float:
    """Spectral density N of the distances' noise at some ``block_mm``, mm⁴.

    White noise of variance σ² in pixels of area A has N = σ²A. Second differences of the means of
    b×b pixels have the variance 6σ²/b², and feel little of a relief wider than the three blocks;
    their median keeps out what is narrower but only in places, a lid or a lip.

    Args:
        shape: (H, W) of the image.
    """
    side = max(round(block_mm / seen.area_mm2**0.5), 1)
    row, column = np.unravel_index(seen.at, shape)
    row, column = row - row.min(), column - column.min()
    image = np.zeros((row.max() + 1, column.max() + 1), dtype=np.float32)
    known = np.zeros_like(image)
    image[row, column], known[row, column] = seen.distance_mm, 1
    total, count = (cv2.boxFilter(a, -1, (side, side), normalize=False) for a in (image, known))
    mean, full = total / np.maximum(count, 1), count > side * side / 2
    bends = []
    for values, whole in ((mean, full), (mean.T, full.T)):
        triples = [np.s_[k * side : len(values) - (2 - k) * side] for k in range(3)]
        first, middle, last = (values[part] for part in triples)
        inside = np.logical_and.reduce([whole[part] for part in triples])
        bends.append((first - 2 * middle + last)[inside])
    found = np.abs(np.concatenate(bends))
    if len(found) == 0:  # too few pixels for a block: what they scatter by is called noise
        return float(np.mean(seen.distance_mm**2) * seen.area_mm2)
    return float((1.4826 * np.median(found)) ** 2 / 6 * side * side * seen.area_mm2)


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
    """The pixels that show the skin of the mesh as it is."""
    camera = target.camera
    size = (camera.width, camera.height)
    fragments = rasterise(camera.screen(vertices), model.triangles, size, camera.is_perspective)
    colors = render_texture(appearance, model, vertices, camera, normals)
    use = np.flatnonzero(fragments.mask & target.valid & ~target.rim)
    drawn = _picked(fragments, use)
    values = drawn.interpolate(np.hstack([vertices, normals, colors]), model.triangles)[0]
    here, facing, color = values[:, :3], values[:, 3:6], values[:, 6:]
    points = target.points_mm.reshape(-1, 3)[use].astype(np.float64)
    facing = facing / np.maximum(_lengths(facing), 1e-9)[:, None]
    gap = points - here  # along the pixel's ray
    distance = np.einsum("ij,ij->i", gap, facing)
    cosine = np.einsum("ij,ij->i", facing, view_directions(points, camera))
    tint = _lengths(color - target.colors.reshape(-1, 3)[use])
    keep = (_lengths(gap) < settings.within_mm) & (cosine > settings.cos_min)
    keep &= tint < settings.tau_c
    across = _pixel_mm2(points[keep, 2], camera)
    area = across / cosine[keep] * biweight(tint[keep] / settings.tau_c)
    return Pixels(
        model.triangles[drawn.triangle_id[0, keep]],
        drawn.barycentric[0, keep] * area[:, None],
        distance[keep],
        use[keep],
        float(np.median(across)) if len(across) else 0.0,
    )


def _picked(fragments, at):
    """Fragments (1, P) of the pixels ``at`` (P,), row by row: most of an image shows no face."""
    return Fragments(
        fragments.triangle_id.ravel()[at][None],
        fragments.barycentric.reshape(-1, 3)[at][None],
        fragments.depth.ravel()[at][None],
    )


def _lengths(vectors):
    return np.sqrt(np.einsum("ij,ij->i", vectors, vectors))


def _pixel_mm2(depth_mm: np.ndarray, camera: Camera) -> np.ndarray:
    """Area (P,) of a pixel at its depth, across the view."""
    if not camera.is_perspective:
        return np.full(len(depth_mm), camera.mm_per_px**2)
    return depth_mm**2 / (camera.fx * camera.fy)
