"""The peers of benchmarks.registration: trimesh's two non-rigid ICPs on the same scans."""

from collections.abc import Callable

import numpy as np
import trimesh

from faces.morphable import MorphableModel
from faces.types import RegisteredFace, Scan
from registration.parts import carry_parts
from registration.target import depth_target

REACH_MM = 30.0  # target points further than this from the initial fit are no head
NEAR_MM = 10.0  # a vertex without a point this near has no match

# Not searched for: stiffness falls and landmarks fade as in T-ICP's own schedule, in the library's
# units (lengths over the mesh's own scale). Its defaults start from a mesh far from the target.
AMBERG = ((1.0, 1.0, 0.0, 5), (0.3, 0.5, 0.0, 5), (0.1, 0.2, 0.0, 5), (0.03, 0.1, 0.0, 5))
SUMNER = ((0.1, 0.001, 1.0, 1.0, 0.0), (1.0, 0.001, 1.0, 0.5, 0.0), (5.0, 0.001, 1.0, 0.2, 0.0))


def amberg(initial_mm: np.ndarray, scan: Scan, model: MorphableModel, steps=AMBERG) -> np.ndarray:
    """trimesh.registration.nricp_amberg from the initial fit (V, 3); (V, 3) mm."""
    return _run(trimesh.registration.nricp_amberg, initial_mm, scan, model, steps)


def sumner(initial_mm: np.ndarray, scan: Scan, model: MorphableModel, steps=SUMNER) -> np.ndarray:
    """trimesh.registration.nricp_sumner from the initial fit (V, 3); (V, 3) mm."""
    return _run(trimesh.registration.nricp_sumner, initial_mm, scan, model, steps)


PEERS: dict[str, Callable] = {"trimesh amberg": amberg, "trimesh sumner": sumner}


def registered(
    method: Callable, face: RegisteredFace, scan: Scan, model: MorphableModel
) -> np.ndarray:
    """A peer's vertices (V, 3) mm, from the initial fit that T-ICP had."""
    return method(face.initial.vertices_mm, scan, model)


def _run(function, initial_mm, scan, model, steps):
    """The skin registered to the cleaned depth without its rims; eyes and teeth carried along.

    The landmarks are T-ICP's: the inner 51, at the depth of their vertices in the initial fit.
    """
    skin = np.flatnonzero(model.part_vertices("skin"))
    local = np.zeros(model.vertex_count, dtype=np.int64)
    local[skin] = np.arange(len(skin))
    source = trimesh.Trimesh(
        initial_mm[skin], local[model.part_triangles("skin")], process=False, validate=False
    )
    where = model.landmarks["ibug68"][17:]
    marks = scan.camera.unproject(scan.landmarks.points_px[17:], initial_mm[where, 2])
    known = np.isfinite(marks).all(1)
    found = function(
        source,
        trimesh.PointCloud(target_points(initial_mm, scan)),
        source_landmarks=local[where[known]],
        target_positions=marks[known],
        steps=steps,
        distance_threshold=NEAR_MM / source.scale,
        use_faces=False,
    )
    out = initial_mm.copy()
    out[skin] = found
    return carry_parts(model, initial_mm, out)


def target_points(initial_mm: np.ndarray, scan: Scan) -> np.ndarray:
    """The scan's valid points (K, 3) mm around the head, as T-ICP sees them."""
    target = depth_target(scan)
    points = target.points_mm[target.valid & ~target.rim]
    low, high = initial_mm.min(0) - REACH_MM, initial_mm.max(0) + REACH_MM
    return points[((points > low) & (points < high)).all(1)].astype(np.float64)
