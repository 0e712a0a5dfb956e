"""The pieces of a scene as one mesh: what a camera sees of it, and how light falls on it."""

from dataclasses import dataclass, replace

import numpy as np

from faces.camera import Camera
from faces.mesh import vertex_normals
from imaging.cutout import Cutout
from imaging.deferred import shade
from imaging.raster import Fragments, covered, rasterise
from imaging.samples import Samples, every_pixel, supersampled
from imaging.shading import harmonics, irradiance_polynomial
from imaging.shadow import dodecahedron_axes, openness, shadow_map
from imaging.texture import halved
from synth.light import Light

MAP_SIZE = 512  # texels of the lamp's shadow map
REACH_MM = 210.0  # of the ball around the head within which things shade each other
UNCOUNTED = ("eye", "mouth", "glasses")  # pieces that keep no light of the surround off others
SHARP = 50.0  # ν from which a highlight may be narrower than a pixel: frames and eyes, not skin
SHELTERED = ("mouth",)  # too coarse to count what reaches them: their own ``shade`` says it all
AXES = dodecahedron_axes()  # along which the environment's light is counted, from both ends


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """What an assembly's light needs and its view does not change.

    Attributes:
        normals: (V, 3) unit, in the camera frame.
        share: (V,) float32 of the environment's light that gets to each vertex; None where that
            is yet to be counted.
        paints: Assembly.paints().
    """

    normals: np.ndarray
    share: np.ndarray | None
    paints: list


@dataclass(frozen=True, slots=True, eq=False)
class Assembly:
    """Attributes:
    pieces: synth.scene.Piece, in the camera frame.
    points: (V, 3) float64 mm; triangles: (T, 3) int32, of all pieces.
    vertex_start, triangle_start: (P + 1,) where each piece begins.
    owner: (T,) int16, the piece of each triangle.
    holes: of the triangles; None where all are whole.
    closed: so many of the first triangles are a surface whose back no camera sees.
    """

    pieces: tuple
    points: np.ndarray
    triangles: np.ndarray
    vertex_start: np.ndarray
    triangle_start: np.ndarray
    owner: np.ndarray
    holes: Cutout | None
    closed: int = 0

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
            _holes(pieces),
        )

    def seen_by(self, camera: Camera) -> Fragments:
        """The nearest triangle at each pixel's centre."""
        size = (camera.width, camera.height)
        screen = camera.screen(self.points)
        return rasterise(
            screen, self.triangles, size, camera.is_perspective, self.closed, self.holes
        )

    def samples(self, camera: Camera, factor: int, centres: Fragments | None) -> Samples:
        """Where to shade an image of ``factor``² samples a pixel; ``centres`` if that is not 1."""
        size = (camera.width * factor, camera.height * factor)
        screen = camera.screen(self.points) * [factor, factor, 1]
        holes = self.holes
        if holes is not None:
            holes = replace(holes, dithered=factor > 1)
        fine = covered(screen, self.triangles, size, camera.is_perspective, self.closed, holes)
        if factor == 1:
            return every_pixel(fine)
        # strands and sharp glints differ from sample to sample
        whole = np.array([p.alpha is None and p.shininess < SHARP for p in self.pieces])
        pixel = 1 / camera.fx if camera.is_perspective else camera.mm_per_px
        return supersampled(fine, centres, self.owner, whole, factor, pixel)

    def lit(
        self,
        samples: Samples,
        size: tuple[int, int],
        light: Light,
        shadows: bool,
        known: "Known | None" = None,
    ) -> np.ndarray:
        """Linear colours (H, W, 3) float32 of an image (width, height), 0 where nothing is.

        ``known`` is what does not depend on the view, where it was made already; without it the
        environment's light is kept off where ``shadows`` are wanted alone.
        """
        if known is None:
            known = Known(self.normals(), None, self.paints())
        share, shadow = known.share, (False, np.zeros((1, 1), np.float32), np.zeros((3, 4)), 0.0)
        if shadows:
            centre = self.centre()
            if share is None:
                share = self._openness(known.normals, light, samples, centre)
            shadow = (True, *self._shadow(light, centre))
        if share is None:
            share = np.ones(len(self.points), dtype=np.float32)
        out = np.zeros((size[1], size[0], 3), dtype=np.float32)
        environment = irradiance_polynomial(light.environment)
        lamp = (np.asarray(light.direction, np.float64), np.asarray(light.color, np.float64))
        fields = (
            samples.pixel,
            samples.triangle,
            samples.barycentric,
            samples.weight,
            samples.area,
        )
        for index, (piece, paint) in enumerate(zip(self.pieces, known.paints, strict=True)):
            own = slice(*self.vertex_start[index : index + 2])
            first, stop = self.triangle_start[index : index + 2]
            open_share = np.ones_like(share[own]) if piece.label in SHELTERED else share[own]
            shade(
                fields,
                first,
                stop,
                (
                    _int32(piece.triangles),
                    _rows(piece, self.points[own], known.normals[own], open_share, light.specular),
                ),
                paint,
                (float(piece.shininess), float(piece.scatter), piece.two_sided),
                lamp,
                environment,
                shadow,
                out,
            )
        return out

    def normals(self) -> np.ndarray:
        """(V, 3) unit, of each piece by itself."""
        return np.concatenate([vertex_normals(p.vertices_mm, p.triangles) for p in self.pieces])

    def paints(self) -> list[tuple]:
        """Each piece's colours as imaging.deferred.shade takes them."""
        halves = {}
        return [_paint(piece, halves) for piece in self.pieces]

    def turned(self, turn: np.ndarray, centre: np.ndarray) -> "Assembly":
        """The whole turned by a rotation (3, 3) of the camera frame about a point (3,) of it.

        The pieces keep the vertices of before: of a turned assembly only ``points`` is true.
        """
        return replace(self, points=(self.points - centre) @ np.asarray(turn).T + centre)

    def centre(self) -> np.ndarray:
        """(3,) mm of the head: the first piece is the skin."""
        first = self.points[: self.vertex_start[1]]
        return (first.min(0) + first.max(0)) / 2

    def _openness(self, normals, light: Light, samples: Samples, centre) -> np.ndarray:
        """(V,) float32, at the corners of what is seen."""
        mean = light.environment.mean(1)
        radiance = np.stack([harmonics(way) @ mean for way in (AXES, -AXES)], axis=1).clip(0)
        seen = np.zeros(len(self.points), dtype=bool)
        seen[self.triangles[samples.triangle]] = True
        solid = self.solid()
        return openness(self.points, normals, solid, AXES, radiance, centre, REACH_MM, wanted=seen)

    def solid(self) -> np.ndarray:
        """(t, 3) int, triangles that keep the environment's light off: strands let it through,
        eyes and teeth lie behind lids and lips, and a frame, thinner than a texel of the maps that
        tell it, would leave smears."""
        return np.concatenate(
            [
                (piece.triangles if piece.occluder is None else piece.occluder) + start
                for piece, start in zip(self.pieces, self.vertex_start, strict=False)
                if piece.alpha is None and piece.label not in UNCOUNTED
            ]
        )

    def _shadow(self, light: Light, centre) -> tuple[np.ndarray, np.ndarray, float]:
        seen = shadow_map(
            self.points,
            self.triangles,
            light.direction,
            centre,
            REACH_MM,
            MAP_SIZE,
            light.size_deg,
            self.holes,
        )
        return seen.depth, seen.matrix, seen.spread


