"""Unsigned distance from points to the surface of a triangle mesh."""

import numpy as np

from faces.errors import BadInput, MissingExtra
from faces.triangle_tree import distances, morton_order, triangle_tree


def scan_to_surface(
    points_mm: np.ndarray, vertices_mm: np.ndarray, triangles: np.ndarray, backend: str = "auto"
) -> np.ndarray:
    """Distance (N,) float64 mm from each point (N, 3) to the nearest point of the surface.

    Args:
        vertices_mm: (V, 3), in the points' frame.
        triangles: (T, 3) int.
        backend: "open3d" (ray-casting scene, float32), "kdtree" (faces.triangle_tree, float64), or
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
        return _by_kdtree(points, vertices[triangles])
    try:
        return _by_open3d(points, vertices, triangles)
    except (ImportError, OSError) as error:  # OSError: a system library of its is missing
        if backend == "open3d":
            raise MissingExtra("scan_to_surface(backend='open3d')", "open3d") from error
        return _by_kdtree(points, vertices[triangles])


def _by_open3d(points, vertices, triangles):
    import open3d as o3d

    scene = o3d.t.geometry.RaycastingScene(nthreads=1)
    scene.add_triangles(
        o3d.core.Tensor(vertices.astype(np.float32)),
        o3d.core.Tensor(np.ascontiguousarray(triangles, dtype=np.uint32)),
    )
    found = scene.compute_distance(o3d.core.Tensor(points.astype(np.float32)), nthreads=1)
    return found.numpy().astype(np.float64)


def _by_kdtree(points, corners):
    order, found = morton_order(points), np.zeros(len(points))
    found[order] = distances(triangle_tree(corners), points[order])
    return found
