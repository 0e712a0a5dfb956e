"""The body of hair on a head: a closed shell, thin at the hairline, its strands along rays."""

from functools import lru_cache

import numpy as np

from synth.props.headmap import HeadMap
from synth.props.scalp import Fan
from synth.props.strands import LOCKS, WIDE, Look, lock_textures, paint, tile
from synth.props.styles import Style
from synth.scene import Piece
from synth.skin.fields import solid_noise

ROUND, ROWS = 96, 22  # of the shell's mesh
OUT = 1.12  # of the way to the hairline at which the mesh ends; wisps grow on the rest
SKIN_MM = 1.0  # of the mesh's end over the skin
STEPS = 5  # of a strip


class Shell:
    """Heights of the hair's surface over the skin, in a fan of directions."""

    def __init__(self, head: HeadMap, fan: Fan, style: Style, rng: np.random.Generator):
        """The surface of one person's hair; ``rng`` draws its locks."""
        self.head, self.fan, self.style = head, fan, style
        around = np.linspace(0, 2 * np.pi, ROUND + 1)[None]
        share = np.linspace(0, 1, ROWS + 1)[:, None]
        out = OUT * share * fan.reach_at(around[0])[None]
        self.directions = fan.directions(np.broadcast_to(around, out.shape), out)
        flat = self.directions.reshape(-1, 3)
        radius = head.skull(flat).reshape(out.shape)
        inside = (fan.reach_at(around[0])[None] - out) * radius
        height = self._height(flat[:, 1].reshape(out.shape), inside)
        self.height = np.maximum(height + self._rough(around, share, radius, inside, rng), SKIN_MM)
        self.height[:, -1] = self.height[:, 0]
        self.height[0] = self.height[0].mean()
        self.radius = radius
        # strands lie along the surface, which rises steeply behind the hairline
        points = self.points().reshape(ROWS + 1, ROUND + 1, 3)
        step = np.linalg.norm(np.diff(points, axis=0), axis=-1)
        length = np.concatenate([np.zeros((1, ROUND + 1)), np.cumsum(step, axis=0)])
        self.reach_mm = length[-1]
        self.along = length / length[-1]

    def _height(self, up: np.ndarray, inside: np.ndarray) -> np.ndarray:
        style = self.style
        share = np.clip((up - 0.2) / 0.55, 0, 1)
        full = style.side + (style.top - style.side) * share * share * (3 - 2 * share)
        deep = np.clip(inside, 0, None) / style.rise
        ball = 1 - (1 - np.minimum(deep, 1)) ** 2.4  # as curls round up from their line
        rise = ball if style.kind == "coil" else 1 - np.exp(-deep)
        return SKIN_MM + full * rise

    def _rough(self, around, share, radius, inside, rng) -> np.ndarray:
        """Curls are bumps; combed hair lies in ridges along its rays."""
        if self.style.rough == 0:
            return np.zeros_like(inside)
        if self.style.kind in ("coil", "fuzz"):
            place, period = self.directions * radius[..., None], 26.0
        else:
            parts = (np.cos(around) + 0 * share, np.sin(around) + 0 * share, share + 0 * around)
            place, period = np.stack(parts, -1) * [60.0, 60.0, 45.0], 16.0
        bumps = solid_noise(place.astype(np.float32), period, rng)
        if self.style.kind == "coil":
            bumps = 0.6 * bumps + 0.8 * solid_noise(place.astype(np.float32), 2.2 * period, rng)
        return self.style.rough * bumps * np.clip(inside / 20, 0, 1) * np.minimum(5 * share, 1)

    def points(self, share: float = 1.0, more_mm: float = 0.0) -> np.ndarray:
        """(N, 3) mm of the mesh at a share of the height, and ``more_mm`` above that."""
        # what is added ends with the hair, so that all layers close on the skin
        more = more_mm * np.clip(self.height / 3, 0, 1) * (self.height > SKIN_MM + 0.2)
        distance = self.radius + np.maximum(share * self.height, SKIN_MM) + more
        return self.head.centre_mm + (self.directions * distance[..., None]).reshape(-1, 3)

    def height_at(self, around: np.ndarray, out: np.ndarray) -> np.ndarray:
        """The surface's height over the skin at angles around and out of the fan's pole."""
        column = np.rint(around / (2 * np.pi) * ROUND).astype(int) % ROUND
        row = np.rint(out / (OUT * self.fan.reach_at(around)) * ROWS).astype(int)
        return self.height[np.clip(row, 0, ROWS), column]

    def pieces(self, look: Look, bald: np.ndarray | None, rng: np.random.Generator) -> list[Piece]:
        """The surface, and a layer of loose ends above it that softens the outline.

        Args:
            look: of the hair.
            bald: (WIDE,) share of the way to the hairline that no hair grows on; None for none.
            rng: of the paint.
        """
        style = self.style
        columns = np.arange(WIDE) * ROUND / WIDE
        line = np.array([np.interp(ROWS / OUT, np.arange(ROWS + 1), f) for f in self.along.T])
        reach, edge = (np.interp(columns, np.arange(ROUND + 1), f) for f in (self.reach_mm, line))
        knot = style.comb == "knot"
        shade = (1.0, 0.9) if style.kind in ("fuzz", "coil") else (0.95, 1.0)
        albedo, alpha, relief = paint(
            style.kind, look, reach, edge, style.fade, rng, shade, not knot
        )
        if bald is not None:
            place = np.linspace(0, OUT, len(alpha))[:, None]
            alpha *= np.clip((place - bald) * 6 - 0.6 * _ends(style.kind), 0, 1).astype(np.float32)
        u = np.broadcast_to(np.linspace(0, 1, ROUND + 1), self.along.shape)
        uv = np.stack([u, self.along], -1).reshape(-1, 2).astype(np.float32)
        triangles = corners = grid_triangles(ROWS + 1, ROUND + 1)
        gloss = np.full(len(uv), GLOSS[style.kind], dtype=np.float32)
        common = {"gloss": gloss, "shininess": 12.0, "relief": relief}
        own = Piece("hair", self.points(), triangles, albedo, uv, corners, alpha, **common)
        if style.kind == "plait":
            return [own]
        loose = alpha * _ends(style.kind)
        more = 0.8 + 0.055 * style.top + (0.9 if style.kind == "coil" else 0.0)
        above = self.points(1.0, more)
        return [own, Piece("hair", above, triangles, albedo, uv, corners, loose, **common)]

    def tufts(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Paths (N, STEPS + 1, 3) mm and widths (N,) of locks that leave the surface."""
        style, count = self.style, self.style.tufts
        around = rng.uniform(0, 2 * np.pi, count)
        reach = self.fan.reach_at(around)
        # even by area: denser outwards
        out = np.arccos(1 - rng.random(count) * (1 - np.cos(0.985 * reach)))
        length = style.tuft * rng.uniform(0.6, 1.15, count) * np.clip(0.4 + (reach - out) * 2, 0, 1)
        up = self.fan.directions(around, out)[:, 1]
        length *= np.where(up > 0.35, 1.0, style.side / max(style.top, 1.0) * 0.8 + 0.2)
        knot = -1.0 if style.comb == "knot" else 1.0
        aside = style.sweep * rng.choice([-1, 1]) + rng.normal(0, 0.4, count)
        along = np.linspace(0, 1, STEPS + 1)
        ahead = (length / 100)[:, None] * along
        outs = np.clip(out[:, None] + knot * np.cos(aside)[:, None] * ahead, 0.02, None)
        turn = around[:, None] + np.sin(aside)[:, None] * ahead / np.maximum(np.sin(outs), 0.3)
        bottom = self.height_at(around, out)
        lift = bottom[:, None] * (0.75 + 0.5 * along) + 0.2 * length[:, None] * along**1.4 * (
            0.5 + rng.random((count, 1))
        )
        limit = self.fan.reach_at(turn) + 0.05
        outs = np.minimum(outs, limit)
        directions = self.fan.directions(turn, outs)
        radius = self.head.skull(directions.reshape(-1, 3)).reshape(outs.shape)
        paths = self.head.centre_mm + directions * (radius + np.maximum(lift, 1.0))[..., None]
        over = self.head.height(paths.reshape(-1, 3)).reshape(outs.shape)
        free = (over > 0).all(1)
        width = rng.uniform(0.7, 1.3, count) * (5.5 if style.kind == "coil" else 7.5)
        return paths[free], width[free]

    def flyaways(self, rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
        """Paths (count, STEPS + 1, 3) mm and widths of hairs that stray above the surface."""
        around = rng.uniform(0, 2 * np.pi, count)[:, None]
        along = np.linspace(0, 1, STEPS + 1)
        start, end = np.sort(rng.uniform(0.1, 0.99, (2, count)), axis=0)[..., None]
        outs = self.fan.reach_at(around) * (end + (start - end) * along)
        turn = around + rng.normal(0, 0.25, (count, 1)) * along**2
        rise = rng.uniform(0.3, 2.2, (count, 1)) * np.sin(np.pi * along)
        directions = self.fan.directions(turn, outs)
        radius = self.head.skull(directions.reshape(-1, 3)).reshape(outs.shape)
        distance = radius + self.height_at(turn, outs) + rise
        paths = self.head.centre_mm + directions * distance[..., None]
        free = (self.head.height(paths.reshape(-1, 3)).reshape(outs.shape) > 0).all(1)
        return paths[free], rng.uniform(4, 8, count)[free]


GLOSS = {"straight": 0.1, "wavy": 0.1, "coil": 0.05, "fuzz": 0.03, "plait": 0.06}


@lru_cache(maxsize=8)
def _ends(kind: str) -> np.ndarray:
    """(TALL, WIDE) float32: loose ends, about two fifths of a layer."""
    grain = tile(kind).shade
    low, high = np.quantile(grain, [0.45, 0.8])
    return np.clip((grain - low) / (high - low), 0, 1)


@lru_cache(maxsize=32)
def grid_triangles(rows: int, columns: int) -> np.ndarray:
    """Triangles (T, 3) int32 of a grid of points, row by row: seen from the side where rows go
    down and columns to the right."""
    i, j = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    a = i * columns + j
    b, c, d = a + 1, a + columns + 1, a + columns
    return np.stack([a, d, b, b, d, c], axis=-1).reshape(-1, 3).astype(np.int32)


def strips(
    paths_mm: np.ndarray,
    width_mm: np.ndarray,
    head: HeadMap,
    look: Look,
    rng: np.random.Generator,
    single: bool = False,
) -> Piece:
    """A piece "hair" of one strip a path, its face away from the head's middle.

    Args:
        paths_mm: (N, K, 3).
        width_mm: (N,).
        head: what they may not enter.
        look: of the hair.
        rng: of the paint.
        single: whether strips show single hairs.
    """
    count, steps = paths_mm.shape[:2]
    along = _unit(np.gradient(paths_mm, axis=1))
    outwards = _unit(paths_mm - head.centre_mm)
    side = _unit(np.cross(along, outwards))
    side = _unit(side + rng.normal(0, 0.35, (count, 1, 1)) * np.cross(side, along))
    taper = np.interp(np.linspace(0, 1, steps), [0, 0.3, 1], [0.8, 1.0, 0.7])
    half = 0.5 * width_mm[:, None, None] * taper[None, :, None] * side
    points = np.stack([paths_mm - half, paths_mm + half], axis=2).reshape(-1, 3)
    points = head.off_skull(points, 0.5)
    first = LOCKS * 2 // 3
    lock = rng.integers(first, LOCKS, count) if single else rng.integers(0, first, count)
    flipped = rng.random(count) < 0.5
    u = np.stack([lock + flipped, lock + ~flipped], 1)[:, None] / LOCKS
    v = np.linspace(0.002, 0.998, steps)[None, :, None]
    uv = np.stack(np.broadcast_arrays(u, v), -1).reshape(-1, 2).astype(np.float32)
    albedo, alpha = lock_textures(look, rng)
    triangles = _strip_triangles(count, steps)
    gloss = np.full(len(points), 0.08, dtype=np.float32)
    # lit from outside even where their inner face shows: light comes through them
    return Piece("hair", points, triangles, albedo, uv, triangles, alpha, gloss, 14.0)


@lru_cache(maxsize=32)
def _strip_triangles(count: int, steps: int) -> np.ndarray:
    step = 2 * np.arange(steps - 1)[:, None]
    one = (step[..., None] + np.array([[0, 1, 3], [0, 3, 2]])).reshape(-1, 3)
    first = 2 * steps * np.arange(count)[:, None, None]
    return (first + one).reshape(-1, 3).astype(np.int32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
