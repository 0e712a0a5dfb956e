"""Where on the chart lids, lips, brows, eyes and teeth lie: made once a model."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
import scipy.sparse as sp
from scipy.interpolate import CubicSpline
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from faces.mesh import unique_edges
from faces.models.albedo import BROW_HALF_WIDTH
from faces.models.fields import along, curve
from faces.morphable import PARTS
from synth.skin.chart import Chart

LIDS = ((36, 37, 38, 39, 40, 41), (45, 44, 43, 42, 47, 46))  # from the outer corner over the top
BROW_MM = 11.0  # from a brow's middle line to where no brow reaches
LOOK_UP_MM = 0.5  # between places of the face at which its texels are looked up
FAR_MM = 30.0  # beyond it a distance from lids or lips says nothing


@dataclass(frozen=True, slots=True, eq=False)
class Strip:
    """A brow or lid as texels with a place along and across it.

    Attributes:
        rows, columns: (N,) texels.
        share: (N,) 0 at the inner end (lid: outer corner) to 1.
        across_mm: (N,) signed, upwards (lid: away from the eye).
        along_px, across_px: (N, 2) texels (u, v) per mm in the two directions.
    """

    rows: np.ndarray
    columns: np.ndarray
    share: np.ndarray
    across_mm: np.ndarray
    along_px: np.ndarray
    across_px: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Eye:
    """One eyeball's texels: (N,) rows and columns, ``radius_mm`` and ``angle`` about the axis of
    the iris, ``side_mm`` to its nasal (positive) or temporal side, and ``height_mm`` above it."""

    rows: np.ndarray
    columns: np.ndarray
    radius_mm: np.ndarray
    angle: np.ndarray
    side_mm: np.ndarray
    height_mm: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """Attributes:
    lid_mm: (S, S) float32, distance from the lids' margin, negative behind it.
    lip_mm: (S, S) float32, distance from the lips' outline, positive within.
    mouth_mm: (S, S) float32, distance from the line where lips meet, positive on the wet side.
    upper: (S, S) float32 in [0, 1], 1 above the eyes' middle, 0 below.
    brows: right, left; lids: the upper margins, right, left. eyes: right, left.
    front: (H, W, 2) int32 texels = (row, column) of the face by its (x, y), every LOOK_UP_MM from
        ``front_mm`` (2,) on.
    """

    lid_mm: np.ndarray
    lip_mm: np.ndarray
    mouth_mm: np.ndarray
    upper: np.ndarray
    brows: tuple[Strip, Strip]
    lids: tuple[Strip, Strip]
    eyes: tuple[Eye, Eye]
    front: np.ndarray
    front_mm: np.ndarray

    def texel_at(self, points_mm: np.ndarray) -> np.ndarray:
        """Texels (N, 2) int = (row, column) seen from the front at (N, 2) = (x, y) mm."""
        steps = np.rint((points_mm - self.front_mm) / LOOK_UP_MM).astype(np.int64)
        x, y = np.clip(steps, 0, np.array(self.front.shape[1::-1]) - 1).T
        return self.front[y, x]


@lru_cache(maxsize=2)
def features_of(chart: Chart) -> Features:
    """The features of a chart; kept for the next call."""
    points = _texture_places(chart)
    margins = [_loop_by_edges(chart, [*ring, ring[0]]) for ring in LIDS]
    lid = np.minimum(
        *(-_signed(chart, points[line], chart.model.mean_mm[line]) for line in margins)
    )
    ibug = chart.model.landmarks["ibug68"]
    lip = _signed(chart, *_spline(points, chart, ibug[48:60]))
    meeting = _loop_by_edges(chart, [*range(60, 68), 60])
    mouth = _signed(chart, points[meeting], chart.model.mean_mm[meeting])
    eyes_y = chart.head.points[36:48, 1].mean()
    upper = np.clip(0.5 + (chart.xyz[..., 1] - eyes_y) / 3.0, 0, 1).astype(np.float32)
    front, front_mm = _front(chart)
    return Features(
        lid_mm=lid,
        lip_mm=lip,
        mouth_mm=mouth,
        upper=upper,
        brows=tuple(_brow(chart, side) for side in (-1, 1)),
        lids=tuple(_lid(chart, line, lid) for line in margins),
        eyes=tuple(_eye(chart, side) for side in (-1, 1)),
        front=front,
        front_mm=front_mm,
    )


def _texture_places(chart: Chart) -> np.ndarray:
    """(V, 2) float32 texels (u, v) of each vertex, one of them on a seam."""
    model = chart.model
    places = np.zeros((model.vertex_count, 2), dtype=np.float32)
    places[model.triangles.ravel()] = model.uv[model.triangle_uv.ravel()] * chart.size
    return places


def _loop_by_edges(chart: Chart, points: list[int]) -> np.ndarray:
    """Vertices of the shortest way along edges of the skin through the given ibug68 points."""
    model, ibug = chart.model, chart.model.landmarks["ibug68"]
    edges = unique_edges(model.part_triangles("skin"))
    length = np.linalg.norm(np.diff(model.mean_mm[edges], axis=1)[:, 0], axis=1)
    graph = sp.csr_matrix((length, edges.T), shape=(model.vertex_count,) * 2)
    loop = []
    for start, end in pairwise(points):
        before = dijkstra(graph, False, ibug[end], return_predecessors=True, limit=40.0)[1]
        vertex = ibug[start]
        while vertex != ibug[end]:
            loop.append(int(vertex))
            vertex = before[vertex]
    return np.array(loop)


def _spline(places: np.ndarray, chart: Chart, ring: np.ndarray):
    """A closed smooth line through vertices: its texels (N, 2) and its places (N, 3) mm."""
    closed = np.r_[ring, ring[0]]
    fine = np.linspace(0, len(ring), 240)
    line = [
        CubicSpline(np.arange(len(closed)), values[closed], bc_type="periodic")(fine)
        for values in (places, chart.model.mean_mm)
    ]
    return line[0].astype(np.float32), line[1]


def _signed(chart: Chart, polygon: np.ndarray, line_mm: np.ndarray) -> np.ndarray:
    """(S, S) float32 mm from a closed line, positive inside its polygon (N, 2) of texels."""
    inside = np.zeros((chart.size, chart.size), dtype=np.uint8)
    cv2.fillPoly(inside, [np.rint(16 * (polygon - 0.5)).astype(np.int32)], 1, shift=4)
    closed = np.concatenate([line_mm, line_mm[:1]])
    dense = np.concatenate([np.linspace(a, b, 8) for a, b in pairwise(closed)])
    low, high = dense.min(0) - FAR_MM, dense.max(0) + FAR_MM
    near = ((chart.xyz > low) & (chart.xyz < high)).all(-1) & np.isin(chart.part, [0, 1, 2])
    result = np.full(inside.shape, -FAR_MM, dtype=np.float32)
    distance = cKDTree(dense).query(chart.xyz[near], distance_upper_bound=FAR_MM)[0]
    result[near] = np.minimum(distance, FAR_MM) * np.where(inside[near], 1, -1)
    return result


def _front(chart: Chart) -> tuple[np.ndarray, np.ndarray]:
    """Texels (H, W, 2) of the face's front by place, and the place (2,) mm of the first."""
    face = chart.smooth_map(chart.model.regions["face"][:, None])[..., 0] > 0.5
    face = np.repeat(np.repeat(face, 2, 0), 2, 1) & chart.mask & (chart.part == 0)
    face[1::2], face[:, 1::2] = False, False
    texels = np.argwhere(face)
    place = chart.xyz[texels[:, 0], texels[:, 1], :2]
    low, high = place.min(0), place.max(0)
    x, y = (np.arange(a, b, LOOK_UP_MM) for a, b in zip(low, high, strict=True))
    nearest = cKDTree(place).query(np.stack(np.meshgrid(x, y), -1))[1]
    return texels[nearest].astype(np.int32), low


