"""Light of a virtual scene: a soft environment and one lamp."""

from dataclasses import dataclass, replace

import numpy as np

from imaging.shading import harmonics, irradiance_polynomial
from imaging.shadow import sphere_directions

_Y0 = 0.282095  # the constant harmonic, of imaging.shading.harmonics
_AROUND = sphere_directions(40)
_DEGREE = np.repeat([0, 1, 2], [1, 3, 5])
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # Rec. 709
# Normals of a face that looks at the camera, as a camera's meter weighs them.
METERED = np.stack([way for way in sphere_directions(120) if way[2] < -0.45])


@dataclass(frozen=True, slots=True, eq=False)
class Light:
    """An environment in spherical harmonics and a lamp, in the camera frame, linear light.

    Attributes:
        environment: (9, 3) radiance in imaging.shading.harmonics, a column a channel.
        direction: (3,) unit, from the face towards the lamp.
        color: (3,) irradiance of the lamp over π, so that a white surface facing it shows it.
        specular: factor k_s on every piece's gloss.
        shininess: ν of skin.
        size_deg: angular radius of the lamp, which softens its shadows.
    """

    environment: np.ndarray
    direction: np.ndarray
    color: np.ndarray
    specular: float = 1.0
    shininess: float = 12.0
    size_deg: float = 4.0

    def turned(self, rotation: np.ndarray) -> "Light":
        """The light carried along by a rotation (3, 3) of the camera frame."""
        rotation = np.asarray(rotation)
        # harmonics through order 2 are closed under rotation: the fit is exact
        values = harmonics(_AROUND @ rotation) @ self.environment
        environment = np.linalg.lstsq(harmonics(_AROUND), values, rcond=None)[0]
        return replace(self, environment=environment, direction=rotation @ self.direction)

    def brighter(self, gain: float | np.ndarray) -> "Light":
        """The same light, stronger by a factor, or one a channel (3,), as a camera's exposure
        and white balance have it."""
        return replace(self, environment=gain * self.environment, color=gain * self.color)

    def at(self, normals: np.ndarray) -> np.ndarray:
        """Irradiance over π (N, 3) of unshadowed surfaces with these unit normals (N, 3)."""
        x, y, z = np.asarray(normals, dtype=np.float64).T
        terms = [np.ones_like(x), y, z, x, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y]
        around = np.stack(terms, 1) @ irradiance_polynomial(self.environment)
        incidence = np.clip(np.asarray(normals) @ self.direction, 0, None)
        return np.clip(around, 0, None) + incidence[:, None] * self.color

    @property
    def ambient(self) -> np.ndarray:
        """(3,), the diagonal of Amb in Eq. 4 of Beyond 3DMM Space: the environment's mean."""
        return self.environment[0] * _Y0

    @property
    def directional(self) -> np.ndarray:
        """(3,), the diagonal of Dir in Eq. 4."""
        return self.color


@dataclass(frozen=True, slots=True)
class Layout:
    """How a place is lit; pairs are (smallest, largest). All strengths are irradiances over π of a
    surface that faces the source, before the camera sets its exposure.

    Attributes:
        chance: how often people are photographed so.
        azimuth_deg: of the key from the camera's axis, to either side.
        elevation_deg: of the key.
        key: of the lamp; size_deg: its angular radius.
        surround: of what comes from everywhere.
        above: of ceiling or sky.
        halo: of what is around the key: the window's wall, the softbox's rim.
        fill: of a second source across from the key.
        rim: of a source behind the person, across from the key.
        tint: standard deviation of the difference in colour between key and surround.
    """

    chance: float
    azimuth_deg: tuple[float, float]
    elevation_deg: tuple[float, float]
    key: tuple[float, float]
    size_deg: tuple[float, float]
    surround: tuple[float, float]
    above: tuple[float, float] = (0.05, 0.22)
    halo: tuple[float, float] = (0.0, 0.2)
    fill: tuple[float, float] = (0.0, 0.1)
    rim: tuple[float, float] = (0.0, 0.1)
    tint: float = 0.05


