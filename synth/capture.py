"""A simulated RGB-D camera before a virtual person, with the truth that it never shows."""

from dataclasses import dataclass

import cv2
import numpy as np

from faces.camera import Camera
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel
from faces.types import Landmarks, Provenance, Scan
from faces.visibility import visible_vertices
from imaging.shading import phong
from synth.render import render_face, render_mesh
from synth.sensor import SensorSettings, sense_color, sense_depth
from synth.sensor_presets import STRUCTURED_LIGHT
from synth.skin import lit_colors, skin_detail
from synth.subjects import Subject
from synth.torso import make_torso

# a 640×480 depth camera whose lens lets a face at 0.7 m fill half of the image's height
DEPTH_CAMERA = Camera(640, 480, 900.0, 900.0, 320.0, 240.0)


@dataclass(frozen=True, slots=True)
class CaptureSettings:
    """The camera and the room.

    Attributes:
        camera: colour and depth share it; no distortion.
        supersample: colour samples along each pixel axis.
        sensor: noise and faults.
        wall_mm: (nearest, farthest) of the wall behind the head, from the head.
        landmark_noise_px: standard deviation of the landmarks a detector would give.
        licence: of the face model's data, for the provenance.
    """

    camera: Camera = DEPTH_CAMERA
    supersample: int = 2
    sensor: SensorSettings = STRUCTURED_LIGHT
    wall_mm: tuple[float, float] = (250.0, 900.0)
    landmark_noise_px: float = 1.0
    licence: str = "CC0-1.0"


def capture(
    subject: Subject,
    model: MorphableModel,
    rng: np.random.Generator,
    settings: CaptureSettings = CaptureSettings(),
) -> Scan:
    """One frame of the subject; the same for the same state of ``rng``.

    Returns:
        A Scan with noisy landmarks, and in ``truth``: "vertices_mm" (V, 3) float64 in the camera
        frame; "identity", "expression", "beta"; "rotation" (3, 3) and "translation_mm" (3,) of
        the pose; "landmarks_px" (68, 2) with "landmark_vertices" (68,) and "landmarks_visible"
        (68,); "albedo" (V, 3); "light" (3,), "ambient" (3,), "directional" (3,) and "gloss" (2,)
        = (k_s, ν) of Eq. 4.
    """
    camera = settings.camera
    vertices = subject.pose.apply(model.shape(subject.identity, subject.expression))
    albedo = model.albedo(subject.beta)
    colors = lit_colors(model, vertices, albedo, subject.light, camera)
    behind, behind_depth = dressed(vertices, subject, rng, settings)
    detail = skin_detail(model, rng)
    image = render_face(model, vertices, colors, camera, behind, settings.supersample, detail)
    depth = np.where(image.mask, image.depth_mm, behind_depth)
    visible = visible_vertices(vertices, model.triangles, camera)
    points = jaw_aware_landmarks(model, visible)
    landmarks_px = camera.project(vertices[points])
    noise = rng.normal(0, settings.landmark_noise_px, landmarks_px.shape)
    return Scan(
        key=subject.key,
        subject=subject.subject,
        color=sense_color(image.color, rng, settings.sensor),
        depth_mm=sense_depth(depth, camera, rng, settings.sensor),
        camera=camera,
        provenance=Provenance("simulated", settings.licence, "not a person"),
        landmarks=Landmarks(landmarks_px + noise, "ibug68", np.ones(len(points))),
        truth={
            "vertices_mm": vertices,
            "landmarks_px": landmarks_px,
            "landmark_vertices": points,
            "landmarks_visible": visible[points],
            "albedo": albedo,
            **_parameters(subject),
        },
    )


def jaw_aware_landmarks(model: MorphableModel, visible: np.ndarray) -> np.ndarray:
    """Vertices (68,) int32 that an image's ibug68 points show.

    A jaw point that the camera does not see slides along its contour line towards the front of
    the cheek until it is seen: there the outline of the face is, and there people and detectors
    put the point.

    Args:
        model: gives the points and the contour lines.
        visible: (V,) bool, from faces.visibility.
    """
    points = model.landmarks["ibug68"].copy()
    for jaw, line in enumerate(model.contour):
        if visible[points[jaw]]:
            continue
        at = int(np.argmax(line == points[jaw]))  # 0, the front end, where it is not on its line
        while at > 0 and not visible[line[at]]:
            at -= 1
        points[jaw] = line[at]
    return points


def _parameters(subject: Subject) -> dict[str, np.ndarray]:
    light = subject.light
    return {
        "identity": subject.identity,
        "expression": subject.expression,
        "beta": subject.beta,
        "rotation": subject.pose.rotation,
        "translation_mm": subject.pose.translation_mm,
        "light": light.direction,
        "ambient": light.ambient,
        "directional": light.directional,
        "gloss": np.array([light.specular, light.shininess]),
    }


def dressed(vertices_mm, subject: Subject, rng, settings: CaptureSettings):
    """What is behind the head: colour (H, W, 3) uint8 and depth (H, W) of wall and clothes."""
    color, depth = _wall(subject, rng, settings)
    points, triangles, albedo = make_torso(vertices_mm, rng)
    normals = vertex_normals(points, triangles)
    light = subject.light
    lit = phong(albedo, normals, normals, light.direction, light.ambient, light.directional, 0, 1)
    lit = np.clip(lit, 0, 1)
    image = render_mesh(triangles, points, lit, settings.camera, color, settings.supersample)
    return image.color, np.where(image.mask, image.depth_mm, depth)


def _wall(subject: Subject, rng, settings: CaptureSettings) -> tuple[np.ndarray, np.ndarray]:
    """A wall: colour (H, W, 3) uint8, a gradient with soft stains; depth (H, W) mm, turned."""
    camera = settings.camera
    x, y = np.meshgrid(np.linspace(-1, 1, camera.width), np.linspace(-1, 1, camera.height))
    tone = rng.uniform(70, 200) + rng.uniform(-18, 18, 3)
    across, down = rng.uniform(-30, 30, 2)
    stains = cv2.GaussianBlur(rng.normal(size=(24, 32)), (0, 0), 2)
    stains = cv2.resize(stains / stains.std(), (camera.width, camera.height), None, 0, 0, 2)
    color = tone + (across * x + down * y + 4 * stains)[..., None]
    distance = subject.pose.translation_mm[2] + rng.uniform(*settings.wall_mm)
    slope = rng.uniform(-0.15, 0.15)
    # a plane z = d + s·X has 1/z linear in the image: z = d / (1 − s·(u − cx)/fx)
    across_mm = (np.arange(camera.width) + 0.5 - camera.cx) / camera.fx
    depth = np.broadcast_to(distance / (1 - slope * across_mm), x.shape)
    return np.clip(np.rint(color), 0, 255).astype(np.uint8), depth
