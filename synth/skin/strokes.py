"""Hairs, veins and fine lines on a texture: many thin strokes in one pass."""

import numba
import numpy as np

STEP = 0.6  # texels between the dabs of a stroke


def draw_strokes(
    cover: np.ndarray,
    roots: np.ndarray,
    ahead: np.ndarray,
    bend: np.ndarray,
    opacity: np.ndarray,
) -> None:
    """Lay strokes over ``cover`` (S, S) float32 in [0, 1], in place.

    Args:
        roots: (N, 2) float32 texels (u, v), centres at +0.5.
        ahead: (N, 2) float32, from root to tip were it straight.
        bend: (N, 2) float32, what curls the tip aside.
        opacity: (N,) float32, share of a texel that the stroke's root covers; tips are finer.
    """
    arrays = (np.ascontiguousarray(a, dtype=np.float32) for a in (roots, ahead, bend, opacity))
    _draw(cover, np.zeros(3, dtype=np.float32), *arrays)


def paint_strokes(
    texture: np.ndarray,
    roots: np.ndarray,
    ahead: np.ndarray,
    bend: np.ndarray,
    opacity: np.ndarray,
    color: np.ndarray,
) -> None:
    """Lay strokes of a colour (3,) over ``texture`` (S, S, 3) float32, in place; else as
    draw_strokes."""
    arrays = (np.ascontiguousarray(a, dtype=np.float32) for a in (roots, ahead, bend, opacity))
    _draw_on(texture, np.asarray(color, dtype=np.float32), *arrays)


def _stroke_drawer(dab):
    """A compiled loop over the four texels at each step of each stroke, laying ``dab`` there."""

    @numba.njit(cache=True, nogil=True)
    def draw(canvas, color, roots, ahead, bend, opacity):
        one = np.float32(1)
        for n in range(len(roots)):
            length = np.hypot(ahead[n, 0], ahead[n, 1])
            steps = max(int(length / STEP), 1)
            for k in range(steps + 1):
                t = np.float32(k) / np.float32(steps)
                u = roots[n, 0] + ahead[n, 0] * t + bend[n, 0] * t * t - np.float32(0.5)
                v = roots[n, 1] + ahead[n, 1] * t + bend[n, 1] * t * t - np.float32(0.5)
                column, row = int(np.floor(u)), int(np.floor(v))
                inside = column + 1 < canvas.shape[1] and row + 1 < canvas.shape[0]
                if not inside or column < 0 or row < 0:
                    continue
                fu, fv = u - np.float32(column), v - np.float32(row)
                share = opacity[n] * (one - np.float32(0.75) * t * t) * np.float32(STEP)
                for i in range(2):
                    for j in range(2):
                        part = (fv if i else one - fv) * (fu if j else one - fu) * share
                        dab(canvas, row + i, column + j, color, part)

    return draw


@numba.njit(cache=True, inline="always")
def _dab_cover(cover, i, j, color, share):
    cover[i, j] += (np.float32(1) - cover[i, j]) * share


@numba.njit(cache=True, inline="always")
def _dab_color(texture, i, j, color, share):
    for c in range(3):
        texture[i, j, c] += (color[c] - texture[i, j, c]) * share


_draw = _stroke_drawer(_dab_cover)
_draw_on = _stroke_drawer(_dab_color)


def draw_spots(
    field: np.ndarray,
    step_u: np.ndarray,
    step_v: np.ndarray,
    places: np.ndarray,
    radius_mm: np.ndarray,
    strength: np.ndarray,
    ragged: np.ndarray,
) -> None:
    """Add soft-edged round spots to ``field`` (S, S) float32, in place.

    Args:
        step_u, step_v: (S, S, 3) float32 mm a texel, of the chart.
        places: (N, 2) int, (row, column) of the centres.
        radius_mm, strength: (N,).
        ragged: (N, 3), sizes and phase of how the edge departs from a circle.
    """
    _spots(field, step_u, step_v, places.astype(np.int64), radius_mm, strength, ragged)


@numba.njit(cache=True)
def _spots(field, step_u, step_v, places, radius_mm, strength, ragged):
    size = len(field)
    for n in range(len(places)):
        row, column = places[n]
        du, dv = step_u[row, column], step_v[row, column]
        finest = max(min(np.sqrt((du * du).sum()), np.sqrt((dv * dv).sum())), 0.08)
        reach = min(int(2.2 * radius_mm[n] / finest) + 1, 40)
        for i in range(max(row - reach, 0), min(row + reach + 1, size)):
            for j in range(max(column - reach, 0), min(column + reach + 1, size)):
                x, y, z = (j - column) * du + (i - row) * dv
                angle = np.arctan2(float(i - row), float(j - column))
                edge = ragged[n, 0] * np.sin(2 * angle + ragged[n, 2])
                edge += ragged[n, 1] * np.sin(3 * angle - 2 * ragged[n, 2])
                r = np.sqrt(x * x + y * y + z * z) / (radius_mm[n] * (1 + edge))
                field[i, j] += strength[n] * np.exp(-(r**4) * 0.7)
