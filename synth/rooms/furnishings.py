"""What stands and hangs in rooms, painted flat: (h, w, 4) float32, linear reflectance and alpha."""

import cv2
import numpy as np

from synth.noise import noise


def paint(rng: np.random.Generator, bright: tuple[float, float], chroma: float) -> np.ndarray:
    """(3,) linear reflectance: CIE lightness within ``bright``, muted by a small ``chroma``."""
    luminance = ((rng.uniform(*bright) + 16) / 116) ** 3
    # paints and dyes lie along warm to cool, less from green to pink: mauve rooms are rare
    warm, green = rng.normal(0.4, 1.0), rng.normal(0.15, 0.4)
    wave = warm * np.array([0.6, 0.1, -0.8]) + green * np.array([-0.6, 0.5, -0.3])
    strength = abs(rng.normal(0, chroma))
    color = np.exp(strength * wave)
    return np.clip(luminance * color / (color @ [0.2126, 0.7152, 0.0722]), 0.01, 0.9)


def wood(rng: np.random.Generator) -> np.ndarray:
    """(3,) linear reflectance of light to dark wood, or of white and grey lacquer."""
    if rng.random() < 0.4:
        return paint(rng, (30, 92), 0.04)
    return rng.uniform(0.05, 0.45) * np.array([1.0, 0.66, 0.4]) ** rng.uniform(0.5, 1.1)


def wall(rng: np.random.Generator, width_mm: float, height_mm: float) -> np.ndarray:
    """Painted, seldom panelled, papered, boarded or brick; at true scale."""
    kind = rng.choice(5, p=(0.7, 0.1, 0.08, 0.06, 0.06))
    color = paint(rng, (78, 94), 0.06) if rng.random() < 0.7 else paint(rng, (35, 80), 0.16)
    rows, columns = (24, 32) if kind == 0 else (int(height_mm / 10), int(width_mm / 10))
    y, x = np.mgrid[:rows, :columns].astype(np.float32)
    tone = 0.02 * cv2.resize(noise(rng, (4, 5), 16), (columns, rows))
    if kind == 1:  # lighter above a rail
        rail = int(rows * rng.uniform(0.5, 0.65))
        tone[rail:] -= rng.uniform(0.1, 0.5)
        tone[rail : rail + 6] = 0.15
    elif kind == 2:  # stripes of paper
        tone += rng.uniform(0.02, 0.1) * np.sign(np.sin(x * 2 * np.pi / rng.uniform(8, 24)))
    elif kind == 3:
        tone += _boards(rng, columns, int(rng.integers(9, 22)))
    elif kind == 4:
        color = rng.choice([0.65, 0.3, 0.2]) * np.array([1.0, 0.72, 0.58]) ** rng.uniform(0.2, 1.3)
        tone += _bricks(rng, y, x)
    return _opaque(color * np.exp(np.clip(tone, -1, 0.3))[..., None])


def door(rng: np.random.Generator) -> np.ndarray:
    """A leaf with two or no fields, in its frame."""
    color = wood(rng)
    image = np.tile(color.astype(np.float32), (100, 44, 1))
    fields = ((8, 42), (50, 92)) if rng.random() < 0.6 else ()
    for top, bottom in fields:
        cv2.rectangle(image, (10, top), (33, bottom), (0.6 * color).tolist(), 1)
        cv2.rectangle(image, (11, top + 1), (33, bottom), (1.15 * color).tolist(), 1)
    frame = paint(rng, (70, 93), 0.03)
    image[:3] = image[:, :3] = image[:, -3:] = frame
    image[3] = image[3:, 3] = image[3:, -4] = 0.3 * color
    image[52:54, 36:39] = 0.45
    return _opaque(image)


def picture(rng: np.random.Generator) -> np.ndarray:
    """A print, photo or painting behind its mount, framed."""
    high, wide = 64, int(rng.integers(44, 90))
    mount = np.tile(paint(rng, (85, 95), 0.02).astype(np.float32), (high, wide, 1))
    edge = int(rng.choice([3, 9, 14]))
    size = (high - 2 * edge, wide - 2 * edge)
    shades = cv2.resize(noise(rng, tuple(rng.integers(3, 7, 2)), 16), size[::-1])
    low, top = paint(rng, (15, 60), 0.35), paint(rng, (40, 95), 0.3)
    mix = np.clip(0.5 + 0.35 * shades + np.linspace(0.3, -0.3, size[0])[:, None], 0, 1)
    mount[edge:-edge, edge:-edge] = low + (top - low) * mix[..., None]
    frame = wood(rng) if rng.random() < 0.6 else paint(rng, (8, 25), 0.02)
    mount[:3] = mount[-3:] = mount[:, :3] = mount[:, -3:] = frame
    return _opaque(mount)


