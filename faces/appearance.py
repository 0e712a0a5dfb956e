"""Albedo and light of a face by Levenberg–Marquardt (Beyond 3DMM Space, Eq. 3 to 5)."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from faces.camera import Camera
from faces.errors import BadInput
from faces.fit_basis import thin
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.phong_fit import Parameters, PhongProblem, likeliest_start, minimise
from faces.phong_rows import shade_rows
from faces.types import Appearance
from imaging.shading import sample_texture

FEWEST = 100  # vertices: below this the light's direction hangs on single pixels


@dataclass(frozen=True, slots=True)
class AppearanceSettings:
    """Settings of fit_appearance.

    Attributes:
        spacing_mm: distance between the vertices looked at: evenly over the skin, or the dense
            (and dark) lids, lips and nostrils would outvote the cheeks.
        modes: albedo modes that take part, at most.
        beta_sigma: expected size of an albedo coefficient.
        color_sigma: error of one colour channel that model and image noise explain, in [0, 1].
        independent: how many of the samples count as independent; neighbours share their errors.
        cutoff: Tukey's, in σ of the colour distance's own spread: hair, glasses and hands beyond
            it count for nothing.
        cold_steps: iterations that reject nothing, without a previous fit.
        steps: iterations that reject outliers.
    """

    spacing_mm: float = 3.5
    modes: int = 30
    beta_sigma: float = 1.0
    color_sigma: float = 0.05
    independent: int = 300
    cutoff: float = 5.0
    cold_steps: int = 6
    steps: int = 8


def fit_appearance(
    model: MorphableModel,
    vertices_mm: np.ndarray,
    visible: np.ndarray,
    color: np.ndarray,
    camera: Camera,
    previous: Appearance | None = None,
    settings: AppearanceSettings | None = None,
    normals: np.ndarray | None = None,
) -> Appearance:
    """Fit p_tex = [β, Amb, Dir, l, k_s, ν] to the pixels under the visible skin (Eq. 5).

    Args:
        vertices_mm: (V, 3) camera frame.
        visible: (V,) bool, e.g. of faces.visibility.visible_vertices.
        color: (H, W, 3) uint8 sRGB, which Eq. 4 takes as it is.
        previous: a fit of nearly the same surface to start from.
        settings: AppearanceSettings() where None.
        normals: (V, 3) unit, where they are known already.

    Raises:
        BadInput: too little of the face's skin is visible in the image.
    """
    settings = settings or AppearanceSettings()
    if normals is None:
        normals = vertex_normals(vertices_mm, model.triangles)
    skin = _even_skin(model, settings.spacing_mm, settings.modes)
    usable, pixels = _usable(skin, vertices_mm, visible, camera)
    chosen = skin.vertices[usable]
    problem = PhongProblem(
        mean=skin.mean[usable],
        modes=skin.modes[usable],
        normals=normals[chosen],
        view=view_directions(vertices_mm[chosen], camera),
        colors=sample_colors(color, pixels).astype(np.float64),
        precision=settings.independent / len(chosen) / settings.color_sigma**2,
        beta_sigma=settings.beta_sigma,
        cutoff=settings.cutoff,
    )
    if previous is None:
        start = likeliest_start(problem, _patches(vertices_mm[chosen]), settings.cold_steps)
    else:
        start = _packed(previous, problem)
    found = minimise(problem, start, 0, settings.steps)
    return _record(model, vertices_mm, normals, camera, found)


def _patches(points_mm):
    """Parts of the face, (m,) indices each: fifths of its height, each left and right, and all.

    A thing that hides a face seldom hides all of them.
    """
    x, y = points_mm[:, 0], points_mm[:, 1]
    left = x < np.median(x)
    band = np.searchsorted(np.linspace(y.min(), y.max(), 6)[1:-1], y)
    parts = [np.flatnonzero((band == b) & (left == side)) for b in range(5) for side in (0, 1)]
    return [np.arange(len(points_mm)), *parts]


def sample_colors(color: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    """Bilinear colours (N, 3) float32 in [0, 1] of an image (H, W, 3) uint8 at pixels (N, 2).

    Pixel centres lie at +0.5; beyond the border the border's colour goes on.
    """
    height, width = color.shape[:2]
    return sample_texture(color, pixels / [width, height]) / np.float32(255)


def render_texture(
    appearance: Appearance,
    model: MorphableModel,
    vertices_mm: np.ndarray,
    camera: Camera | None = None,
    normals: np.ndarray | None = None,
) -> np.ndarray:
    """Colours C (V, 3) float32 in [0, 1] of Eq. 4 for vertices (V, 3) mm in the camera frame.

    The light stays where it is in the camera frame while the head turns. ``camera`` matters for
    an orthographic one alone, whose viewing direction is the same everywhere. ``normals`` (V, 3),
    unit, spare their computation.
    """
    if normals is None:
        normals = vertex_normals(vertices_mm, model.triangles)
    return _shade(appearance, normals, view_directions(vertices_mm, camera))


def view_directions(vertices_mm: np.ndarray, camera: Camera | None = None) -> np.ndarray:
    """Unit vectors (N, 3) from points (N, 3) mm, camera frame, towards the camera."""
    if camera is not None and not camera.is_perspective:
        return np.broadcast_to([0.0, 0.0, -1.0], vertices_mm.shape)
    return -vertices_mm / np.linalg.norm(vertices_mm, axis=-1, keepdims=True)


def _shade(appearance, normals, view):
    """Eq. 4 clipped to [0, 1], (V, 3) float32."""
    amounts = np.sqrt(np.concatenate([appearance.ambient, appearance.directional]))
    light = np.asarray(appearance.light, dtype=np.float64)
    packed = np.concatenate([amounts, light, [np.sqrt(appearance.specular), 0.0]])
    albedo = np.asarray(appearance.albedo, dtype=np.float64)
    colors, nothing = np.zeros(albedo.shape), np.zeros((0, 3, 0))
    normals, view = np.ascontiguousarray(normals), np.ascontiguousarray(view)
    shininess = float(appearance.shininess)
    shade_rows(albedo, normals, view, nothing, packed, light, shininess, True, colors, nothing)
    return np.clip(colors, 0, 1).astype(np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Skin:
    """vertices (n,) into the model, their mean (n, 3) float64 and modes (n, 3, B) float32."""

    vertices: np.ndarray
    mean: np.ndarray
    modes: np.ndarray


@lru_cache(maxsize=4)
def _even_skin(model, spacing_mm, modes):
    """Evenly spread vertices of the face's skin."""
    where = thin(model.mean_mm, model.regions["face"] & model.part_vertices("skin"), spacing_mm)
    turned = np.moveaxis(model.albedo_modes[:modes, where], 0, -1)
    rows = np.ascontiguousarray(turned, dtype=np.float32)
    return _Skin(where, model.albedo_mean[where].astype(np.float64), rows)


