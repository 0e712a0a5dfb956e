"""The HTML report of a set: each face's input, landmarks, registration, error map and views.

Made from the shards alone, so that it can be made again at any time: ``synth report OUT``.
"""

import html
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from faces.morphable import MorphableModel
from faces.types import RegisteredFace, Scan
from imaging.codec import decode_image, encode_jpeg
from manifests.shard import read_shard
from pipelines import pictures
from pipelines.members import face_from_members, scan_from_members
from pipelines.truth import COLUMNS, mean_errors, truth_errors, truth_lines

log = logging.getLogger(__name__)

PANEL_PX = 256
MAX_FACES = 64  # a report is looked at by a person; the manifest has them all

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1400px; color: #222 }
h1 { font-size: 1.5rem } h2 { font-size: 1.05rem; margin: 2.2rem 0 .3rem }
img { max-width: 100%; display: block; margin: .3rem 0 }
table { border-collapse: collapse } td, th { padding: .15rem .8rem .15rem 0; text-align: left }
.accept { color: #18733a } .review { color: #a86500 } .reject { color: #b3261e }
.bar { background: #3b6fb5; height: .8rem } small { color: #666 }
"""


@dataclass(frozen=True, slots=True)
class FaceEntry:
    """One face of the report, with its picture files relative to the report's folder."""

    face: RegisteredFace
    panels: str
    views: str | None
    errors: dict[str, float] | None = None


def write_report(set_dir: Path, model: MorphableModel, max_faces: int = MAX_FACES) -> Path:
    """Writes ``report/index.html`` with its pictures and returns its path.

    The first ``max_faces`` faces in shard order are shown; the page says how many there are. Where
    scans have their truth, the errors of all faces are told, on the page and in the log.
    """
    folder = set_dir / "report"
    folder.mkdir(exist_ok=True)
    entries, known, total = [], [], 0
    for scan, face, views in _faces(set_dir, model):
        total += 1
        errors = truth_errors(scan, face, model)
        known += [errors] if errors else []
        if len(entries) < max_faces:
            entry = _draw_face(folder, len(entries), scan, face, views, model)
            entries.append(replace(entry, errors=errors))
    page = folder / "index.html"
    page.write_text(_page(set_dir, entries, total, known), encoding="utf-8")
    for line in truth_lines(known):
        log.info("%s", line)
    return page


def face_panels(scan: Scan, face: RegisteredFace, model: MorphableModel) -> np.ndarray:
    """Input, landmarks, initial fit, registration, error map and model texture, side by side."""
    camera, color = face.camera, scan.color
    pixels = camera.project(face.vertices_mm)[model.regions["narrow_face"]]
    points = (
        color
        if scan.landmarks is None
        else pictures.draw_landmarks(color, scan.landmarks.points_px)
    )
    error = pictures.error_tint(face.residual_mm)
    panels = [
        color,
        points,
        pictures.draw_mesh(color, face.initial.vertices_mm, model, camera),
        pictures.draw_mesh(color, face.vertices_mm, model, camera),
        pictures.draw_mesh(color, face.vertices_mm, model, camera, error),
        pictures.draw_colors(color, face.vertices_mm, model, camera, face.appearance.colors),
    ]
    return pictures.tile([pictures.crop_to(p, pixels, PANEL_PX) for p in panels], len(panels))


def _faces(set_dir: Path, model: MorphableModel) -> Iterator[tuple[Scan, RegisteredFace, list]]:
    """Scan, registered face and (image, labels) of its views, shard by shard."""
    for shard in sorted((set_dir / "registered").glob("*.tar")):
        scans = dict(read_shard(set_dir / "scans" / shard.name))
        samples = set_dir / "samples" / shard.name
        views: dict[str, list] = {}
        for _, members in read_shard(samples) if samples.exists() else ():
            labels = json.loads(members["json"])
            views.setdefault(labels["scan"], []).append((decode_image(members["jpg"]), labels))
        for key, members in read_shard(shard):
            scan = scan_from_members(key, scans[key])
            yield scan, face_from_members(key, members, model), views.get(key, [])


def _draw_face(folder, index, scan, face, views, model) -> FaceEntry:
    panels = f"{index:04d}-face.jpg"
    (folder / panels).write_bytes(encode_jpeg(face_panels(scan, face, model), 90))
    if not views:
        return FaceEntry(face, panels, None)
    sheet = f"{index:04d}-views.jpg"
    order = sorted(views, key=lambda v: (v[1]["requested"][0], v[1]["pitch_deg"]))
    images = [
        pictures.draw_landmarks(image, *_landmarks(labels)) if show else image
        for show in (False, True)
        for image, labels in order
    ]
    columns = min(len(order), 7)
    (folder / sheet).write_bytes(encode_jpeg(pictures.tile(images, columns), 90))
    return FaceEntry(face, panels, sheet)


def _landmarks(labels: dict) -> tuple[np.ndarray, np.ndarray]:
    return np.array(labels["landmarks_px"]), np.array(labels["landmarks_visible"])


def _page(set_dir: Path, entries: list[FaceEntry], total: int, known: list[dict]) -> str:
    shown = "" if len(entries) == total else f" The first {len(entries)} are shown."
    body = [
        f"<h1>{html.escape(set_dir.name)}: {total} registered faces</h1>",
        f"<p>{_verdicts(entries)}{shown}</p>",
        "<p>Each face: input, detected landmarks, initial fit, registration, distance to the scan "
        f"(blue 0 to red {pictures.ERROR_SPAN_MM:g} mm, grey unmatched), fitted texture and light; "
        "then its views, and the same with their landmarks (red: hidden).</p>",
        _truth_table(entries, known),
        _failure_table(set_dir),
        *(_face_section(entry) for entry in entries),
    ]
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{html.escape(set_dir.name)}</title><style>{_STYLE}</style>{''.join(body)}</html>\n"
    )


def _verdicts(entries: list[FaceEntry]) -> str:
    verdicts = [entry.face.quality.verdict for entry in entries]
    counts = ((name, verdicts.count(name)) for name in ("accept", "review", "reject"))
    return (
        ", ".join(f"<span class={name}>{count} {name}</span>" for name, count in counts if count)
        + "."
    )


def _face_section(entry: FaceEntry) -> str:
    face, quality = entry.face, entry.face.quality
    name, source, licence, consent, reason = (
        html.escape(text)
        for text in (
            face.key,
            face.provenance.source,
            face.provenance.licence,
            face.provenance.consent,
            f"{quality.verdict}: {quality.reason}" if quality.reason else quality.verdict,
        )
    )
    figures = (
        f"residual {quality.residual_mm:.2f} mm, coverage {quality.coverage:.0%}, "
        f"flipped {quality.flipped:.2%}, colour residual {quality.color_residual:.3f}"
    )
    views = f'<img src="{entry.views}" alt="views" loading=lazy>' if entry.views else ""
    return (
        f"<h2>{name} <span class={quality.verdict}>{reason}</span></h2>"
        f"<small>{figures}; {source}, licence {licence}, consent {consent}</small>"
        f'<img src="{entry.panels}" alt="registration" loading=lazy>{views}'
    )


def _truth_table(entries: list[FaceEntry], known: list[dict[str, float]]) -> str:
    """Errors of the shown faces and the mean of all; "" where no truth is known."""
    if not known:
        return ""
    rows = [(html.escape(e.face.key), e.errors) for e in entries if e.errors]
    rows.append((f"<b>mean of {len(known)}</b>", mean_errors(known)))
    body = "".join(
        f"<tr><td>{name}" + "".join(f"<td>{errors[column]:.2f}" for column in COLUMNS) + "</tr>"
        for name, errors in rows
    )
    head = "".join(f"<th>{title}" for title in COLUMNS.values())
    return (
        "<h2>Error against truth</h2><p>On the face without ears and neck; d is the outer "
        "interocular distance, NME is after rigid alignment.</p>"
        f"<table><tr><th>face{head}</tr>{body}</table>"
    )


def _failure_table(set_dir: Path) -> str:
    rows = [
        json.loads(line)
        for path in sorted((set_dir / "failures").glob("*.jsonl"))
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    if not rows:
        return ""
    cells = "".join(
        "<tr>"
        + "".join(f"<td>{html.escape(str(row[k]))}</td>" for k in ("key", "stage", "message"))
        + "</tr>"
        for row in rows
    )
    return f"<h2>{len(rows)} failures</h2><table><tr><th>input<th>stage<th>why</tr>{cells}</table>"
