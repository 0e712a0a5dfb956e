"""The default back end: faces rendered by compiled loops on one core, and back ends by name."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from faces.camera import FLIP, Camera, Pose
from faces.errors import BadInput
from faces.visibility import unhidden, view_directions
from imaging.clipping import NO_CUTS, cut_at
from imaging.develop import ENCODE, STEEPEN
from imaging.mipmap import packed
from imaging.projection import NEAR_MM, project
from imaging.raster_kernels import SUBPIXEL_BITS
from imaging.scratch import scratch
from imaging.shadow import shadow_map
from imaging.surface import CODE, COLOR, COLUMNS, NORMAL, shade_image
from imaging.two_grids import IDS, blank_shape, find_nearest, tile_shape
from synth.renderer import BUFFERS, PART_LABELS, FaceMesh, Lighting, Rendered, Renderer, Topology

NAMES = ("raster", "gl", "cuda")
SUPERSAMPLES = (1, 2, 4, 8)  # powers of two: samples and centres both lie on 1/256 px
HIDDEN_MM = 2.0  # how far behind the surface seen around its pixel a landmark may lie
SKIN = ("skin", "brows", "lips", "ears", "neck")  # one surface, whatever is painted on it
SHADOW_TEXELS = 512
LAMP_DEG = 2.0  # angular radius of the lamp, which softens its shadows
# Channels and dtype of each buffer, in the order that imaging.surface takes them.
KINDS = {
    "depth_mm": (1, np.float32),
    "normal": (3, np.float32),
    "pncc": (3, np.float32),
    "uv": (2, np.float32),
    "mask": (1, np.uint8),
    "parts": (1, np.uint8),
    "triangle_id": (1, np.int32),
}

# Colours as they are: of what is lit already.
UNLIT = Lighting(np.array([[1.0] * 3, *[[0.0] * 3] * 8]), np.array([0.0, 0.0, -1.0]), np.zeros(3))


class RasterRenderer:
    """synth.renderer.Renderer on the CPU, without a window system or a driver.

    One pass finds the nearest triangle at pixels' centres and colour samples (imaging.two_grids), a
    second one shades and labels them (imaging.surface). Calls from several threads are safe.
    """

    name = "raster"

    def __init__(self, supersample: int = 2):
        if supersample not in SUPERSAMPLES:
            raise BadInput(
                "renderer 'raster'",
                f"supersample {supersample}",
                f"one of {', '.join(map(str, SUPERSAMPLES))}",
                "choose one of them",
            )
        self.supersample = supersample

    def render(
        self,
        face: FaceMesh,
        pose: Pose,
        camera: Camera,
        lighting: Lighting,
        background: np.ndarray | None = None,
        buffers: Sequence[str] = (),
    ) -> Rendered:
        """As synth.renderer.Renderer. What is nearer than NEAR_MM is cut off."""
        check_request(face, camera, background, buffers)
        size = camera.height, camera.width
        color = np.zeros((*size, 3), np.uint8) if background is None else background.copy()
        wanted = _made(size, {*buffers, "depth_mm"})
        with scratch() as zeros:
            self._draw(zeros, face, pose, camera, lighting, color, wanted)
        points = pose.apply(face.vertices_mm[face.topology.landmarks].astype(np.float64))
        visible = _visible_landmarks(face, points, pose, camera, wanted["depth_mm"])
        return Rendered(
            color,
            camera.project(points),
            points,
            visible,
            {name: wanted[name] for name in buffers},
        )

    def _draw(self, zeros, face, pose, camera, lighting, color, wanted) -> None:
        """Fill colour and buffers."""
        static, charted = _prepared(face), _charted(face.topology)
        seen = _Projected.of(zeros, face, pose, camera)
        box = seen.box(camera)
        if box is None:
            return
        factor = self.supersample
        grids = _grids(zeros, camera, factor)
        waiting = zeros((len(seen.triangles),), np.int32)
        bits = SUBPIXEL_BITS - factor.bit_length() + 1
        tiles = zeros(tile_shape(camera.width, camera.height), np.int64)
        geometry = seen.snapped, seen.near, seen.triangles
        find_nearest(*geometry, charted.outer, box, bits, *grids, waiting, tiles)
        rotation = np.ascontiguousarray(pose.rotation, dtype=np.float32)
        chart = charted.corner_uv, charted.area, face.topology.parts, charted.surfaces
        whole = len(face.topology.triangles)
        shade_image(
            (*grids, factor),
            (*geometry, camera.is_perspective),
            (whole, seen.cuts.source, seen.cuts.weights),
            (static.rows, rotation, *chart),
            (static.texels, static.table),
            lens_of(camera),
            _light(lighting),
            _shadow(face, pose, lighting),
            box,
            color,
            tuple(wanted[name] for name in KINDS),
        )


def renderer(name: str, supersample: int = 2) -> Renderer:
    """The back end of a name: "raster", "gl" (OpenGL through pyrender) or "cuda" (torch).

    Raises:
        BadInput: no such name.
        MissingExtra: the back end's package is not installed.
    """
    if name == "raster":
        return RasterRenderer(supersample)
    if name == "gl":
        from synth.gl import GlRenderer

        return GlRenderer(supersample)
    if name == "cuda":
        from synth.cuda import TorchRenderer

        return TorchRenderer("cuda", supersample)
    raise BadInput("renderer", f"'{name}'", ", ".join(NAMES), "name one of them")


def check_request(
    face: FaceMesh, camera: Camera, background: np.ndarray | None, buffers: Sequence[str]
) -> None:
    """That a back end can make what is asked of it.

    Raises:
        BadInput: an unknown buffer, a chart that the model lacks, a background of another size, or
            a camera with distortion.
    """
    unknown = [name for name in buffers if name not in BUFFERS]
    if unknown:
        got = f"unknown {', '.join(map(repr, unknown))}"
        raise BadInput("buffers", got, f"some of {', '.join(BUFFERS)}", "name those")
    if len(face.topology.uv) == 0 and ("uv" in buffers or face.texture):
        expected = "a model with texture coordinates for buffer 'uv' or a texture"
        raise BadInput("model", "no texture coordinates", expected, "use colours on vertices")
    expected = (camera.height, camera.width, 3)
    if background is not None and (background.shape != expected or background.dtype != np.uint8):
        got = f"{background.dtype} of shape {background.shape}"
        raise BadInput("background", got, f"uint8 of shape {expected}", "resize it to the image")
    if any(camera.distortion):
        raise BadInput("camera", "lens distortion", "none", "undistort the photo first")


def lens_of(camera: Camera) -> tuple[float, float, float, float]:
    """fx, fy, cx, cy: px a unit of x/z, or px a millimetre of an orthographic camera."""
    if camera.is_perspective:
        return float(camera.fx), float(camera.fy), float(camera.cx), float(camera.cy)
    scale = 1.0 / camera.mm_per_px
    return scale, scale, float(camera.cx), float(camera.cy)


@dataclass(frozen=True, slots=True, eq=False)
class _Projected:
    """A face's corners in an image: snapped, near and bounds of imaging.projection.project, the
    triangles (T + C, 3) with those that were cut at the near plane, and the cuts."""

    snapped: np.ndarray
    near: np.ndarray
    bounds: tuple
    triangles: np.ndarray
    cuts: object

    @classmethod
    def of(cls, zeros, face: FaceMesh, pose: Pose, camera: Camera) -> "_Projected":
        points, triangles, cuts = face.vertices_mm, face.topology.triangles, NO_CUTS
        way = np.asarray(pose.scale * FLIP @ pose.rotation, dtype=np.float64)
        matrix = np.concatenate([way, np.reshape(pose.translation_mm, (3, 1))], 1)
        for _ in range(2):
            snapped, near = zeros((len(points), 2), np.int32), zeros((len(points),), np.float64)
            lens = lens_of(camera)
            dropped, *bounds = project(points, matrix, lens, camera.is_perspective, snapped, near)
            if dropped == 0 or cuts is not NO_CUTS:
                break
            depth = points.astype(np.float64) @ matrix[2, :3] + matrix[2, 3]
            cuts = cut_at(points, triangles, depth, NEAR_MM)
            if cuts is NO_CUTS:
                break
            points = np.concatenate([points, cuts.points])
            triangles = np.concatenate([triangles, cuts.triangles])
        if len(triangles) > IDS:
            raise BadInput("mesh", f"{len(triangles)} triangles", f"at most {IDS}", "decimate it")
        return cls(snapped, near, tuple(bounds), triangles, cuts)

    def box(self, camera: Camera) -> tuple[int, int, int, int] | None:
        """Left, top, right and bottom pixel of the face in the image; None where it has none."""
        left, top, right, bottom = (edge >> SUBPIXEL_BITS for edge in self.bounds)
        left, top = max(left, 0), max(top, 0)
        right, bottom = min(right, camera.width - 1), min(bottom, camera.height - 1)
        return None if left > right or top > bottom else (left, top, right, bottom)


@dataclass(frozen=True, slots=True, eq=False)
class _Charted:
    """Of a topology: corner_uv (T, 6), doubled area (T,) of each triangle in the chart, surfaces
    (T,) uint8, and how many of the first triangles are skin, which hides the most."""

    corner_uv: np.ndarray
    area: np.ndarray
    surfaces: np.ndarray
    outer: int


@lru_cache(maxsize=8)
def _charted(topology: Topology) -> _Charted:
    count = len(topology.triangles)
    corners = np.zeros((count, 3, 2), dtype=np.float32)
    if len(topology.uv):
        corners = topology.uv[topology.triangle_uv]
    (a, b), (c, d) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    skin = np.isin(topology.parts, [PART_LABELS.index(name) for name in SKIN])
    surfaces = np.where(skin, PART_LABELS.index("skin"), topology.parts).astype(np.uint8)
    outer = count if skin.all() else int(np.argmin(skin))
    corner_uv = np.ascontiguousarray(corners.reshape(count, 6), dtype=np.float32)
    return _Charted(corner_uv, np.abs(a * d - b * c).astype(np.float32), surfaces, outer)


@dataclass(frozen=True, slots=True, eq=False)
class _Static:
    """What stays with a face from pose to pose: rows of imaging.surface, its texture packed."""

    rows: np.ndarray
    texels: np.ndarray
    table: np.ndarray


@lru_cache(maxsize=2)
def _prepared(face: FaceMesh) -> _Static:
    rows = np.zeros((len(face.vertices_mm), COLUMNS), dtype=np.float32)
    rows[:, NORMAL : NORMAL + 3] = face.normals
    rows[:, CODE : CODE + 3] = face.topology.pncc
    rows[:, COLOR : COLOR + 3] = face.colors
    return _Static(rows, *packed(face.texture))


def _made(size: tuple[int, int], wanted) -> dict[str, np.ndarray]:
    """Buffers with nothing in them; those that are not wanted are empty."""
    made = {}
    for name, (channels, dtype) in KINDS.items():
        shape = size if name in wanted else (0, 0)
        made[name] = np.zeros(shape if channels == 1 else (*shape, channels), dtype)
    if "triangle_id" in wanted:
        made["triangle_id"][:] = -1
    return made


def _grids(zeros, camera: Camera, factor: int) -> tuple[np.ndarray, np.ndarray]:
    """Keys of centres and samples; the centres themselves where they are the samples."""
    centre = zeros(blank_shape(camera.width, camera.height), np.int64)
    if factor == 1:
        return centre, centre
    return centre, zeros(blank_shape(camera.width * factor, camera.height * factor), np.int64)


def _light(lighting: Lighting) -> tuple:
    """A Lighting as imaging.surface takes it."""
    return (
        np.ascontiguousarray(lighting.environment, dtype=np.float32),
        np.ascontiguousarray(lighting.direction, dtype=np.float32),
        np.ascontiguousarray(lighting.color, dtype=np.float32),
        np.float32(lighting.specular),
        np.float32(lighting.shininess),
        bool(lighting.linear),
        STEEPEN,
        ENCODE,
    )


_NO_SHADOW = (False, np.zeros((1, 1), np.float32), np.zeros((3, 4)), 0.0)


def _shadow(face: FaceMesh, pose: Pose, lighting: Lighting) -> tuple:
    """The lamp's shadow map of the whole face; none where it is not wanted or the lamp is off."""
    if not lighting.shadows or not np.any(lighting.color):
        return _NO_SHADOW
    points = pose.apply(face.vertices_mm.astype(np.float64))
    low, high = points.min(0), points.max(0)
    centre, radius = (low + high) / 2, float(np.linalg.norm(high - low) / 2)
    direction = np.asarray(lighting.direction, dtype=np.float64)
    triangles = face.topology.triangles
    seen = shadow_map(points, triangles, direction, centre, radius, SHADOW_TEXELS, LAMP_DEG)
    return True, seen.depth, seen.matrix, seen.spread


def _visible_landmarks(face, points_mm, pose, camera, depth_mm) -> np.ndarray:
    """(L,) bool: in the image, turned to the camera, and not behind what is drawn."""
    normals = face.normals[face.topology.landmarks] @ (FLIP @ pose.rotation).T
    facing = (normals * view_directions(points_mm, camera)).sum(1) > 0
    return facing & unhidden(camera.screen(points_mm), depth_mm, HIDDEN_MM)
