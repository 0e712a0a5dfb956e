"""A virtual person, built once and turned as a whole to any pose."""

from dataclasses import replace

import cv2
import numpy as np

from faces.backdrop import Backdrop, show_still
from faces.camera import FLIP, Camera, Pose
from faces.mesh import hull_points
from faces.morphable import PARTS, MorphableModel
from faces.rotation import matrix_from_euler
from faces.visibility import unhidden, view_directions
from imaging.develop import developed
from imaging.raster import Fragments
from imaging.shading import harmonics
from imaging.shadow import open_axes
from synth.assembly import AXES, REACH_MM, Assembly, Known
from synth.backgrounds import background_of
from synth.capture import person_pieces
from synth.clothes.hem import lengthened
from synth.clothes.neck import neck_rings
from synth.clothes.neck_end import neck_end
from synth.framing import framed, framed_vertices, from_straight_below, middle_of, turned_to
from synth.head import GROUPS
from synth.light import EXPOSURE, Light, sample_light
from synth.renderer import PART_LABELS, Rendered
from synth.rooms.room import make_backdrop
from synth.scene import Piece
from synth.settings import RenderSettings
from synth.sources import SourceView
from synth.subjects import Subject, exposure_for
from synth.topology import topology_of

HIDDEN_MM = 2.0  # behind what is drawn; closer it is the same surface
DOWN = np.array([0.0, 1.0, 0.0])  # in the camera frame, where the body stands upright
LENGTH_MM = 700.0  # of what is added to clothes: at a pitch of 60° the hem stays out of the image
ROOM_PX, ROOM_MM = 640, 900.0  # edge of the image of the room, px and mm at the head
# what pieces beside the head's own show
PIECE_PARTS = {"hair": "hair", "glasses": "glasses", "clothes": "clothes", "skin": "neck"}
LASHES = "eyes"


