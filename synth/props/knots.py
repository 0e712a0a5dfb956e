"""Hair tied in a knot: a tail that falls from it, or a bun."""

import numpy as np

from synth.props.sheets import GAP_MM, Ground, Sheet
from synth.props.styles import Style


def tail(ground: Ground, pole: np.ndarray, style: Style, rng: np.random.Generator) -> list[Sheet]:
    """A tail from a knot, behind the neck or over a shoulder."""
    rows, sides = 18, 15
    head, shoulders = ground.head, ground.shoulders
    knot = head.centre_mm + pole * (head.skull(pole[None]) + style.side + 2)
    t = np.linspace(0, 1, rows)[:, None]
    aside = rng.choice([-1, 1]) * rng.uniform(0.2, 1.0)
    over = rng.random() < 0.25
    length = style.length * rng.uniform(0.7, 1.25)
    across, down, front = shoulders.upright * np.array([[1.0], [-1.0], [1.0]])
    path = knot + 38 * (1 - np.exp(-5 * t)) * pole + length * t**1.25 * down
    if over:  # beside the neck, then forward
        path = path + 92 * np.sign(aside) * np.minimum(1.7 * t, 1) * across + 150 * t**1.3 * front
    else:
        path = path + 75 * aside * t * across
    ahead = ((path - shoulders.centre_mm) @ front > 0) & over
    size = rng.uniform(0.8, 1.25)
    radius = size * np.interp(t, [0, 0.08, 0.35, 0.8, 1], [7, 14, 21, 15, 4])
    around = np.linspace(0, 2 * np.pi, sides)[None, :, None]
    along = np.gradient(path, axis=0)
    first = np.cross(along, across)
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-6)
    second = np.cross(first, along)
    second /= np.maximum(np.linalg.norm(second, axis=1, keepdims=True), 1e-6)
    lumps = 1 + 0.12 * np.sin(3 * around + rng.uniform(0, 6) + 4 * t[:, None])
    ring = np.cos(around) * first[:, None] + 0.8 * np.sin(around) * second[:, None]
    inner = ground.settled(path, radius[:, 0] + GAP_MM, ahead)
    points = inner[:, None] + lumps * radius[:, None] * ring
    return [Sheet(ground.settled(points, 1.0, ahead[:, None]), 0.0, 0.3)]


def bun(ground: Ground, pole: np.ndarray, style: Style, rng: np.random.Generator) -> list[Sheet]:
    """A knot of coiled hair."""
    rows, sides = 15, 21
    head = ground.head
    size = rng.uniform(24, 36)
    middle = head.centre_mm + pole * (head.skull(pole[None]) + style.side + 0.55 * size)
    tilt = rng.normal(0, 0.25, 3)
    axis = pole + tilt - (tilt @ pole) * pole
    axis /= np.linalg.norm(axis)
    first = np.cross(axis, [0.3, 0.2, 1.0])
    first /= np.linalg.norm(first)
    second = np.cross(first, axis)
    out = np.linspace(0.02, 0.98, sides)[None, :] * np.pi
    turn = np.linspace(0, 2 * np.pi, rows)[:, None] + 1.2 * out
    lumps = 1 + 0.07 * np.sin(2.0 * turn + 3.5 * out + rng.uniform(0, 6)) * np.sin(out)
    ball = np.cos(turn)[..., None] * first + np.sin(turn)[..., None] * second
    ball = np.sin(out)[..., None] * ball + 0.8 * np.cos(out)[..., None] * axis
    points = middle + size * lumps[..., None] * ball
    points = head.pushed(points.reshape(-1, 3), 0.5).reshape(points.shape)
    return [Sheet(points, 0.35, 0.6)]
