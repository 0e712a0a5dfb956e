"""What strands look like: tiles of them, painted in a person's colour, and locks on strips."""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numba
import numpy as np

from synth.skin.fields import solid_noise

TALL, WIDE = 256, 1024  # texels along and across the strands of a tile
LOCKS, LOCK_TALL, LOCK_WIDE = 12, 128, 32  # of the strips' texture, side by side
GREY = np.array([0.62, 0.61, 0.60])  # sRGB of a strand without pigment
BRISTLE, BRISTLE_LEANS = 15, (-0.7, -0.3, 0.0, 0.3, 0.7)  # texels long; columns a row
TILE_SEED = 20240907  # of tiles that all heads share, each turned and tinted in its own way


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A person's hair.

    Attributes:
        color: (3,) sRGB.
        grey: share of strands without pigment.
        tip: factor (3,) on the colour at the tips, which light has bleached.
    """

    color: np.ndarray
    grey: float
    tip: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Tile:
    """Strands from the row v = 0 to v = 1, seamless across.

    Attributes:
        shade: (TALL, WIDE) float32, factor on the colour, about 1.
        start: (TALL, WIDE) float32 in [-0.6, 1], how far within the border a strand begins.
        relief: (TALL, WIDE) float32 mm.
    """

    shade: np.ndarray
    start: np.ndarray
    relief: np.ndarray


@lru_cache(maxsize=8)
def tile(kind: str) -> Tile:
    """The tile of a kind of strand (synth.props.styles.KINDS)."""
    rng = np.random.default_rng(TILE_SEED)
    if kind == "coil":
        return _coils(rng)
    if kind == "fuzz":
        return _fuzz(rng)
    if kind == "plait":
        return _plaits(rng)
    if kind == "bristle":
        return _bristles(rng)
    return _strands(rng, wobble=14.0 if kind == "wavy" else 5.0)


def _strands(rng: np.random.Generator, wobble: float) -> Tile:
    """Streaks that keep together in locks and stray by up to ``wobble`` columns."""
    fine = _ring(rng, 512) * 0.6 + _ring(rng, 1024) * 0.5
    lock = _ring(rng, 150)
    broad = _ring(rng, 40)
    begin = np.clip(0.25 + 0.45 * rng.normal(size=WIDE) + 0.06 * lock, -0.6, 1.2)
    columns = np.arange(WIDE, dtype=np.float32)
    sway = _rows(rng, 5, 24) + 0.35 * _rows(rng, 9, 90)
    at = columns[None] + wobble * sway
    shade = 1 + 0.17 * fine + 0.12 * lock + 0.07 * broad
    shade = _along(shade, at) * (1 + 0.05 * _rows(rng, 24, 256))
    relief = _along(0.24 * lock + 0.2 * broad + 0.1 * fine, at)
    # rays meet at a pole, where relief across them would grow without end
    relief *= np.clip(np.linspace(-0.4, 3, TALL), 0, 1)[:, None]
    # the ends stray less: locks do not gather into teeth at the hairline
    return Tile(shade, _along(begin, columns + 0.35 * (at - columns)), relief.astype(np.float32))


def _coils(rng: np.random.Generator) -> Tile:
    """Curls a few millimetres wide with dark gaps between them."""
    place = _sphere(115.0)
    curl = 1 - 1.3 * np.abs(solid_noise(place, 7.5, rng)) + 0.35 * solid_noise(place, 3.0, rng)
    clump = solid_noise(place, 24.0, rng)
    shade = np.clip(1.15 + 0.32 * curl + 0.12 * clump, 0.45, 1.9)
    start = np.clip(0.1 + 0.4 * solid_noise(place, 4.0, rng), -0.6, 1)
    return Tile(shade, start, (0.45 * curl).astype(np.float32))


def _fuzz(rng: np.random.Generator) -> Tile:
    """Hair too short to lie down: a grain of tips over the scalp's own tone."""
    place = _sphere(85.0)
    grain = solid_noise(place, 2.2, rng)
    shade = 1.1 + 0.16 * grain + 0.08 * solid_noise(place, 14.0, rng)
    start = np.clip(0.2 + 0.4 * grain + 0.2 * solid_noise(place, 9.0, rng), -0.6, 1)
    return Tile(shade.astype(np.float32), start, (0.12 * grain).astype(np.float32))


