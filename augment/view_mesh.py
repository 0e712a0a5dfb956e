"""A source's mesh as the kernels of a view take it: made once, turned for every view."""

from dataclasses import dataclass

import numpy as np

from augment import turn_kernels as kernels
from augment.image_mesh import GRID_OFFSET_MM, SceneMesh
from augment.seen import facing_of
from augment.visibility import VisibilitySettings, lens_of
from faces.camera import Camera, Pose

FLANK = (0.25, 0.5)  # cosines, 75° to 60°, between which the grid's flanks come in
THIN_DEG = 20.0  # turned by this, the grid is as thin at its rim as it gets


@dataclass(frozen=True, slots=True, eq=False)
class ViewMesh:
    """A scene of N vertices, the head's first.

    Attributes:
        points_mm: (N, 3) float64, source camera frame.
        static: (N, 16) float32, the columns of augment.turn_kernels.
        normals: (N, 3) float32, source camera frame.
        opacity: (N, 2) float32, unturned and turned; only the fringe's count.
        heads, firm: how many of the vertices are the head's, and how many are opaque.
        firm_triangles, fringe_triangles: (T, 3) int32 each, both into all vertices: what is
            opaque, the head's first, and the image's grid, which thins out.
        head_triangles: how many of the firm ones are the head's.
    """

    points_mm: np.ndarray
    static: np.ndarray
    normals: np.ndarray
    opacity: np.ndarray
    heads: int
    firm: int
    firm_triangles: np.ndarray
    fringe_triangles: np.ndarray
    head_triangles: int


@dataclass(frozen=True, slots=True, eq=False)
class TurnedMesh:
    """Attributes:
    screen: (N, 3) float64, (u px, v px, z mm), the grid set back.
    varying: (N, 2) float32, cosine to the view's camera, and opacity.
    """

    screen: np.ndarray
    varying: np.ndarray


def view_mesh(scene: SceneMesh, camera: Camera) -> ViewMesh:
    """What the views of a scene share; ``camera`` is the source's."""
    static = np.zeros((len(scene.vertices_mm), kernels.STATIC), np.float32)
    columns = {
        kernels.POINT: scene.vertices_mm,
        kernels.COLOR: scene.model_color,
        kernels.FACING: facing_of(scene.vertices_mm, scene.normals, camera)[:, None],
        kernels.SECOND_PX: scene.second_px,
        kernels.SECOND_WEIGHT: scene.second_weight[:, None],
        kernels.SECOND_GAIN: scene.second_gain,
    }
    for first, values in columns.items():
        static[:, first : first + values.shape[1]] = values
    heads = int((scene.is_head > 0).sum())
    triangles = np.ascontiguousarray(scene.triangles, np.int32)
    return ViewMesh(
        points_mm=np.ascontiguousarray(scene.vertices_mm, np.float64),
        static=static,
        normals=scene.normals.astype(np.float32),
        opacity=np.stack([scene.cover, scene.solid], 1),
        heads=heads,
        firm=int((scene.firm > 0).sum()),
        firm_triangles=triangles[: scene.firm_triangles],
        fringe_triangles=triangles[scene.firm_triangles :],
        head_triangles=scene.head_triangles,
    )


def turn_mesh(
    mesh: ViewMesh, base: Pose, pose: Pose, camera: Camera, settings: VisibilitySettings
) -> TurnedMesh:
    """The mesh carried from the base pose to another, before the view's camera.

    The grid is set back by GRID_OFFSET_MM: where it overlaps the head, the head must win. Its rim
    and its flanks, which would smear, thin out with the turn; unturned, the image stays as it is.
    """
    turn = pose.apply(base.invert(np.eye(3))) - pose.apply(base.invert(np.zeros(3)))
    shift = pose.apply(base.invert(np.zeros(3)))
    screen = np.zeros((len(mesh.static), 3))
    varying = np.zeros((len(mesh.static), 2), np.float32)
    thin = min(turn_deg(base, pose) / THIN_DEG, 1.0), FLANK, settings.enlarged
    kernels.turn_vertices(
        mesh.points_mm,
        mesh.static,
        mesh.normals,
        mesh.opacity,
        (mesh.heads, mesh.firm),
        np.ascontiguousarray(turn.T),
        shift,
        lens_of(camera),
        GRID_OFFSET_MM,
        thin,
        screen,
        varying,
    )
    return TurnedMesh(screen, varying)


def turn_deg(base: Pose, pose: Pose) -> float:
    """The angle between two poses, degrees."""
    # by the chord, for the cosine says nothing below 1e-6°
    chord = np.linalg.norm(pose.rotation - base.rotation) / np.sqrt(8)
    return float(np.degrees(2 * np.arcsin(np.clip(chord, 0, 1))))
