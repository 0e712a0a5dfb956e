"""What a depth camera and a colour camera make of a clean image."""

from dataclasses import dataclass

import cv2
import numpy as np

from faces.camera import Camera
from synth.depth_faults import blind_spots, dark_loss, flying, grazing, jump_loss, shadowed, steps

SKIN_REFLECTANCE = 0.5  # of the near infrared; melanin hardly absorbs there, so of any skin tone


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """Faults of an RGB-D camera; every one is off at 0. See synth.sensor_presets.

    Attributes:
        depth_noise_mm: standard deviation that does not grow with distance.
        depth_noise_per_mm2: what is added a mm² of z: 1.2e-6 gives 0.6 mm at 700 mm.
        noise_grain_px: correlation length of the depth noise (matching windows overlap).
        depth_step_mm: quantisation of the depth.
        disparity_step_per_mm: quantisation of 1/z: a step of z is this times z².
        lateral_px: standard deviation of where a pixel's depth is read, each axis.
        misaligned_px: largest shift of the depth against the colour, each axis: one a frame.
        grazing_cos: cosine of the view angle below which depth may drop out, surely at a third.
        baseline_mm: from the camera to its projector or second camera, which stands to its right
            in the image: what that does not see has no depth.
        jump_mm: a depth step between neighbours beyond which their pixels suffer.
        jump_loss: share of those that drop out.
        flying: share of those that read something between the two sides.
        dark: infrared reflectance below which depth may drop out, surely at a third.
        holes: largest number of blind spots; hole_px: (smallest, largest) radius.
        spikes: share of pixels that are wildly off; spike_mm: by how much at most.
        exposure: standard deviation in stops.
        white_balance: relative standard deviation of red and blue against green.
        color_noise: standard deviation of the colour, of 255.
        vignetting: what the corners lose, at most.
        jpeg: (lowest, highest) quality of the camera's own compression; 0 for none.
    """

    depth_noise_mm: float = 0.0
    depth_noise_per_mm2: float = 0.0
    noise_grain_px: float = 0.0
    depth_step_mm: float = 0.0
    disparity_step_per_mm: float = 0.0
    lateral_px: float = 0.0
    misaligned_px: float = 0.0
    grazing_cos: float = 0.0
    baseline_mm: float = 0.0
    jump_mm: float = 15.0
    jump_loss: float = 0.0
    flying: float = 0.0
    dark: float = 0.0
    holes: int = 0
    hole_px: tuple[float, float] = (2.0, 9.0)
    spikes: float = 0.0
    spike_mm: float = 60.0
    exposure: float = 0.0
    white_balance: float = 0.0
    color_noise: float = 0.0
    vignetting: float = 0.0
    jpeg: tuple[int, int] = (0, 0)

    def sigma_mm(self, depth_mm: np.ndarray) -> np.ndarray:
        """Standard deviation of the noise at a depth, before quantisation."""
        return self.depth_noise_mm + self.depth_noise_per_mm2 * np.square(depth_mm)


def sense_depth(
    depth_mm: np.ndarray,
    camera: Camera,
    rng: np.random.Generator,
    settings: SensorSettings,
    reflectance: np.ndarray | None = None,
) -> np.ndarray:
    """Depth as measured: (H, W) float32 mm, 0 where the sensor saw nothing.

    Args:
        depth_mm: (H, W) true z, 0 where there is nothing.
        camera: of the image.
        rng: every fault is drawn from it.
        settings: how bad it is.
        reflectance: (H, W) in [0, 1] of the near infrared, see infrared(); bright where None.
    """
    s, true = settings, np.asarray(depth_mm, dtype=np.float32)
    depth, moved = _displaced(true, rng, s)
    lost = (depth <= 0) | grazing(depth, camera, rng, s.grazing_cos)
    lost |= shadowed(depth, camera, s.baseline_mm)
    beside = steps(depth, s.jump_mm)
    lost |= jump_loss(beside, rng, s.jump_loss) | blind_spots(depth, rng, s.holes, s.hole_px)
    if reflectance is not None:
        lost |= dark_loss(_read(reflectance, moved), rng, s.dark)
    measured = depth + s.sigma_mm(depth) * _grain(depth.shape, s.noise_grain_px, rng)
    measured = flying(measured, depth, beside, rng, s.flying)
    measured = _spiked(measured, rng, s)
    return np.where(lost, 0, np.maximum(_quantised(measured, s), 0)).astype(np.float32)


