"""Neck, shoulders and chest below a head, as a surface that clothes can be laid on."""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from scipy.interpolate import PchipInterpolator

from faces.mesh import vertex_normals
from synth.props.tubes import unit

# A body's outline below the neck's rim at distances REACH_MM down its front: half-width, y at the
# side, half-depth and y before, half-depth and y behind; mm from the rim's middle, y down. By eye,
# but for the breadth over the deltoids, 490 mm in men and 430 in women (ANSUR II).
REACH_MM = np.array([0.0, 15, 35, 60, 100, 160, 300])
OUTLINE = np.array(
    [
        [67.0, 100, 143, 190, 226, 240, 246],
        [-12.0, 2, 19, 43, 92, 160, 310],
        [46.0, 51, 58, 67, 80, 96, 108],
        [26.0, 40, 59, 82, 120, 178, 318],
        [57.0, 70, 84, 96, 104, 106, 100],
        [-13.0, 0, 20, 48, 95, 160, 300],
    ]
)
BELOW_MM = np.array(
    [0.0, 3, 7, 12, 18, 25, 33, 42, 52, 64, 78, 94, 112, 132, 155, 180, 210, 250, 300]
)
_SMOOTH = PchipInterpolator(REACH_MM, OUTLINE, axis=1)(BELOW_MM)
BLEND_MM = 45.0  # over which the neck's rim becomes the body
TANGENT_MM = 14.0  # over which the neck's own direction is kept
# the chart's extent, seen from before: x across, y down (mm from the rim's middle); what lies
# deeper is moved up the chart as cloth runs up and over a shoulder
CHART_MM = ((-280.0, 280.0), (-110.0, 310.0))
CHART_TILT, CHART_FRONT_MM = 0.7, 46.0


@dataclass(frozen=True, slots=True)
class Build:
    """Attributes:
    width: of the shoulders, 1 a man's.
    slope: of the shoulders, 1 a usual one.
    turn_deg: yaw of the body before the camera.
    """

    width: float = 1.0
    slope: float = 1.0
    turn_deg: float = 0.0


def sample_build(rng: np.random.Generator, male: bool) -> Build:
    """Shoulders as men or women have them, nearly square to the camera."""
    width, slope, turn = rng.normal(0, 1, 3)
    return Build(
        float((1.0 if male else 0.885) * (1 + 0.035 * width)),
        float(np.clip((1.0 if male else 1.06) + 0.15 * slope, 0.7, 1.4)),
        float(np.clip(6 * turn, -14, 14)),
    )


