"""What a photo shows of points on a registered head, and how far that may be believed."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from faces.camera import Camera
from faces.morphable import MorphableModel
from faces.occluders import OccluderSettings, find_occluders
from faces.texture import sample, smoothstep
from faces.types import RegisteredFace, Scan
from faces.visibility import unhidden_points, view_directions
from imaging.raster import Coverage, covered
from imaging.wide_blur import wide_blur
from synth.head import GROUPS

# Degrees between normal and line of sight from which a texel begins to be, and is, too stretched:
# at 60° a photo's pixel covers two of its length on the skin, at 78° five
FLAT_DEG = (60.0, 78.0)
JUMP_MM = 8.0  # depth between neighbouring pixels from which they lie on two surfaces
RIM = (0.006, 0.02)  # of the head's height: so near to an outline colours mix; beyond, none do
PERSON = (0.8, 0.98)  # share of a pixel from which it begins to be, and is, the person's alone
APART_MM = (0.3, 1.2)  # so near to a lid's or lip's rim a slightly wrong fit shows the other side
# What is around a person: pixels with less of one, so many widths of the head around (σ), and how
# far from its mean a pixel of a wall is
BACKGROUND, AROUND, ALIKE = 0.02, 0.15, 0.1
SKIN = 0  # of GROUPS
SQUARE = np.ones((3, 3), np.uint8)


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """Points in the photo.

    Attributes:
        photo: (N, 3) float32 sRGB in [0, 1].
        trust: (N,) float32 in [0, 1]: seen, at no flat angle, far from outlines, nothing before.
        bare: (N,) float32, the same whatever lies on the skin there: hair on a scalp.
    """

    photo: np.ndarray
    trust: np.ndarray
    bare: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class PhotoOfHead:
    """Attributes:
    color: (H, W, 3) float32 in [0, 1].
    camera: of it.
    drawn: the head as this camera sees it.
    own: (H, W) float32, the person's share of each pixel, none where a wall shows beside a skull
        that the fit has too wide.
    clean: (H, W, 4) float32 in [0, 1]: where skin, eyes and the mouth's inside are seen away from
        outlines and from each other; and skin without what lies before it.
    """

    color: np.ndarray
    camera: Camera
    drawn: Coverage
    own: np.ndarray
    clean: np.ndarray

    @classmethod
    def of(
        cls, scan: Scan, face: RegisteredFace, model: MorphableModel, person: np.ndarray
    ) -> "PhotoOfHead":
        """The scan's image; ``person`` (H, W) float32 is the share of each pixel that is the
        person (faces.scan_person)."""
        camera = scan.camera
        color = scan.color.astype(np.float32) / 255
        size = (camera.width, camera.height)
        screen = camera.screen(face.vertices_mm)
        drawn = covered(screen, model.triangles, size, camera.is_perspective)
        person = person * ~_wall(color, person, drawn, model)
        own = _away_from_rims(drawn) * smoothstep((person - PERSON[0]) / (PERSON[1] - PERSON[0]))
        shown = model_groups(model)[model.triangles[:, 0]][drawn.triangle_id]
        apart = _apart_from_others(np.where(drawn.triangle_id >= 0, shown, -1), face, camera)
        target = _Target(camera, scan.depth_mm, color)
        hidden = find_occluders(
            model, face.vertices_mm, face.appearance, target, OccluderSettings()
        )
        free = cv2.GaussianBlur((~hidden).astype(np.float32), (0, 0), 1.0) * ~hidden
        clean = np.dstack([own[..., None] * apart, own * apart[..., SKIN] * free])
        return cls(color, camera, drawn, person, clean.astype(np.float32))

    def shown_scalp(self, model: MorphableModel) -> np.ndarray:
        """(H, W) bool: pixels at which the model's scalp is drawn."""
        return _scalp_in(self.drawn, model)

    def look(self, points_mm: np.ndarray, normals: np.ndarray, group: np.ndarray) -> Sight:
        """Points (N, 3) mm, camera frame, of the head, with unit normals (N, 3) and their groups
        (N,) of model_groups."""
        facing = (normals * view_directions(points_mm, self.camera)).sum(1)
        full, none = np.cos(np.radians(FLAT_DEG))
        angle = smoothstep((facing - none) / (full - none))
        seen = unhidden_points(points_mm, self.camera, self.drawn)
        pixels = self.camera.project(points_mm)
        clean = sample(self.clean, pixels, cv2.BORDER_CONSTANT) * (angle * seen)[:, None]
        bare = np.take_along_axis(clean, group[:, None], 1)[:, 0]
        trust = np.where(group == SKIN, clean[:, -1], bare)
        return Sight(sample(self.color, pixels), trust, bare)


