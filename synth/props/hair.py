"""Hair: a thin cap where it is dense, and ribbons of strands that grow from it over the head."""

from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy.spatial import cKDTree

from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from synth.props.headmap import HeadMap
from synth.props.scalp import CAP, Scalp, find_scalp, roots_on
from synth.props.strands import STEPS, grow, lock_textures, ribbons
from synth.props.styles import COLORS, OFTEN, STYLES, Style
from synth.scene import Piece

COVERS_MM = 70.0  # hair as long as this covers ears
COARSE = 4  # texels between those that the hairline, a smooth line, is computed at
CAP_MM = 0.9  # the cap's distance from the skin


@dataclass(frozen=True, slots=True)
class HairSettings:
    """Which hair.

    Attributes:
        style: a name of STYLES; drawn where None.
        color: a name of COLORS; drawn where None.
        bald: share of people with a bald crown (or nothing) and short sides.
    """

    style: str | None = None
    color: str | None = None
    bald: float = 0.08


def make_hair(
    model: MorphableModel,
    shape_mm: np.ndarray,
    rng: np.random.Generator,
    settings: HairSettings = HairSettings(),
) -> list[Piece]:
    """Cap and ribbons, both labelled "hair", in the frame of the shape.

    Args:
        model: gives the scalp.
        shape_mm: (V, 3) mm in the model frame.
    """
    color, grey = _color(rng, settings.color)
    style, crown_mm = _style(rng, settings)
    scalp = find_scalp(model)
    head = HeadMap(model, shape_mm)
    skin = shape_mm[scalp.vertices].astype(np.float64)
    normals = vertex_normals(skin, scalp.triangles)
    line = _Hairline.drawn(rng, style.recede, crown_mm)
    pieces = [_cap(scalp, skin, normals, style, line, color, rng)]
    if style.ribbons:
        pieces.append(_locks(model, shape_mm, scalp, head, style, line, (color, grey), rng))
    return pieces


@dataclass(frozen=True, slots=True, eq=False)
class _Hairline:
    """Shifts of the hairline, mm inwards, by azimuth; ``burns`` is the hair before the ears."""

    base: float
    temples: float
    crown: float
    burns: float
    waves: np.ndarray  # (5, 2) amplitude and phase

    @classmethod
    def drawn(cls, rng, recede: float, crown_mm: float) -> "_Hairline":
        waves = np.column_stack([rng.normal(0, 1.2, 5), rng.uniform(0, 2 * np.pi, 5)])
        base, burns = rng.normal(-6, 3), rng.uniform(6, 17)
        return cls(base, recede * rng.uniform(0.3, 1.8), crown_mm, burns, waves)

    def depth(self, inside_mm: np.ndarray, turn_rad: np.ndarray) -> np.ndarray:
        """How far (mm) within this person's hair, of places as synth.props.scalp has them."""
        around = np.abs(turn_rad)
        shift = self.base * (around < 2) + self.temples * np.exp(-(((around - 0.65) / 0.28) ** 2))
        shift = shift - self.burns * np.exp(-(((around - 1.45) / 0.2) ** 2))
        for order, (amplitude, phase) in enumerate(self.waves, start=2):
            shift = shift + amplitude / order**0.5 * np.sin(3 * order * turn_rad + phase)
        depth = inside_mm - shift
        if self.crown > 0:  # bald from the forehead to beyond the crown
            front = np.exp(-((around / 1.5) ** 4))
            depth = np.minimum(depth, self.crown - inside_mm - 90 * front)
        return depth


def _color(rng, name: str | None) -> tuple[np.ndarray, float]:
    """(3,) sRGB, and the share of grey strands."""
    shares = np.array([share for _, share in COLORS.values()])
    drawn = rng.choice(len(COLORS), p=shares / shares.sum())
    base = np.array(COLORS[name or list(COLORS)[drawn]][0])
    other = np.array(list(COLORS.values())[min(int(drawn) + 1, len(COLORS) - 1)][0])
    mixed = base if name else base + rng.uniform(0, 0.3) * (other - base)
    grey = max(0.0, rng.normal(-0.3, 0.3))
    return mixed * rng.uniform(0.85, 1.15), min(grey, 0.6)