def _brow(chart: Chart, side: int) -> Strip:
    head = chart.head
    points = head.points[21:16:-1] if side < 0 else head.points[22:27]
    line = curve(points[:, :2]) - [0, 0.012 * head.d]
    reach = 3.2 * BROW_HALF_WIDTH * head.d
    near = chart.mask & (chart.part == 0)
    for axis in (0, 1):
        low, high = line[:, axis].min() - reach, line[:, axis].max() + reach
        near &= (chart.xyz[..., axis] > low) & (chart.xyz[..., axis] < high)
    near &= chart.xyz[..., 2] > head.points[[0, 16], 2].mean() + 0.3 * head.d
    rows, columns = np.nonzero(near)
    share, across = along(line, chart.xyz[rows, columns, :2])
    own = (share > -0.05) & (share < 1.1) & (np.abs(across) < BROW_MM)
    rows, columns, share, across = rows[own], columns[own], share[own], across[own]
    tangent = np.stack(
        [
            np.interp(share, np.linspace(0, 1, len(line)), axis)
            for axis in np.gradient(line, axis=0).T
        ],
        1,
    )
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
    flat = np.stack([tangent, np.stack([-tangent[:, 1], tangent[:, 0]], 1) * side])
    in_3d = np.concatenate([flat, np.zeros((2, len(rows), 1))], 2)
    axes = [chart.to_texels(axis, rows, columns) for axis in in_3d]
    return Strip(rows, columns, share, across, *axes)


def _lid(chart: Chart, margin: np.ndarray, lid_mm: np.ndarray) -> Strip:
    """Texels on the upper margin, whose lashes point away from the eye."""
    line = chart.model.mean_mm[margin]
    inner = int(np.argmin(np.abs(line[:, 0])))
    top = line[: inner + 1]
    near = np.flatnonzero((np.abs(lid_mm) < 0.5).ravel() & chart.mask.ravel())
    distance, step = cKDTree(top).query(chart.xyz.reshape(-1, 3)[near])
    near, step = near[distance < 2.0], step[distance < 2.0]
    rows, columns = np.divmod(near, chart.size)
    v, u = np.gradient(cv2.GaussianBlur(lid_mm, (0, 0), 2.0))
    away = np.stack([u[rows, columns], v[rows, columns]], 1)
    away /= np.maximum((away**2).sum(1, keepdims=True), 1e-6)  # texels a mm
    return Strip(
        rows,
        columns,
        step / max(inner, 1),
        lid_mm[rows, columns],
        np.stack([-away[:, 1], away[:, 0]], 1),
        away,
    )


def _eye(chart: Chart, side: int) -> Eye:
    """The eyeball at x·side > 0."""
    rows, columns = np.nonzero((chart.part == PARTS.index("eye")) & (side * chart.xyz[..., 0] > 0))
    ball = chart.xyz[rows, columns]
    front = ball[:, 2].max()
    centre = ball[ball[:, 2] > front - 0.012 * chart.head.d].mean(0)
    offset = ball - centre
    radius = np.linalg.norm(offset[:, :2], axis=1)
    radius[ball[:, 2] < front - 0.14 * chart.head.d] = FAR_MM  # behind the equator
    angle = np.arctan2(offset[:, 1], offset[:, 0])
    return Eye(rows, columns, radius, angle, -side * offset[:, 0], offset[:, 1])
