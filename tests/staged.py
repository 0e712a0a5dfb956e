"""A known head before a known wall, photographed in depth and colour, registered without error."""

from dataclasses import dataclass

import numpy as np

from faces.camera import FLIP, Camera, Pose
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.rotation import matrix_from_euler
from faces.types import Appearance, FaceFit, Provenance, Quality, RegisteredFace, Scan
from imaging.raster import downsample, rasterise
from tests.toy import toy_model

CAMERA = Camera.from_fov(320, 240, 30.0)
DISTANCE_MM, WALL_MM = 700.0, 1400.0
SUPERSAMPLE = 3


@dataclass(frozen=True)
class Stage:
    scan: Scan
    face: RegisteredFace
    model: MorphableModel
    colors: np.ndarray  # (V, 3) the person's own, freckles and all


def stage(yaw_deg=0.0, pitch_deg=0.0, roll_deg=0.0, wall_mm=WALL_MM, donor_gain=0.85) -> Stage:
    """The stage with the head at a base pose; ``wall_mm`` 0 leaves the background hollow."""
    model = toy_model(grid=61, identities=1, albedos=1)
    shape = model.mean_mm.astype(np.float64)
    rotation = matrix_from_euler(yaw_deg, pitch_deg, roll_deg)
    pose = Pose(rotation, np.array([10.0, -5.0, DISTANCE_MM]))
    plain, own = _colors(model)
    vertices = pose.apply(shape)
    color = paint(vertices, model, own, CAMERA)
    head = rasterise(CAMERA.screen(vertices), model.triangles, (320, 240)).depth
    depth = np.where(head > 0, head, wall_mm).astype(np.float32)
    fit = FaceFit(pose, np.zeros(1), np.zeros(0), vertices)
    fitted = np.clip(donor_gain * plain, 0, 1).astype(np.float32)
    appearance = Appearance(
        np.zeros(1), np.ones(3), np.zeros(3), -FLIP[2], 0.0, 1.0, fitted, fitted
    )
    face = RegisteredFace(
        key="s/f",
        subject="s",
        provenance=Provenance("staged"),
        model=model.name,
        vertices_mm=vertices,
        shape_mm=shape,
        pose=pose,
        initial=fit,
        appearance=appearance,
        visible=np.ones(len(shape), bool),
        residual_mm=np.zeros(len(shape), np.float32),
        camera=CAMERA,
        quality=Quality("accept", "", 0.0, 1.0, 0.0, 0.0),
    )
    return Stage(Scan("s/f", "s", color, depth, CAMERA, Provenance("staged")), face, model, own)


def paint(vertices_mm, model, colors, camera, behind=None) -> np.ndarray:
    """A (h, w, 3) uint8 picture of the head with vertex colours over a wall's even gradient."""
    fine = camera.crop(0, 0, camera.width * SUPERSAMPLE, camera.height * SUPERSAMPLE, SUPERSAMPLE)
    shown = rasterise(fine.screen(vertices_mm), model.triangles, (fine.width, fine.height))
    image = shown.interpolate(colors, model.triangles)
    if behind is None:
        behind = np.broadcast_to(np.linspace(0.4, 0.7, fine.height)[:, None, None], image.shape)
    image = np.where(shown.mask[..., None], image, behind)
    return np.rint(downsample(image.astype(np.float32), SUPERSAMPLE) * 255).astype(np.uint8)


def _colors(model):
    """Skin in a light that turns with the head: without and with freckles 25 mm apart."""
    x, y, z = model.mean_mm.astype(np.float64).T
    normals = vertex_normals(model.mean_mm.astype(np.float64), model.triangles)
    shade = 0.65 + 0.35 * np.clip(normals @ [0.3, 0.4, 0.87], 0, 1)
    plain = model.albedo_mean * shade[:, None]
    freckles = 0.06 * np.sin(x / 4) * np.sin(y / 4) * np.cos(z / 5)
    return plain, np.clip(plain + freckles[:, None], 0, 1).astype(np.float32)