def _holes(pieces) -> Cutout | None:
    """The pieces' holes; None where no piece has any."""
    if all(piece.alpha is None for piece in pieces):
        return None
    textures, corners, alphas, start = [], [], [], 0
    for piece in pieces:
        texture = np.zeros((len(piece.triangles), 3), dtype=np.int32)
        corner = np.zeros((len(piece.triangles), 3, 2), dtype=np.float32)
        if piece.alpha is not None:
            texture[:] = start, *piece.alpha.shape
            corner = piece.uv[piece.triangle_uv]
            alphas.append(np.ascontiguousarray(piece.alpha, dtype=np.float32).ravel())
            start += piece.alpha.size
        textures.append(texture)
        corners.append(corner)
    uv = np.concatenate(corners).astype(np.float32)
    return Cutout(np.concatenate(alphas), np.concatenate(textures), uv)


def _rows(piece, points, normals, openness: np.ndarray, specular: float) -> np.ndarray:
    """(V, 8) float32, a piece's vertices as imaging.deferred.shade takes them."""
    rows = np.zeros((len(normals), 8), dtype=np.float32)
    rows[:, :3], rows[:, 3:6] = points, normals
    rows[:, 6] = openness if piece.shade is None else openness * piece.shade
    if piece.gloss is not None:
        rows[:, 7] = piece.gloss * specular
    return rows


def _paint(piece, halves: dict) -> tuple:
    """Colours, texture, relief and texture coordinates as imaging.deferred.shade takes them.

    ``halves`` keeps textures that several pieces share.
    """
    if piece.albedo.ndim == 2:
        colors = np.ascontiguousarray(piece.albedo, dtype=np.float32)
        nowhere = np.zeros((1, 2), np.float32), np.zeros((1, 3), np.int32)
        return colors, *halved(None), *halved(None, 1), *nowhere
    if id(piece.albedo) not in halves:
        halves[id(piece.albedo)] = halved(piece.albedo)
    return (
        np.zeros((1, 3), dtype=np.float32),
        *halves[id(piece.albedo)],
        *halved(piece.relief, 1),
        np.ascontiguousarray(piece.uv, dtype=np.float32),
        _int32(piece.triangle_uv),
    )


def _int32(indices: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(indices, dtype=np.int32)
