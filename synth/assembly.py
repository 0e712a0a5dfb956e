"""The pieces of a scene as one mesh: what a camera sees of it, and how light falls on it."""

from dataclasses import dataclass

import numpy as np

from faces.camera import Camera
from faces.mesh import vertex_normals
from imaging.cutout import Cutout
from imaging.deferred import shade
from imaging.raster import Fragments, rasterise
from imaging.shading import harmonics, irradiance_polynomial
from imaging.shadow import openness, shadow_map, sphere_directions
from synth.light import Light

MAP_SIZE = 640  # texels of the lamp's shadow map
REACH_MM = 210.0  # of the ball around the head within which things shade each other
SIDES = sphere_directions(16)  # from which the environment's light is counted
SHELTERED = ("mouth",)  # too coarse to count what reaches them: their own ``shade`` says it all
_NOTHING = (np.zeros((0, 0, 3), np.float32), np.zeros((0, 0), np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Assembly:
    """Attributes:
    pieces: synth.scene.Piece, in the camera frame.
    points: (V, 3) float64 mm; triangles: (T, 3) int32, of all pieces.
    vertex_start, triangle_start: (P + 1,) where each piece begins.
    owner: (T,) int16, the piece of each triangle.
    """

    pieces: tuple
    points: np.ndarray
    triangles: np.ndarray
    vertex_start: np.ndarray
    triangle_start: np.ndarray
    owner: np.ndarray

    @classmethod
    def of(cls, pieces) -> "Assembly":
        """The pieces one after another."""
        vertex_start = np.cumsum([0] + [len(piece.vertices_mm) for piece in pieces])
        counts = [len(piece.triangles) for piece in pieces]
        offsets = zip(pieces, vertex_start[:-1], strict=True)
        return cls(
            tuple(pieces),
            np.concatenate([piece.vertices_mm for piece in pieces]),
            np.concatenate([piece.triangles + start for piece, start in offsets]).astype(np.int32),
            vertex_start,
            np.cumsum([0, *counts]),
            np.repeat(np.arange(len(pieces), dtype=np.int16), counts),
        )

    def seen_by(self, camera: Camera, dithered: bool) -> Fragments:
        """The nearest triangle at each pixel; strands are ``dithered`` in an averaged image."""
        size = (camera.width, camera.height)
        screen = camera.screen(self.points)
        return rasterise(
            screen, self.triangles, size, camera.is_perspective, cutout=self.cutout(dithered)
        )

    def cutout(self, dithered: bool) -> Cutout | None:
        """The pieces' holes; None where no piece has any."""
        if all(piece.alpha is None for piece in self.pieces):
            return None
        texture = np.zeros((len(self.triangles), 3), dtype=np.int32)
        corners = np.zeros((len(self.triangles), 3, 2), dtype=np.float32)
        alphas, start = [], 0
        for piece, first in zip(self.pieces, self.triangle_start, strict=False):
            if piece.alpha is None:
                continue
            rows = slice(first, first + len(piece.triangles))
            texture[rows] = start, *piece.alpha.shape
            corners[rows] = piece.uv[piece.triangle_uv]
            alphas.append(np.ascontiguousarray(piece.alpha, dtype=np.float32).ravel())
            start += piece.alpha.size
        return Cutout(np.concatenate(alphas), texture, corners, dithered)

    def lit(self, fragments: Fragments, light: Light, shadows: bool) -> np.ndarray:
        """Linear colours (h, w, 3) float32 of the fragments, 0 where there is nothing."""
        normals = [vertex_normals(p.vertices_mm, p.triangles) for p in self.pieces]
        share = np.ones(len(self.points), dtype=np.float32)
        shadow = (False, np.zeros((1, 1), np.float32), np.zeros((3, 4)), 0.0)
        if shadows:
            share = self._openness(np.concatenate(normals), light)
            shadow = (True, *self._shadow(light))
        out = np.zeros((*fragments.triangle_id.shape, 3), dtype=np.float32)
        environment = irradiance_polynomial(light.environment)
        lamp = (np.asarray(light.direction, np.float64), np.asarray(light.color, np.float64))
        for index, (piece, normal) in enumerate(zip(self.pieces, normals, strict=True)):
            own = share[self.vertex_start[index] : self.vertex_start[index + 1]]
            if piece.label in SHELTERED:
                own = np.ones_like(own)
            own = own if piece.shade is None else own * piece.shade
            gloss = np.zeros(len(normal)) if piece.gloss is None else piece.gloss * light.specular
            first, stop = self.triangle_start[index : index + 2]
            shade(
                fragments.triangle_id,
                fragments.barycentric,
                first,
                stop,
                (_int32(piece.triangles), piece.vertices_mm.astype(np.float64), normal, own),
                _paint(piece),
                np.ascontiguousarray(gloss, dtype=np.float64),
                float(piece.shininess),
                float(piece.scatter),
                piece.two_sided,
                lamp,
                environment,
                shadow,
                out,
            )
        return out

    def _centre(self) -> np.ndarray:
        """(3,) mm of the head: the first piece is the skin."""
        first = self.pieces[0].vertices_mm
        return (first.min(0) + first.max(0)) / 2

    def _openness(self, normals: np.ndarray, light: Light) -> np.ndarray:
        radiance = np.clip(harmonics(SIDES) @ light.environment.mean(1), 0, None)
        # strands let light through, and eyes and teeth lie behind lids and lips
        whole = [
            i
            for i, piece in enumerate(self.pieces)
            if piece.alpha is None and piece.label not in ("eye", "mouth")
        ]
        solid = self.triangles[np.isin(self.owner, whole)]
        return openness(self.points, normals, solid, SIDES, radiance, self._centre(), REACH_MM)

    def _shadow(self, light: Light) -> tuple[np.ndarray, np.ndarray, float]:
        seen = shadow_map(
            self.points,
            self.triangles,
            light.direction,
            self._centre(),
            REACH_MM,
            MAP_SIZE,
            light.size_deg,
            self.cutout(False),
        )
        return seen.depth, seen.matrix, seen.spread


def _paint(piece) -> tuple:
    """Colours, texture, relief and texture coordinates as imaging.deferred.shade takes them."""
    texture, relief = _NOTHING
    colors = np.zeros((1, 3), dtype=np.float32)
    uv, triangle_uv = np.zeros((1, 2), dtype=np.float32), np.zeros((1, 3), dtype=np.int32)
    if piece.albedo.ndim == 3:
        texture = np.ascontiguousarray(piece.albedo, dtype=np.float32)
        uv, triangle_uv = (
            np.ascontiguousarray(piece.uv, dtype=np.float32),
            _int32(piece.triangle_uv),
        )
        if piece.relief is not None:
            relief = piece.relief
    else:
        colors = np.ascontiguousarray(piece.albedo, dtype=np.float32)
    return colors, texture, relief, uv, triangle_uv


def _int32(indices: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(indices, dtype=np.int32)
