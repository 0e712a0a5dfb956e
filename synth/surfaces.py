"""Textures of walls and furniture: cheap, varied, never flat."""

import cv2
import numpy as np

SIZE = 256
PAINTS = np.array(  # sRGB of common wall paints, by eye
    [[0.93, 0.91, 0.87], [0.82, 0.84, 0.83], [0.74, 0.78, 0.8], [0.86, 0.8, 0.7], [0.62, 0.66, 0.6]]
)


def wall_texture(rng: np.random.Generator) -> np.ndarray:
    """A painted, panelled, tiled, brick or wooden wall: (256, 256, 3) float32 sRGB."""
    paint = PAINTS[rng.integers(len(PAINTS))] * rng.uniform(0.6, 1.0) + rng.normal(0, 0.03, 3)
    if rng.random() < 0.2:
        paint = rng.uniform(0.25, 0.7) + rng.uniform(-0.13, 0.13, 3)
    tone = 0.04 * noise(rng, (4, 4)) + 0.015 * noise(rng, (64, 64))
    kind = rng.integers(6)
    if kind == 1:
        tone = tone + _bricks(rng, int(rng.integers(10, 22)))
    elif kind == 2:
        tone = tone + _boards(rng, int(rng.integers(6, 20)))
    elif kind == 3:
        rail = int(rng.uniform(0.5, 0.7) * SIZE)
        tone[rail:] -= rng.uniform(-0.1, 0.25)
        tone[rail : rail + 3] += 0.1
    return np.clip(paint + tone[..., None], 0.02, 0.97).astype(np.float32)


def picture(rng: np.random.Generator) -> np.ndarray:
    """A picture, a window, a shelf of books, or a cupboard: (256, 256, 3) float32 sRGB."""
    kind = rng.integers(4)
    if kind == 0:
        shades = np.stack([noise(rng, (5, 5)) for _ in range(3)], -1)
        image = rng.uniform(0.3, 0.7) + 0.14 * shades[..., :1] + 0.07 * shades
        return _framed(np.clip(image, 0.02, 0.95), rng.uniform(0.05, 0.9) * np.ones(3), 14)
    if kind == 1:
        sky = np.linspace(1.0, rng.uniform(0.6, 0.9), SIZE)[:, None, None] * [0.93, 0.97, 1.0]
        image = np.broadcast_to(sky, (SIZE, SIZE, 3)).copy()
        image[:, 120:136] = image[120:134] = 0.75
        return _framed(image, np.full(3, 0.85), 12)
    if kind == 2:
        return _books(rng)
    wood = rng.uniform(0.2, 0.7) * np.array([1.0, 0.82, 0.62]) * rng.uniform(0.9, 1.1, 3)
    image = wood + 0.06 * _boards(rng, 3)[..., None] + 0.03 * noise(rng, (4, 48))[..., None]
    return _framed(np.clip(image, 0.02, 0.95), wood * 0.8, 8)


def noise(rng: np.random.Generator, cells: tuple[int, int], size: int = SIZE) -> np.ndarray:
    """Smooth noise (size, size) float32 of unit variance in the lattice, rows × columns cells."""
    lattice = rng.normal(size=cells).astype(np.float32)
    return cv2.resize(lattice, (size, size), interpolation=cv2.INTER_CUBIC)


def _dye(rng: np.random.Generator) -> np.ndarray:
    """A colour that clothes have: mostly white, grey, black, navy and muted, seldom bright."""
    if rng.random() < 0.55:
        return np.clip(
            rng.choice([0.06, 0.14, 0.3, 0.55, 0.82, 0.9]) + rng.normal(0, 0.02, 3), 0.03, 1
        )
    hue, strength = rng.uniform(0, 2 * np.pi), rng.uniform(0.03, 0.17)
    wave = np.cos(hue + np.array([0, 2.1, 4.2]))
    return np.clip(rng.uniform(0.12, 0.6) + strength * wave, 0.03, 0.92)


def _bricks(rng, rows: int) -> np.ndarray:
    height, width = SIZE // rows, 2 * SIZE // rows
    y, x = np.mgrid[:SIZE, :SIZE]
    course = y // height
    column = (x + (course % 2) * width // 2) // width
    tone = rng.normal(0, 0.05, (rows + 3, SIZE // width + 3))[course, column]
    joint = (y % height < 2) | ((x + (course % 2) * width // 2) % width < 2)
    return np.where(joint, 0.12 * rng.choice([-1, 1]), tone).astype(np.float32)


def _boards(rng, count: int) -> np.ndarray:
    width = SIZE // count
    x = np.arange(SIZE)
    tone = rng.normal(0, 0.05, count + 2)[x // width] - 0.18 * (x % width < 2)
    return np.broadcast_to(tone, (SIZE, SIZE)).astype(np.float32).copy()


def _books(rng) -> np.ndarray:
    image = np.full((SIZE, SIZE, 3), rng.uniform(0.1, 0.6))
    for top in range(6, SIZE - 40, 62):
        left = 6
        while left < SIZE - 20:
            width, height = int(rng.integers(5, 16)), int(rng.integers(34, 54))
            image[top + 54 - height : top + 54, left : left + width] = _dye(rng)
            left += width + (1 if rng.random() < 0.9 else 20)
    return _framed(image, np.full(3, rng.uniform(0.1, 0.7)), 6)


def _framed(image: np.ndarray, color: np.ndarray, width: int) -> np.ndarray:
    framed = np.asarray(image, dtype=np.float32).copy()
    for edge in (np.s_[:width], np.s_[-width:], np.s_[:, :width], np.s_[:, -width:]):
        framed[edge] = color
    return framed
