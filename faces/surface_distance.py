"""Unsigned distance from points to the surface of a triangle mesh."""

import numpy as np
from scipy.spatial import cKDTree

from faces.errors import BadInput, MissingExtra

CHUNK = 4096  # points at a time: bounds the memory of the candidate lists
SEEDS = 8  # triangles by nearest centroid that give the first bound
BINS = 4  # of triangle size, each twice the last: one long triangle must not widen every search


def scan_to_surface(
    points_mm: np.ndarray, vertices_mm: np.ndarray, triangles: np.ndarray, backend: str = "auto"
) -> np.ndarray:
    """Distance (N,) float64 mm from each point (N, 3) to the nearest point of the surface.

    Args:
        vertices_mm: (V, 3), in the points' frame.
        triangles: (T, 3) int.
        backend: "open3d" (ray-casting scene, float32), "kdtree" (SciPy, exact candidates), or
            "auto": open3d where it is installed.

    Raises:
        MissingExtra: open3d was asked for and is not installed.
        BadInput: no triangles, or points that are not finite.
    """
    points = np.asarray(points_mm, dtype=np.float64)
    if len(triangles) == 0 or not np.isfinite(points).all():
        raise BadInput(
            "scan_to_surface",
            f"{len(triangles)} triangles, {np.isnan(points).any(1).sum()} points with NaN",
            "a mesh and finite points",
            "drop the invalid points first",
        )
    centre = np.asarray(vertices_mm, dtype=np.float64).mean(0)  # near 0 float32 is finest
    points, vertices = points - centre, np.asarray(vertices_mm, dtype=np.float64) - centre
    if backend == "kdtree":
        return _by_kdtree(points, vertices, triangles)
    try:
        return _by_open3d(points, vertices, triangles)
    except (ImportError, OSError) as error:  # OSError: a system library of its is missing
        if backend == "open3d":
            raise MissingExtra("scan_to_surface(backend='open3d')", "open3d") from error
        return _by_kdtree(points, vertices, triangles)


def _by_open3d(points, vertices, triangles):
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(
        o3d.core.Tensor(vertices.astype(np.float32)),
        o3d.core.Tensor(np.ascontiguousarray(triangles, dtype=np.uint32)),
    )
    found = scene.compute_distance(o3d.core.Tensor(points.astype(np.float32)), nthreads=1)
    return found.numpy().astype(np.float64)


def _by_kdtree(points, vertices, triangles):
    corners = vertices[triangles]
    centroids = corners.mean(1)
    radii = np.linalg.norm(corners - centroids[:, None], axis=-1).max(1)
    seeds = cKDTree(centroids)
    level = np.clip(np.log2(radii.max() / np.maximum(radii, 1e-12)), 0, BINS - 1).astype(int)
    bins = []
    for k in range(BINS):
        members = np.flatnonzero(level == k)
        if len(members):
            bins.append((members, cKDTree(centroids[members]), radii[members].max()))
    distances = np.zeros(len(points))
    for first in range(0, len(points), CHUNK):
        part = slice(first, first + CHUNK)
        distances[part] = _nearest(points[part], corners, seeds, bins)
    return distances


def _nearest(points, corners, seeds, bins):
    """A bound from the nearest centroids, then every triangle that may lie within it."""
    count = min(SEEDS, len(corners))
    _, near = seeds.query(points, k=range(1, count + 1))
    owner = np.repeat(np.arange(len(points)), count)
    best = _distance(points[owner], corners[near.ravel()]).reshape(-1, count).min(1)
    for members, tree, radius in bins:
        # A triangle nearer than `best` has its centroid within best + its radius.
        lists = tree.query_ball_point(points, best * (1 + 1e-9) + radius)
        sizes = np.fromiter((len(c) for c in lists), dtype=int, count=len(lists))
        if sizes.any():
            owner = np.repeat(np.arange(len(points)), sizes)
            found = members[np.concatenate([c for c in lists if c]).astype(int)]
            np.minimum.at(best, owner, _distance(points[owner], corners[found]))
    return best


def _distance(points, corners):
    """Distance (n,) from points (n, 3) to their triangles (n, 3, 3)."""
    edges = [_to_segment(points, corners[:, k], corners[:, (k + 1) % 3]) for k in range(3)]
    a, ab, ac = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal, offset = np.cross(ab, ac), points - a
    square = (normal**2).sum(1)
    solid = square > 0  # a triangle without area is its edges
    square = np.where(solid, square, 1)
    # Barycentric coordinates of the foot of the perpendicular.
    v = (np.cross(offset, ac) * normal).sum(1) / square
    w = (np.cross(ab, offset) * normal).sum(1) / square
    inside = solid & (v >= 0) & (w >= 0) & (v + w <= 1)
    height = np.abs((offset * normal).sum(1)) / np.sqrt(square)
    return np.where(inside, height, np.min(edges, axis=0))


def _to_segment(points, start, end):
    along = end - start
    square = (along**2).sum(1)
    t = ((points - start) * along).sum(1) / np.where(square > 0, square, 1)
    foot = start + np.clip(t, 0, 1)[:, None] * along
    return np.linalg.norm(points - foot, axis=1)
