"""Cloth: what it is woven or knitted of, its dye, its pattern and its wrinkles."""

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numba import njit

from synth.noise import noise

ROWS, COLUMNS = 384, 512  # texels of a fabric
STEP_MM = 560 / COLUMNS  # between them on synth.clothes.body's chart, both ways
WRINKLES = 4  # maps of them, which are flipped
SEAM_MM, INK = 1.1, 0.3  # how deep a seam is, and how much darker
# kind: how deep its wrinkles are (mm), gloss, how the dye varies over centimetres
KINDS = {
    "jersey": (2.6, 0.012, 0.02),
    "poplin": (2.6, 0.022, 0.015),
    "knit": (1.5, 0.008, 0.03),
    "rib": (1.2, 0.008, 0.03),
    "pique": (1.8, 0.012, 0.02),
    "fleece": (2.4, 0.006, 0.04),
    "denim": (2.4, 0.015, 0.09),
    "suiting": (1.2, 0.018, 0.015),
}
NEUTRAL = (  # sRGB of clothes, by eye from photographs
    (0.88, 0.88, 0.87),
    (0.86, 0.83, 0.77),
    (0.66, 0.66, 0.67),
    (0.46, 0.47, 0.48),
    (0.21, 0.22, 0.23),
    (0.075, 0.075, 0.08),
    (0.10, 0.12, 0.20),
)
MUTED = (
    (0.35, 0.10, 0.14),
    (0.32, 0.33, 0.21),
    (0.12, 0.24, 0.18),
    (0.72, 0.54, 0.53),
    (0.34, 0.42, 0.51),
    (0.64, 0.50, 0.35),
    (0.52, 0.27, 0.17),
    (0.13, 0.32, 0.35),
    (0.58, 0.52, 0.65),
    (0.74, 0.68, 0.58),
    (0.28, 0.20, 0.15),
)
BRIGHT = (
    (0.68, 0.12, 0.12),
    (0.13, 0.24, 0.56),
    (0.13, 0.44, 0.26),
    (0.86, 0.72, 0.25),
    (0.82, 0.40, 0.16),
    (0.82, 0.38, 0.49),
)


