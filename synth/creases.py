"""Wrinkles as grooves along lines of the face, deeper with age."""

import numpy as np
from scipy.spatial import cKDTree

WIDTH_MM = 2.2  # half-width of a groove: the narrowest that a mesh of 2 mm edges carries
STEP_MM = 1.0
REACH_MM = 3 * WIDTH_MM
# Lines of the face's left half (image left) by ibug68 points: ((point, offset), ...) with offsets
# in shares of the outer interocular distance, and the depth beside the deepest. z is found.
LINES = (
    (((31, (-0.09, 0.04)), (31, (-0.17, -0.08)), (48, (-0.14, 0.02)), (48, (-0.13, -0.1))), 1.0),
    (((48, (-0.04, -0.06)), (48, (-0.05, -0.2))), 0.5),
    (((36, (-0.12, 0.03)), (36, (-0.26, 0.10))), 0.45),
    (((36, (-0.13, -0.01)), (36, (-0.28, 0.0))), 0.45),
    (((36, (-0.12, -0.05)), (36, (-0.25, -0.11))), 0.35),
    (((39, (0.05, -0.14)), (40, (-0.03, -0.2)), (41, (-0.08, -0.17))), 0.4),
    (((21, (0.09, 0.0)), (21, (0.10, 0.16))), 0.5),
)
FOREHEAD = (0.17, 0.28, 0.39, 0.49)  # heights above the brows, in shares of the same


def crease_depth_mm(
    points_mm: np.ndarray, marks_mm: np.ndarray, age: float, rng: np.random.Generator
) -> np.ndarray:
    """Depth (N,) of the wrinkles at points (N, 3) mm of the mean face: 1 in a deep one at 80 years.

    Args:
        points_mm: (N, 3) on the skin, model frame.
        marks_mm: (68, 3) ibug68 on the same face.
        age: years; below 25 there is almost nothing.
        rng: draws which lines there are, how deep and how winding.
    """
    iod = np.linalg.norm(marks_mm[36] - marks_mm[45])
    samples, depths = _lines(marks_mm, iod, rng)
    strength = np.clip((age - 22) / 50, 0.03, 1.2)
    gap, nearest = cKDTree(samples).query(points_mm[:, :2], distance_upper_bound=REACH_MM)
    found = np.isfinite(gap) & (points_mm[:, 2] > 0)
    depth = np.zeros(len(points_mm))
    groove = np.exp(-0.5 * (gap[found] / WIDTH_MM) ** 2)
    depth[found] = strength * depths[nearest[found]] * groove
    return depth


def _lines(marks, iod, rng):
    """Points (n, 2) mm along all lines, seen from the front, and the depth (n,) at each."""
    points, depths = [], []
    for line, depth in LINES:
        own = depth * rng.uniform(0.3, 1.0)
        for side in (1, -1):
            wobble = rng.normal(0, 0.008, (len(line), 2))
            corners = [
                marks[p, :2] + (np.array(o) + w) * iod
                for (p, o), w in zip(line, wobble, strict=True)
            ]
            run = _run(np.array(corners)) * [side, 1]
            points.append(run)
            depths.append(own * rng.uniform(0.8, 1.0) * _taper(len(run)))
    brows = marks[[19, 24], 1].mean()
    for height in FOREHEAD:
        across = np.arange(-0.42, 0.42, STEP_MM / iod) * iod
        span = across[np.abs(across - rng.normal(0, 3)) < iod * rng.uniform(0.2, 0.42)]
        wave = rng.normal(0, 1.2) * np.cos(span / 14 + rng.uniform(0, 6))
        own = rng.uniform(0.0, 0.8)
        points.append(np.stack([span, brows + height * iod + wave - span**2 / 400], 1))
        depths.append(own * _taper(len(span)))
    return np.concatenate(points), np.concatenate(depths)


def _run(corners):
    """A polyline's points (n, 2) every STEP_MM, its corners rounded."""
    step = np.linalg.norm(np.diff(corners, axis=0), axis=1)
    at = np.concatenate([[0], np.cumsum(step)])
    fine = np.arange(0, at[-1], STEP_MM)
    run = np.stack([np.interp(fine, at, corners[:, k]) for k in range(2)], 1)
    for _ in range(8):
        run[1:-1] = (run[:-2] + 2 * run[1:-1] + run[2:]) / 4
    return run


def _taper(count):
    """0 at both ends of a line, 1 over its middle half."""
    return np.clip(4 * np.minimum(np.linspace(0, 1, count), np.linspace(1, 0, count)), 0, 1)
