"""Hair from a parting: a curtain of it, ropes along the curtain's ways, and a fringe."""

import numpy as np

from synth.props.scalp import Fan
from synth.props.sheets import GAP_MM, Ground, Sheet
from synth.props.shoulders import Shoulders
from synth.props.styles import Style

ON_HEAD, BELOW = 13, 12  # rows of a curtain along the head, and below it
COLUMNS = 34  # of half a curtain
LEAVES = np.radians(98)  # from straight up, where hair leaves the head


def curtain(ground: Ground, style: Style, rng: np.random.Generator) -> list[Sheet]:
    """Both halves of hair parted on top, each with a layer below it."""
    part = rng.choice([-1, 1]) * rng.uniform(0, 0.5)
    tucked = rng.random() < 0.25  # behind the ears
    layers = []
    for side in (1, -1):
        before = rng.random() < 0.6  # the shoulder, rather than all behind it
        for layer, (height, length) in enumerate(((1.0, 1.0), (0.55, 0.93))):
            azimuth = (1.72 if tucked else rng.uniform(1.0, 1.25)) + 0.1 * layer
            points = _half(ground, style, rng, (side, part, azimuth), (height, length), before)
            # seen from outside, columns run from the face back on one side, and to it on the other
            edges = (0.0, 0.5) if side > 0 else (0.5, 1.0)
            layers.append(Sheet(points if side > 0 else points[:, ::-1], *edges))
    return layers


def _half(ground: Ground, style: Style, rng, where, layer, before: bool) -> np.ndarray:
    side, part, azimuth = where
    height, length = layer
    u = np.linspace(0, 1, COLUMNS)
    turn = azimuth + (np.pi - azimuth) * u**0.85
    start, leave = _parting(ground.fan, part, u), _flat(side * turn, np.full(COLUMNS, LEAVES))
    bend = _bend(ground.fan, start, leave, u)
    t = np.linspace(0, 1, ON_HEAD)[:, None, None]
    way = (1 - t) ** 2 * start + 2 * t * (1 - t) * bend + t**2 * leave
    directions, inside = _within_line(ground.fan, way)
    clumps = style.rough * _ripple(rng, ON_HEAD + BELOW)
    radius = ground.head.skull(directions.reshape(-1, 3)).reshape(ON_HEAD, COLUMNS)
    arc = 110 * t[..., 0]
    full = style.side + (style.top - style.side) * np.clip(directions[..., 1] * 1.5, 0, 1)
    # close to the skin at the hairline, higher along the way and away from the parting
    rise = (1 - np.exp(-inside / 14)) * (0.9 + 0.1 * (1 - np.exp(-arc / 30)))
    lift = 1.5 + height * (full + 2.5) * rise
    lift = np.maximum(lift + clumps[:ON_HEAD] * rise * t[..., 0], 1.5)
    upper = ground.head.centre_mm + directions * (radius + lift)[..., None]
    lower = _hung(upper, style, length, clumps[ON_HEAD:], ground.shoulders, rng)
    ahead = (turn < 2.0) & before
    gap = GAP_MM + np.concatenate([np.zeros((ON_HEAD, COLUMNS)), 0.5 * np.abs(clumps[ON_HEAD:])])
    points = np.concatenate([upper, lower])
    return ground.settled(points, height * gap, ahead[None], azimuth > 1.5)


def _hung(upper, style: Style, length, clumps, shoulders: Shoulders, rng) -> np.ndarray:
    """Rows (BELOW, COLUMNS, 3) below the last of ``upper``: first the way they came, then down."""
    end, step = upper[-1], upper[-1] - upper[-2]
    down = -shoulders.upright[1]
    t = np.linspace(0, 1, BELOW + 1)[1:, None, None]
    cut = length * style.length * (1 + 0.05 * rng.normal(size=(COLUMNS, 1)))
    inertia = step - (step @ down)[:, None] * down
    across = end - shoulders.centre_mm
    across = across - (across @ down)[:, None] * down
    inwards = across / np.maximum(np.linalg.norm(across, axis=-1, keepdims=True), 1e-6)
    points = end + t * cut * down + 1.2 * inertia * (1 - np.exp(-3 * t)) - 14 * t * inwards
    if style.kind == "wavy":
        curl = np.sin(
            2 * np.pi * t * cut / rng.uniform(55, 85)
            + np.cumsum(rng.normal(0, 0.5, COLUMNS))[:, None]
        )
        points = points - 6 * curl * inwards * np.minimum(2 * t, 1)
    return points + clumps[..., None] * inwards * np.minimum(3 * t, 1)


def _ripple(rng: np.random.Generator, rows: int) -> np.ndarray:
    """(rows, COLUMNS) locks that run down a curtain, about 1 high."""
    lock = rng.normal(size=COLUMNS)
    sway = np.linspace(0, 1, rows)[:, None] * rng.normal(0, 4, (1, 4))
    phase, order = rng.uniform(0, 2 * np.pi, 4), np.array([3, 5, 8, 11])
    u = np.linspace(0, 2 * np.pi, COLUMNS)[None, :, None]
    waves = np.sin(order * u + sway[:, None] + phase).mean(-1)
    return 0.45 * lock + waves


