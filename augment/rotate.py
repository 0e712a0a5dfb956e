"""Out-of-plane rotation of an RGB-D image (Beyond 3DMM Space, section 3.2)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import cv2
import numpy as np

from augment.backdrop import Backdrop, complete_backdrop, show_still, show_turned
from augment.background import BackgroundSettings
from augment.foreground import ForegroundSettings, Layers, split_layers
from augment.image_mesh import MeshSettings, SceneMesh, build_scene, turned_screen
from augment.labels import make_buffers, project_landmarks
from augment.texture import correct_colors, sample
from augment.view_plan import PlannedView
from augment.visibility import SourceMaps, VisibilitySettings, judge, source_maps
from faces.camera import FLIP, Camera, Pose
from faces.errors import BadInput
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.rotation import euler_from_matrix, matrix_from_euler
from faces.types import RegisteredFace, Scan, View
from faces.visibility import view_directions
from imaging.poisson import fill
from imaging.raster import downsample, rasterise

TRUSTED_REGIONS = ("face", "ears")
DRAWN_PARTS = ("skin", "mouth_socket", "eye_socket", "eye", "teeth", "gums", "tongue")


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


def rotate(
    scan: Scan,
    face: RegisteredFace,
    model: MorphableModel,
    plan: list[PlannedView],
    settings: RotateSettings = RotateSettings(),
) -> Iterator[View]:
    """The planned views of a scan, each with its labels.

    Args:
        scan: the image and its depth.
        face: its registration, in ``model``'s topology.
        model: names the parts and regions of the mesh.
        plan: requested yaws and pitches; the roll stays the base's.
        settings: of every step.

    Raises:
        BadInput: where the face lies outside the image or does not fit the model.
    """
    source = prepare(scan, face, model, settings)
    for planned in plan:
        yield make_view(source, face, model, planned, settings)


def prepare(
    scan: Scan, face: RegisteredFace, model: MorphableModel, settings: RotateSettings
) -> Source:
    """Complete the depth, and turn the image into one mesh."""
    _check(scan, face, model)
    color = scan.color.astype(np.float32) / 255
    triangles = model.part_triangles(*DRAWN_PARTS)
    head_mm, trusted = _registered_depth(scan, face, model, triangles)
    scale = np.median(head_mm[head_mm > 0]) / scan.camera.fx if scan.camera.is_perspective else 0
    layers = split_layers(
        scan.depth_mm,
        head_mm,
        trusted,
        scale or scan.camera.mm_per_px,
        settings.foreground,
        settings.anchors,
    )
    maps = source_maps(layers, settings.visibility)
    scene = build_scene(
        face.vertices_mm,
        triangles,
        trusted_vertices(model),
        _head_colors(color, face, triangles, maps, settings),
        color,
        layers,
        scan.camera,
        settings.mesh,
    )
    backdrop = complete_backdrop(color, layers.foreground, layers.background_mm, scan.camera)
    return Source(color, layers, scene, maps, backdrop)


def make_view(
    source: Source,
    face: RegisteredFace,
    model: MorphableModel,
    planned: PlannedView,
    settings: RotateSettings,
) -> View:
    """Turn the mesh, render it with both textures, fill what the source did not see, label it."""
    pose = turned_pose(face.pose, planned, head_centre(face.shape_mm, model))
    vertices = pose.apply(face.pose.invert(source.scene.vertices_mm))
    head = vertices[: len(face.vertices_mm)]
    box = _box(face.camera.project(head[model.regions["face"]]))
    camera = crop_camera(face.camera, box, settings)
    picture = render_textures(source, face, pose, camera, settings)
    behind = _behind(source, pose, face.pose, camera, settings)
    color, synthesised = _finish(picture, behind)
    landmarks, seen = project_landmarks(head, model, camera)
    yaw, pitch, roll = euler_from_matrix(pose.rotation)
    return View(
        color=color,
        camera=camera,
        pose=pose,
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
        requested=(planned.yaw_deg, planned.pitch_deg),
        synthesised=synthesised,
        landmarks_px=landmarks,
        landmarks_visible=seen,
        box_px=_box(camera.project(head[model.regions["face"]])),
        buffers=make_buffers(settings.buffers, source.scene, vertices, model, camera),
    )


def trusted_vertices(model: MorphableModel) -> np.ndarray:
    """(V,) bool: vertices whose registered place is the geometry, whatever the sensor says."""
    regions = [model.regions[name] for name in TRUSTED_REGIONS if name in model.regions]
    inner = model.part_vertices(*DRAWN_PARTS[1:])
    return np.logical_or.reduce([*regions, inner])


def head_centre(shape_mm: np.ndarray, model: MorphableModel) -> np.ndarray:
    """(3,) mm in the model frame: the middle of the face, at the depth of its hindmost point."""
    face = shape_mm[model.regions["face"]]
    low, high = face.min(0), face.max(0)
    return np.array([(low[0] + high[0]) / 2, (low[1] + high[1]) / 2, low[2]])


def turned_pose(base: Pose, planned: PlannedView, centre_mm: np.ndarray) -> Pose:
    """The base pose turned to the planned yaw and pitch about a point of the head.

    Roll and scale stay the base's, and so does the place of the centre before the camera.
    """
    roll = euler_from_matrix(base.rotation)[2]
    rotation = matrix_from_euler(planned.yaw_deg, planned.pitch_deg, roll)
    still = Pose(rotation, np.zeros(3), base.scale)
    return Pose(rotation, base.apply(centre_mm) - still.apply(centre_mm), base.scale)


def crop_camera(
    camera: Camera, box_px: tuple[float, float, float, float], settings: RotateSettings
) -> Camera:
    """The camera of the square crop around a box, rendered directly at its resolution."""
    left, top, right, bottom = box_px
    edge = max(right - left, bottom - top) * (1 + settings.margin)
    size = settings.size_px
    corner = ((left + right - edge) / 2, (top + bottom - edge) / 2)
    return camera.crop(*corner, size, size, size / edge)


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


def _registered_depth(scan, face, model, triangles):
    """Depth (H, W) of the registered mesh, and where its geometry is trusted (H, W) bool."""
    size = (scan.camera.width, scan.camera.height)
    screen = scan.camera.screen(face.vertices_mm)
    shown = rasterise(screen, triangles, size, scan.camera.is_perspective)
    share = shown.interpolate(trusted_vertices(model)[:, None].astype(np.float32), triangles)
    return shown.depth, share[..., 0] > 0.5


def _head_colors(color, face, triangles, maps, settings):
    """(V, 3) float32: the fitted colours C, corrected to the image where it shows the vertex."""
    normals = vertex_normals(face.vertices_mm, triangles)
    facing = _facing(face.vertices_mm, normals, face.camera)
    column = face.vertices_mm[:, None].astype(np.float32)
    every = np.ones((len(facing), 1), dtype=bool)
    front = np.ones_like(facing)[:, None]  # any view that looks straight at the vertex
    trust, pixels = judge(
        column, facing[:, None], front, every, every, maps, face.camera, settings.visibility
    )
    photo = sample(color, pixels[:, 0])
    return correct_colors(face.appearance.colors, photo, trust.weight[:, 0] > 0.9, triangles)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """The turned foreground at the view's size, before the fill; all float32.

    Attributes:
        photo: (h, w, 3), with the image's pixels.
        donor: (h, w, 3), with the model's texture.
        trust: (h, w) in [0, 1], in photo.
        alpha: (h, w) in [0, 1], coverage.
    """

    photo: np.ndarray
    donor: np.ndarray
    trust: np.ndarray
    alpha: np.ndarray


def render_textures(
    source: Source, face: RegisteredFace, pose: Pose, camera: Camera, settings: RotateSettings
) -> Picture:
    """The turned mesh with the image's pixels and with the model's texture, from one
    rasterisation, averaged down to the view's size."""
    k = settings.supersample
    fine = camera.crop(0, 0, camera.width * k, camera.height * k, k)
    scene = source.scene
    vertices = pose.apply(face.pose.invert(scene.vertices_mm))
    size = (fine.width, fine.height)
    shown = rasterise(
        turned_screen(scene, vertices, fine), scene.triangles, size, fine.is_perspective
    )
    turn = FLIP @ pose.rotation @ face.pose.rotation.T @ FLIP
    facing = _facing(scene.vertices_mm, scene.normals, face.camera)
    view_facing = _facing(vertices, scene.normals @ turn.T, camera)
    attributes = np.stack([facing, view_facing, scene.is_head], 1)
    attributes = np.concatenate([scene.vertices_mm, scene.model_color, attributes], 1)
    values = shown.interpolate(attributes, scene.triangles)
    trust, pixels = judge(
        values[..., :3],
        values[..., 6],
        values[..., 7],
        values[..., 8],
        shown.mask,
        source.maps,
        face.camera,
        settings.visibility,
    )
    photo = cv2.remap(
        source.color,
        pixels - np.float32(0.5),
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    covered = shown.mask.astype(np.float32)
    alpha = downsample(covered, k)
    inverse = (1 / np.maximum(alpha, 1e-6))[..., None]
    mean = [
        downsample(layer * covered[..., None], k) * inverse
        for layer in (photo, values[..., 3:6], trust.weight[..., None])
    ]
    return Picture(mean[0], mean[1], mean[2][..., 0], alpha)


def _behind(source, pose, base, camera, settings):
    """The background (h, w, 3) float32 of the view."""
    if settings.background == "still":
        return show_still(source.backdrop, camera)

    def turn(points):
        return pose.apply(base.invert(points))

    return show_turned(source.backdrop, camera, turn, source.backdrop.color.mean((0, 1)))


def _finish(picture, behind):
    """Fill by Poisson, blend by trust, lay over the background: uint8 colour and mask."""
    covered = picture.alpha > 0
    mask = covered & (picture.trust < 0.99)
    filled = fill(picture.photo, mask, picture.donor, free=~covered)
    trust, alpha = picture.trust[..., None], picture.alpha[..., None]
    front = trust * picture.photo + (1 - trust) * filled
    color = np.clip(alpha * front + (1 - alpha) * behind, 0, 1)
    synthesised = np.where(covered, (1 - picture.trust) * 255, 0)
    return np.rint(color * 255).astype(np.uint8), np.rint(synthesised).astype(np.uint8)


def _facing(points_mm, normals, camera):
    """(N,) cosine between the normals and the directions to the camera."""
    return (normals * view_directions(points_mm, camera)).sum(1)


def _box(pixels):
    left, top = pixels.min(0)
    right, bottom = pixels.max(0)
    return float(left), float(top), float(right), float(bottom)
