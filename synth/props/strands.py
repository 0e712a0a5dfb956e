"""Ribbons of hair: their texture, their triangles, and how they grow along a head."""

from collections.abc import Callable
from functools import lru_cache

import cv2
import numpy as np

from synth.props.headmap import HeadMap
from synth.scene import Piece

LOCKS = 12  # ribbons in the texture, side by side; the first half is darker
TALL, WIDE = 256, 32  # texels along and across one ribbon
STEPS = 8  # along a ribbon
LOOSE_MM = 40.0  # below the head's middle, where hair leaves it and hangs


def lock_textures(
    color: np.ndarray, rng: np.random.Generator, grey: float, fray: float
) -> tuple[np.ndarray, np.ndarray]:
    """Albedo (TALL, LOCKS · WIDE, 3) and alpha (TALL, LOCKS · WIDE), float32.

    Args:
        color: (3,) sRGB of the hair.
        grey: share of strands without pigment.
        fray: where along the ribbon its strands begin to end, 0 root to 1 tip.
    """
    wide = LOCKS * WIDE
    along = np.linspace(0, 1, TALL, dtype=np.float32)[:, None]
    strands = rng.random(wide).astype(np.float32)
    reach = fray + (1.02 - fray) * rng.random(wide).astype(np.float32)
    across = (np.arange(wide) % WIDE + 0.5) / WIDE * 2 - 1
    reach *= 1 - 0.35 * np.abs(across) ** 2  # a lock ends in a point
    edge = np.clip(1.25 - np.abs(across) ** 4 * (0.6 + 1.3 * strands), 0, 1)
    thin = 0.35 + 0.65 * cv2.GaussianBlur(rng.random((1, wide)).astype(np.float32), (3, 1), 0.6)
    alpha = edge * np.clip((reach - along) * 14, 0, 1) * np.clip(thin * (2.1 - along), 0, 1)
    shade = 0.72 + 0.4 * strands + 0.1 * _wavy(rng, wide)
    shade = shade * (0.55 + 0.5 * np.clip(along * 3.5, 0, 1))  # roots lie in each other's shade
    shade[:, : wide // 2] *= 0.72
    tone = np.where(
        (rng.random(wide) < grey)[:, None],
        0.45 * np.array([0.66, 0.65, 0.64]) + 0.55 * color,
        color,
    )
    albedo = np.clip(shade[..., None] * tone, 0.004, 0.95)
    return albedo.astype(np.float32), alpha.astype(np.float32)


def _wavy(rng: np.random.Generator, wide: int) -> np.ndarray:
    lattice = rng.normal(size=(10, wide // 2)).astype(np.float32)
    return cv2.resize(lattice, (wide, TALL), interpolation=cv2.INTER_CUBIC)


def grow(
    head: HeadMap,
    roots_mm: np.ndarray,
    start: np.ndarray,
    length_mm: np.ndarray,
    height_mm: np.ndarray,
    pull: Callable[[np.ndarray, float], np.ndarray],
    stiffness: float = 0.5,
    cling: float = 0.0,
) -> np.ndarray:
    """Paths (N, STEPS + 1, 3) mm of N strands that lie on the head and on each other.

    Args:
        head: what they may not enter.
        roots_mm: (N, 3) on the skin.
        start: (N, 3) unit directions in which they leave it.
        length_mm: (N,).
        height_mm: (N,) of the layer of hair that each lies on, reached soon after its root.
        pull: from points (N, 3) and the share of the length grown to directions (N, 3).
        stiffness: how much of its direction a strand keeps at each step.
        cling: how far a strand that has left its layer falls back to it, while it is above the
            ears' level; below it hangs free.
    """
    points, direction = roots_mm, start
    path = [points]
    for step in range(1, STEPS + 1):
        share = step / STEPS
        direction = _unit(stiffness * direction + (1 - stiffness) * pull(points, share))
        moved = points + direction * (length_mm / STEPS)[:, None]
        # hair rises to its layer over the length of a lock, whatever its own length
        risen = height_mm * (1 - np.exp(-share * length_mm / 18)) + 0.8
        points = _settled(head, head.pushed(moved, risen), risen, cling)
        direction = _unit(points - path[-1])
        path.append(points)
    return _smoothed(head, np.stack(path, axis=1))


def _settled(head: HeadMap, points, height, cling: float) -> np.ndarray:
    """The points (N, 3) with a share of what they are above ``height`` taken back."""
    if cling == 0:
        return points
    above = np.clip((points[:, 1] - head.centre_mm[1] + LOOSE_MM) / LOOSE_MM, 0, 1)
    excess = np.clip(head.height(points) - height, 0, 60) * cling * above
    return points - excess[:, None] * _unit(points - head.centre_mm)


def _smoothed(head: HeadMap, paths: np.ndarray) -> np.ndarray:
    """Paths without the kinks that ears leave in them, outside the head again."""
    for _ in range(2):
        middle = (paths[:, :-2] + 2 * paths[:, 1:-1] + paths[:, 2:]) / 4
        paths = np.concatenate([paths[:, :1], middle, paths[:, -1:]], axis=1)
    pushed = head.pushed(paths[:, 1:].reshape(-1, 3), 0.8).reshape(len(paths), -1, 3)
    return np.concatenate([paths[:, :1], pushed], axis=1)


def ribbons(
    paths_mm: np.ndarray,
    width_mm: np.ndarray,
    head: HeadMap,
    textures: tuple[np.ndarray, np.ndarray],
    rng: np.random.Generator,
    inner: np.ndarray,
) -> Piece:
    """A piece "hair" of one strip a path, its face away from the head's middle.

    Args:
        paths_mm: (N, STEPS + 1, 3).
        width_mm: (N,).
        head: what they may not enter.
        textures: of lock_textures.
        inner: (N,) bool, ribbons that lie below others and are darker.
    """
    count = len(paths_mm)
    along = _unit(np.gradient(paths_mm, axis=1))
    outwards = _unit(paths_mm - head.centre_mm)
    tilt = rng.normal(0, 0.35, (count, 1, 1))
    side = _unit(np.cross(along, outwards))
    side = _unit(side + tilt * np.cross(side, along))
    taper = np.interp(np.linspace(0, 1, STEPS + 1), [0, 0.25, 1], [0.75, 1.0, 0.8])
    half = 0.5 * width_mm[:, None, None] * taper[None, :, None] * side
    points = np.stack([paths_mm - half, paths_mm + half], axis=2)
    points = head.pushed(points.reshape(-1, 3), 0.5)
    lock = rng.integers(0, LOCKS // 2, count) + np.where(inner, 0, LOCKS // 2)
    flipped = rng.random(count) < 0.5
    left, right = np.where(flipped, lock + 1, lock), np.where(flipped, lock, lock + 1)
    u = np.stack([left, right], 1)[:, None] / LOCKS
    v = np.linspace(0.002, 0.998, STEPS + 1)[None, :, None]
    uv = np.stack(np.broadcast_arrays(u, v), -1).reshape(-1, 2).astype(np.float32)
    albedo, alpha = textures
    triangles = strips(count)
    gloss = np.full(len(points), 0.11, dtype=np.float32)
    return Piece(
        "hair", points, triangles, albedo, uv, triangles, alpha, gloss, 16.0, two_sided=True
    )


@lru_cache(maxsize=16)
def strips(count: int) -> np.ndarray:
    """Triangles (2 · STEPS · count, 3) int32 of ``count`` strips of 2 (STEPS + 1) points."""
    step = 2 * np.arange(STEPS)[:, None]
    one = (step[..., None] + np.array([[0, 1, 3], [0, 3, 2]])).reshape(-1, 3)
    first = 2 * (STEPS + 1) * np.arange(count)[:, None, None]
    return (first + one).reshape(-1, 3).astype(np.int32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
