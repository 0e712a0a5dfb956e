"""What lies behind a person: rooms of textured planes, blurred lights, or a photo, at depth."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from faces.camera import Camera, Pose
from faces.rotation import matrix_from_euler
from imaging.codec import decode_image
from imaging.deferred import to_linear
from synth.light import Light
from synth.scene import LABELS, Backdrop, Piece, shade_linear
from synth.surfaces import picture, wall_texture

KINDS = ("studio", "room", "bokeh", "photo")
ROOM = LABELS.index("room")
ROOM_ZOOM = 0.5  # rooms are out of focus: colour at half the resolution


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """What may be behind.

    Attributes:
        weights: how often a plain wall near the head, a furnished room, and blurred lights.
        studio_mm, room_mm: (nearest, farthest) of the wall behind the head.
        aperture_mm: (smallest, largest) pupil of the lens, which blurs what is far.
        backgrounds: folder of photos to use instead.
    """

    weights: tuple[float, float, float] = (0.3, 0.5, 0.2)
    studio_mm: tuple[float, float] = (250.0, 900.0)
    room_mm: tuple[float, float] = (900.0, 3200.0)
    aperture_mm: tuple[float, float] = (1.0, 9.0)
    backgrounds: str | None = None


def make_backdrop(
    head_mm: float,
    camera: Camera,
    light: Light,
    rng: np.random.Generator,
    settings: RoomSettings = RoomSettings(),
) -> Backdrop:
    """The background of one image.

    Args:
        head_mm: the head's z, at which the lens is focused.
        camera: of the image.
        light: of the scene; the room is lit by its environment and a fainter lamp.
        rng: everything is drawn from it.
        settings: which kinds.
    """
    kind = rng.choice(KINDS[:3], p=np.array(settings.weights) / np.sum(settings.weights))
    kind = "photo" if settings.backgrounds else kind
    far = head_mm + rng.uniform(*(settings.studio_mm if kind == "studio" else settings.room_mm))
    if kind == "photo":
        photos = find_photos(settings.backgrounds)
        color = _photo(photos[rng.integers(len(photos))], camera)
        depth = np.full((camera.height, camera.width), far, dtype=np.float32)
    elif kind == "bokeh":
        color, depth = _bokeh(far, camera, rng)
    else:
        pieces = _walls(far, rng) + (_furniture(far, rng) if kind == "room" else [])
        color, depth = shade_linear(pieces, camera, light, ROOM_ZOOM)
    color = color * rng.uniform(0.7, 1.15)
    aperture = rng.uniform(*settings.aperture_mm)
    color = _blurred(color, aperture * camera.fx * (far - head_mm) / (far * head_mm))
    labels = np.full(depth.shape, ROOM, dtype=np.uint8)
    return Backdrop(color.astype(np.float32), depth, labels)


@cache
def find_photos(folder: str) -> tuple[str, ...]:
    """Paths of the images in a folder and below, sorted.

    Raises:
        ValueError: there is none.
    """
    found = sorted(
        str(path)
        for path in Path(folder).rglob("*")
        if path.suffix.lower() in (".jpg", ".jpeg", ".png")
    )
    if not found:
        raise ValueError(
            f"backgrounds '{folder}': no image; expected .jpg or .png files; check the folder"
        )
    return tuple(found)


def _walls(far: float, rng: np.random.Generator) -> list[Piece]:
    """A back wall and a side wall, turned by some degrees about the vertical."""
    turn = matrix_from_euler(rng.uniform(-25, 25))
    width, height = 2.6 * far, 2.2 * far
    back = _plane(wall_texture(rng), (width, height), np.zeros(3), np.eye(3))
    side = rng.choice([-1, 1]) * rng.uniform(0.35, 0.7) * far
    corner = _plane(
        wall_texture(rng),
        (width, height),
        np.array([side, 0, width / 2]),
        matrix_from_euler(-90 * np.sign(side)),
    )
    return [_placed(piece, turn, far) for piece in (back, corner)]


def _furniture(far: float, rng: np.random.Generator) -> list[Piece]:
    """Pictures, a window, shelves and boxes at and before the back wall."""
    turn = matrix_from_euler(rng.uniform(-12, 12))
    pieces = []
    for _ in range(rng.integers(2, 7)):
        size = rng.uniform(0.15, 0.5, 2) * far * np.array([0.8, 1.0])
        place = np.array([rng.uniform(-0.6, 0.6), rng.uniform(-0.35, 0.35), 0]) * far
        place[2] = rng.uniform(5, 0.25 * far)
        pieces.append(_plane(picture(rng), tuple(size), place, np.eye(3)))
    return [_placed(piece, turn, far) for piece in pieces]


def _plane(texture, size, centre, rotation) -> Piece:
    """A rectangle (width, height) mm that faces +z of the model axes, then turned and shifted."""
    corners = np.array([[-1, 1, 0], [1, 1, 0], [1, -1, 0], [-1, -1, 0]]) / 2
    points = (corners * [*size, 1]) @ rotation.T + centre
    uv = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], dtype=np.float32)
    triangles = np.array([[0, 2, 1], [0, 3, 2]], dtype=np.int32)
    return Piece("room", points, triangles, texture, uv, triangles, two_sided=True)


def _placed(piece: Piece, turn: np.ndarray, far: float) -> Piece:
    return piece.moved(Pose(turn, np.array([0.0, 0.0, far])))


def _bokeh(far: float, camera: Camera, rng) -> tuple[np.ndarray, np.ndarray]:
    """A blurred gradient with discs of light, as of a street or a garden far behind."""
    shape = (camera.height, camera.width)
    tint = np.exp(rng.normal(0, 0.15, 3))
    coarse = rng.uniform(0.02, 0.4) * tint * np.exp(rng.normal(0, 0.6, (4, 5, 1)))
    coarse = coarse * np.exp(rng.normal(0, 0.1, (4, 5, 3)))
    color = cv2.resize(coarse.astype(np.float32), shape[::-1], interpolation=cv2.INTER_CUBIC)
    lamps = np.zeros((*shape, 3), dtype=np.float32)
    warm = np.array([1.0, 0.8, 0.55])
    for _ in range(rng.integers(0, 40)):
        centre = (int(rng.integers(shape[1])), int(rng.integers(shape[0])))
        glow = rng.uniform(0.02, 0.35) * warm ** rng.uniform(-0.3, 1.2)
        cv2.circle(lamps, centre, int(rng.uniform(5, 22)), glow.tolist(), -1, cv2.LINE_AA)
    return np.maximum(color, 0.003) + lamps, np.full(shape, far, dtype=np.float32)


def _photo(path: str, camera: Camera) -> np.ndarray:
    """The middle of a photo, filling the image, in linear light."""
    image = decode_image(Path(path).read_bytes(), path)
    zoom = max(camera.width / image.shape[1], camera.height / image.shape[0])
    size = [
        max(round(n * zoom), m)
        for n, m in zip(image.shape[1::-1], (camera.width, camera.height), strict=True)
    ]
    image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    left, top = (size[0] - camera.width) // 2, (size[1] - camera.height) // 2
    window = image[top : top + camera.height, left : left + camera.width]
    return to_linear(window.astype(np.float32) / 255)


def _blurred(color: np.ndarray, radius_px: float) -> np.ndarray:
    """Out of focus: a disc of the given radius."""
    n = int(np.ceil(radius_px))
    if n < 1:
        return color
    y, x = np.mgrid[-n : n + 1, -n : n + 1]
    disc = np.clip(radius_px + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return cv2.filter2D(
        color.astype(np.float32), -1, disc / disc.sum(), borderType=cv2.BORDER_REFLECT
    )