@dataclass(frozen=True, eq=False)
class Body:
    """A body's surface by angle and distance from the neck's rim.

    Attributes:
        reach_mm: (M,) ascending; below 0 up the neck, then down the front.
        angle: (N,) ascending rad, 0 before the throat, grows to the image's right.
        points_mm: (M, N, 3) in the body's frame: x right, y down, z away, the rim's middle at 0.
        turn: (3, 3) rotation and centre_mm: (3,) into the camera frame.
    """

    reach_mm: np.ndarray
    angle: np.ndarray
    points_mm: np.ndarray
    turn: np.ndarray
    centre_mm: np.ndarray

    @classmethod
    def under(cls, neck_mm: list[np.ndarray], build: Build) -> "Body":
        """The body under a neck.

        Args:
            neck_mm: of each ring (N, 3) mm in the camera frame, the rim first, around as
                synth.clothes.neck.neck_rings has them.
            build: of the body.
        """
        yaw = np.radians(build.turn_deg)
        turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        centre = neck_mm[0].mean(0)
        rings = [(ring - centre) @ turn for ring in neck_mm]
        angle = np.unwrap(_angle(rings[0]))
        angle -= 2 * np.pi * np.round(angle.mean() / (2 * np.pi))
        above = [rings[0]] + [_resampled(ring, angle) for ring in rings[1:]]
        steps = [np.linalg.norm(b - a, axis=1).mean() for a, b in pairwise(above)]
        reach = np.concatenate([-np.cumsum(steps)[::-1], BELOW_MM])
        below = _below(above, angle, build)
        return cls(reach, angle, np.concatenate([above[:0:-1], below]), turn, centre)

    @cached_property
    def normals(self) -> np.ndarray:
        """(M, N, 3), outwards, evened out around so that edges laid along them run smoothly."""
        rows, columns = self.points_mm.shape[:2]
        flat = vertex_normals(self.points_mm.reshape(-1, 3), closed_rows(rows, columns))
        own = flat.reshape(rows, columns, 3)
        return unit(sum(np.roll(own, shift, axis=1) for shift in range(-2, 3)))

    @cached_property
    def _both(self) -> np.ndarray:
        return np.concatenate([self.points_mm, self.normals], axis=2)

    def at(self, angle: np.ndarray, reach_mm: np.ndarray, off_mm: np.ndarray) -> np.ndarray:
        """Points (..., 3) in the body's frame, ``off_mm`` outside the skin."""
        angle, reach_mm = np.broadcast_arrays(angle, reach_mm)
        column, row = self._column(angle), np.interp(reach_mm, self.reach_mm, self._rows())
        left, top = np.floor(column).astype(int), np.minimum(row.astype(int), len(self._rows()) - 2)
        a, b = (column - left)[..., None], (row - top)[..., None]
        count = len(self.angle)
        left, right = left % count, (left + 1) % count
        both = self._both
        upper = both[top, left] * (1 - a) + both[top, right] * a
        lower = both[top + 1, left] * (1 - a) + both[top + 1, right] * a
        found = upper * (1 - b) + lower * b
        return found[..., :3] + np.asarray(off_mm)[..., None] * unit(found[..., 3:])

    def further(self, angle: np.ndarray, reach_mm: np.ndarray, way_mm: np.ndarray) -> np.ndarray:
        """Reaches (K, S) that lie ``way_mm`` (K, S) along the surface from (S,) at angles (S,)."""
        column = self._column(angle)
        left, count = np.floor(column).astype(int), len(self.angle)
        share = (column - left)[:, None]
        left, right = (self.points_mm[:, k % count] for k in (left, left + 1))
        lines = left + share * (right - left)
        steps = np.linalg.norm(np.diff(lines, axis=0), axis=-1)
        arcs = np.concatenate([np.zeros_like(steps[:1]), np.cumsum(steps, axis=0)])
        found = [
            np.interp(np.interp(start, self.reach_mm, arc) + way, arc, self.reach_mm)
            for start, way, arc in zip(reach_mm, way_mm.T, arcs.T, strict=True)
        ]
        return np.stack(found, axis=1)

    def line(self, angle: np.ndarray, half_gap_mm) -> np.ndarray:
        """Reaches (C,) at which the surface at angles (C,) is as far from the middle as a line is.

        Args:
            angle: rad.
            half_gap_mm: from reaches (R,) to distances (R,) of the line, which falls; at angles
                that it never meets the reach is 0.
        """
        reach = np.linspace(0, BELOW_MM[-1], 151)
        x = np.interp(reach, self.reach_mm, self._half_widths()) * np.abs(np.sin(angle))[:, None]
        past = np.where(np.cos(angle)[:, None] > 0, x - half_gap_mm(reach), 1.0)
        after = np.argmax(past >= 0, axis=1)
        before, columns = np.maximum(after - 1, 0), np.arange(len(angle))
        a, b = -past[columns, before], past[columns, after]
        share = np.clip(a / np.maximum(a + b, 1e-9), 0, 1)
        return reach[before] + share * (reach[after] - reach[before])

    def angle_at(self, x_mm: np.ndarray, reach_mm: np.ndarray) -> np.ndarray:
        """The angle (...) before the chest where the surface is ``x_mm`` from the middle."""
        width = np.interp(reach_mm, self.reach_mm, self._half_widths())
        return np.arcsin(np.clip(x_mm / width, -0.98, 0.98))

    def placed(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the body's frame as (K, 3) mm in the camera frame."""
        return points.reshape(-1, 3) @ self.turn.T + self.centre_mm

    def _half_widths(self) -> np.ndarray:
        return np.ptp(self.points_mm[..., 0], axis=1) / 2

    def _rows(self) -> np.ndarray:
        return np.arange(len(self.reach_mm))

    def _column(self, angle) -> np.ndarray:
        first = self.angle[0]
        wrapped = first + np.mod(angle - first, 2 * np.pi)
        own = np.append(self.angle, first + 2 * np.pi)
        return np.interp(wrapped, own, np.arange(len(own)))


def chart(points: np.ndarray) -> np.ndarray:
    """Texture coordinates (K, 2) float32 of points (..., 3) in the body's frame."""
    x, y, z = points.reshape(-1, 3).T
    y = y - CHART_TILT * (z + CHART_FRONT_MM)
    (left, right), (top, bottom) = CHART_MM
    uv = np.column_stack([(x - left) / (right - left), (y - top) / (bottom - top)])
    return uv.astype(np.float32)


def closed_rows(rows: int, columns: int) -> np.ndarray:
    """Triangles (T, 3) int32 between rings from above downwards, outward normals."""
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns), indexing="ij")
    a, b = row * columns + column, row * columns + (column + 1) % columns
    return _quads(a, b, b + columns, a + columns)


