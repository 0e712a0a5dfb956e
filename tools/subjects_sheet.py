"""A sheet of virtual subjects for the documentation.

python tools/subjects_sheet.py docs/images/subjects.jpg [--count 32] [--columns 8] [--seed 400]
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from faces.models import load_model
from imaging.codec import encode_jpeg
from pipelines.pictures import tile
from pipelines.seeds import rng_for
from synth.capture import capture
from synth.subjects import SubjectSettings, sample_subject

TILE_PX, QUALITY = 200, 86
SIDE = 2.1  # of the landmarks' larger extent


def main() -> None:
    """Capture the people and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", type=Path)
    parser.add_argument("--count", type=int, default=32)
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--seed", type=int, default=400)
    args = parser.parse_args()
    portraits = [portrait(args.seed, index) for index in range(args.count)]
    args.picture.write_bytes(encode_jpeg(tile(portraits, args.columns), QUALITY))


def portrait(seed: int, index: int) -> np.ndarray:
    """One person (TILE_PX, TILE_PX, 3) uint8, with anything in the way."""
    model, key = load_model("default"), f"subject{index:05d}/frame000"
    settings = SubjectSettings(occluder="random")
    subject = sample_subject(model, rng_for(seed, "subjects", key), settings, key=key)
    scan = capture(subject, model, rng_for(seed, "capture", key))
    return square(scan.color, scan.truth["landmarks_px"])


def square(color: np.ndarray, points_px: np.ndarray) -> np.ndarray:
    """A square around the points, within the image, as (TILE_PX, TILE_PX, 3)."""
    low, high = points_px.min(0), points_px.max(0)
    side = round(min(*color.shape[:2], SIDE * (high - low).max()))
    limit = np.array(color.shape[1::-1]) - side
    left, top = np.clip(((low + high) - side) / 2, 0, limit).round().astype(int)
    crop = color[top : top + side, left : left + side]
    return cv2.resize(crop, (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main()
