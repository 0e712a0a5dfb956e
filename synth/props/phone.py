"""A phone: a rounded slab with a frame, a lens or three in its back and a dark glass before it."""

import cv2
import numpy as np

from synth.props.tubes import box, merged
from synth.scene import Piece

THICK_MM = 8.5
TEXEL_MM = 0.6
# sRGB of backs and cases, by eye
BACKS = ((0.06, 0.06, 0.065), (0.74, 0.74, 0.75), (0.19, 0.24, 0.36), (0.55, 0.5, 0.44))
CASES = ((0.05, 0.05, 0.05), (0.6, 0.16, 0.18), (0.75, 0.6, 0.62), (0.14, 0.3, 0.26))


def make_slab(rng: np.random.Generator) -> Piece:
    """A "phone" about the origin, its back to +z and its upper end at +y."""
    width, height = rng.uniform(68, 76), rng.uniform(140, 160)
    parts = [box((width, height, THICK_MM), 2.0)]
    # the plate that its lenses stand in
    plate = np.array([rng.uniform(24, 34), rng.uniform(24, 40)])
    at = np.array([0.5 * width - 0.5 * plate[0] - 6, 0.5 * height - 0.5 * plate[1] - 6])
    points, faces = box((*plate, 2.0), 1.2)
    parts.append((points + np.array([*at, 0.5 * THICK_MM + 0.8]), faces))
    vertices, triangles = merged(parts)
    size = np.array([width, height])
    uv = (vertices[:, :2] * [1, -1] + 0.5 * size) / (size * [1, 2])
    before = vertices[:, 2] < 0.2 - 0.5 * THICK_MM
    uv[before, 1] += 0.5
    cased = rng.random() < 0.6
    paint = np.concatenate([_back(size, plate, at, cased, rng), _front(size)])
    gloss = np.where(before, 0.5, 0.06 if cased else 0.3).astype(np.float32)
    own = triangles
    return Piece(
        "phone", vertices, own, paint, uv.astype(np.float32), own, gloss=gloss, shininess=80.0
    )


def _back(size, plate, at, cased: bool, rng) -> np.ndarray:
    tones = CASES if cased else BACKS
    tone = np.array(tones[rng.integers(len(tones))]) * rng.uniform(0.9, 1.1)
    columns, rows = (np.ceil(size / TEXEL_MM)).astype(int)
    image = np.zeros((rows, columns, 3), dtype=np.float32) + tone.astype(np.float32)
    if not cased:
        cv2.rectangle(image, (0, 0), (columns - 1, rows - 1), (0.55, 0.55, 0.57), 3)
    corner = np.rint((0.5 * size + (at - 0.5 * plate) * [1, -1]) / TEXEL_MM).astype(int)
    reach = np.rint(plate / TEXEL_MM).astype(int)
    low = (int(corner[0]), int(corner[1] - reach[1]))
    cv2.rectangle(image, low, (low[0] + int(reach[0]), int(corner[1])), (0.08, 0.08, 0.085), -1)
    for k in range(int(rng.integers(1, 4))):
        lens = (
            low[0] + int(reach[0] * (0.3 + 0.4 * (k % 2))),
            low[1] + int(reach[1] * 0.26 * (k + 1)),
        )
        cv2.circle(image, lens, 9, (0.35, 0.35, 0.36), -1)
        cv2.circle(image, lens, 7, (0.015, 0.015, 0.02), -1)
        cv2.circle(image, (lens[0] - 2, lens[1] - 2), 2, (0.2, 0.22, 0.32), -1)
    return image


def _front(size) -> np.ndarray:
    columns, rows = (np.ceil(size / TEXEL_MM)).astype(int)
    image = np.full((rows, columns, 3), 0.02, dtype=np.float32)
    cv2.rectangle(image, (0, 0), (columns - 1, rows - 1), (0.3, 0.3, 0.3), 2)
    return image
