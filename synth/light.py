"""Light of a virtual scene: a soft environment and one lamp."""

from dataclasses import dataclass, replace

import numpy as np

from imaging.shading import harmonics
from imaging.shadow import sphere_directions

_Y0 = 0.282095  # the constant harmonic, of imaging.shading.harmonics
_AROUND = sphere_directions(40)


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

    def brighter(self, gain: float) -> "Light":
        """The same light, stronger by a factor, as a longer exposure has it."""
        return replace(self, environment=gain * self.environment, color=gain * self.color)

    @property
    def ambient(self) -> np.ndarray:
        """(3,), the diagonal of Amb in Eq. 4 of Beyond 3DMM Space: the environment's mean."""
        return self.environment[0] * _Y0

    @property
    def directional(self) -> np.ndarray:
        """(3,), the diagonal of Dir in Eq. 4."""
        return self.color


def sample_light(rng: np.random.Generator) -> Light:
    """Indoor light: a bright side of the room, and a lamp or window from before and above."""
    azimuth, elevation = np.radians(rng.uniform(-65, 65)), np.radians(rng.uniform(0, 55))
    direction = np.array([np.sin(azimuth), -np.tan(elevation), -np.cos(azimuth)])
    share = rng.uniform(0.4, 0.75)
    exposure = rng.uniform(0.7, 0.95)
    warmth = rng.uniform(-0.1, 0.1, 2)  # of the environment and of the lamp
    tints = np.stack([1 + warmth, np.ones(2), 1 - warmth], 1)
    environment = np.zeros((9, 3))
    environment[0] = exposure * share * tints[0] / _Y0
    gradient = rng.normal(
        (-0.55, -0.25, 0.0), (0.2, 0.2, 0.3)
    )  # y, z, x: brighter above and before
    environment[1:4] = gradient[:, None] * environment[0]
    environment[4:] = rng.normal(0, 0.08, 5)[:, None] * environment[0]
    return Light(
        environment=environment,
        direction=direction / np.linalg.norm(direction),
        color=exposure * (1 - share) * 1.5 * tints[1],
        specular=float(rng.uniform(0.6, 1.4)),
        shininess=float(rng.uniform(8, 18)),
        size_deg=float(rng.uniform(1.5, 9)),
    )