def view(rng: np.random.Generator) -> np.ndarray:
    """What is outside of a window, far too bright for the film: sky over green or houses."""
    sky = np.array([0.85, 0.95, 1.0]) * np.linspace(1.0, 0.8, 48)[:, None, None]
    image = np.tile(sky, (1, 32, 1)).astype(np.float32)
    line = int(rng.uniform(15, 44))
    tops = line + 5 * cv2.resize(noise(rng, (1, 6), 8), (32, 1))[0]
    below = np.arange(48)[:, None] > tops
    image[below] = rng.uniform(0.2, 0.6) * paint(rng, (60, 85), 0.15) / 0.4
    return _opaque(cv2.GaussianBlur(image, (0, 0), 1.2))


def sash(rng: np.random.Generator) -> np.ndarray:
    """A window's frame and bars; what is between is open."""
    image = _opaque(np.tile(paint(rng, (85, 95), 0.01).astype(np.float32), (80, 80, 1)))
    middle = 2 if rng.random() < 0.3 else 40
    image[5:75, 5 : middle + 36, 3] = 0
    image[5:75, middle + 3 : 75, 3] = 0
    image[5:75, middle : middle + 3, 3] = 1
    if rng.random() < 0.4:
        image[38:41, :, 3] = 1
    return image


def curtain(rng: np.random.Generator, sheer: bool) -> np.ndarray:
    """Folds that hang; sheer ones let the window through."""
    along = np.linspace(0, 1, 96, dtype=np.float32)
    folds = np.sin(2 * np.pi * (rng.uniform(4, 9) * along + 0.3 * noise(rng, (1, 6), 96)[0]))
    cloth = paint(rng, (85, 95), 0.03) if sheer else paint(rng, (30, 90), 0.15)
    image = _opaque(np.tile(cloth * np.exp(0.22 * folds - 0.1)[:, None], (4, 1, 1)))
    image[..., 3] = 0.75 + 0.15 * folds if sheer else 1
    return image


def blinds(rng: np.random.Generator) -> np.ndarray:
    """Slats, half open."""
    rows = np.arange(160)
    slat = 0.75 + 0.2 * np.cos(2 * np.pi * rows / 5)
    image = _opaque(np.tile(slat[:, None, None] * paint(rng, (80, 94), 0.02), (1, 8, 1)))
    image[..., 3] = np.where(rows % 5 < 4, 1.0, 0.3)[:, None]
    return image


def books(rng: np.random.Generator, shelves: int) -> np.ndarray:
    """A bookcase from before: boards, and between them books and what else people put there."""
    case, inside = wood(rng), rng.uniform(0.15, 0.45)
    high, wide = 26 * shelves + 2, 104
    image = np.tile((case * inside).astype(np.float32), (high, wide, 1))
    for top in range(2, high - 2, 26):
        floor, left = top + 23, 3 + int(rng.integers(0, 8))
        if rng.random() < 0.15:
            continue
        while left < wide - 6:
            if rng.random() < 0.06:  # a gap, or a box or a vase in it
                _thing(image, rng, left, floor)
                left += int(rng.integers(10, 26))
            width, height = int(rng.integers(2, 6)), int(rng.integers(13, 21))
            right = min(left + width, wide - 3)
            cover = paint(rng, (12, 88), 0.3).astype(np.float32)
            image[floor - height : floor, left:right] = cover
            image[floor - height : floor, right - 1] *= 0.55
            left = right
        shade = np.linspace(0.35, 1.0, 10, dtype=np.float32)[:, None, None]
        image[top : top + 10] *= shade  # the board above keeps light off
    for top in range(0, high, 26):
        image[top : top + 3] = case
    image[:, :3] = image[:, -3:] = case
    return _opaque(image)


def cupboard(rng: np.random.Generator, doors: int) -> np.ndarray:
    """Doors or drawers with gaps between and knobs."""
    color = wood(rng)
    image = np.tile(color.astype(np.float32), (64, 24 * doors, 1))
    image *= np.exp(0.05 * cv2.resize(noise(rng, (2, 24), 32), image.shape[1::-1]))[..., None]
    for k in range(doors):
        cv2.rectangle(image, (24 * k, 1), (24 * k + 23, 62), (0.35 * color).tolist(), 1)
        knob = 24 * k + (20 if k % 2 == 0 else 3)
        image[30:33, knob : knob + 1] = 0.5
    return _opaque(image)