# By eye from photographs of people, so that the ratio of key to fill on the cheeks spans theirs.
LAYOUTS = (
    # a window beside, the room dim
    Layout(0.24, (25, 70), (5, 30), (0.3, 0.6), (8, 12), (0.2, 0.45), halo=(0.15, 0.4), tint=0.1),
    # a softbox and a reflector, often a light from behind
    Layout(
        0.24, (8, 45), (10, 33), (0.5, 0.8), (6, 12), (0.15, 0.4), fill=(0.1, 0.4), rim=(0, 0.5)
    ),
    # lamps or panels at the ceiling
    Layout(0.18, (0, 40), (35, 58), (0.3, 0.5), (3, 10), (0.35, 0.6), above=(0.3, 0.6)),
    # a flash or a screen by the camera
    Layout(0.16, (0, 12), (2, 20), (0.4, 0.7), (1.5, 6), (0.3, 0.6)),
    # two lamps of a living room
    Layout(0.1, (20, 60), (5, 35), (0.3, 0.6), (2, 7), (0.2, 0.4), fill=(0.2, 0.5), tint=0.12),
    # shade or an overcast sky
    Layout(0.08, (0, 60), (25, 50), (0.15, 0.3), (10, 12), (0.4, 0.6), above=(0.5, 0.8)),
)
_CHANCES = np.cumsum([layout.chance for layout in LAYOUTS])
SPREAD = 0.6  # radians: the width of the soft sources
CAST = 0.025  # what a camera's automatic white balance leaves, relative
EXPOSURE = (1.15, 0.13)  # of a face, and the deviation of its logarithm


def sample_light(rng: np.random.Generator) -> Light:
    """Light of a place where people are photographed, with the camera's exposure and white
    balance put in: the face of someone turned to the camera receives EXPOSURE, nearly neutral."""
    layout = LAYOUTS[int(np.searchsorted(_CHANCES, rng.random() * _CHANCES[-1], side="right"))]
    side = rng.choice([-1.0, 1.0])
    azimuth = side * rng.uniform(*layout.azimuth_deg)
    key = towards(azimuth, rng.uniform(*layout.elevation_deg))
    across = towards(-side * rng.uniform(30, 80), rng.uniform(0, 30))
    behind = towards(-side * rng.uniform(115, 160), rng.uniform(10, 45))
    names = ("key", "surround", "above", "halo", "fill", "rim")
    strength = {name: rng.uniform(*getattr(layout, name)) for name in names}
    colors = tint(rng.normal(0, layout.tint, 4))
    environment = np.zeros((9, 3))
    environment[0] = strength["surround"] * colors[1] / _Y0
    environment += _soft(np.array([0.0, -0.95, -0.3]), strength["above"] * colors[1])
    environment += _soft(key, strength["halo"] * colors[0])
    environment += _soft(across, strength["fill"] * colors[2])
    environment += _soft(behind, strength["rim"] * colors[3])
    oily = rng.uniform()  # what shines more shines in a smaller spot
    raw = Light(
        environment=environment,
        direction=key,
        color=strength["key"] * colors[0],
        specular=0.75 * 2.1**oily * float(np.exp(rng.normal(0, 0.15))),
        shininess=float(14 + 24 * oily),
        size_deg=float(rng.uniform(*layout.size_deg)),
    )
    return _photographed(raw, rng)


def towards(azimuth_deg: float, elevation_deg: float) -> np.ndarray:
    """(3,) unit in the camera frame: 0, 0 is towards the camera; positive is right and up."""
    azimuth, elevation = np.radians([azimuth_deg, elevation_deg])
    level = np.cos(elevation)
    return np.array([np.sin(azimuth) * level, -np.sin(elevation), -np.cos(azimuth) * level])


def tint(warmth: float | np.ndarray, green: float | np.ndarray = 0.0) -> np.ndarray:
    """(..., 3) gains near 1: positive warmth is towards red, negative towards blue."""
    warmth, green = np.asarray(warmth)[..., None], np.asarray(green)[..., None]
    return np.exp(warmth * [1.0, 0.0, -1.2] + green * [-0.5, 1.0, -0.5])


def _soft(way: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """(9, 3): a source blurred over SPREAD; (3,) is its irradiance over π before that."""
    blur = np.exp(-_DEGREE * (_DEGREE + 1) * SPREAD**2 / 2)  # a Gaussian on the sphere
    lobe = harmonics(way[None] / np.linalg.norm(way))[0] * blur
    return np.pi * lobe[:, None] * strength


def _photographed(light: Light, rng: np.random.Generator) -> Light:
    """The light as a camera that meters the face and balances white has it."""
    seen = light.at(METERED).mean(0)
    cast = tint(rng.normal(0, CAST), rng.normal(0, CAST / 2))
    middle, spread = EXPOSURE
    exposure = middle * np.exp(spread * np.clip(rng.normal(), -2, 2))
    return light.brighter(exposure * cast / (cast @ LUMINANCE) / seen)
