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
    _draw(cover, *arrays)


@numba.njit(cache=True)
def _draw(cover, roots, ahead, bend, opacity):
    height, width = cover.shape
    for n in range(len(roots)):
        length = np.hypot(ahead[n, 0], ahead[n, 1])
        steps = max(int(length / STEP), 1)
        for k in range(steps + 1):
            t = k / steps
            u = roots[n, 0] + ahead[n, 0] * t + bend[n, 0] * t * t - 0.5
            v = roots[n, 1] + ahead[n, 1] * t + bend[n, 1] * t * t - 0.5
            column, row = int(np.floor(u)), int(np.floor(v))
            if column < 0 or row < 0 or column + 1 >= width or row + 1 >= height:
                continue
            fu, fv = u - column, v - row
            dab = opacity[n] * (1 - 0.75 * t * t) * STEP
            for i in range(2):
                for j in range(2):
                    share = (fv if i else 1 - fv) * (fu if j else 1 - fu) * dab
                    cover[row + i, column + j] += (1 - cover[row + i, column + j]) * share


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
