"""How the pigments of a skin vary over a head: smooth fields, and blotches of solid noise."""

from functools import lru_cache

import numba
import numpy as np

from synth.skin_chart import Chart
from synth.skin_parameters import SkinParameters

# blood as multiples of the person's, over the face: (mask, more of it); by eye from photographs
BLOOD = {"cheek": 0.9, "nose_tip": 1.0, "ears": 1.3, "hollow": 0.6, "forehead": -0.1}
BLOOD |= {"under_eye": 0.45, "upper_lid": 0.55}
MELANIN = {"forehead": 0.06, "nose_tip": 0.04, "cheek": 0.03, "stubble": 0.03}
BANK, LONG_MM, MIDDLE_MM, FINE_MM = 5, 34.0, 11.0, 1.3
BANK_SEED = 20240311  # of the noise that all persons mix, each in their own way


def pigment_fields(chart: Chart, skin: SkinParameters) -> np.ndarray:
    """(S/2, S/2, 3) float32: melanin and blood shares, and a factor on the colour."""
    masks = chart.masks
    blood = np.ones(chart.model.vertex_count)
    melanin = np.ones_like(blood)
    for name, more in BLOOD.items():
        blood += skin.redness * more * masks[name]
    for name, more in MELANIN.items():
        melanin += more * masks[name]
    brown = 1.3 - skin.lightness  # lids darken more where there is more melanin to draw on
    melanin += 0.9 * brown * skin.dark_lids * masks["upper_lid"]
    melanin += 0.75 * brown * skin.shadows * masks["under_eye"]
    blood += 0.9 * skin.shadows * masks["under_eye"]
    tone = 1 - 0.25 * masks["hollow"] - 0.06 * skin.shadows * masks["under_eye"]
    tone *= 1 - 0.5 * _nostrils(chart)
    neck = chart.model.regions["neck"].astype(float)
    blood *= 1 - 0.2 * neck
    fields = np.stack([skin.melanin * melanin, skin.blood * np.maximum(blood, 0.3), tone], 1)
    return chart.smooth_map(fields)


def _nostrils(chart: Chart) -> np.ndarray:
    """(V,) in [0, 1]: what faces down between the nose's tip and wings."""
    points, v = chart.head.points, chart.head.vertices
    down = np.clip(-chart.head.normals[:, 1] - 0.2, 0, 1)
    result = np.zeros(len(v))
    for wing in (31, 35):
        hole = (0.55 * points[wing] + 0.45 * points[33]) + [0, 2.0, -1.0]
        result += np.exp(-(((v - hole) / 4.0) ** 2).sum(1))
    return np.clip(1.4 * result * down, 0, 1)


def blotches(chart: Chart, rng: np.random.Generator) -> np.ndarray:
    """(S/2, S/2, 4) float32 of about unit variance: long and middle waves, twice."""
    bank = _bank(chart)
    mix = rng.normal(size=(4, BANK))
    mix /= np.linalg.norm(mix, axis=1, keepdims=True)
    weights = np.zeros((2 * BANK, 4), dtype=np.float32)
    for column in range(4):
        first = BANK * (column % 2)
        weights[first : first + BANK, column] = mix[column]
    return bank @ weights


def grain(chart: Chart, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Mottling at the scale of pores (S, S, 2) float32, one layer for each pigment of all
    persons, and how this person mixes the two: (2, 2) float32."""
    turn = rng.uniform(0, 2 * np.pi)
    mix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    return _fine(chart), mix.astype(np.float32)


@lru_cache(maxsize=2)
def _bank(chart: Chart) -> np.ndarray:
    place = chart.smooth_map(chart.model.mean_mm)
    rng = np.random.default_rng(BANK_SEED)
    scales = (LONG_MM,) * BANK + (MIDDLE_MM,) * BANK
    return np.stack([solid_noise(place, scale, rng) for scale in scales], -1)


@lru_cache(maxsize=2)
def _fine(chart: Chart) -> np.ndarray:
    rng = np.random.default_rng(BANK_SEED + 1)
    layers = [
        0.7 * solid_noise(chart.xyz, FINE_MM, rng) + 0.7 * solid_noise(chart.xyz, 3 * FINE_MM, rng)
        for _ in range(2)
    ]
    return np.stack(layers, -1)


def solid_noise(place_mm: np.ndarray, period_mm: float, rng: np.random.Generator) -> np.ndarray:
    """Smooth noise (H, W) float32 of about unit variance at places (H, W, 3): no seams, whatever
    the chart."""
    lattice = rng.normal(size=(32, 32, 32)).astype(np.float32) * 1.7
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]  # the lattice's axes are no one's
    at = (place_mm @ (2 * turn / period_mm).astype(np.float32)).reshape(-1, 3)
    return _trilinear(lattice, at).reshape(place_mm.shape[:2])


@numba.njit(cache=True)
def _trilinear(lattice, at):
    out = np.zeros(len(at), dtype=np.float32)
    for n in range(len(at)):
        total = 0.0
        base = np.floor(at[n])
        f = at[n] - base
        f = f * f * (3 - 2 * f)
        x, y, z = int(base[0]), int(base[1]), int(base[2])
        for dx in range(2):
            for dy in range(2):
                for dz in range(2):
                    weight = f[0] if dx else 1 - f[0]
                    weight *= f[1] if dy else 1 - f[1]
                    weight *= f[2] if dz else 1 - f[2]
                    total += weight * lattice[(x + dx) % 32, (y + dy) % 32, (z + dz) % 32]
        out[n] = total
    return out