def _parting(fan: Fan, part: float, u: np.ndarray) -> np.ndarray:
    """(N, 2) on the disc: along the parting, from the forehead to behind the crown."""
    first = _flat(np.array([part]), fan.reach_at(np.array([part])) + 0.02)
    last = _flat(np.array([np.pi]), np.array([0.42]))
    return first + (last - first) * np.minimum(u / 0.6, 1)[:, None]


def _bend(fan: Fan, start: np.ndarray, leave: np.ndarray, u: np.ndarray) -> np.ndarray:
    """(N, 2) middle points of the ways from the parting: the first keep to the hairline."""
    middle = 0.5 * (start + leave)
    azimuth = np.arctan2(middle[:, 0], middle[:, 1])
    line = _flat(azimuth, 1.25 * fan.reach_at(azimuth))
    first = np.clip(1 - 1.8 * u, 0, 1)[:, None]
    return first * line + (1 - first) * middle


def _flat(azimuth: np.ndarray, polar: np.ndarray) -> np.ndarray:
    return polar[..., None] * np.stack([np.sin(azimuth), np.cos(azimuth)], -1)


def _directions(flat: np.ndarray) -> np.ndarray:
    """Unit directions (..., 3) of places (..., 2) = polar · (sin, cos) of the azimuth."""
    polar = np.linalg.norm(flat, axis=-1, keepdims=True)
    across = np.sinc(polar / np.pi) * flat
    return np.stack([across[..., 0], np.cos(polar[..., 0]), across[..., 1]], -1)


def _within_line(fan: Fan, flat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Directions (..., 3) of the places, those that cross the forehead or the temples drawn back,
    and how far (...) mm they are from the line there."""
    azimuth = np.arctan2(flat[..., 0], flat[..., 1])
    polar = np.linalg.norm(flat, axis=-1)
    limit = fan.reach_at(azimuth) + 0.03  # the outermost strands hide the roots
    limit = np.where(np.abs(azimuth) < 1.15, limit, np.pi)
    held = np.minimum(polar, limit)
    scale = held / np.maximum(polar, 1e-6)
    return _directions(flat * scale[..., None]), 95 * (limit - held)


def locks(ground: Ground, style: Style, rng: np.random.Generator, count: int = 84) -> list[Sheet]:
    """Single ropes of hair along a curtain's ways."""
    ropes, slots = [], []
    for sheet in curtain(ground, style, rng)[::2]:
        points = sheet.points_mm
        at = np.sort(rng.uniform(0.3, COLUMNS - 1.3, count // 2))
        first = at.astype(int)
        share = (at - first)[None, :, None]
        middle = points[:, first] * (1 - share) + points[:, first + 1] * share
        along = np.gradient(middle, axis=0)
        aside = np.cross(along, middle - ground.head.centre_mm)
        aside /= np.maximum(np.linalg.norm(aside, axis=-1, keepdims=True), 1e-6)
        lift = middle - ground.head.centre_mm
        lift = lift / np.linalg.norm(lift, axis=-1, keepdims=True) * rng.uniform(0, 5, (len(at), 1))
        end = rng.uniform(0.8, 1.0, len(at))
        half = 0.5 * rng.uniform(7, 10, (len(at), 1)) * aside
        for k in range(len(at)):
            rows = np.linspace(0, end[k] * (len(points) - 1), 16)
            left, right = (
                _rows_at(middle[:, k] + lift[:, k] + s * half[:, k], rows) for s in (1, -1)
            )
            slot = int(rng.integers(26)) / 26
            ropes.append(np.stack([left, right], 1))
            slots.append(slot)
    points = np.stack(ropes)
    body = ground.shoulders
    ahead = (points - body.centre_mm) @ body.upright[2] > 0
    settled = ground.settled(points, 1.0, ahead)
    return [Sheet(rope, slot, slot + 1 / 26) for rope, slot in zip(settled, slots, strict=True)]


def _rows_at(points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    index = np.arange(len(points))
    return np.stack([np.interp(rows, index, points[:, k]) for k in range(3)], -1)


def fringe(ground: Ground, style: Style, rng: np.random.Generator) -> list[Sheet]:
    """Hair combed down over the forehead."""
    rows, columns = 12, 33
    u = np.linspace(-1, 1, columns)[None]
    t = np.linspace(0, 1, rows)[:, None]
    wide, sweep = rng.uniform(0.8, 1.0), rng.normal(0, 0.25)
    turn = wide * u * (0.75 + 0.25 * t) + sweep * t * (1 - u * u)
    line = ground.fan.reach_at(turn)
    reach = style.fringe / 95 * (1 - 0.12 * u * u + 0.03 * rng.normal(size=(1, columns)))
    polar = 0.5 * line * (1 - t) + t * (line + reach)
    directions = _directions(_flat(turn, polar))
    arch = style.top * (0.5 + 1.1 * np.sin(np.pi * np.clip(t * 1.1, 0, 1)) * 0.6) * (1 - t**3) + 3.5
    bumps = 1.6 * rng.normal(size=(1, columns)) * t
    radius = ground.head.skull(directions.reshape(-1, 3)).reshape(turn.shape)
    distance = radius + np.maximum(arch + bumps, 2.5)
    return [Sheet(ground.head.centre_mm + directions * distance[..., None], 0.62, 0.98)]
