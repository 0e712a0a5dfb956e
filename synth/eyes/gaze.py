"""Where a virtual person looks: both eyeballs turned to one point, and lids that follow them."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from faces.camera import Pose
from faces.morphable import MorphableModel

# Where people before a camera look, by eye from photographs: (share, spread in degrees about the
# lens). The rest look anywhere.
AT_LENS, NEAR_LENS = (0.72, 1.0), (0.16, 6.0)
ELSEWHERE_MM = (400.0, 4000.0)  # distance of what they look at otherwise
# Turn of the eyes in the head: beyond it people turn the head as well (Stahl 1999 finds about
# 20° for a whole saccade left to the eyes); right and left, down, up.
SIDE_DEG, DOWN_DEG, UP_DEG = 25.0, 20.0, 14.0
# Pupils of people travel on a sphere of this radius (Fry & Hill 1962: the centre of rotation lies
# 14.8 mm behind the cornea, the pupil 3.6 mm). Models' balls can be larger: they turn less, so
# that pupils stand between the lids where those of people would.
PUPIL_MM = 11.2
NEAREST_MM = 250.0  # no target lies closer: eyes would squint


@dataclass(frozen=True, slots=True, eq=False)
class _Ball:
    """One eyeball: vertices (n,) of the model, the pupil's ``pole`` among them, and the
    ``modes`` of expression that move it with their offsets (m, n, 3) mm."""

    vertices: np.ndarray
    pole: int
    modes: np.ndarray
    offsets: np.ndarray


def turn_eyes(
    model: MorphableModel, shape_mm: np.ndarray, expression: np.ndarray, target_mm: np.ndarray
) -> np.ndarray:
    """The shape with both eyeballs turned rigidly about their centres towards a point.

    A turn takes the shortest way from the ball's rest, so that no eye rolls (Listing's law), and
    goes PUPIL_MM / radius of it where the ball is larger than that. What the expression itself
    moves of the balls is undone first: gaze is a rotation, and a linear mode would swell them.

    Args:
        model: a model without two eyeballs is given back its shape.
        shape_mm: (V, 3) float64, model frame.
        expression: (E,) weights that ``shape_mm`` was made with.
        target_mm: (3,), model frame.
    """
    balls = eyeballs(model)
    if not balls:
        return shape_mm
    out = shape_mm.copy()
    for ball in balls:
        rest = shape_mm[ball.vertices] - np.tensordot(expression[ball.modes], ball.offsets, 1)
        centre, radius = fit_sphere(rest)
        way = between(rest[ball.pole] - centre, target_mm - centre, min(PUPIL_MM / radius, 1))
        turn = shortest_turn(rest[ball.pole] - centre, way)
        out[ball.vertices] = centre + (rest - centre) @ turn.T
    return out


def gaze_of(model: MorphableModel, vertices_mm: np.ndarray) -> np.ndarray:
    """Unit vectors (2, 3) float64 from the balls' centres through their pupils, in the frame of
    the vertices (V, 3): first the eye at x < 0 of the model frame. (0, 3) without eyeballs."""
    axes = np.zeros((len(eyeballs(model)), 3))
    for axis, ball in zip(axes, eyeballs(model), strict=True):
        centre, _ = fit_sphere(vertices_mm[ball.vertices])
        axis[:] = vertices_mm[ball.vertices[ball.pole]] - centre
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def sample_target(rng: np.random.Generator, pose: Pose, eyes_mm: np.ndarray) -> np.ndarray:
    """What is looked at, (3,) float64 mm in the camera frame: mostly the lens or a point near it.

    Args:
        rng: decides.
        pose: of the head; a target that the eyes cannot reach without it is brought nearer.
        eyes_mm: (3,), midway between the eyes, model frame.
    """
    kind, side, away, drop, share = rng.random(), *rng.normal(size=2), *rng.random(2)
    distance = float(np.exp(np.interp(share, (0, 1), np.log(ELSEWHERE_MM))))
    lens = pose.invert(np.zeros(3)) - eyes_mm
    yaw, pitch = _angles(lens)
    if kind < AT_LENS[0] + NEAR_LENS[0]:
        spread = AT_LENS[1] if kind < AT_LENS[0] else NEAR_LENS[1]
        yaw, pitch = yaw + spread * side, pitch + spread * away
        distance = float(np.linalg.norm(lens))
    else:
        yaw = np.clip(0.5 * SIDE_DEG * side, -SIDE_DEG, SIDE_DEG)
        pitch = np.interp(drop, (0, 1), (-DOWN_DEG, UP_DEG))
    yaw, pitch = np.clip(yaw, -SIDE_DEG, SIDE_DEG), np.clip(pitch, -DOWN_DEG, UP_DEG)
    across, up = np.radians([yaw, pitch])
    way = np.array([np.cos(up) * np.sin(across), np.sin(up), np.cos(up) * np.cos(across)])
    return pose.apply(eyes_mm + max(distance, NEAREST_MM) * way)


def lids_follow(model: MorphableModel, expression: np.ndarray, way: np.ndarray) -> np.ndarray:
    """The weights (E,) with the model's modes of gaze added, whose skin is the lids that go along.

    Args:
        model: its modes are told by their names (eyeLookUp_L, ...); nothing changes without.
        expression: (E,) weights, whose modes of gaze are replaced.
        way: (3,) direction of the gaze, model frame.
    """
    weights = np.array(expression, dtype=np.float64)
    angles = dict(zip("xy", _angles(way), strict=True))
    for index, axis, full_deg in _lid_modes(model):
        weights[index] = np.clip(angles[axis] / full_deg, 0, 1)
    return weights


def fit_sphere(points_mm: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre (3,) and radius mm of the sphere nearest to points (N, 3), by algebraic distance."""
    middle = points_mm.mean(0)
    local = points_mm - middle
    system = np.concatenate([2 * local, np.ones((len(local), 1))], 1)
    x, y, z, rest = np.linalg.solve(system.T @ system, system.T @ (local**2).sum(1))
    centre = np.array([x, y, z])
    return middle + centre, float(np.sqrt(rest + centre @ centre))


