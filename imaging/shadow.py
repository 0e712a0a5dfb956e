"""What keeps light off a surface: a lamp's shadow map, and how open a point lies to all sides."""

from dataclasses import dataclass

import numba
import numpy as np

from imaging.cutout import Cutout
from imaging.raster import covered, depth_span

BIAS_MM = 1.2  # a surface does not shade itself through the map's coarse steps
REACH_MM = 60.0  # from the surface to what may throw a penumbra on it
WIDEST = 24.0  # texels of the widest penumbra's radius
TAPS = 20  # that count what is free of the lamp; every second one looks for what is in the way
RIM = 8  # outermost ones: where these agree, so does the disc


@dataclass(frozen=True, slots=True, eq=False)
class ShadowMap:
    """The scene as a far lamp sees it.

    Attributes:
        depth: (N, N) float32 mm along the light's way; 0 where nothing stands.
        matrix: (3, 4) float64, points to (u texel, v texel, depth mm).
        spread: texels of penumbra's radius a millimetre between blocker and surface.
    """

    depth: np.ndarray
    matrix: np.ndarray
    spread: float


def shadow_map(
    points: np.ndarray,
    triangles: np.ndarray,
    direction: np.ndarray,
    centre: np.ndarray,
    radius: float,
    size: int,
    spread_deg: float = 0.0,
    cutout: Cutout | None = None,
) -> ShadowMap:
    """Depth from a lamp far away.

    Args:
        points: (V, 3) mm.
        triangles: (T, 3) int.
        direction: (3,) unit, towards the lamp.
        centre, radius: (3,) and mm of the ball that the map covers; what stands outside of its
            square throws no shadow.
        size: the map's edge, texels.
        spread_deg: angular radius of the lamp.
        cutout: holes in the triangles.
    """
    triangles = np.ascontiguousarray(triangles, dtype=np.int32)
    matrix = _light_matrix(direction, centre, radius, size)
    screen = points @ matrix[:, :3].T + matrix[:, 3]
    return ShadowMap(
        _depth(screen, triangles, size, cutout),
        matrix,
        float(np.tan(np.radians(spread_deg)) * size / (2 * radius)),
    )


def openness(
    points: np.ndarray,
    normals: np.ndarray,
    triangles: np.ndarray,
    axes: np.ndarray,
    radiance: np.ndarray,
    centre: np.ndarray,
    radius: float,
    size: int = 96,
    bias_mm: float = 3.0,
    wanted: np.ndarray | None = None,
) -> np.ndarray:
    """Share (V,) float32 of an environment's light that other surfaces let through to each vertex.

    Directions come in pairs that look along one axis from both ends: what stands nearest and
    farthest along it is found in one go.

    Args:
        points, normals: (V, 3) mm and unit.
        triangles: (T, 3) int.
        axes: (K, 3) unit; the environment is sampled at these and at their opposites.
        radiance: (K, 2) of the environment at both, ≥ 0.
        centre, radius: (3,), mm, of the ball around what may stand in the way.
        size: edge of the K depth maps, texels.
        bias_mm: how far before a point something must stand to be in its way.
        wanted: (V,) bool, the vertices that are asked for; 1 is returned at the others.
    """
    occluders, corners = _used(points, triangles)
    chosen = np.arange(len(points)) if wanted is None else np.flatnonzero(wanted)
    own, ways = points[chosen], normals[chosen]
    got, all_of_it = np.zeros(len(chosen)), np.full(len(chosen), 1e-9)
    for axis, light in zip(axes, np.asarray(radiance, dtype=np.float64), strict=True):
        matrix = _light_matrix(axis, centre, radius, size)
        span = depth_span(occluders @ matrix[:, :3].T + matrix[:, 3], corners, size)
        _gather_open(own, ways, axis, light, span, matrix, bias_mm, got, all_of_it)
    share = np.ones(len(points), dtype=np.float32)
    share[chosen] = np.clip(got / all_of_it, 0, 1)
    return share


def open_axes(
    points: np.ndarray,
    normals: np.ndarray,
    triangles: np.ndarray,
    axes: np.ndarray,
    centre: np.ndarray,
    radius: float,
    size: int = 96,
    bias_mm: float = 3.0,
) -> tuple[np.ndarray, np.ndarray]:
    """What ``openness`` counts, before an environment weighs it: for things that turn as one
    under a light that stays.

    Returns:
        (V, 2K) float32 each, for the K axes and then for their opposites: the cosine where the way
        is free, and where nothing is in the way of anything. With an environment's radiance at
        these directions, openness is the ratio of both products.
    """
    occluders, corners = _used(points, triangles)
    got, all_of_it = np.zeros((2, 2 * len(axes), len(points)))
    for k, axis in enumerate(axes):
        matrix = _light_matrix(axis, centre, radius, size)
        span = depth_span(occluders @ matrix[:, :3].T + matrix[:, 3], corners, size)
        for end in (0, 1):
            light = np.eye(2)[end]
            row = k + end * len(axes)
            both = got[row], all_of_it[row]
            _gather_open(points, normals, axis, light, span, matrix, bias_mm, *both)
    return got.T.astype(np.float32), all_of_it.T.astype(np.float32)


def _used(points, triangles) -> tuple[np.ndarray, np.ndarray]:
    """The points that triangles use, and the triangles among them."""
    used = np.zeros(len(points), dtype=bool)
    used[triangles] = True
    place = np.cumsum(used, dtype=np.int32) - 1
    return points[used], place[triangles]