def _scalp_in(drawn: Coverage, model: MorphableModel) -> np.ndarray:
    """(H, W) bool: pixels at which the model's scalp is drawn."""
    scalp = model.regions.get("scalp", np.zeros(model.vertex_count, dtype=bool))
    return (drawn.triangle_id >= 0) & scalp[model.triangles].any(1)[drawn.triangle_id]


@lru_cache(maxsize=4)
def model_groups(model: MorphableModel) -> np.ndarray:
    """(V,) int: 0 skin, 1 eyes, 2 the mouth's inside."""
    groups = np.zeros(model.vertex_count, dtype=np.int64)
    for index, parts in enumerate(GROUPS.values()):
        groups[model.part_vertices(*parts)] = index
    return groups


class _Target:
    """A scan as faces.occluders looks at it; where nothing was measured depth decides nothing."""

    def __init__(self, camera: Camera, depth_mm: np.ndarray, color: np.ndarray):
        self.camera, self.colors = camera, color
        self.valid = np.ones(depth_mm.shape, dtype=bool)
        far = np.where(depth_mm > 0, depth_mm, np.inf)
        self.points_mm = np.broadcast_to(far[..., None], (*depth_mm.shape, 3))


def _wall(color, person, drawn: Coverage, model: MorphableModel) -> np.ndarray:
    """(H, W) bool: pixels of the drawn scalp in the colour of what is around the person.

    No landmark tells how high a skull is. Skin may be as light as a wall: faces are not asked.
    """
    shown = _scalp_in(drawn, model)
    if not shown.any():
        return shown
    columns = np.flatnonzero(shown.any(0))
    sigma = AROUND * (columns[-1] - columns[0] + 1)
    outside = (person < BACKGROUND).astype(np.float32)
    weight = wide_blur(outside, sigma)
    behind = wide_blur(color * outside[..., None], sigma) / np.maximum(weight, 1e-6)[..., None]
    alike = (np.abs(color - behind).max(2) < ALIKE) & (weight > 1e-3)
    return cv2.morphologyEx((shown & alike).astype(np.uint8), cv2.MORPH_OPEN, SQUARE) > 0


def _away_from_rims(drawn: Coverage) -> np.ndarray:
    """(H, W) float32: 0 at outlines and jumps of what is drawn, 1 well inside."""
    with np.errstate(divide="ignore"):
        depth = 1 / drawn.nearness if drawn.perspective else -drawn.nearness
    inside = drawn.triangle_id >= 0
    depth = np.where(inside, depth, 0).astype(np.float32)
    apart = cv2.dilate(depth, SQUARE) - cv2.erode(depth, SQUARE)
    rows = np.flatnonzero(inside.any(1))
    height = rows[-1] - rows[0] + 1 if len(rows) else 1
    even = (inside & (apart < JUMP_MM)).astype(np.uint8)
    distance = cv2.distanceTransform(even, cv2.DIST_L2, 5) / height
    return smoothstep((distance - RIM[0]) / (RIM[1] - RIM[0])).astype(np.float32)


def _apart_from_others(shown: np.ndarray, face: RegisteredFace, camera: Camera) -> np.ndarray:
    """(H, W, 3) float32: 1 where a group is shown (shown is its index) well inside its outline."""
    depth = float(np.median(face.vertices_mm[:, 2]))
    scale = camera.mm_per_px or depth / camera.fx
    low, high = APART_MM
    layers = [
        cv2.distanceTransform((shown == index).astype(np.uint8), cv2.DIST_L2, 5)
        for index in range(len(GROUPS))
    ]
    return smoothstep((np.dstack(layers) * scale - low) / (high - low)).astype(np.float32)
