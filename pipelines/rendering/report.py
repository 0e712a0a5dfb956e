"""The HTML report of a rendered set: its poses and shares, and a contact sheet of each face."""

import html
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from imaging.codec import decode_image, encode_jpeg
from manifests.index import MANIFEST, SHARDS
from manifests.ledger import shard_paths
from manifests.shard import read_shard
from manifests.storage import make_folder
from pipelines import pictures
from pipelines.report import MAX_FACES
from pipelines.report_page import STYLE, failure_table

SHEET_PX = 160  # edge of an image of a sheet
COLUMNS = 13  # half of the largest preset's views


def write_render_report(set_dir: Path, max_faces: int = MAX_FACES) -> Path:
    """Writes ``report/index.html`` with a sheet of each of the first faces; returns its path.

    The sheets show the views in order of pitch and yaw, and below them the same with their
    landmarks, red where they are hidden.
    """
    folder = set_dir / "report"
    make_folder(folder)
    sections = []
    for index, (face, views) in enumerate(_faces(set_dir)):
        if index == max_faces:
            break
        name = f"{index:04d}-views.jpg"
        (folder / name).write_bytes(encode_jpeg(sheet(views), 90))
        title = html.escape(face)
        sections.append(f'<h2>{title}</h2><img src="{name}" alt="views of {title}" loading=lazy>')
    path = folder / "index.html"
    path.write_text(_page(set_dir, sections), encoding="utf-8")
    return path


def sheet(views: list[tuple[np.ndarray, dict]]) -> np.ndarray:
    """Images (h, w, 3) with their labels as one picture, twice: plain, and with landmarks."""
    order = sorted(views, key=lambda v: (-v[1]["requested"][1], v[1]["requested"][0]))
    columns = min(len(order), COLUMNS)
    plain = [_small(image) for image, _ in order]
    marked = [_small(_marked(image, labels)) for image, labels in order]
    return np.concatenate([pictures.tile(images, columns) for images in (plain, marked)])


def _marked(image: np.ndarray, labels: dict) -> np.ndarray:
    visible = np.array(labels["landmarks_visible"])
    return pictures.draw_landmarks(image, np.array(labels["landmarks_px"]), visible)


def _small(image: np.ndarray) -> np.ndarray:
    corners = np.array([[0.0, 0.0], image.shape[1::-1]])
    return pictures.crop_to(image, corners, SHEET_PX, margin=0.0)


def _faces(set_dir: Path) -> Iterator[tuple[str, list]]:
    """Key of each face and (image, labels) of its views, shard by shard."""
    for shard in shard_paths(set_dir / "samples"):
        views: dict[str, list] = {}
        for key, members in read_shard(shard):
            labels = json.loads(members["json"])
            image = decode_image(members["jpg"])
            views.setdefault(key.rpartition("_pose")[0], []).append((image, labels))
        yield from views.items()


def _page(set_dir: Path, sections: list[str]) -> str:
    name = html.escape(set_dir.name)
    with (set_dir / MANIFEST).open("rb") as file:
        table = pq.read_table(file, columns=["requested_yaw_deg", "requested_pitch_deg"])
    body = [
        f"<h1>{name}: {table.num_rows:,} rendered views</h1>",
        _poses(json.loads((set_dir / SHARDS).read_text()).get("poses")),
        _yaws(table["requested_yaw_deg"].to_pylist()),
        failure_table(set_dir),
        *sections,
    ]
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{name}</title><style>{STYLE}</style>{''.join(body)}</html>\n"
    )


def _poses(poses: dict | None) -> str:
    """The set's shares as shards.json says them; "" where no view was made."""
    if not poses:
        return ""
    asked = poses["requested_large_share"]
    told = "no share asked for" if asked is None else f"{asked:.1%} asked for"
    failed = f"; {poses['failed_inputs']:,} inputs failed" if poses["failed_inputs"] else ""
    return (
        f"<p>Plan <b>{html.escape(poses['plan'])}</b>: {poses['large']:,} of {poses['views']:,} "
        f"views have |yaw| &gt; 45° ({poses['achieved_large_share']:.1%}; {told}), of "
        f"{poses['inputs']:,} inputs{failed}.</p>"
    )


def _yaws(yaws: list[float]) -> str:
    """A bar for each yaw that was asked for."""
    counts = Counter(round(yaw, 2) for yaw in yaws)
    most = max(counts.values(), default=1)
    rows = "".join(
        f"<tr><td>{yaw:g}°<td>{count:,}<td><div class=bar "
        f"style='width:{round(12 * count / most, 2)}rem'></div></tr>"
        for yaw, count in sorted(counts.items())
    )
    return f"<table><tr><th>yaw<th>views<th></tr>{rows}</table>" if rows else ""
