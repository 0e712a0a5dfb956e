"""Degradation of a finished image, as cameras and networks degrade images (INORig, supplement).

In a camera's order: lens and hand blur, exposure errs, the sensor adds noise, a program resamples,
a file is compressed. What is drawn is a record, and the record alone makes the image: stored with
a sample, it repeats it to the byte. No fault moves what a pixel shows: labels stay true.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from imaging.codec import decode_image, encode_jpeg
from imaging.srgb import decode_srgb, encode_srgb

CLEAN_QUALITY = 95  # of an image whose compression is not degraded
LUMINANCE = np.float32([0.2126, 0.7152, 0.0722])  # Rec. 709, linear light
CHROMA_GRAIN_PX = 1.5  # cameras smooth colour noise more than they smooth luminance
FILTERS = {
    "area": cv2.INTER_AREA,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
    "lanczos": cv2.INTER_LANCZOS4,
}
DOWN, UP = ("area", "linear", "cubic", "lanczos"), ("linear", "cubic", "lanczos")


@dataclass(frozen=True, slots=True)
class DegradeSettings:
    """Each fault's range (lowest, highest), drawn uniformly, and how often it happens.

    A range (0, 0) switches a fault off. The ranges are estimates, by eye from phone and web
    pictures; the quality's is that of common web services.

    Attributes:
        enabled: whether a set's samples are degraded.
        keep_clean: whether the sample holds the image without faults as well, KEY.clean.jpg.
        blur_px: standard deviation of the lens's blur, px.
        motion_px: length of a movement, px, in any direction.
        gain_stops: of the exposure, binary logarithm.
        cast_stops: of red and of blue against green, each drawn; the white balance's error.
        gamma_stops: binary logarithm of the exponent on linear light.
        shot: variance of the photons' noise at white, of linear light in [0, 1].
        read: standard deviation of the sensor's own noise, linear light; it comes with ``shot``.
        chroma: standard deviation of noise in colour alone, linear light.
        shrink: factor by which the image is made smaller and enlarged again, from 1 on.
        quality: of the JPEG, 1 to 100.
        blur_chance, motion_chance, gain_chance, cast_chance, gamma_chance: probability of each.
        noise_chance: of shot and read together.
        chroma_chance, shrink_chance, quality_chance: of each.
    """

    enabled: bool = False
    keep_clean: bool = False
    blur_px: tuple[float, float] = (0.3, 1.5)
    blur_chance: float = 0.5
    motion_px: tuple[float, float] = (1.0, 5.0)
    motion_chance: float = 0.15
    gain_stops: tuple[float, float] = (-0.5, 0.5)
    gain_chance: float = 0.5
    cast_stops: tuple[float, float] = (-0.12, 0.12)
    cast_chance: float = 0.5
    gamma_stops: tuple[float, float] = (-0.2, 0.2)
    gamma_chance: float = 0.3
    shot: tuple[float, float] = (0.0, 1.5e-3)
    read: tuple[float, float] = (0.0, 5e-3)
    noise_chance: float = 0.6
    chroma: tuple[float, float] = (0.0, 0.012)
    chroma_chance: float = 0.3
    shrink: tuple[float, float] = (1.0, 2.5)
    shrink_chance: float = 0.4
    quality: tuple[int, int] = (40, 90)
    quality_chance: float = 0.8


@dataclass(frozen=True, slots=True)
class Degradation:
    """What is done to one image; the defaults do nothing. Lengths in px of the image.

    Attributes:
        blur_px: standard deviation of a Gaussian.
        motion_px: length of a straight, even movement; motion_deg: its direction, from image
            right towards down.
        gain: (3,) factors on linear red, green and blue; 1 is right.
        gamma: exponent on linear light after that; above 1 darkens the middle tones.
        shot, read, chroma: of the noise, see DegradeSettings; noise_seed: its generator's.
        shrink: the image is made smaller by this factor and enlarged again; 1 leaves it.
        down, up: filters of that, names of FILTERS.
        quality: of the JPEG, with halved chroma (4:2:0); 0 is CLEAN_QUALITY with full chroma.
    """

    blur_px: float = 0.0
    motion_px: float = 0.0
    motion_deg: float = 0.0
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gamma: float = 1.0
    shot: float = 0.0
    read: float = 0.0
    chroma: float = 0.0
    noise_seed: int = 0
    shrink: float = 1.0
    down: str = "area"
    up: str = "linear"
    quality: int = 0

    @property
    def any(self) -> bool:
        """Whether anything is done."""
        faults = (self.blur_px, self.motion_px, self.shot, self.read, self.chroma, self.quality)
        even = self.gain == (1.0, 1.0, 1.0) and self.gamma == 1
        return any(fault > 0 for fault in faults) or not even or self.shrink > 1


def draw_degradation(
    rng: np.random.Generator, settings: DegradeSettings = DegradeSettings()
) -> Degradation:
    """What happens to one image.

    Every fault is drawn whether it happens or not, so that a change to one leaves the others of
    the same generator as they were.
    """
    s = settings

    def happens(chance):
        return bool(rng.uniform() < chance)

    blur, motion = happens(s.blur_chance), happens(s.motion_chance)
    gain, cast = happens(s.gain_chance), happens(s.cast_chance)
    gamma, noise = happens(s.gamma_chance), happens(s.noise_chance)
    chroma, shrink = happens(s.chroma_chance), happens(s.shrink_chance)
    pressed = happens(s.quality_chance)
    stops = gain * rng.uniform(*s.gain_stops)
    red, blue = cast * rng.uniform(*s.cast_stops, 2)
    return Degradation(
        blur_px=blur * rng.uniform(*s.blur_px),
        motion_px=motion * rng.uniform(*s.motion_px),
        motion_deg=motion * rng.uniform(0, 180),
        gain=tuple(float(2.0**step) for step in (stops + red, stops, stops + blue)),
        gamma=float(2.0 ** (gamma * rng.uniform(*s.gamma_stops))),
        shot=noise * rng.uniform(*s.shot),
        read=noise * rng.uniform(*s.read),
        chroma=chroma * rng.uniform(*s.chroma),
        noise_seed=int(rng.integers(2**32)),
        shrink=max(1.0, shrink * rng.uniform(*s.shrink)),
        down=DOWN[rng.integers(len(DOWN))],
        up=UP[rng.integers(len(UP))],
        quality=int(pressed * rng.integers(s.quality[0], s.quality[1] + 1)),
    )


def degrade(color: np.ndarray, how: Degradation) -> np.ndarray:
    """The degraded image (H, W, 3) uint8 sRGB of one of that kind, its compression included where
    that is degraded."""
    return decode_image(encode_degraded(color, how)) if how.quality else faulty(color, how)


def encode_degraded(color: np.ndarray, how: Degradation) -> bytes:
    """The degraded image as the JPEG that it comes in."""
    if how.quality:
        return encode_jpeg(faulty(color, how), how.quality, "420")
    return encode_jpeg(faulty(color, how), CLEAN_QUALITY)


def faulty(color: np.ndarray, how: Degradation) -> np.ndarray:
    """The image with all faults but the compression; itself where there is none."""
    light = decode_srgb(color)
    changed = noisy(exposed(blurred(light, how), how), how)
    image = color if changed is light else encode_srgb(changed)
    return resampled(image, how)


def blurred(light: np.ndarray, how: Degradation) -> np.ndarray:
    """Linear light (H, W, 3) float32 after the lens and the hand."""
    if how.motion_px > 0:
        kernel = motion_kernel(how.motion_px, how.motion_deg)
        light = cv2.filter2D(light, -1, kernel, borderType=cv2.BORDER_REFLECT)
    if how.blur_px > 0:
        light = cv2.GaussianBlur(light, (0, 0), how.blur_px, borderType=cv2.BORDER_REFLECT)
    return light


def motion_kernel(length_px: float, angle_deg: float) -> np.ndarray:
    """(k, k) float32, sum 1: an even movement along a line through the middle, k odd.

    The line is laid down as points an eighth of a pixel apart, each shared by the four pixels
    around it.
    """
    count = max(2, int(np.ceil(8 * length_px)))
    along = ((np.arange(count) + 0.5) / count - 0.5) * length_px
    way = np.array([np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))])
    radius = int(np.ceil(length_px / 2)) + 1
    points = along[:, None] * way + radius
    whole = np.floor(points).astype(int)
    share = points - whole
    kernel = np.zeros((2 * radius + 1, 2 * radius + 1))
    for right in (0, 1):
        for down in (0, 1):
            weight = np.abs(1 - right - share[:, 0]) * np.abs(1 - down - share[:, 1])
            np.add.at(kernel, (whole[:, 1] + down, whole[:, 0] + right), weight)
    return (kernel / kernel.sum()).astype(np.float32)


def exposed(light: np.ndarray, how: Degradation) -> np.ndarray:
    """Linear light under another exposure, white balance and tone curve."""
    if how.gain != (1.0, 1.0, 1.0):
        light = np.clip(light * np.float32(how.gain), 0, 1)
    return light ** np.float32(how.gamma) if how.gamma != 1 else light


def noisy(light: np.ndarray, how: Degradation) -> np.ndarray:
    """Linear light with the noise of photons, sensor and colour; not clipped."""
    rng = np.random.default_rng(how.noise_seed)
    if how.shot > 0 or how.read > 0:
        sigma = np.sqrt(how.shot * light + how.read**2)
        light = light + sigma * rng.standard_normal(light.shape, dtype=np.float32)
    if how.chroma > 0:
        light = light + how.chroma * _colour_grain(light.shape, rng)
    return light


def resampled(image: np.ndarray, how: Degradation) -> np.ndarray:
    """The image (H, W, 3) uint8 made smaller and enlarged again.

    OpenCV's filters lie about pixel centres, so nothing shifts; INTER_NEAREST, which would by half
    a pixel, is none of FILTERS.
    """
    if how.shrink <= 1:
        return image
    height, width = image.shape[:2]
    small = (max(1, round(width / how.shrink)), max(1, round(height / how.shrink)))
    less = cv2.resize(image, small, interpolation=FILTERS[how.down])
    return cv2.resize(less, (width, height), interpolation=FILTERS[how.up])


def _colour_grain(shape, rng):
    """(H, W, 3) float32 of unit variance a channel before its luminance is taken away."""
    grain = rng.standard_normal(shape, dtype=np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), CHROMA_GRAIN_PX, borderType=cv2.BORDER_REFLECT)
    grain *= np.float32(2 * np.sqrt(np.pi) * CHROMA_GRAIN_PX)  # what the blur took of the spread
    return grain - (grain @ LUMINANCE)[..., None]