def sense_color(
    color: np.ndarray, rng: np.random.Generator, settings: SensorSettings
) -> np.ndarray:
    """Colour (H, W, 3) uint8: exposure, white balance, vignetting, noise, the camera's JPEG."""
    s = settings
    gain = 2.0 ** (s.exposure * np.clip(rng.normal(), -2, 2)) * np.ones(3)
    gain[[0, 2]] *= 1 + s.white_balance * np.clip(rng.normal(size=2), -2, 2)
    fall = _vignette(color.shape, s.vignetting * rng.uniform(0.3, 1.0))
    # gains act on linear light; sRGB is near enough a power of 2.2, which turns them into gains
    image = color * (fall[..., None] * gain.astype(np.float32)) ** np.float32(1 / 2.2)
    if s.color_noise > 0:
        image += _noise(color.shape, s.color_noise, rng)
    image = np.clip(np.rint(image), 0, 255).astype(np.uint8)
    quality = int(rng.integers(s.jpeg[0], s.jpeg[1] + 1))
    return _compressed(image, quality) if quality > 0 else image


def infrared(color: np.ndarray, hair: np.ndarray) -> np.ndarray:
    """Reflectance (H, W) float32 of the near infrared, as a colour image lets it be guessed.

    Args:
        color: (H, W, 3) uint8 sRGB.
        hair: (H, W) bool. Hair absorbs there about as it does in the visible; anything else is
            taken for bright, as skin of any tone is.
    """
    linear = (color.astype(np.float32) / 255) ** np.float32(2.2)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)  # Rec. 709
    return np.where(hair, luminance, np.float32(SKIN_REFLECTANCE))


def _displaced(depth, rng, s):
    """The depth read beside each pixel, and where: maps (2, H, W), None where in place.

    Between pixels of one surface it is interpolated, at a jump it is the nearest one's.
    """
    shift = rng.uniform(-1, 1, 2) * s.misaligned_px
    if s.lateral_px == 0 and not shift.any():
        return depth, None
    height, width = depth.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    jitter = rng.standard_normal((2, height, width), dtype=np.float32) * np.float32(s.lateral_px)
    moved = np.stack([x + jitter[0] + shift[0], y + jitter[1] + shift[1]]).astype(np.float32)
    nearest = _read(depth, moved)
    smooth = cv2.remap(depth, moved[0], moved[1], cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE)
    whole = steps(depth, s.jump_mm) == 0
    return np.where(whole & (np.abs(smooth - nearest) < s.jump_mm), smooth, nearest), moved


def _read(image, moved):
    if moved is None:
        return image
    return cv2.remap(image, moved[0], moved[1], cv2.INTER_NEAREST, None, cv2.BORDER_REPLICATE)


def _quantised(depth, s):
    if s.disparity_step_per_mm > 0:
        inverse = 1 / np.maximum(depth, 1.0)
        steps_away = np.maximum(np.rint(inverse / s.disparity_step_per_mm), 1)
        depth = 1 / (steps_away * s.disparity_step_per_mm)
    if s.depth_step_mm > 0:
        depth = np.rint(depth / s.depth_step_mm) * s.depth_step_mm
    return depth


def _spiked(depth, rng, s):
    if s.spikes <= 0:
        return depth
    at = rng.random(depth.shape, dtype=np.float32) < s.spikes
    depth = depth.copy()
    depth[at] += rng.uniform(-1, 1, int(at.sum())) * s.spike_mm
    return depth


def _grain(shape, length_px, rng):
    """Unit-variance noise with the given correlation length."""
    noise = rng.standard_normal(shape, dtype=np.float32)
    if length_px <= 0:
        return noise
    noise = cv2.GaussianBlur(noise, (0, 0), length_px)
    return noise / noise.std()


def _noise(shape, sigma, rng):
    """A sharp part and, as after demosaicing, a soft one."""
    sharp = rng.standard_normal(shape, dtype=np.float32)
    soft = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), 0.9)
    return np.float32(sigma) * (sharp + 2 * soft)


def _vignette(shape, loss):
    """(H, W) float32 from 1 in the middle to 1 − loss in the corners, with the radius squared."""
    height, width = shape[:2]
    y, x = np.ogrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return (1 - loss * (x**2 + y**2) / 2).astype(np.float32)


def _compressed(image, quality):
    _, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])