def _depth(screen, triangles, size: int, cutout: Cutout | None) -> np.ndarray:
    """Depth (size, size) float32 alone, 0 where nothing is: a third of a rasterisation's work."""
    nearness = covered(screen, triangles, (size, size), perspective=False, cutout=cutout).nearness
    return np.where(np.isinf(nearness), np.float32(0), -nearness)


def dodecahedron_axes() -> np.ndarray:
    """(10, 3) unit vectors: with their opposites the corners of a dodecahedron, evenly spread."""
    golden = (1 + np.sqrt(5)) / 2
    cube = [[1, y, z] for y in (-1, 1) for z in (-1, 1)]
    edges = [[0, side / golden, golden] for side in (-1, 1)]
    rolled = [np.roll(edge, turn) for edge in edges for turn in range(3)]
    return np.array([*cube, *rolled]) / np.sqrt(3)


def sphere_directions(count: int) -> np.ndarray:
    """(K, 3) unit vectors spread evenly over the sphere (a Fibonacci spiral)."""
    k = np.arange(count) + 0.5
    height = 1 - 2 * k / count
    turn = np.pi * (1 + np.sqrt(5)) * k
    ring = np.sqrt(1 - height**2)
    return np.stack([ring * np.cos(turn), height, ring * np.sin(turn)], axis=1)


def _light_matrix(direction, centre, radius, size) -> np.ndarray:
    """(3, 4): points to texels across the light's way and mm along it, all depths positive."""
    along = -np.asarray(direction, dtype=np.float64)
    helper = np.eye(3)[np.argmin(np.abs(along))]
    across = np.cross(helper, along)
    across /= np.linalg.norm(across)
    rows = np.stack([across, np.cross(along, across), along])
    rows[:2] *= size / (2 * radius)
    shift = np.array([size / 2, size / 2, 100 * radius]) - rows @ centre
    return np.concatenate([rows, shift[:, None]], axis=1)


@numba.njit(nogil=True, cache=True)
def _gather_open(points, normals, axis, light, span, matrix, bias_mm, got, all_of_it):
    """got += light · cosine where nothing stands before the point at its own end of the axis."""
    nearest, farthest = span
    size = len(nearest)
    step = 1.5 * bias_mm  # outwards, so that a flat surface seen at a slant does not shade itself
    for i in range(len(points)):
        nx, ny, nz = normals[i, 0], normals[i, 1], normals[i, 2]
        cosine = nx * axis[0] + ny * axis[1] + nz * axis[2]
        ahead = cosine > 0
        share = light[0] * cosine if ahead else -light[1] * cosine
        all_of_it[i] += share
        x, y, z = points[i, 0] + step * nx, points[i, 1] + step * ny, points[i, 2] + step * nz
        u = int(matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3])
        v = int(matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3])
        if 0 <= u < size and 0 <= v < size:
            d = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3]
            if nearest[v, u] < d - bias_mm if ahead else farthest[v, u] > d + bias_mm:
                continue
        got[i] += share


@numba.njit(nogil=True, cache=True, fastmath=True)
def lit_share(depth, matrix, spread, x, y, z, taps):
    """Share in [0, 1] of a lamp's disc seen from a point: percentage-closer soft shadows.

    The blockers' mean distance sets the penumbra's width (Fernando 2005), and ``taps`` (n, 2), a
    turned spiral in the unit disc, count how much of it is free.
    """
    size = len(depth)
    u = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3]
    v = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3]
    d = matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3] - BIAS_MM
    reach = min(max(REACH_MM * spread, 1.5), WIDEST)
    if u < reach or v < reach or u >= size - reach or v >= size - reach:
        return 1.0
    blockers, gap = 0, 0.0
    for k in range(0, len(taps), 2):
        before = depth[int(v + reach * taps[k, 1]), int(u + reach * taps[k, 0])]
        if 0 < before < d:
            blockers += 1
            gap += d - before
    if blockers == 0:
        return 1.0
    if blockers == (len(taps) + 1) // 2:  # so is a narrower disc
        return 0.0
    width = min(max(spread * gap / blockers, 0.8), reach)
    inner = len(taps) - RIM  # the spiral runs outwards
    free = _free(depth, u, v, d, width, taps, inner, len(taps))
    if free == 0:
        return 0.0
    if free == RIM:
        return 1.0
    return (free + _free(depth, u, v, d, width, taps, 0, inner)) / len(taps)


@numba.njit(nogil=True, cache=True, inline="always", fastmath=True)
def _free(depth, u, v, d, width, taps, first, stop):
    """Number of a range of taps at whose places nothing stands before depth ``d``."""
    free = 0
    for k in range(first, stop):
        before = depth[int(v + width * taps[k, 1]), int(u + width * taps[k, 0])]
        if before == 0 or before >= d:
            free += 1
    return free


def _spirals() -> np.ndarray:
    turn = np.arange(16)[:, None] * (np.pi / 8)
    k = np.arange(TAPS)[None]
    angle = turn + np.pi * (3 - np.sqrt(5)) * k
    radius = np.sqrt((k + 0.5) / TAPS)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], -1).astype(np.float32)


SPIRALS = _spirals()  # (16, TAPS, 2): sixteen turns, so that neighbours err differently