def _usable(skin, vertices_mm, visible, camera):
    """Indices into the skin's vertices, visible and within the image, and their pixels."""
    usable = np.flatnonzero(visible[skin.vertices])
    pixels = camera.project(vertices_mm[skin.vertices[usable]])
    inside = ((pixels > 0) & (pixels < [camera.width, camera.height])).all(1)
    usable, pixels = usable[inside], pixels[inside]
    if len(usable) < FEWEST:
        raise BadInput(
            "appearance",
            f"{len(usable)} visible skin vertices in the image",
            f"at least {FEWEST}",
            "check the fit: the face lies outside the image or faces away",
        )
    return usable, pixels


def _packed(previous, problem):
    beta = previous.beta[: problem.modes.shape[2]]
    missing = problem.modes.shape[2] - len(beta)
    return Parameters(
        np.pad(beta, (0, missing)),
        previous.ambient,
        previous.directional,
        previous.light,
        previous.specular,
        previous.shininess,
    ).pack()


def _record(model, vertices_mm, normals, camera, found):
    p = Parameters.unpack(found)
    beta = np.pad(p.beta, (0, len(model.albedo_modes) - len(p.beta)))
    blank = Appearance(
        beta=beta,
        ambient=p.ambient,
        directional=p.directional,
        light=p.light,
        specular=p.specular,
        shininess=p.shininess,
        albedo=model.albedo(p.beta.astype(np.float32)),
        colors=np.zeros((0, 3), np.float32),
    )
    return replace(blank, colors=_shade(blank, normals, view_directions(vertices_mm, camera)))
