"""What a depth camera and a colour camera make of a clean image."""

from dataclasses import dataclass

import cv2
import numpy as np

from faces.camera import Camera
from imaging.codec import decode_image, encode_jpeg
from synth.noise import NORMAL, grain, levels
from synth.sensors import kernels
from synth.sensors.depth_faults import (
    blind_spots,
    dark_loss,
    flying,
    grazing,
    jump_loss,
    shadowed,
    steps,
)
from synth.skin.pigment import encode

SKIN_REFLECTANCE = 0.5  # of the near infrared; melanin hardly absorbs there, so of any skin tone
HALO_PX = 1.2  # reach of what a camera's sharpening compares a pixel with
# what a code of sRGB is in linear light, and the code of linear light in steps finer than codes
_CODES = encode(np.linspace(0, 1, 16385))
_LINEAR = np.interp(np.arange(256) / 255, _CODES, np.linspace(0, 1, 16385))
_CODE = np.rint(255 * _CODES).astype(np.uint8)
# NORMAL for a mosaic of 16 bits, which reaches ±4.3, and what interpolation from four greens,
# four reds and four blues leaves of the variance on average (bilinear: 5/8, 9/16, 9/16)
_MOSAIC_STEP = 4.5 / 32768
_MOSAIC = np.rint(32768 + NORMAL / _MOSAIC_STEP).astype(np.uint16)
_UNIT = (_MOSAIC_STEP / np.sqrt([9 / 16, 5 / 8, 9 / 16])).astype(np.float32)


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """Faults of an RGB-D camera; every one is off at 0. See synth.sensors.presets.

    Attributes:
        depth_noise_mm: standard deviation that does not grow with distance.
        depth_noise_per_mm2: what is added a mm² of z: 1.2e-6 gives 0.6 mm at 700 mm.
        noise_grain_px: correlation length of the depth noise (matching windows overlap).
        depth_step_mm: quantisation of the depth.
        disparity_step_per_mm: quantisation of 1/z: a step of z is this times z².
        nearest_mm: what is nearer has no depth.
        lateral_px: standard deviation of where a pixel's depth is read, each axis.
        misaligned_px: largest shift of the depth against the colour, each axis: one a frame.
        grazing_cos: cosine of the view angle below which depth may drop out, surely at a third.
        baseline_mm: from the camera to its projector or second camera, which stands to its right
            in the image: what that does not see has no depth.
        jump_mm: a depth step between neighbours beyond which their pixels suffer.
        jump_loss: share of those that drop out.
        flying: share of those that read something between the two sides.
        dark: infrared reflectance below which depth may drop out, surely at a third.
        holes: largest number of blind spots.
        hole_px: (smallest, largest) radius.
        spikes: share of pixels that are wildly off.
        spike_mm: by how much at most.
        exposure: standard deviation in stops.
        white_balance: relative standard deviation of red and blue against green.
        vignetting: share of the light that the corners lose, at most.
        lens_px: standard deviation of the lens's blur.
        electrons: that white sets free in a photodiode; their number's noise is its root.
        read_electrons: standard deviation of what reading a photodiode adds.
        sharpening: share of its difference to the surroundings that the camera adds to a pixel.
        jpeg: (lowest, highest) quality of the camera's own compression, 4:2:0; 0 for none.
    """

    depth_noise_mm: float = 0.0
    depth_noise_per_mm2: float = 0.0
    noise_grain_px: float = 0.0
    depth_step_mm: float = 0.0
    disparity_step_per_mm: float = 0.0
    nearest_mm: float = 0.0
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
    vignetting: float = 0.0
    lens_px: float = 0.0
    electrons: float = 0.0
    read_electrons: float = 0.0
    sharpening: float = 0.0
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
    s, true = settings, np.ascontiguousarray(depth_mm, dtype=np.float32)
    depth, source = _displaced(true, rng, s)
    lost = (depth <= s.nearest_mm) | grazing(depth, camera, rng, s.grazing_cos)
    lost |= shadowed(depth, camera, s.baseline_mm)
    beside = steps(depth, s.jump_mm)
    lost |= jump_loss(beside, rng, s.jump_loss) | blind_spots(depth, rng, s.holes, s.hole_px)
    if reflectance is not None:
        there = reflectance if source is None else np.take(reflectance, source)
        lost |= dark_loss(there, rng, s.dark)
    measured = depth + s.sigma_mm(depth) * grain(rng, depth.shape, s.noise_grain_px)
    measured = flying(measured, depth, beside, rng, s.flying)
    measured = np.maximum(_quantised(_spiked(measured, rng, s), s), 0)
    measured[lost] = 0
    return measured.astype(np.float32, copy=False)


