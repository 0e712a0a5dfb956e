"""The README's picture, from a set: one face's panels and its views, cut from the report's files.

    python tools/picture.py out/fg3d docs/images/fg3d.jpg [--face 0]

For sets of virtual subjects only: no picture of a person stands in the repository.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from imaging.codec import decode_image, encode_jpeg
from manifests.shard import read_shard
from pipelines.pictures import tile

VIEWS, WIDTH, QUALITY = 7, 1400, 88


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--face", type=int, default=0, help="its number in the report")
    args = parser.parse_args()
    panels = decode_image((args.set / "report" / f"{args.face:04d}-face.jpg").read_bytes())
    views = one_view_a_yaw(args.set, args.face)
    rows = [scaled(image, WIDTH) for image in (panels, views)]
    args.picture.parent.mkdir(parents=True, exist_ok=True)
    args.picture.write_bytes(encode_jpeg(np.concatenate(rows), QUALITY))


def one_view_a_yaw(folder: Path, face: int) -> np.ndarray:
    """A row of views of one simulated face, one a yaw step."""
    groups: dict[str, list] = {}
    for shard in sorted((folder / "samples").glob("*.tar")):
        for _, members in read_shard(shard):
            labels = json.loads(members["json"])
            if labels["source"] != "simulated":
                raise SystemExit(f"{labels['scan']} is not simulated; its picture stays private")
            groups.setdefault(labels["scan"], []).append((labels, members["jpg"]))
    views = sorted(groups[list(groups)[face]], key=lambda view: abs(view[0]["requested"][0]))
    step = max(1, len(views) // VIEWS)
    return tile([decode_image(jpg) for _, jpg in views[::step][:VIEWS]], VIEWS)


def scaled(image: np.ndarray, width: int) -> np.ndarray:
    size = (width, round(image.shape[0] * width / image.shape[1]))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main()
