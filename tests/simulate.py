"""Simulated RGB-D frames of a model whose true vertices are known."""

from dataclasses import replace

import numpy as np

from faces.camera import Camera, Pose
from faces.mesh import vertex_normals
from faces.rotation import matrix_from_euler
from faces.types import Landmarks, Provenance, Scan
from faces.visibility import view_directions
from imaging.raster import rasterise
from imaging.shading import phong

CAMERA = Camera.from_fov(320, 320, 26.0)


def true_shape(model, rng, off_model_mm=2.0):
    """(V, 3) mm, model frame: a sample of the model plus smooth hills that no mode explains."""
    shape = model.shape(rng.normal(0, 0.8, len(model.identity_mm)), np.zeros(0))
    for _ in range(12):
        center = model.mean_mm[rng.choice(np.flatnonzero(model.regions["face"]))]
        hill = np.exp(-((model.mean_mm - center) ** 2).sum(1) / (2 * rng.uniform(12, 25) ** 2))
        shape = shape + hill[:, None] * rng.normal(0, off_model_mm, 3)
    return shape


def true_pose(rng, yaw_deg=None, distance_mm=600.0):
    yaw = rng.uniform(-15, 15) if yaw_deg is None else yaw_deg
    rotation = matrix_from_euler(yaw, rng.uniform(-8, 8), rng.uniform(-5, 5))
    return Pose(rotation, np.array([rng.uniform(-8, 8), rng.uniform(-8, 8), distance_mm]))


def frame(model, shape_mm, pose, rng, camera=CAMERA, noise_mm=0.3, beta=None):
    """Scan with colour, noisy depth, landmarks (1 px off) and truth of a shape (V, 3) mm."""
    vertices = pose.apply(shape_mm)
    normals = vertex_normals(vertices, model.triangles)
    colors = phong(
        model.albedo(rng.normal(0, 0.7, len(model.albedo_modes)) if beta is None else beta),
        normals,
        view_directions(vertices, camera),
        np.array([0.3, -0.5, -0.81]),
        np.full(3, 0.55),
        np.full(3, 0.5),
        0.05,
        12.0,
    )
    fragments = rasterise(camera.screen(vertices), model.triangles, (camera.width, camera.height))
    image = fragments.interpolate(np.clip(colors, 0, 1).astype(np.float32), model.triangles)
    depth = fragments.depth + fragments.mask * rng.normal(0, noise_mm, fragments.depth.shape)
    points = camera.project(vertices[model.landmarks["ibug68"]])
    return Scan(
        "simulated/0",
        "simulated",
        (255 * image + 0.5).astype(np.uint8),
        depth.astype(np.float32),
        camera,
        Provenance("simulated"),
        Landmarks(points + rng.normal(0, 1.0, points.shape), "ibug68", np.ones(len(points))),
        {"vertices_mm": vertices},
    )


def subject(model, seed, **options):
    """Scan of a fresh off-model face."""
    rng = np.random.default_rng(seed)
    return frame(model, true_shape(model, rng), true_pose(rng), rng, **options)


def with_occluder(scan, color=(40, 90, 200), nearer_mm=4.0):
    """The scan with a coloured card in front of one cheek, and the card's mask (H, W)."""
    target = scan.landmarks.points_px[[31, 3]].mean(0)
    height, width = scan.depth_mm.shape
    v, u = np.mgrid[:height, :width] + 0.5
    card = (abs(u - target[0]) < 22) & (abs(v - target[1]) < 26) & (scan.depth_mm > 0)
    image, depth = scan.color.copy(), scan.depth_mm.copy()
    image[card] = color
    depth[card] -= nearer_mm
    return replace(scan, color=image, depth_mm=depth), card


def with_damage(scan, rng, holes=25, spikes=0.01):
    """The scan with round holes and spikes of centimetres in its depth."""
    depth = scan.depth_mm.copy()
    face = np.argwhere(depth > 0)
    v, u = np.mgrid[: depth.shape[0], : depth.shape[1]]
    for row, column in face[rng.integers(0, len(face), holes)]:
        depth[(v - row) ** 2 + (u - column) ** 2 < rng.uniform(2, 7) ** 2] = 0
    spiked = (rng.random(depth.shape) < spikes) & (depth > 0)
    depth[spiked] += rng.normal(0, 40, spiked.sum())
    return replace(scan, depth_mm=depth)


def random_similarity(rng):
    """Pose with any rotation, a scale and a translation."""
    angles = rng.uniform([-80, -60, -170], [80, 60, 170])
    return Pose(matrix_from_euler(*angles), rng.normal(0, 200, 3), rng.uniform(0.7, 1.4))