def _plaits(rng: np.random.Generator, rows: int = 26) -> Tile:
    """Plaits side by side, each of crossing strands, with partings between them."""
    u = (np.arange(WIDE) + 0.5) / WIDE * rows
    across = (u % 1)[None] * 2 - 1
    v = np.linspace(0, 34, TALL)[:, None] + rng.random(rows)[u.astype(int)][None]
    # a strand comes from the outside to the middle and goes below the other
    weave = np.abs(((v + 0.5 * np.sign(across) * (1 - np.abs(across))) % 1) * 2 - 1)
    round_ = np.sqrt(np.clip(1 - across**2, 0, 1))
    grain = 0.1 * cv2.GaussianBlur(rng.normal(size=(TALL, WIDE)).astype(np.float32), (0, 0), 0.8)
    shade = (0.45 + 0.6 * weave) * (0.35 + 0.75 * round_) + grain
    start = np.clip(0.3 + 0 * v - 0.5 * round_ + 6 * np.clip(np.abs(across) - 0.86, 0, 1), -0.6, 1)
    relief = 2.2 * round_ + 0.7 * weave * round_
    return Tile(*(np.ascontiguousarray(f, dtype=np.float32) for f in (shade, start, relief)))


def _bristles(rng: np.random.Generator) -> Tile:
    """Short stiff hairs that cross each other, as in a beard: noise drawn out along a few ways,
    now the one and now the other on top."""
    layers, share = [], []
    for lean in BRISTLE_LEANS:
        kernel = np.zeros((BRISTLE, BRISTLE), dtype=np.float32)
        middle, aside = BRISTLE // 2, round(BRISTLE / 2 * lean)
        cv2.line(kernel, (middle - aside, 0), (middle + aside, BRISTLE - 1), 1.0, 1, cv2.LINE_AA)
        grain = np.pad(rng.normal(size=(TALL, WIDE)), ((0, 0), (BRISTLE, BRISTLE)), mode="wrap")
        drawn = cv2.filter2D(grain.astype(np.float32), -1, kernel)[:, BRISTLE:-BRISTLE]
        layers.append(drawn / drawn.std())
        share.append(np.exp(2.5 * _rows(rng, 40, 160)))
    hairs = (np.stack(layers) * share).sum(0) / np.linalg.norm(share, axis=0)
    clump = _rows(rng, 12, 48)
    start = np.clip(0.1 + 0.35 * hairs, -0.6, 1)
    shade = np.clip(1 + 0.3 * hairs + 0.08 * clump, 0.3, 2)
    fields = (shade, start, 0.1 * hairs + 0.12 * clump)
    return Tile(*(np.ascontiguousarray(field, dtype=np.float32) for field in fields))


def _ring(rng: np.random.Generator, cells: int) -> np.ndarray:
    """(WIDE,) float32 seamless smooth noise of about unit variance."""
    values = rng.normal(size=cells)
    wrapped = np.concatenate([values[-2:], values, values[:3]]).astype(np.float32)
    scale = WIDE / cells
    wide = cv2.resize(
        wrapped[None], (round(len(wrapped) * scale), 1), interpolation=cv2.INTER_CUBIC
    )
    return wide[0, round(2 * scale) : round(2 * scale) + WIDE]