def shortest_turn(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Rotation (3, 3) that carries the direction ``start`` to ``end`` the shortest way (Rodrigues);
    they must not be opposite."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    x, y, z = np.cross(a, b)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + cross + cross @ cross / (1 + a @ b)


def between(start: np.ndarray, end: np.ndarray, share: float) -> np.ndarray:
    """The unit vector (3,) a share of the way from one direction to another, along the arc."""
    a, b = start / np.linalg.norm(start), end / np.linalg.norm(end)
    angle = np.arccos(np.clip(a @ b, -1, 1))
    if angle < 1e-9:
        return a
    return (np.sin((1 - share) * angle) * a + np.sin(share * angle) * b) / np.sin(angle)


@lru_cache(maxsize=4)
def eyeballs(model: MorphableModel) -> tuple[_Ball, ...]:
    """The ball at x < 0 and that at x > 0; none where the model has not just two."""
    triangles, inside = model.part_triangles("eye"), np.flatnonzero(model.part_vertices("eye"))
    sides = np.unique(np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), 1), axis=0)
    links = sp.coo_matrix((np.ones(len(sides)), sides.T), shape=(model.vertex_count,) * 2)
    piece = connected_components(links, directed=False)[1][inside]
    if len(np.unique(piece)) != 2:
        return ()
    # rings about the line of sight meet in the pupil, where most edges end
    meeting = np.bincount(sides.ravel(), minlength=model.vertex_count)
    balls = []
    for label in np.unique(piece):
        own = inside[piece == label]
        moved = model.expression_mm[:, own]
        modes = np.flatnonzero(np.abs(moved).max((1, 2), initial=0) > 0)
        balls.append(_Ball(own, int(np.argmax(meeting[own])), modes, moved[modes].astype(float)))
    return tuple(sorted(balls, key=lambda ball: model.mean_mm[ball.vertices, 0].mean()))


def eyes_middle(model: MorphableModel) -> np.ndarray:
    """(3,) float64 mm, midway between the lids' landmarks of the mean."""
    return model.mean_mm[model.landmarks["ibug68"][36:48]].mean(0, dtype=np.float64)


def _angles(way: np.ndarray) -> tuple[float, float]:
    """Degrees to image right and up of a direction (3,) in the model frame."""
    x, y, z = way
    return float(np.degrees(np.arctan2(x, z))), float(np.degrees(np.arctan2(y, np.hypot(x, z))))


@lru_cache(maxsize=4)
def _lid_modes(model: MorphableModel) -> tuple[tuple[int, str, float], ...]:
    """(index, axis, degrees of gaze with sign at weight 1) of every mode of gaze."""
    found = []
    for ball in eyeballs(model):
        rest = model.mean_mm[ball.vertices].astype(np.float64)
        centre, radius = fit_sphere(rest)
        before = np.array(_angles(rest[ball.pole] - centre))
        for mode, offsets in zip(ball.modes, ball.offsets, strict=True):
            if not model.expression_names[mode].startswith("eyeLook"):
                continue
            turned = rest[ball.pole] + offsets[ball.pole] - centre
            change = np.array(_angles(turned)) - before
            axis = int(np.argmax(np.abs(change)))
            share = min(PUPIL_MM / radius, 1)  # lids go along with the ball, not with the gaze
            found.append((int(mode), "xy"[axis], float(change[axis] / share)))
    return tuple(found)