def _style(rng, settings: HairSettings) -> tuple[Style, float]:
    """A style with this person's own lengths, and how high hair reaches where the crown is bald."""
    weights = np.array([OFTEN.get(name, 1.0) for name in STYLES])
    drawn = list(STYLES)[rng.choice(len(STYLES), p=weights / weights.sum())]
    bald, height = rng.random() < settings.bald, rng.uniform(45, 75)
    factors = rng.uniform(0.8, 1.25, 3)
    style = STYLES[settings.style or drawn]
    if bald and settings.style is None:
        return replace(STYLES["crop"], top=12, volume=5, recede=0), height
    top, volume, wave = factors
    return replace(
        style,
        top=style.top * top,
        side=style.side * top,
        back=style.back * top,
        volume=style.volume * volume,
        wave=style.wave * wave,
    ), 0.0


def _cap(scalp: Scalp, skin, normals, style: Style, line: _Hairline, color, rng) -> Piece:
    coarse = line.depth(scalp.inside_mm[::COARSE, ::COARSE], scalp.turn_rad[::COARSE, ::COARSE])
    depth = cv2.resize(coarse.astype(np.float32), (CAP, CAP))
    grain = rng.random((CAP, CAP), dtype=np.float32)
    fine = cv2.GaussianBlur(grain, (0, 0), 0.8)
    fine = (fine - 0.5) / fine.std()
    tufts = cv2.resize(rng.normal(size=(96, 96)).astype(np.float32), (CAP, CAP))
    cover = np.clip(depth / style.fade + 0.25 * tufts, 0, 1)
    dense = 1.0 if style.ribbons else 0.86
    alpha = np.clip(cover * dense + 0.22 * fine * (cover < 0.98) * (cover > 0), 0, 1)
    dark = 0.72 if style.ribbons else 1.0
    shade = dark * (1 + 0.16 * fine + 0.06 * tufts)
    points = skin + CAP_MM * normals
    albedo = np.clip(shade[..., None] * color.astype(np.float32), 0.004, 0.95)
    gloss = np.full(len(points), 0.012, dtype=np.float32)
    return Piece(
        "hair",
        points,
        scalp.triangles,
        albedo,
        scalp.uv,
        scalp.triangles,
        alpha.astype(np.float32),
        gloss,
        12.0,
    )


def _locks(model, shape_mm, scalp: Scalp, head: HeadMap, style: Style, line, look, rng) -> Piece:
    depth = line.depth(scalp.bank_inside_mm, scalp.bank_turn_rad)
    grown = np.flatnonzero(depth > rng.uniform(0.0, 5.0, len(depth)))
    skin = shape_mm[scalp.vertices].astype(np.float64)
    if style.side < COVERS_MM:  # short hair does not come out through the ears before it
        grown = grown[head.height(roots_on(scalp, skin, grown)) > -2.0]
    chosen = rng.permutation(grown)[: style.ribbons]
    roots = roots_on(scalp, skin, chosen)
    length, fringe = _lengths(roots, head, depth[chosen], scalp.bank_turn_rad[chosen], style, rng)
    layer = rng.random(len(roots)) ** 0.7
    # hair lies flat at its border and stands higher further in
    height = style.volume * layer * np.clip(depth[chosen] / 30 + 0.25, 0, 1)
    height = np.where(fringe, np.minimum(height, 6.0), height)
    pull = _Comb(model, shape_mm, head, roots, fringe, style, rng)
    outwards = _unit(roots - head.centre_mm)
    start = _unit(style.lift * outwards + pull(roots, 0.0))
    stiffness = 0.35 if style.comb == "out" else 0.55
    cling = 0.0 if style.comb in ("out", "back") else 0.8
    paths = grow(head, roots, start, length, height, pull, stiffness, cling)
    width = style.width * rng.uniform(0.7, 1.3, len(roots)) * np.where(fringe, 0.7, 1.0)
    free = fringe | ~pull.on_face(paths)
    if style.side < COVERS_MM or style.comb == "bun":
        free &= ~_on_ears(shape_mm[model.regions["ears"]], paths)
    paths, width, layer = paths[free], width[free], layer[free]
    fray = 0.75 if style.top > 80 else 0.35
    if style.comb == "bun":
        coil = _coils(pull.bun, rng)
        paths = np.concatenate([paths, coil])
        width = np.concatenate([width, np.full(len(coil), 13.0)])
        layer = np.concatenate([layer, np.ones(len(coil))])
    textures = lock_textures(look[0], rng, look[1], fray)
    return ribbons(paths, width, head, textures, rng, layer < 0.4)


