"""What is known of a portrait without depth: where the person is, is not, and may well be."""

from dataclasses import dataclass

import numpy as np

# by eye on portraits, in widths of the face from ear to ear
NECK = (0.05, 0.25, 0.5)  # below the chin; half its width there; how fast that grows downwards
CHEST = (0.25, 0.45, 2.2, 1.35)  # the same for shoulders, and the farthest that they reach
HAIR_REACH = 1.15  # from the face's middle: wider hair is rare, and then colour decides nothing
EDGE_PX = 2  # the image's border above the shoulders shows the room


@dataclass(frozen=True, slots=True, eq=False)
class Portrait:
    """Attributes, all (H, W) bool:
    person: surely the person.
    other: surely not.
    likely: the chest, rather the person than not.
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
    person = head | ((down > start) & (aside < half + slope * down))
    start, half, slope, limit = CHEST
    likely = (down > start) & (aside < np.minimum(half + slope * (down - start), limit))
    other = (aside > HAIR_REACH + CHEST[2] * np.maximum(down, 0)) | _border(head.shape, chin, width)
    return Portrait(person, other & ~person, likely)


def _border(shape, chin, width):
    """(H, W) bool: the top edge, and the sides above the shoulders."""
    border = np.zeros(shape, bool)
    border[:EDGE_PX] = True
    above = max(int(chin - 0.2 * width), 0)
    border[:above, :EDGE_PX] = True
    border[:above, -EDGE_PX:] = True
    return border
