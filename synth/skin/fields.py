"""How the pigments of a skin vary over a head: smooth fields, and blotches of solid noise.

All of it is smooth over millimetres, so that it is made at a quarter of the texture's edge. What
all persons share (where cheeks are, the waves of the noise) is made once a model; a person is then
one product of it with weights.
"""

from functools import lru_cache

import numba
import numpy as np

from synth.skin.chart import Chart
from synth.skin.parameters import SkinParameters
from synth.skin.pigment import BLOOD_MAX, MELANIN_MAX, STEPS

GRID = 4  # texels of the texture along one of the smooth fields
# Blood as multiples of the person's, over the face: (mask, more of it). On faces chin and cheeks
# are the reddest, the neck the palest (Choi 2017, 157 Korean women); sizes by eye from photographs.
BLOOD = {"cheek": 1.0, "nose_tip": 1.4, "ears": 1.4, "chin": 0.7, "hollow": 0.6}
BLOOD |= {"under_eye": 0.35, "upper_lid": 0.3, "forehead": 0.05, "neck": -0.1}
MELANIN = {"forehead": 0.08, "nose_tip": 0.05, "cheek": 0.02, "neck": -0.03}
# What lies deep is dark even to an even light: (mask, share of it lost).
TONE = {"hollow": 0.25, "nostrils": 0.8, "corners": 0.3, "nose_side": 0.10, "below_lip": 0.06}
BANK, LONG_MM, MIDDLE_MM, FINE_MM = 5, 34.0, 11.0, 1.3
FOLD_MM, FOLD_STRETCH = 0.9, (0.12, 0.12)  # of the lips' folds: breadth, and that over length
BANK_SEED = 20240311  # of the noise that all persons mix, each in their own way
UNEVEN_MOST = 1.6  # of SkinParameters.uneven: beyond it a face turns into a map


def pigment_fields(chart: Chart, skin: SkinParameters, rng: np.random.Generator) -> np.ndarray:
    """(5, S/4, S/4) float32: where melanin and blood lie in pigment's table (rows, columns),
    a factor on the colour, and how much of the ground hides under beard and scalp hair."""
    basis, names = _basis(chart)
    weights = np.zeros((7, len(basis)), dtype=np.float32)
    for row, table in enumerate((_melanin(skin), _blood(skin), _tone(skin))):
        for name, weight in table.items():
            weights[row, names.index(name)] = weight
    weights[3, names.index("beard")] = weights[4, names.index("scalp")] = 1
    weights[5:, -2 * BANK :] = _waves(skin, rng)
    fields = np.tensordot(weights, basis, 1)
    for own, base, wave, most in ((0, skin.melanin, 5, MELANIN_MAX), (1, skin.blood, 6, BLOOD_MAX)):
        share = np.maximum(fields[own], 0.25) * (np.float32(base / most) * np.exp(fields[wave]))
        fields[own] = (STEPS - 1) * np.sqrt(share)
    return fields[:5]


def _melanin(skin: SkinParameters) -> dict:
    brown = 1.3 - skin.lightness  # lids darken more where there is more melanin to draw on
    own = {"upper_lid": 0.9 * brown * skin.dark_lids, "under_eye": 0.75 * brown * skin.shadows}
    return {"all": 1.0} | MELANIN | own


def _blood(skin: SkinParameters) -> dict:
    flush = {name: skin.redness * more for name, more in BLOOD.items() if more > 0}
    own = {"under_eye": flush["under_eye"] + 0.8 * skin.shadows, "neck": BLOOD["neck"]}
    return {"all": 1.0} | flush | own


def _tone(skin: SkinParameters) -> dict:
    own = {name: -less for name, less in TONE.items()}
    return {"all": 1.0, "under_eye": -0.09 * skin.shadows} | own


def _waves(skin: SkinParameters, rng: np.random.Generator) -> np.ndarray:
    """(2, 2 BANK): long and middle waves of melanin and of blood, of random mixture.

    Where there is much melanin blood shows little, and where there is little its waves would
    stand out the most: both are damped.
    """
    uneven, light = min(skin.uneven, UNEVEN_MOST), skin.lightness
    mix = rng.normal(size=(4, BANK))
    mix /= np.linalg.norm(mix, axis=1, keepdims=True)
    brown, red = uneven * (0.4 + 0.6 * light), uneven * (0.7 + 0.3 * light)
    scale = np.array([0.04 * brown, 0.03 * brown, 0.07 * red, 0.045 * red])
    mix *= scale[:, None]
    return mix.reshape(2, -1)


