"""The default back end: faces rendered by compiled loops on one core, and back ends by name."""

from collections.abc import Sequence

import numpy as np

from faces.camera import FLIP, Camera, Pose
from faces.errors import BadInput
from faces.visibility import unhidden, view_directions
from imaging.develop import ENCODE, STEEPEN
from imaging.groups import look_at
from imaging.keys import blank_shape
from imaging.places import FLOATS, INTEGERS
from imaging.raster_kernels import SUBPIXEL_BITS
from imaging.rim import clear_samples, find_rim, plane_shape, read_keys
from imaging.scratch import scratch
from imaging.shadow import shadow_map
from imaging.surface import shade_image
from imaging.two_grids import find_nearest, find_samples, tile_shape, word_shape
from synth.prepared import charted, prepared
from synth.projected import Projected, lens_of
from synth.renderer import BUFFERS, FaceMesh, Lighting, Rendered, Renderer

NAMES = ("raster", "gl", "cuda")
SUPERSAMPLES = (1, 2, 4, 8)  # powers of two: samples and centres both lie on 1/256 px
HIDDEN_MM = 2.0  # how far behind the surface seen around its pixel a landmark may lie
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

    One pass finds the nearest triangle at pixels' centres (imaging.two_grids), their neighbours say
    where samples between them are wanted (imaging.rim), a last one shades and labels all of it
    (imaging.surface). Calls from several threads are safe.
    """

    name = "raster"

    def __init__(self, supersample: int = 2):
        if supersample not in SUPERSAMPLES:
            raise BadInput(
                f"renderer '{self.name}'",
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
        static, chart = prepared(face), charted(face.topology)
        seen = Projected.of(zeros, face, pose, camera)
        box = seen.box(camera)
        if box is None:
            return
        grids = self._find_keys(zeros, face, pose, camera, seen, box)
        rotation = np.ascontiguousarray(pose.rotation, dtype=np.float32)
        whole = len(face.topology.triangles)
        shade_image(
            grids,
            (seen.snapped, seen.near, seen.triangles, camera.is_perspective),
            (whole, seen.cuts.source, seen.cuts.weights),
            (static.rows, static.colors, rotation, chart.chart, chart.surfaces),
            (static.texels, static.table),
            lens_of(camera),
            _light(lighting),
            _shadow(face, pose, lighting),
            box,
            color.reshape(-1, 3),
            tuple(_flat(wanted[name], KINDS[name][0]) for name in KINDS),
            (zeros((FLOATS,)), zeros((INTEGERS,), np.int32), zeros((len(grids[3]), 3), np.uint8)),
        )

    def _find_keys(self, zeros, face, pose, camera, seen, box) -> tuple:
        """Keys, samples a side, the rim's pixels and the width, as imaging.surface has it."""
        factor, (width, height) = self.supersample, (camera.width, camera.height)
        centre, rim = zeros(blank_shape(width, height), np.int64), zeros((height, width), np.uint8)
        tiles = zeros(tile_shape(width, height), np.int64)
        kept = self.find_centres(zeros, face, pose, camera, seen, box, centre, rim, tiles)
        if factor == 1:
            return centre, centre, 1, zeros((0,), np.int32), width
        planes = zeros(plane_shape(width, height)), zeros(plane_shape(width, height), np.uint8)
        cuts = len(face.topology.triangles), seen.cuts.source
        surfaces, perspective = charted(face.topology).surfaces, camera.is_perspective
        read_keys(centre, surfaces, *cuts, perspective, box, *planes)
        find_rim(*planes, 1 / lens_of(camera)[0], perspective, factor, rim)
        fine = zeros(blank_shape(width * factor, height * factor), np.int64, cleared=False)
        words = zeros(word_shape(width, height), np.uint64)
        pixels = zeros((height * width,), np.int32, cleared=False)
        count = clear_samples(rim, factor, fine, words, pixels)
        self.find_samples(face, pose, camera, seen, box, fine, rim, words, tiles, kept)
        return centre, fine, factor, pixels[:count], width

    def find_centres(self, zeros, face, pose, camera, seen, box, keys, rim, tiles) -> np.ndarray:
        """Write the keys of the nearest triangles at pixels' centres; back ends differ in this.

        Args:
            zeros: of imaging.scratch.
            face, pose, camera: as of render().
            seen: the face's corners in the image.
            box: (left, top, right, bottom) in pixels around them.
            keys: of imaging.keys, all 0.
            rim: (H, W) uint8, where 1 may be written to have a pixel sampled.
            tiles: int64 of imaging.two_grids.tile_shape, all 0, which find_samples() is given.

        Returns:
            (K,) int32, the triangles that find_samples() is to try.
        """
        static, balls = charted(face.topology), prepared(face).balls
        waiting, kept = (zeros((len(seen.triangles),), np.int32, cleared=False) for _ in "12")
        bounds, nearest = zeros((len(balls), 4), np.int32), zeros((len(balls),), np.float64)
        away = zeros((len(balls),), np.uint8)
        look_at(balls, seen.matrix, lens_of(camera), camera.is_perspective, bounds, nearest, away)
        groups = *static.groups, bounds, nearest, away
        geometry = seen.snapped, seen.near, seen.triangles
        return kept[: find_nearest(*geometry, groups, box, keys, rim, tiles, waiting, kept)]

    def find_samples(self, face, pose, camera, seen, box, keys, rim, words, tiles, kept) -> None:
        """The same at the samples of the pixels where ``rim`` is not 0 (``words`` the same in
        bits); those of others may be left as they are."""
        bits = SUBPIXEL_BITS - self.supersample.bit_length() + 1
        geometry = seen.snapped, seen.near, seen.triangles
        find_samples(*geometry, kept, tiles, rim, words, box, bits, keys)


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


def _made(size: tuple[int, int], wanted) -> dict[str, np.ndarray]:
    """Buffers with nothing in them; those that are not wanted are empty."""
    made = {}
    for name, (channels, dtype) in KINDS.items():
        shape = size if name in wanted else (0, 0)
        made[name] = np.zeros(shape if channels == 1 else (*shape, channels), dtype)
    if "triangle_id" in wanted:
        made["triangle_id"][:] = -1
    return made


def _flat(buffer: np.ndarray, channels: int) -> np.ndarray:
    """Its pixels in one row."""
    return buffer.reshape(-1) if channels == 1 else buffer.reshape(-1, channels)


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
