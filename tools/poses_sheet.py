"""The picture of docs/poses.md: a ladder's rung for two virtual people, and one view's buffers.

python tools/poses_sheet.py docs/images/poses.jpg [--share 70]
"""

import argparse
from pathlib import Path

import numpy as np

from faces.models import load_model
from imaging.codec import encode_jpeg
from synth.person_source import PersonSource
from synth.pose_plan import PosePlan
from synth.renderer import BUFFERS
from synth.settings import RenderSettings
from synth.sources import SourceView
from synth.subjects import sample_subject

TILE_PX, QUALITY, SEEDS, BUFFERS_OF = 140, 88, (11, 5), 7
SHOWN = ("depth_mm", "normal", "pncc", "uv", "mask", "parts", "triangle_id")
HUES = np.random.default_rng(3).integers(40, 255, (4099, 3)).astype(np.uint8)  # of labels and ids


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("picture", type=Path)
    parser.add_argument("--share", type=int, default=70, help="of the ladder, per cent")
    args = parser.parse_args()
    plan = PosePlan.ladder(10)[args.share // 10]
    people = [views_of(seed, plan) for seed in SEEDS]
    rows = [np.concatenate([view.rendered.color for view in views], 1) for views in people]
    rows.append(buffer_row(people[1][BUFFERS_OF], rows[0].shape[1]))
    args.picture.parent.mkdir(parents=True, exist_ok=True)
    args.picture.write_bytes(encode_jpeg(np.concatenate(rows), QUALITY))


def views_of(seed: int, plan: PosePlan) -> list[SourceView]:
    """A virtual person at the plan's poses."""
    model, rng = load_model("default"), np.random.default_rng(seed)
    settings = RenderSettings(size_px=TILE_PX, buffers=BUFFERS)
    source = PersonSource(sample_subject(model, rng), model, rng, settings)
    return [source.view(pose.yaw_deg, pose.pitch_deg, pose.roll_deg, rng) for pose in plan.poses]


def buffer_row(view: SourceView, width: int) -> np.ndarray:
    """(TILE_PX, width, 3) uint8: a view and its buffers, filled up with white."""
    tiles = [view.rendered.color, *(shown(name, view) for name in SHOWN)]
    row = np.concatenate(tiles, 1)
    return np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255)


def shown(name: str, view: SourceView) -> np.ndarray:
    """(H, W, 3) uint8 of a buffer."""
    buffer, inside = view.rendered.buffers[name], view.rendered.buffers["mask"] > 0
    if name == "depth_mm":
        low, high = np.percentile(buffer[inside], [0, 98])
        grey = np.where(inside, np.clip(1.1 - (buffer - low) / (high - low), 0.1, 1), 0)
        return np.repeat(np.rint(255 * grey)[..., None], 3, 2).astype(np.uint8)
    if name in ("parts", "triangle_id"):
        ids = buffer.astype(np.int64) + (name == "triangle_id")
        return np.where((ids > 0)[..., None], HUES[ids % len(HUES)], np.uint8(0))
    if name == "mask":
        return np.repeat(buffer[..., None], 3, 2)
    values = (buffer + 1) / 2 * inside[..., None] if name == "normal" else buffer
    full = np.zeros((*inside.shape, 3))
    full[..., : values.shape[2]] = values
    return np.rint(255 * full.clip(0, 1)).astype(np.uint8)


if __name__ == "__main__":
    main()
