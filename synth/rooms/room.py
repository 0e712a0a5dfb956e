"""What lies behind a person: a plain wall, a room, the outdoors, or a photo, at depth."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from faces.camera import Camera
from imaging.codec import decode_image
from imaging.deferred import to_linear
from synth.light import Light
from synth.rooms.interior import backcloth, furnished
from synth.rooms.outdoors import out_of_focus, outdoors
from synth.rooms.panels import panel_color, panel_depth
from synth.scene import LABELS, Backdrop

KINDS = ("studio", "room", "outdoors", "photo")
REACH = {"studio": "studio_mm", "outdoors": "outdoors_mm"}
ROOM = LABELS.index("room")
ROOM_ZOOM = 0.5  # rooms are out of focus: colour at half the resolution


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """What may be behind.

    Attributes:
        weights: how often a plain wall near the head, a furnished room, and the outdoors.
        studio_mm, room_mm, outdoors_mm: (nearest, farthest) of the wall, or of what stands for
            all that is outdoors, behind the head.
        aperture_mm: (smallest, largest) pupil of the lens, which blurs what is far.
        backgrounds: folder of photos to use instead.
    """

    weights: tuple[float, float, float] = (0.3, 0.5, 0.2)
    studio_mm: tuple[float, float] = (250.0, 900.0)
    room_mm: tuple[float, float] = (900.0, 3200.0)
    outdoors_mm: tuple[float, float] = (3000.0, 9000.0)
    aperture_mm: tuple[float, float] = (1.0, 9.0)
    backgrounds: str | None = None


def make_backdrop(
    head_mm: np.ndarray,
    camera: Camera,
    light: Light,
    rng: np.random.Generator,
    settings: RoomSettings = RoomSettings(),
) -> Backdrop:
    """The background of one image.

    Args:
        head_mm: (3,) the head's centre in the camera frame; the lens is focused on it.
        camera: of the image.
        light: of the scene, measured at the head; it falls off and changes over the room.
        rng: everything is drawn from it.
        settings: which kinds.
    """
    head_mm = np.asarray(head_mm, dtype=np.float64)
    kind = rng.choice(KINDS[:3], p=np.array(settings.weights) / np.sum(settings.weights))
    kind = "photo" if settings.backgrounds else kind
    behind = rng.uniform(*getattr(settings, REACH.get(kind, "room_mm")))
    size = (camera.height, camera.width)
    if kind in ("studio", "room"):
        color, depth = _enclosed(kind, head_mm, behind, camera, light, rng)
    else:
        depth = np.full(size, head_mm[2] + behind, dtype=np.float32)
        color = outdoors(size, rng) if kind == "outdoors" else _photo(settings, camera, rng)
    if kind != "outdoors":  # that is painted blurred
        aperture, far = rng.uniform(*settings.aperture_mm), head_mm[2] + behind
        blur = aperture * behind / (far * head_mm[2])  # half the angle of a point's disc
        color = out_of_focus(color, blur * camera.fx * color.shape[1] / camera.width)
    color = cv2.resize(color, size[::-1], interpolation=cv2.INTER_LINEAR)
    return Backdrop(color, depth, np.full(size, ROOM, dtype=np.uint8))


def _enclosed(kind, head_mm, behind, camera, light, rng) -> tuple[np.ndarray, np.ndarray]:
    """Colour (h, w, 3), smaller than the image, and depth (H, W) of walls and what is there."""
    if kind == "studio":
        panels, around = backcloth(head_mm, behind, rng)
        light = light.brighter(float(rng.uniform(0.55, 1.15)))
    else:
        panels, around = furnished(head_mm, behind, camera, rng)
        light = light.brighter(float(rng.uniform(0.35, 1.0)))
    size = [max(int(n * ROOM_ZOOM), 1) for n in (camera.width, camera.height)]
    small = camera.crop(0, 0, *size, zoom=ROOM_ZOOM)
    return panel_color(panels, small, light, around), panel_depth(panels, camera)


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


def _photo(settings: RoomSettings, camera: Camera, rng) -> np.ndarray:
    """The middle of one of the photos, filling the image, in linear light."""
    photos = find_photos(settings.backgrounds)
    path = photos[rng.integers(len(photos))]
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
