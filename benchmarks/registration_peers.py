"""The peers of benchmarks.registration: trimesh's two non-rigid ICPs on the same scans.

They get what T-ICP has: the cleaned depth, the initial fit, and the inner 51 landmarks at the depth
of their vertices. benchmarks.tune_peers found their settings.
"""

from dataclasses import dataclass

import numpy as np
import trimesh

from augment.grid import grid_triangles
from faces.morphable import MorphableModel
from faces.types import Scan
from registration.parts import carry_parts
from registration.target import depth_target

TUNED_AT = 3_570  # vertices of the skin on the level of the search
MARGIN_MM = 30.0  # points further than this from the initial fit's box are no head
JUMP_MM = 10.0  # triangles of the depth image span no more


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """What a peer's steps are made of; weights fall geometrically from the first to the last stage.

    Attributes:
        stiffness: of smoothness, against 1 for a match, first and last.
        landmarks: weight of a landmark, against 1 for a match, first and last.
        normals: a match's weight is the cosine between the normals to this power.
        stages: how many.
        iterations: of a stage.
        identity: of every triangle's keeping its shape, against smoothness; Sumner's only.
        reach_mm: a match further away than this counts nothing.
        rims: whether points at depth jumps are in the target.
        faces: whether matches lie on the triangulated depth image and not at its points.
        neighbours: points that a normal is estimated from, where matches are points.
        settled_mm: a stage ends early where the mean residual falls by less; Amberg's only.
    """

    stiffness: tuple[float, float]
    landmarks: tuple[float, float]
    normals: float = 0.0
    stages: int = 4
    iterations: int = 3
    identity: float = 0.001
    reach_mm: float = 10.0
    rims: bool = False
    faces: bool = False
    neighbours: int = 8
    settled_mm: float = 0.05


# By what the initial fit is made of.
PEERS = {
    "depth": {
        "trimesh amberg": PeerSettings(
            (0.3, 0.003), (0.3, 0.3), 1.0, 3, 3, reach_mm=3.0, faces=True, settled_mm=0.005
        ),
        "trimesh sumner": PeerSettings(
            (1.0, 0.01), (1.0, 1.0), 1.0, 3, 2, reach_mm=3.0, faces=True
        ),
    },
    "landmarks": {
        "trimesh amberg": PeerSettings(
            (1.0, 0.01), (3.0, 3.0), 1.0, 3, 6, reach_mm=6.0, faces=True, settled_mm=0.005
        ),
        "trimesh sumner": PeerSettings(
            (1.0, 0.01), (1.0, 1.0), 1.0, 3, 6, reach_mm=3.0, faces=True
        ),
    },
}


def registered(
    name: str,
    initial_mm: np.ndarray,
    scan: Scan,
    model: MorphableModel,
    settings: PeerSettings,
) -> np.ndarray:
    """A peer's vertices (V, 3) mm from the initial fit (V, 3) mm.

    Only the skin is registered; eyes and teeth are carried along as T-ICP carries them.

    Args:
        name: of METHODS.
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
    out = np.array(initial_mm, dtype=np.float64)
    out[skin] = METHODS[name](
        source,
        target_of(scan, initial_mm, settings),
        settings,
        source_landmarks=local[where[known]],
        target_positions=marks[known],
        distance_threshold=settings.reach_mm / source.scale,
        use_faces=settings.faces,
        neighbors_count=settings.neighbours,
    )
    return carry_parts(model, initial_mm, out)


def _amberg(source, target, settings, **options):
    """trimesh.registration.nricp_amberg: steps of (stiffness, landmarks, normals, iterations)."""
    finer = _finer(source)
    steps = [(s, w * finer, settings.normals, settings.iterations) for s, w in _falling(settings)]
    eps = settings.settled_mm / source.scale
    return trimesh.registration.nricp_amberg(source, target, steps=steps, eps=eps, **options)


def _sumner(source, target, settings, **options):
    """trimesh.registration.nricp_sumner: steps of (match, identity, smooth, landmarks, normals).

    A step is one iteration, the first one on the landmarks alone. Smoothness keeps the weight 1,
    so that softer means heavier matches and landmarks. Its terms sum to the same on a finer mesh.
    """
    finer = _finer(source)
    steps = [
        (1 / s / finer, settings.identity, 1.0, w / s, settings.normals)
        for s, w in _falling(settings)
        for _ in range(settings.iterations)
    ]
    return trimesh.registration.nricp_sumner(source, target, steps=[steps[0], *steps], **options)


METHODS = {"trimesh amberg": _amberg, "trimesh sumner": _sumner}


def _finer(source):
    """By how much a landmark weighs more to count the same among more matches."""
    return (len(source.vertices) / TUNED_AT) ** 0.5


def _falling(settings):
    """(stiffness, landmark weight) of every stage."""
    return zip(
        np.geomspace(*settings.stiffness, settings.stages),
        np.geomspace(*settings.landmarks, settings.stages),
        strict=True,
    )


def target_of(
    scan: Scan, initial_mm: np.ndarray, settings: PeerSettings
) -> trimesh.Trimesh | trimesh.PointCloud:
    """The depth around the head as T-ICP sees it: points, or the image's triangles."""
    target = depth_target(scan)
    low, high = initial_mm.min(0) - MARGIN_MM, initial_mm.max(0) + MARGIN_MM
    near = ((target.points_mm > low) & (target.points_mm < high)).all(-1)
    usable = target.valid & near & (settings.rims | ~target.rim)
    if not settings.faces:
        return trimesh.PointCloud(target.points_mm[usable].astype(np.float64))
    triangles = grid_triangles(usable, target.points_mm[..., 2], JUMP_MM)
    used, triangles = np.unique(triangles, return_inverse=True)
    points = target.points_mm.reshape(-1, 3)[used].astype(np.float64)
    return trimesh.Trimesh(points, triangles.reshape(-1, 3), process=False, validate=False)
