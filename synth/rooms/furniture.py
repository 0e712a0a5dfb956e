"""Furniture at a wall as rectangles: each kind draws its size, its place and its look."""

from dataclasses import dataclass

import numpy as np

from synth.rooms import furnishings as paints
from synth.rooms.panels import Panel


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """A place to stand: x to the right along a wall, y down, z off the wall towards the room."""

    origin: np.ndarray
    axes: np.ndarray  # (3, 3), a row an axis, in the camera frame

    def panel(self, x, y, z, width, height, texture, **changes) -> Panel:
        """A rectangle parallel to the wall, mm, (x, y) its upper left."""
        return Panel(
            self._at(x, y, z), width * self.axes[0], height * self.axes[1], texture, **changes
        )

    def right_side(self, x, y, z, depth, height, texture, **changes) -> Panel:
        """A rectangle that faces along x, from z back by ``depth``."""
        return Panel(
            self._at(x, y, z), -depth * self.axes[2], height * self.axes[1], texture, **changes
        )

    def left_side(self, x, y, z, depth, height, texture, **changes) -> Panel:
        """A rectangle that faces against x, from z forth by ``depth``."""
        return Panel(
            self._at(x, y, z), depth * self.axes[2], height * self.axes[1], texture, **changes
        )

    def top(self, x, y, z, width, depth, texture, **changes) -> Panel:
        """A rectangle that faces up, from z forth by ``depth``."""
        return Panel(
            self._at(x, y, z), width * self.axes[0], depth * self.axes[2], texture, **changes
        )

    def underside(self, x, y, z, width, depth, texture, **changes) -> Panel:
        """A rectangle that faces down, from z back by ``depth``."""
        return Panel(
            self._at(x, y, z), width * self.axes[0], -depth * self.axes[2], texture, **changes
        )

    def _at(self, x, y, z) -> np.ndarray:
        return self.origin + np.array([x, y, z]) @ self.axes


@dataclass(frozen=True, slots=True, eq=False)
class Wall:
    """A wall to furnish.

    Attributes:
        frame: its origin is level with the head.
        floor_mm: how far below that the floor is.
        left_mm, right_mm: where along x the wall ends.
    """

    frame: Frame
    floor_mm: float
    left_mm: float
    right_mm: float


def hang_picture(wall: Wall, x: float, rng) -> tuple[list[Panel], float]:
    """One, or two above each other."""
    texture = paints.picture(rng)
    height = rng.uniform(260, 800)
    width = height * texture.shape[1] / texture.shape[0]
    y = rng.uniform(-500, 0) - height / 2
    hung = [*_flat(wall, x, y, 18, width, height, texture)]
    if height < 450 and rng.random() < 0.4:
        below = paints.picture(rng)
        hung += _flat(wall, x, y + height + 60, 18, width, height, below)
    return hung, width


def set_window(wall: Wall, x: float, rng) -> tuple[list[Panel], float]:
    """Daylight behind a sash, with curtains or blinds or neither."""
    width, height = rng.uniform(800, 1500), rng.uniform(1000, 1400)
    top = wall.floor_mm - rng.uniform(850, 950) - height
    frame, dress = wall.frame, rng.choice(["curtains", "blinds", "sheer", "none"])
    beside = rng.uniform(180, 400) if dress == "curtains" else 60.0
    left = x + beside
    glass = paints.view(rng)
    glow = float(np.exp(rng.uniform(np.log(0.7), np.log(4))))
    item = [
        frame.panel(left, top, 3, width, height, glass, glow=glow, wall=0),
        frame.panel(left, top, 12, width, height, paints.sash(rng), wall=0),
    ]
    if dress in ("curtains", "sheer"):
        sheer = dress == "sheer"
        cloth, drop = paints.curtain(rng, sheer), height + rng.uniform(150, 900)
        spans = (
            ((left, width),) if sheer else ((x, beside + 120), (left + width - 120, beside + 120))
        )
        hem = dict(solid=not sheer, wall=0)
        item += [frame.panel(at, top - 100, 70, span, drop, cloth, **hem) for at, span in spans]
    elif dress == "blinds":
        item.append(frame.panel(left, top, 30, width, height, paints.blinds(rng), wall=0))
    return item, width + 2 * beside


def set_door(wall: Wall, x: float, rng) -> tuple[list[Panel], float]:
    """Closed."""
    size = (float(rng.uniform(780, 960)), 2060.0)
    return _flat(wall, x, wall.floor_mm - size[1], 15, *size, paints.door(rng)), size[0]


