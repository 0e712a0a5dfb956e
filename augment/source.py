"""A scan made ready to be turned: its depth completed, its image one mesh (§3.2)."""

from dataclasses import dataclass

import numpy as np

from augment.donor import head_colors, scalp_depth
from augment.foreground import Layers, background_sheet, doubtful, split_layers, with_hull
from augment.ghosts import ghosts
from augment.hull import HullParts, anchored, grow_hull, set_back
from augment.image_mesh import SceneMesh, build_scene
from augment.seen import see_head, wears_hair
from augment.settings import RotateSettings
from augment.strands import with_strands
from augment.symmetric import with_mirrored
from augment.view_mesh import ViewMesh, view_mesh
from augment.visibility import SourceMaps, source_maps
from augment.whole_head import WholeHead
from faces.backdrop import Backdrop, complete_backdrop
from faces.errors import BadInput
from faces.hair import with_hair
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.scan_person import DRAWN_PARTS, head_image, mm_per_px_at, trusted_vertices
from faces.types import RegisteredFace, Scan
from faces.visibility import view_directions
from imaging.matte import unmixed
from imaging.raster import covered

LIPS = slice(48, 68)
MOUTH_MM = 8.0  # behind its corners, which lie about as much behind the lips' middle
WELL_SEEN = 0.3  # cosine: on flatter flanks of a face registration rests on the model


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A scan made ready to be turned; everything that its views share.

    Attributes:
        photo: (H, W, 3) float32 in [0, 1], the scan's image.
        color: (H, W, 3) the same with the person's own colours, without the background's share.
        layers: the complete depth.
        scene: the image as one mesh.
        mesh: the same as the views' kernels take it.
        maps: what each source pixel is good for.
        backdrop: the background without the head.
    """

    photo: np.ndarray
    color: np.ndarray
    layers: Layers
    scene: SceneMesh
    mesh: ViewMesh
    maps: SourceMaps
    backdrop: Backdrop


def prepare(
    scan: Scan, face: RegisteredFace, model: MorphableModel, settings: RotateSettings
) -> Source:
    """Complete the depth, and turn the image into one mesh."""
    _check(scan, face, model)
    color = scan.color.astype(np.float32) / 255
    triangles = model.part_triangles(*DRAWN_PARTS)
    drawn = _drawn(face.vertices_mm, triangles, scan.camera)
    head = head_image(drawn.fragments(), face, model, triangles)
    scale = mm_per_px_at(head.depth_mm, scan.camera)
    layers = split_layers(scan.depth_mm, head, scale, settings.foreground, settings.anchors, color)
    hull = _hull(face, model, triangles, layers, scan.camera, drawn)
    hull_mm = _drawn(hull, triangles, scan.camera).fragments().depth
    layers = with_hull(layers, hull_mm, scale, settings.foreground)
    gone = doubtful(layers, scale, settings.foreground)
    gone = gone | ghosts(color, gone, scale)
    sheet = None  # only a background that turns needs its depth
    if settings.background == "turn":
        sheet = background_sheet(layers, settings.foreground, settings.anchors)
    backdrop = complete_backdrop(color, gone, sheet, scan.camera)
    own = unmixed(color, layers.alpha, backdrop.color)
    maps = source_maps(layers, settings.visibility, own)
    normals = vertex_normals(hull, triangles)
    seen = see_head(own, face, hull, normals, model, scalp_depth(model), maps, settings)
    colors = head_colors(seen, face, hull, normals, model, triangles)
    hair = None
    if wears_hair(seen, face.appearance.colors, model):
        hair = with_hair(colors, own, layers.alpha, hull, model, triangles, scan.camera)
        colors = hair.colors
    scene = build_scene(
        hull,
        triangles,
        colors,
        own,
        layers,
        scale,
        scan.camera,
        settings.mesh,
        model.regions.get("neck"),
        hair and hair.tone,
    )
    scene = with_mirrored(scene, seen, face.appearance.colors, model, triangles)
    if hair is not None:
        pixels = seen.pixels
        scene = with_strands(scene, hair, pixels, own, layers.alpha, scale, model, triangles)
    return Source(color, own, layers, scene, view_mesh(scene, scan.camera), maps, backdrop)


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


def _hull(face, model, triangles, layers, camera, drawn):
    """The registered head (V, 3), grown to the hair and cloth that the sensor saw."""
    parts = _hull_parts(face, model, triangles, layers, camera)
    known = parts.fixed & model.regions["face"] & face.visible
    whole = WholeHead(model, face, known)
    grown = grow_hull(face.vertices_mm, triangles, parts, layers, camera, whole, drawn)
    grown = set_back(grown, triangles, parts.fixed | parts.kept, layers, camera)
    return shallow_mouth(grown, face, model)


def shallow_mouth(hull: np.ndarray, face: RegisteredFace, model: MorphableModel) -> np.ndarray:
    """The hull (V, 3) mm, its mouth no deeper than teeth are: a model's goes on to the throat, and
    what shows in a slit between the lips would swing far aside with the turn.

    Nor is it wider than the lips, or it would break through the cheeks beside them, so shallow.
    """
    socket = model.part_vertices("mouth_socket")
    inside = face.shape_mm[socket]
    lips = face.shape_mm[model.landmarks["ibug68"][LIPS]]
    inside[:, 2] = np.maximum(inside[:, 2], lips[:, 2].min() - MOUTH_MM)
    inside[:, :2] = np.clip(inside[:, :2], lips[:, :2].min(0), lips[:, :2].max(0))
    out = hull.copy()
    out[socket] = face.pose.apply(inside)
    return out


def _hull_parts(face, model, triangles, layers, camera):
    trusted = anchored(trusted_vertices(model), face.vertices_mm, layers, camera)
    ears = model.regions.get("ears", np.zeros(model.vertex_count, bool))
    normals = vertex_normals(face.vertices_mm, triangles)
    facing = (normals * view_directions(face.vertices_mm, camera)).sum(1)
    flank = model.regions["face"] & (facing < WELL_SEEN)
    bridge = model.mean_mm[model.landmarks["ibug68"][27], 1]
    return HullParts(
        fixed=trusted & ~flank & ~ears,
        kept=(trusted & flank) | ears,
        ears=ears,
        scalp=(model.mean_mm[:, 1] > bridge) & ~trusted & ~ears,
    )


def _drawn(vertices_mm, triangles, camera):
    """The Coverage of a mesh before the camera."""
    size = (camera.width, camera.height)
    return covered(camera.screen(vertices_mm), triangles, size, camera.is_perspective)
