"""What a depth camera and a colour camera make of a clean image."""

from dataclasses import dataclass

import cv2
import numpy as np

from faces.camera import Camera

HEAD_MM = 120.0  # from the nose tip back to the ears: where a blind spot matters


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """Faults of an RGB-D camera. The depth figures are those of a structured-light sensor.

    Attributes:
        depth_noise_mm: standard deviation that does not grow with distance.
        depth_noise_per_mm2: what is added a mm² of z: 1.2e-6 gives 0.6 mm at 700 mm.
        noise_grain_px: correlation length of the depth noise (matching windows overlap).
        depth_step_mm: quantisation.
        grazing_cos: cosine of the view angle below which depth may drop out, surely at a third.
        jump_mm: a depth step between neighbours beyond which either may drop out.
        holes: largest number of blind spots; hole_px: (smallest, largest) radius.
        spikes: share of pixels that are wildly off; spike_mm: by how much at most.
        color_noise: standard deviation of the colour, of 255.
    """

    depth_noise_mm: float = 0.15
    depth_noise_per_mm2: float = 1.2e-6
    noise_grain_px: float = 0.8
    depth_step_mm: float = 0.5
    grazing_cos: float = 0.3
    jump_mm: float = 15.0
    holes: int = 3
    hole_px: tuple[float, float] = (2.0, 9.0)
    spikes: float = 2e-4
    spike_mm: float = 60.0
    color_noise: float = 2.0


def sense_depth(
    depth_mm: np.ndarray, camera: Camera, rng: np.random.Generator, settings: SensorSettings
) -> np.ndarray:
    """Depth as measured: (H, W) float32 mm, 0 where the sensor saw nothing.

    Args:
        depth_mm: (H, W) true z, 0 where there is nothing.
        camera: of the image.
        rng: every fault is drawn from it.
        settings: how bad it is.
    """
    s = settings
    depth = np.asarray(depth_mm, dtype=np.float64)
    sigma = s.depth_noise_mm + s.depth_noise_per_mm2 * depth**2
    measured = depth + sigma * _grain(depth.shape, s.noise_grain_px, rng)
    spiky = rng.random(depth.shape) < s.spikes
    measured = np.where(spiky, measured + rng.uniform(-1, 1, depth.shape) * s.spike_mm, measured)
    measured = np.rint(measured / s.depth_step_mm) * s.depth_step_mm
    lost = _grazing(depth, camera, rng, s) | _jumps(depth, rng, s) | _holes(depth, rng, s)
    return np.where((depth > 0) & ~lost, np.maximum(measured, 0), 0).astype(np.float32)


def sense_color(
    color: np.ndarray, rng: np.random.Generator, settings: SensorSettings
) -> np.ndarray:
    """Colour (H, W, 3) uint8 with noise: a sharp part and, as after demosaicing, a soft one."""
    sharp = rng.normal(0, settings.color_noise, color.shape)
    soft = cv2.GaussianBlur(rng.normal(0, 2 * settings.color_noise, color.shape), (0, 0), 0.9)
    return np.clip(np.rint(color + sharp + soft), 0, 255).astype(np.uint8)


def _grain(shape, length_px, rng):
    """Unit-variance noise with the given correlation length."""
    noise = rng.normal(size=shape)
    if length_px <= 0:
        return noise
    noise = cv2.GaussianBlur(noise, (0, 0), length_px)
    return noise / noise.std()


def _view_cosine(depth, camera: Camera):
    """Cosine (H, W) between the surface's normal, from depth differences, and the view."""
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    points = camera.unproject(np.stack([x, y], -1), depth)
    normals = np.cross(np.gradient(points, axis=1), np.gradient(points, axis=0))
    rays = points if camera.is_perspective else np.array([0.0, 0.0, 1.0])
    length = np.linalg.norm(normals, axis=-1) * np.linalg.norm(rays, axis=-1)
    return np.abs((normals * rays).sum(-1)) / np.maximum(length, 1e-12)


def _grazing(depth, camera, rng, s):
    """Drop-outs where the surface turns away: surely below a third of the limit."""
    cosine = _view_cosine(depth, camera)
    keep = np.clip((3 * cosine - s.grazing_cos) / max(2 * s.grazing_cos, 1e-9), 0, 1)
    return rng.random(depth.shape) >= keep


def _jumps(depth, rng, s):
    """Half of the pixels beside a step in depth, where the two cameras see different things."""
    square = np.ones((3, 3), np.uint8)
    z = depth.astype(np.float32)
    step = cv2.dilate(z, square) - cv2.erode(z, square)
    return (step > s.jump_mm) & (rng.random(depth.shape) < 0.5)


def _holes(depth, rng, s):
    """A few ragged blind spots, placed on what is nearest: the face."""
    holes = np.zeros(depth.shape, dtype=bool)
    seen = depth > 0
    if not seen.any():
        return holes
    near = np.argwhere(seen & (depth < np.percentile(depth[seen], 1) + HEAD_MM))
    y, x = np.mgrid[: depth.shape[0], : depth.shape[1]]
    ragged = cv2.GaussianBlur(rng.normal(size=depth.shape), (0, 0), 2.0)
    for _ in range(rng.integers(s.holes + 1)):
        row, column = near[rng.integers(len(near))]
        radius = rng.uniform(*s.hole_px)
        holes |= np.hypot(y - row, x - column) < radius * (1 + 4 * ragged)
    return holes