def put_bookcase(wall: Wall, x: float, rng) -> tuple[list[Panel], float]:
    """Up to a person's height or more."""
    width, shelves = float(rng.uniform(600, 1200)), int(rng.integers(4, 8))
    height, front = 330.0 * shelves, paints.books(rng, shelves)
    item = _box(wall, x, height, (width, 290.0), front, front[0, 0, :3])
    return item, width


def put_cupboard(wall: Wall, x: float, rng) -> tuple[list[Panel], float]:
    """A sideboard with something on it, or a wardrobe."""
    low = rng.random() < 0.6
    height = float(rng.uniform(750, 1150) if low else rng.uniform(1800, 2100))
    doors = int(rng.integers(2, 4))
    width, front = doors * float(rng.uniform(380, 550)), paints.cupboard(rng, doors)
    item = _box(wall, x, height, (width, 420.0), front, front[8, 8, :3])
    if low:
        at = x + rng.uniform(0.1, 0.5) * width
        item += (_plant if rng.random() < 0.5 else _lamp)(wall, at, height, 210.0, rng, 420.0)
    return item, width


def put_plant(wall: Wall, x: float, rng) -> tuple[list[Panel], float]:
    """On the floor."""
    height = float(rng.uniform(1000, 1900))
    return _plant(wall, x, 0.0, 380.0, rng, height), 0.75 * height


def put_lamp(wall: Wall, x: float, rng) -> tuple[list[Panel], float]:
    """On a pole."""
    height = float(rng.uniform(1400, 1700))
    return _lamp(wall, x, 0.0, 350.0, rng, height), 380.0


def leave_free(wall: Wall, x: float, rng) -> tuple[list[Panel], float]:
    """Only the wall."""
    return [], float(rng.uniform(300, 900))


# What may stand or hang at a wall, and how often.
FURNISH = {
    "picture": hang_picture,
    "window": set_window,
    "bookcase": put_bookcase,
    "door": set_door,
    "cupboard": put_cupboard,
    "plant": put_plant,
    "lamp": put_lamp,
    "nothing": leave_free,
}
KINDS = tuple(FURNISH)
CHANCES = (0.25, 0.16, 0.15, 0.11, 0.1, 0.07, 0.06, 0.1)


def _flat(wall: Wall, x, y, z, width, height, texture) -> list[Panel]:
    """Something thin on the wall, and the shadow it throws on it."""
    return [
        _shadow(wall, x + 12, y + 22, width, height, 30.0),
        wall.frame.panel(x, y, z, width, height, texture, wall=0),
    ]


def _box(wall: Wall, x, height, size, front, color) -> list[Panel]:
    """A piece of furniture on the floor, (width, depth) mm."""
    (width, depth), y, plain = size, wall.floor_mm - height, paints.plain(color)
    frame = wall.frame
    return [
        _shadow(wall, x, y, width, height, 130.0),
        frame.left_side(x, y, 0, depth, height, plain),
        frame.right_side(x + width, y, depth, depth, height, plain),
        frame.top(x, y, 0, width, depth, plain),
        frame.panel(x, y, depth, width, height, front),
    ]


def _plant(wall: Wall, x, above, z, rng, height) -> list[Panel]:
    y = wall.floor_mm - above - height
    return [wall.frame.panel(x, y, z, 0.75 * height, height, paints.plant(rng))]


def _lamp(wall: Wall, x, above, z, rng, height) -> list[Panel]:
    y, glow = wall.floor_mm - above - height, float(rng.uniform(0.5, 2.2))
    size, pole = 0.8 * min(height, 450.0), paints.plain(paints.paint(rng, (8, 80), 0.02))
    shine = paints.lampshade(rng)
    return [
        wall.frame.panel(x + size / 2 - 12, y + size / 2, z, 24, height - size / 2, pole),
        wall.frame.panel(x, y, z + 5, size, 0.8 * size, shine, glow=glow),
    ]


def _shadow(wall: Wall, x, y, width, height, soft) -> Panel:
    texture = paints.stain((24, 24), soft / (min(width, height) / 2 + soft))
    texture[..., 3] *= 0.55
    area = (x - soft, y - soft, 1, width + 2 * soft, height + 2 * soft)
    return wall.frame.panel(*area, texture, solid=False, wall=0)
