"""A scan made ready to be turned: its depth completed, its image one mesh (§3.2)."""

from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from augment.backdrop import Backdrop, complete_backdrop
from augment.background import BackgroundSettings
from augment.foreground import ForegroundSettings, Layers, split_layers, with_hull
from augment.hull import anchored, grow_hull, set_back
from augment.image_mesh import MeshSettings, SceneMesh, build_scene
from augment.texture import correct_colors, sample
from augment.visibility import SourceMaps, VisibilitySettings, judge, source_maps
from faces.appearance import render_texture
from faces.errors import BadInput
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.types import RegisteredFace, Scan
from faces.visibility import view_directions
from imaging.raster import rasterise

TRUSTED_REGIONS = ("face", "ears")
# no teeth, gums or tongue: of them the image's grid shows what the camera saw, where it saw it
DRAWN_PARTS = ("skin", "mouth_socket", "eye_socket", "eye")
SOCKET_SHADE = 0.45  # the mouth's inside lies in its own shadow, which Eq. 4 does not know
FOREIGN_COLOR = 0.3  # an ear or neck farther than this from the fitted colour shows hair or cloth


@dataclass(frozen=True, slots=True)
class RotateSettings:
    """Attributes:
    size_px: edge of the square views; the paper's 256.
    margin: the crop's edge over the longer edge of the projected face's box, less 1.
    supersample: colour is rendered at this multiple of the size and averaged.
    background: "still" leaves it where the camera sees it, "turn" turns it with the head as
        the paper does (and smears it at large yaw).
    buffers: extra images to make, of "depth_mm", "normal", "pncc", "mask".
    """

    size_px: int = 256
    margin: float = 0.25
    supersample: int = 2
    background: Literal["still", "turn"] = "still"
    buffers: tuple[str, ...] = ()
    foreground: ForegroundSettings = field(default_factory=ForegroundSettings)
    anchors: BackgroundSettings = field(default_factory=BackgroundSettings)
    mesh: MeshSettings = field(default_factory=MeshSettings)
    visibility: VisibilitySettings = field(default_factory=VisibilitySettings)


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A scan made ready to be turned; everything that its views share.

    Attributes:
        color: (H, W, 3) float32 in [0, 1].
        layers: the complete depth.
        scene: the image as one mesh.
        maps: what each source pixel is good for.
        backdrop: the background without the head.
    """

    color: np.ndarray
    layers: Layers
    scene: SceneMesh
    maps: SourceMaps
    backdrop: Backdrop


def prepare(
    scan: Scan, face: RegisteredFace, model: MorphableModel, settings: RotateSettings
) -> Source:
    """Complete the depth, and turn the image into one mesh."""
    _check(scan, face, model)
    color = scan.color.astype(np.float32) / 255
    triangles = model.part_triangles(*DRAWN_PARTS)
    head_mm, (trusted, ears, mouth) = _registered_depth(scan, face, model, triangles)
    scale = _mm_per_px(head_mm, scan.camera)
    layers = split_layers(
        scan.depth_mm, head_mm, trusted, ears, mouth, scale, settings.foreground, settings.anchors
    )
    hull = _hull(face, triangles, layers, scan.camera, trusted_vertices(model))
    hull_mm = _depth_of(hull, triangles, scan.camera)
    layers = with_hull(layers, hull_mm, scale, settings.foreground)
    maps = source_maps(layers, settings.visibility)
    scene = build_scene(
        hull,
        triangles,
        _head_colors(color, face, hull, model, triangles, maps, settings),
        color,
        layers,
        scale,
        scan.camera,
        settings.mesh,
    )
    backdrop = complete_backdrop(color, layers.foreground, layers.background_mm, scan.camera)
    return Source(color, layers, scene, maps, backdrop)


def trusted_vertices(model: MorphableModel) -> np.ndarray:
    """(V,) bool: vertices whose registered place is the geometry, whatever the sensor says."""
    regions = [model.regions[name] for name in TRUSTED_REGIONS if name in model.regions]
    inner = model.part_vertices(*DRAWN_PARTS[1:])
    return np.logical_or.reduce([*regions, inner])


def facing_of(points_mm, normals, camera):
    """(N,) cosine between the normals and the directions to the camera."""
    return (normals * view_directions(points_mm, camera)).sum(1)


def _check(scan, face, model):
    """Raise where the three do not belong together."""
    if len(face.vertices_mm) != model.vertex_count:
        raise BadInput(
            f"registered face '{face.key}'",
            f"{len(face.vertices_mm)} vertices",
            f"the {model.vertex_count} of model '{model.name}'",
            "load the model that it was registered with",
        )
    pixels = scan.camera.project(face.vertices_mm[model.regions["face"]])
    inside = np.all((pixels >= 0) & (pixels < [scan.camera.width, scan.camera.height]), axis=1)
    if inside.mean() < 0.5:
        raise BadInput(
            f"registered face '{face.key}'",
            f"{inside.mean():.0%} of its vertices fall into the image",
            "at least half of the face",
            "check that scan and registration belong together",
        )


def _mm_per_px(head_mm, camera):
    """Size of a pixel at the head."""
    if not camera.is_perspective:
        return camera.mm_per_px
    return float(np.median(head_mm[head_mm > 0])) / camera.fx


def _registered_depth(scan, face, model, triangles):
    """The registered mesh's depth (H, W), and where it is trusted, an ear, and the mouth's
    inside, (3, H, W) bool."""
    size = (scan.camera.width, scan.camera.height)
    screen = scan.camera.screen(face.vertices_mm)
    shown = rasterise(screen, triangles, size, scan.camera.is_perspective)
    ears = model.regions.get("ears", np.zeros(model.vertex_count, bool))
    marks = [trusted_vertices(model), ears, model.part_vertices("mouth_socket")]
    shares = shown.interpolate(np.stack(marks, 1).astype(np.float32), triangles) > 0.5
    return shown.depth, np.moveaxis(shares, -1, 0)


def _hull(face, triangles, layers, camera, trusted):
    """The registered head (V, 3), grown to the hair and cloth that the sensor saw."""
    fixed = anchored(trusted, face.vertices_mm, layers, camera)
    grown = grow_hull(face.vertices_mm, triangles, fixed, layers, camera)
    return set_back(grown, triangles, fixed, layers, camera)


def _depth_of(vertices_mm, triangles, camera):
    """(H, W) float32 z of a mesh before the camera; 0 beside it."""
    size = (camera.width, camera.height)
    return rasterise(camera.screen(vertices_mm), triangles, size, camera.is_perspective).depth


def _head_colors(color, face, hull, model, triangles, maps, settings):
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
    seen = trust.weight[:, 0] > 0.9
    difference = np.abs(photo - face.appearance.colors).max(1)
    seen &= ~_bare_skin(model) | (difference < FOREIGN_COLOR)
    matt = render_texture(
        replace(face.appearance, specular=0.0), model, face.vertices_mm, face.camera
    )  # a highlight belongs to the source's view alone
    colors = correct_colors(matt, photo, seen, triangles)
    colors[model.part_vertices("mouth_socket") & ~seen] *= SOCKET_SHADE
    return colors


def _bare_skin(model):
    """(V,) bool: regions that show skin or something else before it, but no hair of their own."""
    regions = [model.regions[name] for name in ("ears", "neck") if name in model.regions]
    return np.logical_or.reduce([np.zeros(model.vertex_count, bool), *regions])