class PersonSource:
    """The person with hair, clothes and the room behind; see synth.sources.Renderable.

    Head and body turn as one about the head's middle; the light stays before the camera. What does
    not depend on the view is made once: surfaces, paint, normals, and which ways each vertex lies
    open to.
    """

    def __init__(
        self,
        subject: Subject,
        model: MorphableModel,
        rng: np.random.Generator,
        settings: RenderSettings,
    ):
        """Build the person and, where the background is their own, draw a room."""
        self.settings, self._subject = settings, subject
        self.shape_mm = subject.shape(model)
        head = self.shape_mm[framed_vertices(model, "head")]
        self._framed = hull_points(self.shape_mm[framed_vertices(model, settings.framing)])
        self._centre = middle_of(head)
        pieces = person_pieces(subject, model)
        body = _body_start(pieces)
        pieces = [lengthened(p, DOWN, LENGTH_MM) if p.label == "clothes" else p for p in pieces]
        pieces.insert(body, _end_of_neck(pieces[body], len(neck_rings(model)[0])))
        # outside of holes that lids and lips close, skin hides its own inside
        self._base = replace(Assembly.of(pieces), closed=len(pieces[0].triangles))
        self._body = slice(self._base.vertex_start[body + 1], None)
        self._known = Known(self._base.normals(), None, self._base.paints())
        around = self._base.centre()
        self._open, self._whole = open_axes(
            self._base.points, self._known.normals, self._base.solid(), AXES, around, REACH_MM
        )
        self._topology = topology_of(model)
        self._model_triangle, self._part = _labels(pieces, model, self._topology.parts)
        self._landmark_normals = self._known.normals[_landmarks_in(model)]
        place = subject.pose.apply(self._centre)
        focal = ROOM_PX * place[2] / ROOM_MM
        middle = ROOM_PX / 2 - focal * place[:2] / place[2]
        self._camera = Camera(ROOM_PX, ROOM_PX, focal, focal, *middle.tolist())
        self._room = None
        if settings.background == "own":
            room = make_backdrop(place, self._camera, subject.light, rng)
            self._room = Backdrop(room.color, room.depth_mm, self._camera)

    def view(
        self, yaw_deg: float, pitch_deg: float, roll_deg: float, rng: np.random.Generator
    ) -> SourceView:
        """See synth.sources.Renderable."""
        settings, base = self.settings, self._subject.pose
        rotation = matrix_from_euler(yaw_deg, pitch_deg, roll_deg)
        pose = turned_to(base, rotation, self._centre)
        camera = framed(self._camera, pose.apply(self._framed), settings)
        turn = FLIP @ rotation @ base.rotation.T @ FLIP
        light = self._light(turn, rng)
        whole = self._standing(self._base.turned(turn, base.apply(self._centre)), turn, pose)
        centres = whole.seen_by(camera)
        samples = whole.samples(camera, settings.supersample, centres)
        normals = self._known.normals @ turn.T
        known = replace(self._known, normals=normals, share=self._share(turn, light))
        size = (camera.width, camera.height)
        lit = whole.lit(samples, size, light, settings.shadows, known)
        color = self._over_background(lit, samples.cover(size)[..., None], camera, rng)
        marks = pose.apply(self.shape_mm[self._topology.landmarks])
        rendered = Rendered(
            color,
            camera.project(marks),
            marks,
            self._seen(marks, turn, camera, centres),
            self._buffers(whole, centres, normals),
        )
        return SourceView(rendered, camera, pose)

    def _standing(self, whole: Assembly, turn: np.ndarray, pose: Pose) -> Assembly:
        """The assembly; without its body where that would stand before the face."""
        place = pose.apply(self._centre)
        if not from_straight_below(place, turn @ DOWN):
            return whole
        points = whole.points.copy()
        points[self._body] = place  # triangles without area are drawn nowhere
        return replace(whole, points=points)

    def _light(self, turn: np.ndarray, rng: np.random.Generator) -> Light:
        own, mode = self._subject.light, self.settings.light
        if mode == "random":
            return sample_light(rng).brighter(exposure_for(self._subject.skin))
        if mode == "head":
            return own.turned(turn)
        if mode in ("flat", "kept"):
            return flat_light(EXPOSURE[0] * exposure_for(self._subject.skin))
        return own

    def _share(self, turn: np.ndarray, light: Light) -> np.ndarray:
        """(V,) float32 of the environment's light that reaches each vertex (imaging.shadow)."""
        ways = np.concatenate([AXES, -AXES]) @ turn.T
        radiance = (harmonics(ways) @ light.environment.mean(1)).clip(0).astype(np.float32)
        return np.clip(self._open @ radiance / np.maximum(self._whole @ radiance, 1e-9), 0, 1)

    def _over_background(self, lit, cover, camera: Camera, rng) -> np.ndarray:
        """(S, S, 3) uint8 of linear colours (S, S, 3) that cover a share (S, S, 1) of pixels."""
        if self._room is not None:
            return developed(lit + (1 - cover) * show_still(self._room, camera))
        behind = background_of(self.settings, rng)
        own = developed(lit / np.maximum(cover, 1e-3))
        return np.rint(cover * own + (1 - cover) * behind).astype(np.uint8)

    def _seen(self, marks, turn, camera: Camera, centres: Fragments) -> np.ndarray:
        """(L,) bool: see synth.renderer.Rendered."""
        facing = (self._landmark_normals @ turn.T * view_directions(marks, camera)).sum(1) > 0
        shown = self._part[centres.triangle_id]
        own = centres.mask & ~np.isin(shown, _BESIDE_HEAD)
        around = cv2.dilate(own.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        seen = facing & unhidden(camera.screen(marks), centres.depth, HIDDEN_MM)
        column, row = camera.project(marks[seen]).astype(int).T
        seen[seen] = around[row, column]
        return seen

    def _buffers(self, whole: Assembly, centres: Fragments, normals) -> dict[str, np.ndarray]:
        """The settings' buffers of synth.renderer.BUFFERS; pncc, uv and triangle ids are those of
        the model's own surface, beside it as on the background."""
        topology, seen = self._topology, centres.mask
        own = np.where(seen, self._model_triangle[centres.triangle_id], -1).astype(np.int32)
        head = Fragments(own, centres.barycentric, centres.depth)
        make = {
            "depth_mm": lambda: centres.depth,
            "normal": lambda: _unit(centres.interpolate(normals @ FLIP, whole.triangles)),
            "pncc": lambda: head.interpolate(topology.pncc, topology.triangles),
            "uv": lambda: head.interpolate(topology.uv, topology.triangle_uv),
            "mask": lambda: np.where(seen, np.uint8(255), np.uint8(0)),
            "parts": lambda: np.where(seen, self._part[centres.triangle_id], np.uint8(0)),
            "triangle_id": lambda: own,
        }
        return {name: make[name]() for name in self.settings.buffers}


_BESIDE_HEAD = [PART_LABELS.index(name) for name in ("hair", "glasses", "clothes", "other")]


def flat_light(strength: float) -> Light:
    """Light that comes from everywhere alike: what a white surface receives, over π."""
    environment = np.zeros((9, 3))
    environment[0] = strength / harmonics(np.array([[0.0, 0.0, 1.0]]))[0, 0]
    return Light(environment, np.array([0.0, 0.0, -1.0]), np.zeros(3))


def _unit(vectors: np.ndarray) -> np.ndarray:
    """(H, W, 3) float32 of length 1; 0 stays 0."""
    length = np.sqrt(np.einsum("...i,...i->...", vectors, vectors))
    return vectors / np.maximum(length, np.float32(1e-9))[..., None]


def _body_start(pieces: list[Piece]) -> int:
    """Index of the body's skin: of the pieces of skin the last that is no card of lashes."""
    return max(i for i, p in enumerate(pieces) if p.label == "skin" and p.alpha is None)


def _end_of_neck(skin: Piece, count: int) -> Piece:
    """What closes the neck where the body is left out; ``skin`` is the body's, whose first
    ``count`` vertices are the neck's rim."""
    height, width = skin.albedo.shape[:2]
    column, row = (skin.uv[:count] * [width, height]).astype(int).T
    tones = skin.albedo[row.clip(0, height - 1), column.clip(0, width - 1)]
    return neck_end(skin.vertices_mm[:count], tones, DOWN)


def _group_triangles(model: MorphableModel) -> list[np.ndarray]:
    """Indices into the model's triangles of the head's pieces, in their order."""
    parts = [[PARTS.index(name) for name in names] for names in GROUPS.values()]
    groups = [np.flatnonzero(np.isin(model.triangle_part, group)) for group in parts]
    return [group for group in groups if len(group)]


def _labels(pieces: list[Piece], model: MorphableModel, shown: np.ndarray):
    """(T,) int32 the model's triangle of each of the pieces', -1 where it is none of it, and
    (T,) uint8 what it shows, index into PART_LABELS. ``shown`` are the model's."""
    own = _group_triangles(model)
    triangle, part = list(own), [shown[group] for group in own]
    for piece in pieces[len(own) :]:
        name = PIECE_PARTS.get(piece.label, "other")
        if piece.label == "skin" and piece.alpha is not None:
            name = LASHES
        count = len(piece.triangles)
        triangle.append(np.full(count, -1))
        part.append(np.full(count, PART_LABELS.index(name)))
    return np.concatenate(triangle).astype(np.int32), np.concatenate(part).astype(np.uint8)


def _landmarks_in(model: MorphableModel) -> np.ndarray:
    """(L,) where the landmarks' vertices are among those of the first piece, the skin."""
    used = np.unique(model.triangles[_group_triangles(model)[0]])
    return np.searchsorted(used, model.landmarks["ibug68"])
