"""A picture of people sampled from a model, each as the simulated camera sees them."""

from pathlib import Path

import cv2
import numpy as np

from faces.camera import Camera
from faces.morphable import MorphableModel
from synth.capture import CaptureSettings, capture
from synth.subjects import SubjectSettings, sample_subject

COLUMNS, ROWS, TILE_PX, SEED = 8, 3, 200, 7
QUALITY = 88  # of the JPEG: below 300 kB


def write_sheet(model: MorphableModel, path: Path) -> None:
    """COLUMNS × ROWS people, the same ones every time, as one JPEG at ``path``."""
    camera = Camera.from_fov(TILE_PX, TILE_PX, 24)
    people = SubjectSettings(distance_mm=(640, 640), offset_mm=0)
    tiles = []
    for index in range(COLUMNS * ROWS):
        rng = np.random.default_rng((SEED, index))
        subject = sample_subject(model, rng, people, f"s{index:04d}/f000")
        tiles.append(capture(subject, model, rng, CaptureSettings(camera=camera)).color)
    rows = [np.concatenate(tiles[k : k + COLUMNS], 1) for k in range(0, len(tiles), COLUMNS)]
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet = cv2.cvtColor(np.concatenate(rows), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(path), sheet, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