@lru_cache(maxsize=2)
def _basis(chart: Chart) -> tuple[np.ndarray, list[str]]:
    """Maps (M, S/4, S/4) float32 of all masks and waves, and the masks' names."""
    masks = chart.masks
    used = ("cheek", "nose_tip", "ears", "hollow", "under_eye", "upper_lid", "forehead")
    values = {name: masks[name] for name in used}
    values |= {"all": np.ones(chart.model.vertex_count), "neck": chart.model.regions["neck"]}
    values |= _places(chart)
    values["beard"] = beard_share(masks)
    values["scalp"] = np.clip(masks["hair"], 0, 1) ** 1.5
    maps = shrunk(chart.smooth_map(np.stack(list(values.values()), 1).astype(float)))
    place = shrunk(chart.smooth_map(chart.model.mean_mm))
    rng = np.random.default_rng(BANK_SEED)
    scales = (LONG_MM,) * BANK + (MIDDLE_MM,) * BANK
    waves = np.stack([solid_noise(place, scale, rng) for scale in scales], -1)
    planes = np.moveaxis(np.concatenate([maps, waves], -1), -1, 0)
    return np.ascontiguousarray(planes), list(values)


def beard_share(masks: dict) -> np.ndarray:
    """(V,) in [0, 1]: where a beard grows."""
    share = np.clip(np.maximum(masks["stubble"], 0.9 * masks["moustache"]), 0, 1)
    return share * (1 - masks["lips"])


def shrunk(maps: np.ndarray) -> np.ndarray:
    """Maps (S/2, S/2, M) of a chart as (S/4, S/4, M)."""
    return np.ascontiguousarray(
        (maps[::2, ::2] + maps[1::2, ::2] + maps[::2, 1::2] + maps[1::2, 1::2]) / 4
    )


def _places(chart: Chart) -> dict[str, np.ndarray]:
    """(V,) in [0, 1] each: nostrils, the mouth's corners, beside the nose, chin, below the lip."""
    points, v, d = chart.head.points, chart.head.vertices, chart.head.d
    front = chart.head.skin * (v[:, 2] > points[[36, 45], 2].mean() - 0.1 * d)

    def hills(centres, size_mm):
        return front * sum(np.exp(-(((v - c) / size_mm) ** 2).sum(1)) for c in centres)

    away = np.clip(1 - 1.4 * chart.head.normals[:, 2], 0, 1)  # the walls of a hole face each other
    holes = [0.6 * points[wing] + 0.4 * points[33] + [0, 1.6, -0.5] for wing in (31, 35)]
    beside = [points[w] + [s * 0.035 * d, 0.03 * d, -0.03 * d] for s, w in ((-1, 31), (1, 35))]
    return {
        "nostrils": np.clip(2.2 * hills(holes, np.array([4.6, 2.4, 6.0])) * away, 0, 1),
        "corners": np.clip(hills(points[[48, 54]], np.array([4.0, 2.5, 8.0])), 0, 1),
        "nose_side": np.clip(hills(beside, 5.0), 0, 1),
        "chin": hills([points[8] * 0.6 + points[57] * 0.4], 0.2 * d),
        "below_lip": hills([points[57] - [0, 0.065 * d, 0]], np.array([12.0, 4.0, 15.0])),
    }


@lru_cache(maxsize=2)
def grain(chart: Chart) -> np.ndarray:
    """Mottling at the scale of pores (2, S, S) float32, of all persons; each mixes the two. On the
    lips the first layer is that of their folds, which run down and back."""
    rng, layers = np.random.default_rng(BANK_SEED + 1), []
    for _ in range(2):
        pores, patches = (solid_noise(chart.xyz, k * FINE_MM, rng) for k in (1, 3))
        layers.append(0.75 * pores + 0.55 * patches)
    folds = solid_noise(chart.xyz * np.float32([1, *FOLD_STRETCH]), FOLD_MM, rng)
    lips = chart.smooth_map(chart.masks["lips"][:, None])[..., 0] > 0.3
    layers[0] = np.where(np.kron(lips, np.ones((2, 2))) > 0, folds, layers[0])
    return np.stack(layers).astype(np.float32)


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
