"""What is known of a portrait without depth: where the person is, is not, and may well be."""

from dataclasses import dataclass

import cv2
import numpy as np

# by eye on portraits, in widths of the face from ear to ear
RIM = 0.03  # the fitted outline is no surer
NECK = (-0.1, 0.18, 0.5)  # below the chin; half its width there; how fast that grows downwards
CHEST = (0.25, 0.45, 2.2, 1.35)  # the same for shoulders, and the farthest that they reach
HAIR_REACH = 1.15  # from the face's middle: wider hair is rare, and then colour decides nothing
TUFT = 0.6  # above the face hair may reach the image's upper border
EDGE = 1 / 60  # of the longer side: the border above the shoulders shows the room
ABOVE = -0.2  # so far below the chin no shoulder reaches; above it is less than 0
CHEST_CHANCE, SKULL_CHANCE = 0.97, 0.6  # a white shirt before a white wall is a person's
LOCKS = (-0.6, 0.2)  # below the chin: from the ears down to where collars begin
LIPS = -0.35  # below them the jaw alone is sure, behind which the model draws its own neck


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """Attributes, all (H, W):
    person: bool, surely the person.
    other: bool, surely not.
    likely: float32, the chance of the person by place alone: of the chest, and of the fitted
        skull, which no landmark shows; 0 where place tells nothing.
    beside: bool, beside jaw and neck and above the chest: only hair hangs there.
    """

    person: np.ndarray
    other: np.ndarray
    likely: np.ndarray
    beside: np.ndarray


def portrait(
    head: np.ndarray,
    face: np.ndarray,
    ears: np.ndarray,
    down: tuple[float, float] = (0.0, 1.0),
) -> Portrait:
    """The seeds of ``person_mask`` for a photo of one head.

    Where the head is tilted the body may be too, as in a tilted photo, or stand upright: sure is
    what holds for both.

    Args:
        head: (H, W) bool, where the fitted head mesh is drawn.
        face: (H, W) bool, its face and ears; its lowest pixel is the chin. Not empty.
        ears: (H, W) bool, where it shows an ear.
        down: (x, y) in the image, from the crown to the chin; of any length above 0.
    """
    own = _place(face, down)
    both = (own, _place(face, (0.0, 1.0)))
    rim = RIM * own.width
    # models' necks are all alike, and people's are not: of the neck only its middle is sure
    # nor is it known how far ears stand off, and a near camera does not see them at all
    skull, jaw = _shrunk(head & ~ears, rim), _shrunk(face & ~ears, rim)
    person = (skull & (own.down < LIPS)) | (jaw & (own.down < NECK[0]))
    person |= _all(_in_neck(place) for place in both)
    chest = ~_all(~_in_chest(place) for place in both)
    likely = np.where(chest, CHEST_CHANCE, np.where(head & (own.down < 0), SKULL_CHANCE, 0))
    other = _all(_beyond_hair(place) for place in both) | _border(both)
    level = _all((place.down > LOCKS[0]) & (place.down < LOCKS[1]) for place in both)
    beside = level & ~chest & ~jaw & ~person
    return Portrait(person, other & ~person, likely.astype(np.float32), beside)


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """down, aside: (H, W) below the chin and beside the face's middle, in widths of the face;
    width: px."""

    down: np.ndarray
    aside: np.ndarray
    width: float


def _place(face, down):
    x, y = np.asarray(down) / np.hypot(*down)
    rows, columns = np.mgrid[: face.shape[0], : face.shape[1]].astype(np.float32)
    along, across = x * columns + y * rows, y * columns - x * rows
    low, high = across[face].min(), across[face].max()
    width = high - low + 1
    aside = np.abs(across - (low + high) / 2) / width
    return _Place((along - along[face].max()) / width, aside, width)


def _in_neck(place):
    start, half, slope = NECK
    return (place.down > start) & (place.aside < half + slope * np.maximum(place.down, 0))


def _in_chest(place):
    start, half, slope, limit = CHEST
    wide = np.minimum(half + slope * (place.down - start), limit)
    return (place.down > start) & (place.aside < wide)


def _beyond_hair(place):
    return place.aside > HAIR_REACH + CHEST[2] * np.maximum(place.down, 0)


def _all(masks):
    return np.logical_and.reduce(list(masks))


def _shrunk(mask, radius_px):
    size = 2 * max(round(radius_px), 1) + 1
    return cv2.erode(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0


def _border(places):
    """(H, W) bool: the top edge beside the head, and the sides above the shoulders."""
    shape = places[0].down.shape
    border, edge = np.zeros(shape, bool), max(2, round(EDGE * max(shape)))
    above = _all(place.down < ABOVE for place in places)
    border[:, :edge], border[:, -edge:] = above[:, :edge], above[:, -edge:]
    border[:edge] = _all(place.aside[:edge] > TUFT for place in places)
    return border
