"""What lies far behind a person outside or in a large hall: sky, trees, houses, lights, blurred."""

import cv2
import numpy as np

from synth.noise import noise
from synth.rooms.furnishings import paint

SIZE = (120, 160)  # rows and columns that it is painted in: nothing of it is in focus
SODIUM, WHITE = np.array([1.0, 0.72, 0.38]), np.array([1.0, 0.97, 0.92])  # linear light of lamps


def outdoors(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Linear light (H, W, 3) float32 of a scenery by day, seldom by night.

    Args:
        shape: (H, W).
        rng: everything is drawn from it.
    """
    night = rng.random() < 0.15
    kind = rng.choice(3, p=(0.45, 0.35, 0.2))
    image = (_garden, _street, _hall)[kind](rng)
    radius = rng.uniform(1.2, 4.5) if kind == 0 else rng.uniform(3.0, 8.0)
    if night:
        image *= rng.uniform(0.04, 0.12)
    image = out_of_focus(image, radius)
    if night or kind == 2:
        image += _lights(rng)
    image = cv2.GaussianBlur(image, (0, 0), 0.8)
    return cv2.resize(np.maximum(image, 0.003), shape[::-1], interpolation=cv2.INTER_LINEAR)


def _garden(rng) -> np.ndarray:
    """Leaves near and far with the sky between, over a lawn or a path."""
    rows = SIZE[0]
    green = np.array([0.55, 1.0, 0.3]) * rng.uniform(0.05, 0.16)
    green[0] *= rng.uniform(0.8, 1.6)  # to yellow or to blue
    crowns = noise(rng, (5, 7), 160)[:rows] + 0.7 * noise(rng, (20, 27), 160)[:rows]
    leaves = crowns + 0.6 * noise(rng, (60, 80), 160)[:rows]
    image = green * np.exp(0.55 * leaves)[..., None]
    up = np.linspace(1.3, -1.0, rows)[:, None]
    gap = np.clip(1.5 * (0.5 * crowns + up - rng.uniform(0.2, 1.6)), 0, 1)[..., None]
    image += gap * (rng.uniform(0.6, 1.2) * np.array([0.92, 0.97, 1.0]) - image)
    ground = np.clip((np.linspace(0, 1, rows) - rng.uniform(0.6, 1.0)) * 8, 0, 1)[:, None, None]
    lawn = green * 1.8 if rng.random() < 0.6 else paint(rng, (50, 75), 0.08)
    lawn = lawn * np.exp(0.2 * noise(rng, (40, 8), 160)[:rows])[..., None]  # streaks, foreshortened
    return (image + ground * (lawn - image)).astype(np.float32)


def _street(rng) -> np.ndarray:
    """House fronts with windows, some sky, a pavement."""
    rows, columns = SIZE
    image = np.tile(rng.uniform(0.6, 1.1) * np.array([0.93, 0.97, 1.0]), (rows, columns, 1))
    left = 0
    while left < columns:
        width, top = int(rng.integers(25, 80)), int(rng.integers(-60, 40))
        color = paint(rng, (35, 85), 0.18) * rng.uniform(0.6, 1.1)
        cv2.rectangle(image, (left, top), (left + width, rows), color.tolist(), -1)
        pitch, storey = int(rng.integers(8, 18)), int(rng.integers(14, 26))
        glass = (rng.uniform(0.1, 0.5) * np.array([0.8, 0.95, 1.1])).tolist()
        for y in range(top + 5, rows - 12, storey):
            for x in range(left + 4, left + width - 5, pitch):
                cv2.rectangle(image, (x, y), (x + pitch // 2, y + storey // 2), glass, -1)
        left += width
    kerb = int(rows * rng.uniform(0.75, 0.98))
    tone = 0.15 * noise(rng, (40, 6), 160)[:rows, :, None]
    image[kerb:] = (paint(rng, (40, 70), 0.04) * np.exp(tone))[kerb:]
    return image.astype(np.float32)


def _hall(rng) -> np.ndarray:
    """A shop, a lobby or an office far behind: bays between pillars, and who stands there."""
    rows, columns = SIZE
    image = np.tile(rng.uniform(0.3, 0.9) * paint(rng, (70, 92), 0.06), (rows, columns, 1))
    image *= np.linspace(1.2, 0.7, rows)[:, None, None]
    ground, left = int(rows * rng.uniform(0.7, 1.1)), -int(rng.integers(0, 30))
    while left < columns:  # bays between pillars, some open into the dark or the light
        width = int(rng.integers(14, 50))
        bay = rng.uniform(0.3, 1.2) * paint(rng, (25, 92), 0.08)
        cv2.rectangle(
            image, (left, int(rng.integers(-40, 30))), (left + width, ground), bay.tolist(), -1
        )
        left += width + int(rng.integers(6, 40))
    image[max(ground, 0) :] = paint(rng, (35, 75), 0.08)
    for _ in range(int(rng.integers(2, 8))):  # people and counters
        x, top, width = rng.integers([-10, 35, 5], [columns, 95, 30])
        color = rng.uniform(0.4, 1.0) * paint(rng, (10, 80), 0.2)
        cv2.rectangle(image, (int(x), int(top)), (int(x + width), rows), color.tolist(), -1)
    return image.astype(np.float32)


def _lights(rng) -> np.ndarray:
    """Discs of lamps out of focus, all of one size."""
    image = np.zeros((*SIZE, 3), dtype=np.float32)
    disc = pupil(rng.uniform(2, 6.5))
    disc /= disc.max()
    for _ in range(int(rng.integers(8, 30))):
        left, top = int(rng.integers(SIZE[1])), int(SIZE[0] * rng.beta(1.5, 2.5))
        lamp = rng.uniform(0.05, 0.6) * (SODIUM + rng.uniform(0, 1) * (WHITE - SODIUM))
        patch = image[top : top + len(disc), left : left + len(disc)]
        patch += (disc[: patch.shape[0], : patch.shape[1], None] * lamp).astype(np.float32)
    return image


def out_of_focus(image: np.ndarray, radius: float) -> np.ndarray:
    """An image (H, W, 3) float32 blurred by a round pupil, radius in px; sharp below half."""
    if radius < 0.5:
        return image
    disc = pupil(radius)
    return cv2.filter2D(image, -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT)


def pupil(radius: float) -> np.ndarray:
    """(2n + 1, 2n + 1) float32: a disc, antialiased."""
    n = int(np.ceil(radius))
    y, x = np.mgrid[-n : n + 1, -n : n + 1]
    return np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