def _coils(centre_mm, rng, count: int = 110) -> np.ndarray:
    """Paths (count, STEPS + 1, 3) wound around a knot: great arcs of a flattened ball."""
    radius = rng.uniform(22, 34)
    axis = _unit(rng.normal(0, 0.45, (count, 3)) + np.array([0.0, 0.25, -1.0]))
    first = _unit(np.cross(axis, rng.normal(size=(count, 3))))
    second = np.cross(axis, first)
    angle = np.linspace(0, rng.uniform(1.3, 2.0), STEPS + 1)[None, :, None]
    lift = rng.uniform(-0.75, 0.85, (count, 1, 1))  # of the arc along its axis
    ring = np.cos(angle) * first[:, None] + np.sin(angle) * second[:, None]
    arcs = np.sqrt(1 - lift**2) * ring + lift * axis[:, None]
    return centre_mm + radius * rng.uniform(0.9, 1.0, (count, 1, 1)) * arcs * [1.0, 1.0, 0.75]


def _on_ears(ears_mm, paths) -> np.ndarray:
    """(N,) bool: paths (N, K, 3) that lie on the ears (M, 3), not behind them."""
    before = ears_mm[ears_mm[:, 2] > np.quantile(ears_mm[:, 2], 0.15)]
    gap = cKDTree(before[::4]).query(paths[:, 1:].reshape(-1, 3), distance_upper_bound=4.0)[0]
    return np.isfinite(gap).reshape(len(paths), -1).any(1)


def _lengths(roots, head: HeadMap, depth, turn, style: Style, rng):
    """Lengths (N,) mm by place, and (N,) bool of the fringe."""
    up = _unit(roots - head.centre_mm)
    top = np.clip((up[:, 1] - 0.45) / 0.35, 0, 1)
    behind = np.clip(-up[:, 2] / 0.6, 0, 1)
    low = style.side * (1 - behind) + style.back * behind
    if style.side < COVERS_MM:  # clippers leave less towards the nape
        low = low * (1 - 0.7 * np.clip((-0.15 - up[:, 1]) / 0.35, 0, 1))
    length = (style.top * top + low * (1 - top)) * rng.uniform(0.75, 1.1, len(roots))
    fringe = (np.abs(turn) < 0.85) & (depth < 42) & (up[:, 2] > 0) & (style.fringe > 0)
    length = np.where(fringe, (style.fringe + 0.8 * depth) * rng.uniform(0.8, 1.05), length)
    return np.maximum(length, 4.0), fringe


