"""The methods that benchmarks.registration compares, as settings of T-ICP."""

from dataclasses import replace

from registration.nonrigid import ENERGIES
from registration.thresholds import MatchSettings
from registration.ticp import TicpSettings

BLIND = MatchSettings(lambda_iod=0.0, tau_c=(2.0, 2.0))  # beyond √3: colour neither pulls nor bars
BASE = TicpSettings()
GEOMETRY = replace(BASE, match=BLIND)
METHODS = {
    "T-ICP": BASE,
    "one pass": replace(BASE, refits=0),
    "geometry only": GEOMETRY,
    **{
        f"energy {name}": replace(BASE, nonrigid=replace(BASE.nonrigid, energy=name))
        for name in ENERGIES
        if name != BASE.nonrigid.energy
    },
}
