"""The HTML report of a set: each face's input, landmarks, registration, error map and views.

Made from the shards alone, so that it can be made again at any time: ``synth report OUT``.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from faces.morphable import MorphableModel
from faces.types import RegisteredFace, Scan
from imaging.codec import decode_image, encode_jpeg
from manifests.ledger import shard_paths
from manifests.shard import read_shard
from manifests.storage import exists, make_folder
from pipelines import pictures
from pipelines.members import face_from_members, scan_from_members
from pipelines.report_page import FaceEntry, write_page
from pipelines.truth import place_errors, truth_errors, truth_lines, vertex_errors_mm

log = logging.getLogger(__name__)

PANEL_PX = 256
MAX_FACES = 64  # a report is looked at by a person; the manifest has them all


def write_report(set_dir: Path, model: MorphableModel, max_faces: int = MAX_FACES) -> Path:
    """Writes ``report/index.html`` with its pictures and returns its path.

    Shown are the first ``max_faces`` faces in shard order, and after them as many of those that
    were not accepted; the tables and the review list hold all. Where scans have their truth, the
    errors of all faces are told, on the page and in the log.
    """
    folder = set_dir / "report"
    make_folder(folder)
    entries: list[FaceEntry] = []
    extra = max_faces
    for index, (scan, face, views) in enumerate(_faces(set_dir, model)):
        wanted = index >= max_faces and face.quality.verdict != "accept" and extra > 0
        extra -= wanted
        shown = index < max_faces or wanted
        pictured = _draw_face(folder, index, scan, face, views, model) if shown else {}
        entries.append(_entry(scan, face, model, pictured))
    path = folder / "index.html"
    path.write_text(write_page(set_dir, entries), encoding="utf-8")
    for line in truth_lines([entry.errors for entry in entries if entry.errors]):
        log.info("%s", line)
    return path


def _entry(scan, face, model, pictured) -> FaceEntry:
    error = vertex_errors_mm(scan, face)
    return FaceEntry(
        face.key,
        face.provenance,
        face.quality,
        errors=truth_errors(scan, face, model),
        places=None if error is None else place_errors(error, model),
        **pictured,
    )


def face_panels(scan: Scan, face: RegisteredFace, model: MorphableModel) -> np.ndarray:
    """Input, landmarks, initial fit, registration, distance to the scan where it has depth,
    distance to the truth where there is one, and model texture, side by side."""
    camera, color = face.camera, scan.color
    pixels = camera.project(face.vertices_mm)[model.regions["narrow_face"]]
    points = (
        color
        if scan.landmarks is None
        else pictures.draw_landmarks(color, scan.landmarks.points_px)
    )
    measured = np.isfinite(face.residual_mm).any()  # not on a photo
    maps = [
        (face.residual_mm if measured else None, pictures.ERROR_SPAN_MM),
        (_face_error_mm(scan, face, model), pictures.TRUTH_SPAN_MM),
    ]
    panels = [
        color,
        points,
        pictures.draw_mesh(color, face.initial.vertices_mm, model, camera),
        pictures.draw_mesh(color, face.vertices_mm, model, camera),
        *(
            pictures.draw_mesh(
                color, face.vertices_mm, model, camera, pictures.error_tint(error_mm, span_mm)
            )
            for error_mm, span_mm in maps
            if error_mm is not None
        ),
        pictures.draw_colors(color, face.vertices_mm, model, camera, face.appearance.colors),
    ]
    return pictures.tile([pictures.crop_to(p, pixels, PANEL_PX) for p in panels], len(panels))


def _face_error_mm(scan, face, model):
    """The error against truth (V,) mm, NaN off the face; None where no truth is known."""
    error = vertex_errors_mm(scan, face)
    return None if error is None else np.where(model.regions["face"], error, np.nan)


def _faces(set_dir: Path, model: MorphableModel) -> Iterator[tuple[Scan, RegisteredFace, list]]:
    """Scan, registered face and (image, labels) of its views, shard by shard."""
    for shard in shard_paths(set_dir / "registered"):
        scans = dict(read_shard(set_dir / "scans" / shard.name))
        samples = set_dir / "samples" / shard.name
        views: dict[str, list] = {}
        for _, members in read_shard(samples) if exists(samples) else ():
            labels = json.loads(members["json"])
            views.setdefault(labels["scan"], []).append((decode_image(members["jpg"]), labels))
        for key, members in read_shard(shard):
            scan = scan_from_members(key, scans[key])
            yield scan, face_from_members(key, members, model), views.get(key, [])


def _draw_face(folder, index, scan, face, views, model) -> dict[str, str]:
    panels = f"{index:04d}-face.jpg"
    (folder / panels).write_bytes(encode_jpeg(face_panels(scan, face, model), 90))
    if not views:
        return {"panels": panels}
    sheet = f"{index:04d}-views.jpg"
    order = sorted(views, key=lambda v: (v[1]["requested"][0], v[1]["pitch_deg"]))
    plain = [image for image, _ in order]
    marked = [pictures.draw_landmarks(image, *_landmarks(labels)) for image, labels in order]
    columns = min(len(order), 7)
    both = np.concatenate([pictures.tile(images, columns) for images in (plain, marked)])
    (folder / sheet).write_bytes(encode_jpeg(both, 90))
    return {"panels": panels, "views": sheet}


def _landmarks(labels: dict) -> tuple[np.ndarray, np.ndarray]:
    return np.array(labels["landmarks_px"]), np.array(labels["landmarks_visible"])
