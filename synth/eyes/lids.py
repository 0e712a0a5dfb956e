"""Lids that lie on the eyeballs behind them, whatever the face does."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.spatial import cKDTree

from faces.morphable import MorphableModel
from synth.eyes.gaze import eyeballs, fit_sphere

THICK_MM = 0.35  # of a lid's margin before the ball, where the mean face is not closer itself
AROUND_MM = 8.0  # from the ball's surface within which skin may touch it
NEIGHBOURS = 3  # vertices of the ball whose distance from its centre is averaged


@dataclass(frozen=True, slots=True, eq=False)
class _Seat:
    """Skin around one eyeball: vertices (n,) of the model and the least height (n,) mm at which
    they lie above the ball."""

    ball: np.ndarray
    vertices: np.ndarray
    least_mm: np.ndarray


def seat_lids(model: MorphableModel, shape_mm: np.ndarray) -> np.ndarray:
    """The shape with lids lifted to where they clear the eyeballs.

    Modes of identity and expression move lids along straight lines, a ball is round, and so a
    lid that closes or a wide nose pulls the skin into the ball. Each vertex that lies above the
    ball on the mean face keeps at least THICK_MM of that height, along the ray from the centre.

    Args:
        model: without two eyeballs the shape is given back.
        shape_mm: (V, 3) float64, model frame.
    """
    seats = _seats(model)
    if not seats:
        return shape_mm
    out = shape_mm.copy()
    for seat in seats:
        height, away = _heights(shape_mm[seat.ball], shape_mm[seat.vertices])
        lift = np.maximum(seat.least_mm - height, 0)
        out[seat.vertices] += lift[:, None] * away
    return out


def lid_clearance(model: MorphableModel, shape_mm: np.ndarray) -> np.ndarray:
    """(N,) mm: how much higher above the eyeballs than needed each vertex lies that seat_lids
    watches; negative where a ball shows through the skin."""
    seats = _seats(model)
    slack = [_heights(shape_mm[s.ball], shape_mm[s.vertices])[0] - s.least_mm for s in seats]
    return np.concatenate([np.zeros(0), *slack])


def _heights(ball_mm: np.ndarray, points_mm: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(n,) mm above a ball's own surface, and the unit vectors (n, 3) away from its centre; a
    lower bound of at least THICK_MM where a point is far from all of it."""
    centre, _ = fit_sphere(ball_mm)
    ball, points = ball_mm - centre, points_mm - centre
    radius, distance = np.linalg.norm(ball, axis=1), np.linalg.norm(points, axis=1)
    away = points / distance[:, None]
    height = distance - radius.max()
    close = np.flatnonzero(height < THICK_MM)
    gap, near = cKDTree(ball / radius[:, None]).query(away[close], k=NEIGHBOURS)
    weight = 1 / (gap + 1e-3)
    height[close] = distance[close] - (weight * radius[near]).sum(1) / weight.sum(1)
    return height, away


@lru_cache(maxsize=4)
def _seats(model: MorphableModel) -> tuple[_Seat, ...]:
    mean, seats = model.mean_mm.astype(np.float64), []
    skin = np.flatnonzero(model.part_vertices("skin"))
    for ball in eyeballs(model):
        centre, radius = fit_sphere(mean[ball.vertices])
        close = np.linalg.norm(mean[skin] - centre, axis=1) < radius + AROUND_MM
        near = skin[close & (mean[skin, 2] > centre[2])]
        height, _ = _heights(mean[ball.vertices], mean[near])
        above = height > 0
        least = np.minimum(height[above], THICK_MM)
        seats.append(_Seat(ball.vertices, near[above], least))
    return tuple(seats)
