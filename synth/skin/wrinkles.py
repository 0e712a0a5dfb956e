"""Where the fine lines of an aged face run, as curves seen from the front."""

import numpy as np

POINTS = 40  # along each line
WAVE = 0.006  # how far a line strays from its curve, as a share of the outer interocular distance


def wrinkles(p: np.ndarray, d: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Lines (L, POINTS, 2) mm seen from the front and the strength (L,) of each, in [0, 1].

    Args:
        p: (68, 2) mm, ibug68 from the front.
        d: outer interocular distance, mm.
        rng: each person's lines run and stop differently.
    """
    found = list(_forehead(p[[19, 24], 1].mean(), d, rng))
    for side, wing, corner, outer, inner in ((-1, 31, 48, 36, 39), (1, 35, 54, 45, 42)):
        start = p[wing] + d * np.array([0.06 * side, 0.05])
        end = p[corner] + d * np.array([0.12 * side, -0.06])
        found.append((start, (start + end) / 2 + d * np.array([0.08 * side, 0.02]), end, 0.75))
        fall = p[corner] + d * np.array([0.05 * side, -0.2])
        found.append((p[corner] + d * np.array([0.04 * side, -0.02]), fall, fall, 0.45))
        frown = p[21 if side < 0 else 22] + d * np.array([-0.07 * side, 0.0])
        top = frown + d * np.array([0.01 * side, 0.09])
        found.append((frown - [0, 0.05 * d], frown, top, 0.4))
        found += _about_eye(p[outer], p[inner], side, d, rng)
        found += _about_mouth(p[[corner, 51, wing]], side, d, rng)
    start, middle, end = (
        np.stack(points)[:, None] for points in list(zip(*found, strict=True))[:3]
    )
    t = np.linspace(0, 1, POINTS)[:, None]
    lines = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
    phase, beat = rng.uniform(0, 2 * np.pi, (len(found), 1)), rng.uniform(5, 15, (len(found), 1))
    length = np.linalg.norm(end - start, axis=2)
    lines[..., 1] += WAVE * np.minimum(d, length) * np.sin(beat * t.T + phase)
    return lines, np.array([line[3] for line in found])


def _forehead(brow_top: float, d: float, rng):
    """Three lines from side to side, and two that begin and end where they like."""
    for k in range(5):
        wide = k < 3
        ends = rng.normal([-0.36, 0.36], 0.06) if wide else np.sort(rng.uniform(-0.4, 0.4, 2))
        height = brow_top + d * (0.13 + 0.12 * k if wide else rng.uniform(0.12, 0.4))
        height += d * rng.normal(0, 0.015)
        start, end = (np.array([x * d, height - 0.08 * d * x * x]) for x in ends)
        middle = (start + end) / 2 + [0, d * rng.normal(0.015, 0.02)]
        yield start, middle, end, (0.4 + 0.35 * rng.random()) * (1 if wide else 0.7)


def _about_eye(outer: np.ndarray, inner: np.ndarray, side: int, d: float, rng):
    """Crow's feet, and lines below the lower lid."""
    for k in range(5):
        start = outer + d * np.array([0.07 * side, 0.045 - 0.022 * k])
        way = np.array([side, 0.7 - 0.35 * k + 0.08 * rng.normal()])
        end = start + d * rng.uniform(0.10, 0.2) * way / np.linalg.norm(way)
        yield start, (start + end) / 2 - [0, 0.01 * d], end, 0.4
    for k in range(3):
        low = (outer + inner) / 2 - [0, d * (0.12 + 0.05 * k + 0.01 * rng.normal())]
        start, end = inner - [0, d * (0.05 + 0.02 * k)], outer - [0, d * (0.08 + 0.03 * k)]
        yield start, low, end, (0.35, 0.5, 0.3)[k]


def _about_mouth(points: np.ndarray, side: int, d: float, rng):
    """Short lines that run into the upper lip, and fine ones down the cheek."""
    corner, bow, wing = points
    for t in rng.uniform(0.05, 0.8, 5):
        start = bow + t * (corner - bow) + d * np.array([0, 0.012])
        end = start + d * np.array([0.02 * t * side, 0.05])
        yield start, (start + end) / 2, end, 0.12
    for _ in range(6):
        start = wing + d * np.array([side * rng.uniform(0.22, 0.42), rng.uniform(-0.25, 0.1)])
        end = start + d * np.array([side * rng.uniform(-0.04, 0.04), -rng.uniform(0.1, 0.2)])
        yield start, (start + end) / 2 + d * np.array([0.02 * side, 0]), end, 0.1
