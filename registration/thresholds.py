"""Eq. 6's thresholds: their readings, units and schedule (Beyond 3DMM Space, section 3.1).

The paper gives λ_tex = 0.013, τ_c = 0.17 and τ_v = 2e-4, "times the interocular distance" d. Read
literally, τ_v is 0.017 mm at d = 86 mm: below any sensor's sampling, so nothing matches. Read as a
*squared* distance, τ_v = √2e-4 · d = 1.2 mm, right for the last iterations alone. The reading used
here anneals τ_v from 0.15 d to 0.05 d and τ_c from 0.25 to 0.17, with λ_tex = 0.24 d (20 mm per
unit of colour in [0, 1]). All three are in PRESETS.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Eq. 6's numbers at one moment of the schedule.

    Attributes:
        lambda_mm: λ_tex, mm per unit of colour (Euclidean in RGB, each in [0, 1]).
        tau_v_mm: τ_v, mm.
        tau_c: τ_c, colour distance in [0, √3].
        normal_deg: a match whose normals differ by more is dropped.
    """

    lambda_mm: float
    tau_v_mm: float
    tau_c: float
    normal_deg: float = 60.0


@dataclass(frozen=True, slots=True)
class MatchSettings:
    """How Eq. 6 is read; "iod" numbers are multiples of the outer interocular distance.

    Attributes:
        lambda_iod: λ_tex per unit colour, in interocular distances.
        tau_v_iod: τ_v at the start and the end of the schedule, in interocular distances.
        tau_c: τ_c at the start and the end, colour distance in [0, √3].
        normal_deg: largest angle between matched normals at the start and the end, degrees.
    """

    lambda_iod: float = 0.24
    tau_v_iod: tuple[float, float] = (0.15, 0.05)
    tau_c: tuple[float, float] = (0.25, 0.17)
    normal_deg: tuple[float, float] = (75.0, 50.0)

    def at(self, progress: float, iod_mm: float) -> Thresholds:
        """Thresholds at ``progress`` in [0, 1]; interpolated geometrically."""

        def between(ends):
            return float(ends[0] ** (1 - progress) * ends[1] ** progress)

        return Thresholds(
            self.lambda_iod * iod_mm,
            between(self.tau_v_iod) * iod_mm,
            between(self.tau_c),
            between(self.normal_deg),
        )


PRESETS = {
    "annealed": MatchSettings(),
    "squared": MatchSettings(0.013, (2e-4**0.5, 2e-4**0.5), (0.17, 0.17)),
    "literal": MatchSettings(0.013, (2e-4, 2e-4), (0.17, 0.17)),
}
