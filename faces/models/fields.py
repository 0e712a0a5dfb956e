"""Smooth fields over a head's vertices, and lines to measure them from."""

from itertools import pairwise

import cv2
import numpy as np
from scipy.spatial import cKDTree


def blob(v: np.ndarray, centre: np.ndarray, size: float) -> np.ndarray:
    """A Gaussian hill (V,) over points (V, 3): 1 at the centre (3,), 1/e at ``size``, all mm."""
    return np.exp(-(((v - centre) / size) ** 2).sum(1))


def smooth(x: np.ndarray) -> np.ndarray:
    """Smoothstep: 0 below 0, 1 above 1."""
    x = np.clip(x, 0, 1)
    return x * x * (3 - 2 * x)


def curve(points: np.ndarray) -> np.ndarray:
    """A smooth line (25, 2) along five points (5, 2): the cubic nearest to them."""
    place, fine = np.linspace(-1, 1, len(points)), np.linspace(-1, 1, 25)
    return np.stack([np.polyval(np.polyfit(place, axis, 3), fine) for axis in points.T], 1)


def depth_inside(outline: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Signed distance (V,) mm to a closed outline seen from the front, positive inside."""
    closed = np.concatenate([outline, outline[:1]])[:, :2]
    line = np.concatenate([np.linspace(a, b, 20) for a, b in pairwise(closed)])
    distance = cKDTree(line).query(v[:, :2])[0]
    polygon = outline[:, :2].astype(np.float32)
    inside = [cv2.pointPolygonTest(polygon, (float(x), float(y)), False) >= 0 for x, y in v[:, :2]]
    return np.where(inside, distance, -distance)


def along(line: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share of the line's length (N,) at each point's foot, beyond [0, 1] past its ends, and the
    signed distance (N,) from it, positive above."""
    steps = np.diff(line, axis=0)
    length = np.linalg.norm(steps, axis=1)
    start = np.concatenate([[0], np.cumsum(length)[:-1]])
    best, share = np.full(len(points), np.inf), np.zeros(len(points))
    across = np.zeros(len(points))
    for k, (a, step) in enumerate(zip(line[:-1], steps, strict=True)):
        t = (points - a) @ step / length[k] ** 2
        t = np.clip(t, -1 if k == 0 else 0, 2 if k == len(steps) - 1 else 1)
        foot = points - a - t[:, None] * step
        distance = np.linalg.norm(foot, axis=1)
        closer = distance < best
        best[closer] = distance[closer]
        share[closer] = ((start[k] + t * length[k]) / length.sum())[closer]
        across[closer] = (distance * np.sign(foot[:, 1]))[closer]
    return share, across
