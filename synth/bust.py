"""The neck of a registered head below the model's rim: on out of the picture, or closed."""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from faces.camera import FLIP, Pose
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from synth.clothes.body import closed_rows
from synth.clothes.neck import neck_rings
from synth.clothes.neck_end import RINGS, end_rings
from synth.framing import from_straight_below
from synth.renderer import PART_LABELS, FaceMesh, Rendered, Topology
from synth.topology import topology_of

DOWN = np.array([0.0, -1.0, 0.0])  # in the model frame
LENGTH_MM, STEPS = 700.0, 7  # what lies behind a camera is dropped ring by ring
ABOVE_DEG = 30.0  # from so far above, a neck without shoulders is a pole: shown as a bust's


class Bust:
    """A face with its neck carried on; see the module.

    What is added are triangles behind the model's own, of the part "neck": in the other buffers
    they are no place of the model (own_labels).
    """

    def __init__(self, model: MorphableModel, face: FaceMesh):
        """Both necks of a face of the model."""
        self._long, self._short = (_with_neck(model, face, way) for way in (LENGTH_MM, 0.0))

    def seen(self, pose: Pose, centre_mm: np.ndarray) -> FaceMesh:
        """The face as a camera at 0 shall see it.

        Args:
            pose: of the face.
            centre_mm: (3,) the head's middle, model frame.
        """
        place, down = pose.apply(centre_mm), FLIP @ pose.rotation @ DOWN
        above = down @ place > np.sin(np.radians(ABOVE_DEG)) * np.linalg.norm(place)
        return self._short if above or from_straight_below(place, down) else self._long


def needed(buffers: tuple[str, ...]) -> tuple[str, ...]:
    """The buffers to render so that own_labels can tell what is the model's."""
    coded = {"pncc", "uv"} & set(buffers) and "triangle_id" not in buffers
    return (*buffers, "triangle_id") if coded else buffers


def own_labels(rendered: Rendered, count: int, buffers: tuple[str, ...]) -> Rendered:
    """The rendered ones of ``buffers``, with pncc, uv and triangle ids as on the background where
    a triangle is shown that is none of the model's ``count``."""
    made = rendered.buffers
    if "triangle_id" in made:
        added = made["triangle_id"] >= count
        for name, nothing in (("pncc", 0), ("uv", 0), ("triangle_id", -1)):
            if name in made:
                made[name][added] = nothing
    return replace(rendered, buffers={name: made[name] for name in buffers})


@lru_cache(maxsize=8)
def _topology(model: MorphableModel) -> Topology:
    """The model's with what is added: columns below the rim's vertices, in rings."""
    own, rim = topology_of(model), neck_rings(model)[0]
    grid = closed_rows(1 + STEPS + len(RINGS), len(rim))
    vertices = np.concatenate([rim, len(own.pncc) + np.arange((STEPS + len(RINGS)) * len(rim))])
    charted = np.zeros(len(own.pncc), dtype=np.int32)
    charted[own.triangles.ravel()] = own.triangle_uv.ravel()
    if _inward(model.mean_mm[rim]):
        grid = grid[:, ::-1]
    return replace(
        own,
        triangles=np.concatenate([own.triangles, vertices[grid]]).astype(np.int32),
        triangle_uv=np.concatenate([own.triangle_uv, charted[rim][grid % len(rim)]]),
        pncc=np.concatenate([own.pncc, np.zeros((len(vertices) - len(rim), 3), np.float32)]),
        parts=np.concatenate([own.parts, np.full(len(grid), PART_LABELS.index("neck"), np.uint8)]),
    )


def _inward(rim_mm: np.ndarray) -> bool:
    """Whether rows of a rim's way round, downwards, have their normals inside."""
    spokes = rim_mm - rim_mm.mean(0)
    return bool((np.cross(spokes, np.roll(spokes, -1, axis=0)) @ DOWN).sum() > 0)


def _with_neck(model: MorphableModel, face: FaceMesh, length_mm: float) -> FaceMesh:
    rim, topology = neck_rings(model)[0], _topology(model)
    own = face.vertices_mm[rim].astype(np.float64)
    tube = [own + way * DOWN for way in np.linspace(0, length_mm, STEPS + 1)[1:]]
    below = np.concatenate([*tube, *end_rings(own + length_mm * DOWN, DOWN)])
    points = np.concatenate([face.vertices_mm, below])
    normals = vertex_normals(points, topology.triangles)[len(face.vertices_mm) :]
    rings = STEPS + len(RINGS)
    return replace(
        face,
        topology=topology,
        vertices_mm=np.ascontiguousarray(points, dtype=np.float32),
        normals=np.concatenate([face.normals, normals]).astype(np.float32),
        colors=np.concatenate([face.colors, np.tile(face.colors[rim], (rings, 1))]),
    )
