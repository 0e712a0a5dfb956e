"""The inside of a room around a head: walls, and what stands and hangs there."""

import numpy as np

from faces.camera import Camera
from synth.rooms import furnishings as paints
from synth.rooms.furniture import CHANCES, FURNISH, KINDS, Frame, Wall
from synth.rooms.panels import Panel, Surroundings

CLEAR_MM = 320.0  # of the walls behind the head: shoulders lean there
BODY = np.array([[0, -20, 0, 105.0], [0, 330, 30, 200.0]])  # balls for a head and a chest, mm
NOTHING = np.zeros((0, 4))
Place = tuple[list[Panel], Surroundings]


def backcloth(head_mm: np.ndarray, behind_mm: float, rng: np.random.Generator) -> Place:
    """A plain wall or a roll of paper close behind, as in passport pictures and studios, with
    the person's shadow.

    Args:
        head_mm: (3,) the head's centre, camera frame.
        behind_mm: how far the wall is behind it.
        rng: everything is drawn from it.

    Returns:
        list of Panel, and the Surroundings.
    """
    if rng.random() < 0.65:  # white to grey
        color = paints.paint(rng, (62, 96), 0.02)
    else:
        color = paints.paint(rng, (22, 85), 0.15)
    axes = _turned(rng.uniform(-12, 12))
    size = 4.0 * (head_mm[2] + behind_mm)
    frame = Frame(head_mm - behind_mm * axes[2], axes)
    sheet = frame.panel(-size / 2, -size / 2, 0, size, size, paints.plain(color), wall=0)
    body = BODY + np.append(head_mm, 0)
    spot = rng.normal(0, 0.3, 2) / 1000  # a lamp of its own, or what the face's leaves
    around = Surroundings(
        _plane(sheet)[None],
        head_mm,
        np.array([spot[0], spot[1], 0]),
        float(rng.uniform(1500, 3500)),
        body,
    )
    return [sheet], around


def furnished(
    head_mm: np.ndarray, behind_mm: float, camera: Camera, rng: np.random.Generator
) -> Place:
    """A room: five walls that enclose camera and head, and what is in it.

    Args:
        head_mm: (3,) the head's centre, camera frame.
        behind_mm: how far the back wall is behind it.
        camera: nothing that it sees is nearer than CLEAR_MM behind the head.
        rng: everything is drawn from it.

    Returns:
        list of Panel, far ones first, and the Surroundings.
    """
    wall, walls = _walls(head_mm, behind_mm, camera, rng)
    items = _items(wall, *_span(wall, camera), rng)
    nearest = head_mm[2] + CLEAR_MM
    kept = [item for item in items if all(panel.corners[:, 2].min() > nearest for panel in item)]
    seen = [panel for item in kept for panel in item if panel.normal @ panel.corner < 0]
    around = Surroundings(
        np.stack([_plane(panel) for panel in walls]),
        head_mm,
        rng.uniform(-0.25, 0.25, 3) * [1, 1, 0.5] / 1000,
        float(rng.uniform(1800, 4500)),
        NOTHING,
    )
    return walls + seen, around


def _span(wall: Wall, camera: Camera) -> tuple[float, float]:
    """From where to where along x the camera sees the wall, level with itself."""
    ends = []
    for column, end in ((0, wall.left_mm), (camera.width, wall.right_mm)):
        ray = np.array([(column - camera.cx) / camera.fx, 0, 1.0])
        along, off = (ray @ wall.frame.axes.T)[[0, 2]]
        start, away = (-wall.frame.origin @ wall.frame.axes.T)[[0, 2]]
        met = start - along * away / off if off < 0 else end
        ends.append(float(np.clip(met, wall.left_mm, wall.right_mm)))
    return ends[0], ends[1]


def _items(wall: Wall, left: float, right: float, rng) -> list[list[Panel]]:
    """What is at a wall, side by side; what may hide something else comes after that."""
    placed, x = [], max(left - rng.uniform(0, 400), wall.left_mm + 40)
    while x < right:
        kind = KINDS[rng.choice(len(KINDS), p=CHANCES)]
        item, width = FURNISH[kind](wall, x, rng)
        if x + width > wall.right_mm - 40:
            break
        foot = -wall.frame.origin @ wall.frame.axes[0]  # of the camera on the wall
        stands = any(panel.wall < 0 for panel in item)
        placed.append((stands, -abs(x + width / 2 - foot), item))
        x += width + rng.uniform(40, 350)
    return [item for _, _, item in sorted(placed, key=lambda entry: entry[:2])]


def _walls(head_mm, behind_mm, camera, rng) -> tuple[Wall, list[Panel]]:
    """The back wall to furnish; and back, left, right, floor and ceiling."""
    axes = _turned(rng.uniform(-28, 28))
    left, right = (
        max(rng.uniform(800, 2600), _needed(way, head_mm, camera)) for way in (-axes[0], axes[0])
    )
    behind = max(behind_mm, _needed(-axes[2], head_mm, camera))
    floor, high = rng.uniform(1050, 1650), rng.uniform(2450, 2900)
    frame = Frame(head_mm - behind * axes[2], axes)
    wide, deep = left + right, head_mm[2] + behind + 1500
    main = paints.wall(rng, wide, high)
    other = main if rng.random() < 0.75 else paints.wall(rng, deep, high)
    ground = paints.wood(rng) if rng.random() < 0.6 else paints.paint(rng, (25, 75), 0.1)
    white = paints.plain(paints.paint(rng, (88, 95), 0.01))
    walls = [
        frame.panel(-left, floor - high, 0, wide, high, main, wall=0),
        frame.right_side(-left, floor - high, deep, deep, high, other, wall=1),
        frame.left_side(right, floor - high, 0, deep, high, other, wall=2),
        frame.top(-left, floor, 0, wide, deep, paints.plain(ground), wall=3),
        frame.underside(-left, floor - high, deep, wide, deep, white, wall=4),
    ]
    return Wall(frame, floor, -left, right), walls


def _needed(way: np.ndarray, head_mm: np.ndarray, camera: Camera) -> float:
    """How far from the head a wall must be that faces −``way``, to be seen nowhere nearer than
    CLEAR_MM behind the head: 1/z is linear in the pixel, so a corner of the image decides."""
    x = (np.array([0, camera.width]) - camera.cx) / camera.fx
    y = (np.array([0, camera.height]) - camera.cy) / camera.fy
    rays = np.stack([*np.meshgrid(x, y), np.ones((2, 2))], axis=-1)
    return float((rays @ way).max() * (head_mm[2] + CLEAR_MM) - way @ head_mm)


def _plane(panel: Panel) -> np.ndarray:
    normal = panel.normal
    return np.array([*normal, -normal @ panel.corner])


def _turned(angle_deg: float) -> np.ndarray:
    """(3, 3) axes of a wall that faces the camera, turned about the vertical: along it to the
    right, down, and off it."""
    c, s = np.cos(np.radians(angle_deg)), np.sin(np.radians(angle_deg))
    return np.array([[c, 0, s], [0, 1, 0], [s, 0, -c]])
