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
LIKELY = 0.6  # a little over even
EDGE = 1 / 60  # of the longer side: the border above the shoulders shows the room


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """Attributes, all (H, W):
    person: bool, surely the person.
    other: bool, surely not.
    likely: float32, the chance of the person where place tells it, else 0: the chest, and the
        fitted skull, which no landmark shows, are rather the person than not.
    """

    person: np.ndarray
    other: np.ndarray
    likely: np.ndarray


def portrait(head: np.ndarray, face: np.ndarray) -> Portrait:
    """The seeds of ``person_mask`` for a photo of one upright head.

    Args:
        head: (H, W) bool, where the fitted head mesh is drawn.
        face: (H, W) bool, its face and ears; its lowest pixel is the chin. Not empty.
    """
    rows, columns = np.nonzero(face)
    chin, width = rows.max(), columns.max() - columns.min() + 1
    down = (np.arange(head.shape[0])[:, None] - chin) / width
    aside = np.abs(np.arange(head.shape[1]) - (columns.max() + columns.min()) / 2) / width
    start, half, slope = NECK
    # models' necks are all alike, and people's are not: of the neck only its middle is sure
    neck = (down > start) & (aside < half + slope * np.maximum(down, 0))
    person = (_shrunk(head, RIM * width) & (down < start)) | neck
    start, half, slope, limit = CHEST
    likely = (down > start) & (aside < np.minimum(half + slope * (down - start), limit))
    likely |= head & (down < 0)
    other = (aside > HAIR_REACH + CHEST[2] * np.maximum(down, 0)) | _border(
        aside, chin, width, head.shape
    )
    return Portrait(person, other & ~person, np.where(likely, LIKELY, 0).astype(np.float32))


def _shrunk(mask, radius_px):
    size = 2 * max(round(radius_px), 1) + 1
    return cv2.erode(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0


def _border(aside, chin, width, shape):
    """(H, W) bool: the top edge beside the head, and the sides above the shoulders."""
    border, edge = np.zeros(shape, bool), max(2, round(EDGE * max(shape)))
    border[:edge] = aside > TUFT
    above = max(int(chin - 0.2 * width), 0)
    border[:above, :edge] = True
    border[:above, -edge:] = True
    return border