def open_rows(rows: int, columns: int) -> np.ndarray:
    """As closed_rows, the last column apart from the first."""
    row, column = np.meshgrid(np.arange(rows - 1), np.arange(columns - 1), indexing="ij")
    a = row * columns + column
    return _quads(a, a + 1, a + columns + 1, a + columns)


def _quads(a, b, c, d) -> np.ndarray:
    return np.stack([a, c, b, a, d, c], axis=-1).reshape(-1, 3).astype(np.int32)


def _angle(points) -> np.ndarray:
    return np.arctan2(points[:, 0], -points[:, 2])


def _resampled(ring, angle) -> np.ndarray:
    """A closed ring (K, 3) at the angles (N,) about the vertical through its own middle."""
    own = _angle(ring - ring.mean(0) * [1, 0, 1])
    order = np.argsort(own)
    columns = [np.interp(angle, own[order], ring[order, k], period=2 * np.pi) for k in range(3)]
    return np.stack(columns, axis=1)


def _below(above, angle, build: Build) -> np.ndarray:
    """Points (M, N, 3): the rim first, then the body into which it widens."""
    width, side, front, front_y, back, back_y = _SMOOTH[..., None]
    width = OUTLINE[0, 0] + build.width * (width - OUTLINE[0, 0])
    # a slope moves the point of the shoulder, not what hangs below it
    side = side + (build.slope - 1) * 0.25 * (np.minimum(width, 190) - OUTLINE[0, 0])
    across, ahead = np.sin(angle), np.cos(angle)
    x = width * np.sign(across) * np.abs(across) ** 0.9
    z = -np.where(ahead > 0, front, back) * np.sign(ahead) * np.abs(ahead) ** 0.9
    y = side * across**2 + np.where(ahead > 0, front_y, back_y) * ahead**2
    body = np.stack([x, y, z], axis=-1)
    share = np.clip(BELOW_MM / BLEND_MM, 0, 1)[:, None, None]
    share = share * share * (3 - 2 * share)
    points = body + (above[0] - body[0]) * (1 - share)
    return points + _kept(points, above)


def _kept(points, above) -> np.ndarray:
    """(M, N, 3) mm that let the surface leave the rim in the neck's direction, not at a crease."""
    if len(above) < 2:
        return np.zeros_like(points)
    wanted = unit(above[0] - above[1])
    own = unit(points[1] - points[0])
    way = np.zeros(points.shape[:2])
    way[1:] = np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=-1), axis=0)
    way = (way * np.exp(-((way / TANGENT_MM) ** 2)))[..., None]
    return way * (wanted - own)