_PLAIN = (np.zeros(ROWS, np.float32), np.zeros(COLUMNS, np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class Fabric:
    """Cloth before it is cut.

    Attributes:
        kind: a name of KINDS.
        dye: (3,) sRGB.
        other: (3,) sRGB of stripes and bands.
        bands: (ROWS,) and (COLUMNS,) float32 share of the other dye along each axis.
        thread: (3,) sRGB of seams that are meant to be seen; None where they only press in.
    """

    kind: str
    dye: np.ndarray
    other: np.ndarray
    bands: tuple[np.ndarray, np.ndarray] = _PLAIN
    thread: tuple[float, float, float] | None = None

    @property
    def gloss(self) -> float:
        """Factor on the light's specular term."""
        return KINDS[self.kind][1]


def plain(kind: str, dye: np.ndarray) -> Fabric:
    """Cloth of one colour (3,) sRGB."""
    return Fabric(kind, np.asarray(dye), np.asarray(dye))


def striped(fabric: Fabric, dye: np.ndarray, rng: np.random.Generator) -> Fabric:
    """The fabric with stripes of another colour (3,) across."""
    rows = _band(ROWS, rng.uniform(12, 45), rng.uniform(0.2, 0.55))
    return replace(fabric, other=np.asarray(dye), bands=(rows, _PLAIN[1]))


def checked(fabric: Fabric, dye: np.ndarray, rng: np.random.Generator) -> Fabric:
    """The fabric with crossing bands of another colour (3,), as flannel and gingham have."""
    period, share = rng.uniform(9, 40), rng.uniform(0.25, 0.5)
    bands = (0.5 * _band(ROWS, period, share), 0.5 * _band(COLUMNS, period, share))
    return replace(fabric, other=np.asarray(dye), bands=bands)


def sample_dye(rng: np.random.Generator) -> np.ndarray:
    """A colour (3,) sRGB as clothes have: neutral and muted mostly, bright at times."""
    draw = rng.random()
    group = NEUTRAL if draw < 0.56 else MUTED if draw < 0.9 else BRIGHT
    tone = np.array(group[rng.integers(len(group))]) * rng.uniform(0.85, 1.08)
    return np.clip(tone + rng.normal(0, 0.012, 3), 0.035, 0.92)


def weave(
    fabric: Fabric, seams: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Albedo (ROWS, COLUMNS, 3) float32 sRGB and relief (ROWS, COLUMNS) float32 mm.

    Args:
        fabric: what it is made of.
        seams: (ROWS, COLUMNS) uint8, how far each place is pressed in and of the thread's colour.
        rng: draws wrinkles and how unevenly the dye took.
    """
    depth, _, uneven = KINDS[fabric.kind]
    tone, relief = _weave(fabric.kind)
    maps = _wrinkles()
    wrinkles = maps[rng.integers(len(maps))][:: rng.choice([-1, 1]), :: rng.choice([-1, 1])]
    thread = (1 - INK) * fabric.dye if fabric.thread is None else np.array(fabric.thread)
    patches = cv2.resize(rng.normal(0, uneven, (6, 9)).astype(np.float32), (COLUMNS, ROWS))
    return _finished(
        fabric.dye.astype(np.float32),
        fabric.other.astype(np.float32),
        thread.astype(np.float32),
        *fabric.bands,
        (tone, patches),
        (relief, wrinkles, np.float32(depth * rng.uniform(0.5, 1.2))),
        seams,
    )


@njit(cache=True, nogil=True, fastmath=True)
def _finished(dye, other, thread, across, down, tones, reliefs, seams):
    """The sum of all that colours and shapes cloth, texel by texel."""
    tone, patches = tones
    weave, wrinkles, depth = reliefs
    rows, columns = seams.shape
    albedo = np.zeros((rows, columns, 3), dtype=np.float32)
    relief = np.zeros((rows, columns), dtype=np.float32)
    for y in range(rows):
        for x in range(columns):
            sewn = np.float32(seams[y, x]) * np.float32(1 / 255)
            relief[y, x] = weave[y, x] + depth * wrinkles[y, x] - sewn * np.float32(SEAM_MM)
            band = across[y] + down[x]
            shade = np.float32(1) + tone[y, x] + patches[y, x]
            for k in range(3):
                value = (dye[k] + band * (other[k] - dye[k])) * shade
                value += sewn * (thread[k] - value)
                albedo[y, x, k] = min(max(value, np.float32(0.01)), np.float32(0.95))
    return albedo, relief


def _band(count: int, period_mm: float, share: float) -> np.ndarray:
    return (np.arange(count) * STEP_MM % period_mm < share * period_mm).astype(np.float32)


@lru_cache(maxsize=len(KINDS))
def _weave(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Tone about 0 and relief (mm) of a weave, (ROWS, COLUMNS) float32 each; one for all."""
    rng = np.random.default_rng([7, list(KINDS).index(kind)])
    y, x = np.mgrid[:ROWS, :COLUMNS].astype(np.float32)
    grain = _wide(noise(rng, (COLUMNS // 2, COLUMNS // 2), COLUMNS))
    fine = _wide(noise(rng, (COLUMNS, COLUMNS), COLUMNS))
    flat = np.zeros_like(grain)
    if kind == "knit":  # wales of V-shaped stitches, 4.4 mm apart
        wale = np.abs((x % 4) - 1.5) / 2
        course = 0.5 + 0.5 * np.cos(2 * np.pi * (y / 4 + wale))
        high = (1 - wale) * (0.45 + 0.55 * course)
        made = 0.22 * (high - high.mean()) + 0.025 * grain, 0.55 * high
    elif kind == "rib":  # 5.5 mm
        high = 0.5 + 0.5 * np.cos(2 * np.pi * x / 5)
        made = 0.12 * (high - 0.5) + 0.02 * grain, 0.5 * high
    elif kind == "pique":
        high = np.cos(np.pi * x) * np.cos(np.pi * y)
        made = 0.03 * high + 0.02 * grain, 0.05 * high
    elif kind == "denim":  # a twill with slubs down it, white in its weft
        slub = cv2.GaussianBlur(fine, (0, 0), sigmaX=0.6, sigmaY=7.0)
        twill = np.cos(2 * np.pi * (x + y) / 3)
        made = 0.10 * twill + 0.25 * slub + 0.10 * fine, 0.04 * twill
    elif kind == "fleece":
        made = 0.035 * grain + 0.03 * fine, 0.08 * grain
    elif kind == "suiting":
        made = 0.035 * fine + 0.02 * np.cos(2 * np.pi * (x + np.abs((y % 8) - 4)) / 4), flat
    else:
        made = 0.008 * grain + 0.014 * fine, 0.012 * fine
    return tuple(np.ascontiguousarray(field, dtype=np.float32) for field in made)


@lru_cache(maxsize=1)
def _wrinkles() -> np.ndarray:
    """(WRINKLES, ROWS, COLUMNS) float32 of depth about 1: creases that fork and fade."""
    rng = np.random.default_rng(11)  # the same maps for all people
    maps = []
    for _ in range(WRINKLES):
        total = np.zeros((ROWS, COLUMNS), dtype=np.float32)
        for cells, share in ((7, 1.0), (13, 0.5), (24, 0.2)):
            field = _wide(noise(rng, (cells, cells + cells // 2), COLUMNS))
            where = np.clip(0.5 + _wide(noise(rng, (5, 6), COLUMNS)), 0, 1)
            total += share * where * np.exp(-((field / 0.35) ** 2))
        maps.append(cv2.GaussianBlur(total, (0, 0), 1.5))
    return np.stack(maps)


def _wide(square: np.ndarray) -> np.ndarray:
    return square[:ROWS]
