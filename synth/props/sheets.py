"""Sheets of strands that hang from a head, and what they lie on."""

from dataclasses import dataclass

import numpy as np

from synth.props.headmap import HeadMap
from synth.props.scalp import Fan
from synth.props.shell import grid_triangles
from synth.props.shoulders import Shoulders
from synth.props.strands import WIDE, Look, paint
from synth.props.styles import Style
from synth.scene import Piece

GAP_MM = 4.0  # between hanging hair and what it lies on


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """Points (R, C, 3) mm with strands down the rows, from u = left to u = right of a tile."""

    points_mm: np.ndarray
    left: float
    right: float


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """What hanging hair grows on and lies on: head, hairline, shoulders."""

    head: HeadMap
    fan: Fan  # from straight up to the hairline
    shoulders: Shoulders

    def settled(self, points_mm: np.ndarray, gap_mm, ahead, tucked: bool = False) -> np.ndarray:
        """Points (..., 3) moved out of the head and the body, ``gap_mm`` (...) away from them;
        before the body where ``ahead`` (...), else behind it. Ears do not push where hair is
        ``tucked`` behind them."""
        gap = np.broadcast_to(gap_mm, points_mm.shape[:-1])
        ahead = np.broadcast_to(ahead, gap.shape)
        push = self.head.off_skull if tucked else self.head.pushed
        out = push(points_mm.reshape(-1, 3), gap.ravel()).reshape(points_mm.shape)
        out = self.shoulders.parted(out, ahead, gap)
        # what the body pushed into the neck comes out of it, and once more out of the body
        out = self.head.off_skull(out.reshape(-1, 3), 1.0).reshape(points_mm.shape)
        return self.shoulders.parted(out, ahead, np.ones_like(gap))


def hung_piece(
    sheets: list[Sheet],
    style: Style,
    look: Look,
    tips_mm: float,
    rng: np.random.Generator,
) -> Piece:
    """Sheets as one piece "hair" that thins out over ``tips_mm`` towards its ends."""
    points, triangles, uv, first, start = [], [], [], [], 0
    for sheet in sheets:
        rows, columns = sheet.points_mm.shape[:2]
        u, v = np.linspace(sheet.left, sheet.right, columns), np.linspace(0, 1, rows)
        points.append(sheet.points_mm.reshape(-1, 3))
        uv.append(np.stack(np.broadcast_arrays(u[None], v[:, None]), -1).reshape(-1, 2))
        triangles.append(grid_triangles(rows, columns) + start)
        first.append(np.arange(start, start + columns))
        start += rows * columns
    reach = np.full(WIDE, 110.0 + style.length)
    albedo, alpha, relief = paint(style.kind, look, reach, 1.0, tips_mm, rng, (0.9, 1.0))
    if style.hangs == "curtain":  # single hairs at the edges before the face
        edge = np.minimum(np.arange(WIDE), np.arange(WIDE)[::-1]) / 14
        alpha *= np.clip(3 * edge - 2 * rng.random(WIDE), 0, 1).astype(np.float32)
    points, corners = np.concatenate(points), np.concatenate(triangles).astype(np.int32)
    triangles = _joined(points, np.concatenate(first))[corners]
    return Piece(
        "hair",
        points,
        triangles,
        albedo,
        np.concatenate(uv).astype(np.float32),
        corners,
        alpha,
        np.full(len(points), 0.1, dtype=np.float32),
        12.0,
        two_sided=True,
        relief=relief,
    )


def _joined(points: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(N,) int32 indices of the points (N, 3) with those ``first`` that lie in one place made
    one: light falls smoothly over a parting where two halves of a curtain begin."""
    index = np.arange(len(points), dtype=np.int32)
    _, kept, place = np.unique(
        points[first].round(3), axis=0, return_index=True, return_inverse=True
    )
    index[first] = first[kept[place.ravel()]]
    return index