def plant(rng: np.random.Generator) -> np.ndarray:
    """Leaves over a pot."""
    image = np.zeros((128, 96, 4), dtype=np.float32)
    green = np.array([0.35, 1.0, 0.22]) * rng.uniform(0.06, 0.16)
    green[[0, 2]] *= rng.uniform(0.8, 1.5)
    long, thin = rng.uniform(9, 24), rng.uniform(0.15, 0.4)
    for _ in range(int(rng.integers(35, 80))):
        turn, out = rng.uniform(-1.4, 1.4), rng.beta(2, 1.3)
        at = np.array([48 + 36 * out * np.sin(turn), 88 - 70 * out * np.cos(turn)])
        size = (long * rng.uniform(0.6, 1.1), long * thin)
        leaf = [*(green * rng.uniform(0.35, 1.5)), 1.0]
        lean = np.degrees(turn) - 90 + rng.normal(0, 35)
        cv2.ellipse(image, tuple(at.astype(int)), np.intp(size), lean, 0, 360, leaf, -1)
    pot = np.array([[28, 90], [68, 90], [62, 127], [34, 127]])
    cv2.line(image, (48, 90), (48, 40), [*(0.5 * green), 1.0], 2)
    cv2.fillConvexPoly(image, pot, [*paint(rng, (25, 90), 0.2), 1.0])
    image[90:, :, :3] *= np.linspace(1.15, 0.6, 96)[:, None]
    return image


def lampshade(rng: np.random.Generator) -> np.ndarray:
    """A shade that shines, warm."""
    image = np.zeros((40, 48, 4), dtype=np.float32)
    narrow = int(rng.integers(0, 14))
    shade = np.array([[narrow, 0], [47 - narrow, 0], [47, 39], [0, 39]])
    cv2.fillConvexPoly(image, shade, [1.0, 0.8, 0.52, 1.0])
    bulb = np.exp(-(((np.arange(40) - 22) / 18.0) ** 2))[:, None, None]
    image[..., :3] *= 0.45 + 0.55 * bulb
    return image


def stain(size: tuple[int, int], margin: float) -> np.ndarray:
    """A soft shadow of a rectangle that is ``margin`` (a share) smaller on every side."""
    high, wide = size
    y, x = np.linspace(0, 1, high), np.linspace(0, 1, wide)
    fall = [np.clip(np.minimum(a, 1 - a) / margin, 0, 1) ** 2 for a in (y, x)]
    image = np.zeros((high, wide, 4), dtype=np.float32)
    image[..., 3] = fall[0][:, None] * fall[1]
    return image


def plain(color: np.ndarray) -> np.ndarray:
    """One colour."""
    return _opaque(np.tile(np.asarray(color, dtype=np.float32), (2, 2, 1)))


def _opaque(color: np.ndarray) -> np.ndarray:
    alpha = np.ones((*color.shape[:2], 1), dtype=np.float32)
    return np.concatenate([np.clip(color, 0.005, 0.95), alpha], axis=2, dtype=np.float32)


def _thing(image, rng, left, floor) -> None:
    size = int(rng.integers(6, 14)), int(rng.integers(6, 16))
    color = paint(rng, (20, 92), 0.15)
    cv2.rectangle(image, (left, floor - size[1]), (left + size[0], floor), color.tolist(), -1)


def _bricks(rng, y, x) -> np.ndarray:
    """Courses of 75 mm, bricks of 225 mm, on a lattice of 10 mm."""
    course = (y / 7.5).astype(int)
    brick = ((x + (course % 2) * 11.25) / 22.5).astype(int)
    tone = rng.normal(0, 0.14, (course.max() + 1, brick.max() + 1))[course, brick]
    joint = (y % 7.5 < 1) | ((x + (course % 2) * 11.25) % 22.5 < 1)
    return np.where(joint, rng.uniform(-0.3, 0.3), tone).astype(np.float32)


def _boards(rng, columns: int, width: int) -> np.ndarray:
    x = np.arange(columns)
    tone = rng.normal(0, 0.06, columns // width + 1)[x // width] - 0.5 * (x % width < 1)
    return tone.astype(np.float32)[None]