def _rows(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """(TALL, WIDE) float32 smooth noise, seamless across."""
    lattice = rng.normal(size=(rows, columns)).astype(np.float32)
    wrapped = np.concatenate([lattice, lattice[:, :1]], axis=1)
    wide = cv2.resize(wrapped, (WIDE + WIDE // columns, TALL), interpolation=cv2.INTER_CUBIC)
    return wide[:, WIDE // columns // 2 :][:, :WIDE]


def _along(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Column values (WIDE,) read at columns (TALL, WIDE), around the seam."""
    at = at % WIDE
    first = at.astype(int) % WIDE
    share = at - np.floor(at)
    mixed = values[first] * (1 - share) + values[(first + 1) % WIDE] * share
    return mixed.astype(np.float32)


def _sphere(radius_mm: float) -> np.ndarray:
    """(TALL, WIDE, 3) float32 places of a tile's texels on a head, its pole at v = 0."""
    around = np.linspace(0, 2 * np.pi, WIDE, endpoint=False)[None]
    out = np.linspace(0, np.radians(115), TALL)[:, None]
    parts = (np.sin(out) * np.cos(around), np.cos(out) + 0 * around, np.sin(out) * np.sin(around))
    return (radius_mm * np.stack(parts, -1)).astype(np.float32)


def paint(
    kind: str,
    look: Look,
    reach_mm: np.ndarray,
    edge: np.ndarray | float,
    fade_mm: float,
    rng: np.random.Generator,
    shade: tuple[float, float] = (1.0, 1.0),
    root_first: bool = True,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Albedo (TALL, WIDE, 3), alpha and relief (TALL, WIDE), float32.

    Args:
        kind: of strand.
        look: of the person.
        reach_mm: (WIDE,) length of a column, from v = 0 to v = 1.
        edge: the v at which hair ends, or begins; (WIDE,) or one.
        fade_mm: over which it does.
        rng: turns the tile.
        shade: factors on the colour at v = 0 and v = 1.
        root_first: whether roots lie at v = 0.
    """
    ground = tile(kind)
    clear = 1.1 * float(np.clip(look.color.mean() - 0.2, 0, 1))  # light hair lets light through
    turn = int(rng.integers(WIDE))
    strands = look.color * rng.lognormal(0, 0.07, (WIDE, 1)).astype(np.float32)
    strands = np.where(rng.random((WIDE, 1)) < look.grey, 0.4 * GREY + 0.6 * strands, strands)
    strands = cv2.blur(strands.astype(np.float32)[None], (3, 1))[0]
    tip = np.linspace(0, 1, TALL)[:: 1 if root_first else -1, None]
    rows = np.linspace(shade[0], shade[1], TALL)[:, None] * (1 + tip**1.5 * (look.tip - 1))
    lattice = rng.normal(1, 0.08, (10, 40)).astype(np.float32)
    lattice[:, -1] = lattice[:, 0]
    albedo, alpha = _painted(
        ground.shade,
        ground.start,
        turn,
        strands,
        rows.astype(np.float32),
        cv2.resize(lattice, (WIDE, TALL)),
        np.asarray(reach_mm, dtype=np.float32),
        np.broadcast_to(np.asarray(edge, dtype=np.float32), WIDE),
        np.float32(fade_mm),
        np.float32(1 - clear),
    )
    return albedo, alpha, np.roll(ground.relief, -turn, axis=1) * np.float32(1 - clear)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _painted(shade, start, turn, strands, rows, clumps, reach_mm, edge, fade_mm, contrast):
    tall, wide = shade.shape
    albedo = np.zeros((tall, wide, 3), dtype=np.float32)
    alpha = np.zeros((tall, wide), dtype=np.float32)
    scale = reach_mm / fade_mm
    for i in range(tall):
        v = (np.float32(i) + np.float32(0.5)) / np.float32(tall)
        for j in range(wide):
            k = j + turn
            if k >= wide:
                k -= wide
            tone = (1 + contrast * (shade[i, k] - 1)) * clumps[i, j]
            deep = (edge[j] - v) * scale[j]
            alpha[i, j] = min(
                max((deep - start[i, k]) * np.float32(1.6) + np.float32(0.5), np.float32(0)),
                np.float32(1),
            )
            for c in range(3):
                value = tone * strands[j, c] * rows[i, c]
                albedo[i, j, c] = min(max(value, np.float32(0.006)), np.float32(0.95))
    return albedo, alpha


def lock_textures(look: Look, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Albedo (LOCK_TALL, LOCKS · LOCK_WIDE, 3) and alpha of strips, float32: LOCKS locks side by
    side that end in points; the last third are a few single hairs."""
    wide = LOCKS * LOCK_WIDE
    along = np.linspace(0, 1, LOCK_TALL, dtype=np.float32)[:, None]
    strands = cv2.blur(rng.random((1, wide)).astype(np.float32), (3, 1))[0]
    across = (np.arange(wide) % LOCK_WIDE + 0.5) / LOCK_WIDE * 2 - 1
    reach = 0.45 + 0.57 * rng.random(wide) * (1 - 0.35 * np.abs(across) ** 2)
    edge = np.clip(1.3 - np.abs(across) ** 3 * (0.8 + 1.2 * strands), 0, 1)
    alpha = edge * np.clip((reach - along) * 6, 0, 1) * np.clip(0.3 + along * 8, 0, 1)
    single = np.arange(wide) >= wide * 2 // 3
    kept = cv2.blur((rng.random((1, wide)) < 0.16).astype(np.float32), (2, 1))[0] * 1.2
    alpha = np.where(single, alpha * kept, alpha)
    shade = (0.8 + 0.45 * strands) * (0.86 + 0.16 * along)
    grey = (rng.random(wide) < look.grey)[:, None]
    tone = np.where(grey, 0.4 * GREY + 0.6 * look.color, look.color)
    albedo = shade[..., None] * tone * (1 + along[..., None] * (look.tip - 1))
    return np.clip(albedo, 0.006, 0.95).astype(np.float32), alpha.astype(np.float32)