def sense_color(
    color: np.ndarray, rng: np.random.Generator, settings: SensorSettings
) -> np.ndarray:
    """Colour (H, W, 3) uint8 sRGB as a cheap camera makes it of a clean picture of that kind.

    In its order: the lens blurs and darkens the corners, exposure and white balance err, photons
    and the read-out add noise to a Bayer mosaic, whose interpolation correlates it; the camera
    sharpens, and compresses with halved chroma.
    """
    s = settings
    gain = 2.0 ** (s.exposure * np.clip(rng.normal(), -2, 2)) * np.ones(3)
    gain[[0, 2]] *= 1 + s.white_balance * np.clip(rng.normal(size=2), -2, 2)
    fall = s.vignetting * rng.uniform(0.3, 1.0)
    image = np.ascontiguousarray(color)
    if s.lens_px > 0:
        image = cv2.GaussianBlur(image, (0, 0), s.lens_px)
    table = (gain[:, None] * _LINEAR).astype(np.float32)
    white = 1 / s.electrons if s.electrons > 0 else 0.0
    noise = (image, _mosaic_noise(image.shape[:2], rng), _UNIT) if white else (image, image, _UNIT)
    image = kernels.exposed(table, noise, white, (s.read_electrons * white) ** 2, fall, _CODE)
    if s.sharpening > 0:
        around = cv2.GaussianBlur(image, (0, 0), HALO_PX)
        image = cv2.addWeighted(image, 1 + s.sharpening, around, -s.sharpening, 0)
    quality = int(rng.integers(s.jpeg[0], s.jpeg[1] + 1))
    return decode_image(encode_jpeg(image, quality, "420")) if quality > 0 else image


def infrared(color: np.ndarray, hair: np.ndarray) -> np.ndarray:
    """Reflectance (H, W) float32 of the near infrared, as a colour image lets it be guessed.

    Args:
        color: (H, W, 3) uint8 sRGB.
        hair: (H, W) bool. Hair absorbs there about as it does in the visible; anything else is
            taken for bright, as skin of any tone is.
    """
    reflectance = np.full(hair.shape, SKIN_REFLECTANCE, dtype=np.float32)
    weights = np.array([0.2126, 0.7152, 0.0722])  # Rec. 709
    reflectance[hair] = _LINEAR[color[hair]] @ weights
    return reflectance


def _displaced(depth, rng, s):
    """The depth read beside each pixel, and the flat index of where; None where in place.

    Between pixels of one surface it is interpolated, at a jump it is the nearest one's.
    """
    shift = rng.uniform(-1, 1, 2) * s.misaligned_px
    if s.lateral_px == 0 and not shift.any():
        return depth, None
    dice, table = levels(rng, (2, *depth.shape)), NORMAL * np.float32(s.lateral_px)
    beside, jump = steps(depth, s.jump_mm), np.float32(s.jump_mm)
    return kernels.displaced(depth, beside, dice, table, shift.astype(np.float32), jump)


def _quantised(depth, s):
    if s.disparity_step_per_mm > 0:
        inverse = 1 / np.maximum(depth, 1)
        steps_away = np.maximum(np.rint(inverse / s.disparity_step_per_mm), 1)
        depth = 1 / s.disparity_step_per_mm / steps_away
    if s.depth_step_mm > 0:
        depth = np.rint(depth / s.depth_step_mm) * s.depth_step_mm
    return depth


def _spiked(depth, rng, s):
    if s.spikes <= 0:
        return depth
    count = rng.binomial(depth.size, s.spikes)
    spiked = depth.copy()
    spiked.flat[rng.integers(depth.size, size=count)] += rng.uniform(-1, 1, count) * s.spike_mm
    return spiked


def _mosaic_noise(shape, rng):
    """(H, W, 3) uint16: independent in a Bayer mosaic's diodes, then interpolated as they are."""
    return cv2.cvtColor(_MOSAIC.take(levels(rng, shape)), cv2.COLOR_BayerRG2RGB)