class _Comb:
    """The direction that hair takes at a place."""

    def __init__(self, model, shape_mm, head: HeadMap, roots, fringe, style: Style, rng):
        self.head, self.style, self.fringe = head, style, fringe
        self.front = head.centre_mm[2] + 0.35 * model.iod_mm  # before it hair keeps off the face
        eyes = shape_mm[model.landmarks["ibug68"][[36, 45]]].mean(0)
        self.eye_level = eyes[1]
        self.crown = np.array([rng.normal(0, 6), 1.0, -55.0]) + head.centre_mm
        self.bun = head.centre_mm + np.array([0.0, rng.uniform(-20, 70), -112.0])
        self.part = rng.choice([-1, 1]) * rng.uniform(0, 38)
        self.side = np.where(roots[:, 0] > self.part, 1.0, -1.0)
        self.sweep = rng.choice([-1, 1]) * rng.uniform(0.05, 0.5)
        waves = rng.normal(0, 1 / 26, (6, 3)), rng.uniform(0, 2 * np.pi, 6)
        clump = np.sin(roots @ waves[0].T + waves[1])  # neighbours go the same way
        self.own = style.wave * (
            np.stack([clump[:, :2].sum(1), clump[:, 2:4].sum(1), clump[:, 4:].sum(1)], 1)
            + rng.normal(0, 0.5, roots.shape)
        )
        self.phase = rng.uniform(0, 2 * np.pi, len(roots))

    def __call__(self, points: np.ndarray, share: float) -> np.ndarray:
        """Unit directions (N, 3) at points (N, 3), ``share`` of the length from their roots."""
        outwards = _unit(points - self.head.centre_mm)
        flow = self._flow(points, outwards)
        fringe = np.array([self.sweep, -1.0, 0.75])
        flow = np.where(self.fringe[:, None], _tangent(fringe, outwards), _tangent(flow, outwards))
        down = np.array([0.0, -1.0, 0.0])
        hangs = min(1.0, 0.25 + 1.5 * share) + np.clip(0.5 - outwards[:, 1], 0, 1)
        weight = np.where(self.fringe, 0.5, self.style.gravity) * np.minimum(hangs, 1)
        swing = 0.35 * self.style.wave * np.sin(11 * share + self.phase)[:, None]
        wander = self.own * (1 if self.style.comb == "out" else 0.55 * (1 - 0.7 * share))
        aim = (1 - weight)[:, None] * _unit(flow) + weight[:, None] * down + wander
        aim = aim + swing * _unit(np.cross(flow, outwards))
        return _unit(aim + self._off_the_face(points))

    def _flow(self, points, outwards) -> np.ndarray:
        comb = self.style.comb
        if comb == "bun":
            return self.bun - points
        if comb == "out":
            return outwards * 1.2
        whorl = points - self.crown
        if comb == "whorl":
            return whorl
        on_top = np.clip((outwards[:, 1] - 0.35) / 0.4, 0, 1)[:, None]
        if comb == "back":
            combed = np.array([0.0, 0.25, -1.0]) + 0 * points
        else:
            away = np.column_stack([self.side, -0.1 + 0 * self.side, -0.7 + 0 * self.side])
            combed = away
        return on_top * combed + (1 - on_top) * _unit(whorl * [0.5, 1.0, 0.5])

    def on_face(self, paths: np.ndarray) -> np.ndarray:
        """(N,) bool: paths (N, K, 3) that come before the cheeks in spite of all combing."""
        ahead = paths[..., 2] > self.front + 8
        return (ahead & (paths[..., 1] < self.eye_level + 15)).any(1)

    def _off_the_face(self, points) -> np.ndarray:
        """A push aside and back for long hair that has come before the cheeks."""
        ahead = np.clip((points[:, 2] - self.front) / 15, 0, 1)
        below = np.clip((self.eye_level + 60 - points[:, 1]) / 30, 0, 1)
        size = np.where(self.fringe, 0, 1.2 * ahead * below)[:, None]
        return size * np.column_stack(
            [0.3 * np.sign(points[:, 0]), np.zeros(len(points)), -np.ones(len(points))]
        )


def _tangent(vectors: np.ndarray, normals: np.ndarray) -> np.ndarray:
    along = vectors - (vectors * normals).sum(-1, keepdims=True) * normals
    return _unit(along)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
