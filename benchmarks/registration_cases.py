"""Simulated scans for benchmarks.registration, and what is measured on them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np
from scipy import stats

from faces.fit_settings import FitSettings
from faces.mesh import vertex_normals
from faces.metrics import nme
from faces.models import load_model
from faces.morphable import MorphableModel
from faces.occluders import find_occluders
from faces.refitting import refit
from faces.types import RegisteredFace, Scan
from faces.visibility import visible_vertices
from pipelines.seeds import rng_for
from registration.correspond import Matches
from registration.quality import against_truth
from registration.state import State, match_level
from registration.target import depth_target
from registration.ticp import TicpSettings
from synth.beyond import fitting_model
from synth.capture import CaptureSettings, capture
from synth.scene import LABELS
from synth.sensors.presets import sensor
from synth.subjects import SubjectSettings, next_frame, sample_subject

ORACLE = FitSettings(refit_mm=0.3, refit_spacing_mm=2.0, refit_steps=20)  # the truth is sure
WORN = [LABELS.index(name) for name in ("hair", "glasses", "hand", "phone", "mask", "scarf")]


@lru_cache(maxsize=1)
def models(spec: str) -> tuple[MorphableModel, MorphableModel]:
    """The model that subjects are made of and the truncated one that is fitted, once a process."""
    model = load_model(spec)
    return model, fitting_model(model)


def scans(
    model: MorphableModel,
    subjects: int,
    frames: int,
    occluder: str = "none",
    device: str = "structured-light",
    first: int = 0,
) -> Iterator[Scan]:
    """Each subject in ``frames`` expressions, poses and lights, as a sensor preset sees them."""
    people = SubjectSettings(occluder=occluder)
    settings = CaptureSettings(sensor=sensor(device))
    for number in range(first, first + subjects):
        name = f"subject{number:05d}"
        subject = sample_subject(model, rng_for(0, "subjects", name), people, f"{name}/frame000")
        for frame in range(frames):
            key = f"{name}/frame{frame:03d}"
            rng = rng_for(0, "capture", key)
            if frame:
                subject = next_frame(subject, model, rng, people, key)
            yield capture(subject, model, rng, settings)


def hidden_by_things(scan: Scan, model: MorphableModel) -> np.ndarray:
    """(V,) bool: skin of the face that the camera would see, were nothing worn or held."""
    bare = visible_vertices(scan.truth["vertices_mm"], model.triangles, scan.camera)
    return bare & ~scan.truth["visible"] & face_skin(model)


def occlusion(scan: Scan, model: MorphableModel) -> float:
    """Share of the face's skin before the camera that something hides."""
    hidden = hidden_by_things(scan, model).sum()
    return float(hidden / max(hidden + (scan.truth["visible"] & face_skin(model)).sum(), 1))


def face_skin(model: MorphableModel) -> np.ndarray:
    """(V,) bool: the face without ears and neck."""
    return model.regions["face"] & model.part_vertices("skin")


def errors(face: RegisteredFace, scan: Scan, model: MorphableModel) -> dict[str, float]:
    """against_truth on the truly visible vertices, with the NME (%) of two regions."""
    truth = scan.truth["vertices_mm"]
    seen = replace(face, visible=scan.truth["visible"])
    corners = truth[model.landmarks["ibug68"][[36, 45]]]
    iod_mm = float(np.linalg.norm(corners[0] - corners[1]))
    narrow = model.regions["narrow_face"] & model.part_vertices("skin")
    return {
        **against_truth(seen, truth, model),
        "narrow_nme": nme(face.vertices_mm, truth, narrow, iod_mm),
        "face_nme": nme(face.vertices_mm, truth, face_skin(model), iod_mm),
    }


def oracles(face: RegisteredFace, scan: Scan, model: MorphableModel) -> dict[str, RegisteredFace]:
    """What no method can know, since it takes the truth: the model fitted to the true vertices of
    the face, as it is and moved along the true normals onto the true surface.

    An idea of the floor: what these modes leave of a person is where nothing shows the skin to be.
    """
    truth = scan.truth["vertices_mm"]
    best = refit(model, truth, face_skin(model).astype(float), face.initial, ORACLE).vertices_mm
    normals = vertex_normals(truth, model.triangles)
    off = np.einsum("ij,ij->i", best - truth, normals)[:, None] * normals
    return {
        "best of the model": replace(face, vertices_mm=best),
        "the same, true surface": replace(face, vertices_mm=best - off),
    }


def brow_slide_mm(face: RegisteredFace, scan: Scan, model: MorphableModel) -> float:
    """Mean distance of the brows' vertices from the truth."""
    brows = model.regions["brows"] & model.part_vertices("skin") & scan.truth["visible"]
    gap = face.vertices_mm - scan.truth["vertices_mm"]
    return float(np.linalg.norm(gap[brows], axis=1).mean())


def wrong_matches(
    face: RegisteredFace, scan: Scan, model: MorphableModel, settings: TicpSettings
) -> int:
    """How many of the face's vertices are matched to a pixel of something worn or held at last."""
    matches = last_matches(face, scan, model, settings)
    found = matches.found & face_skin(model)[model.part_vertices("skin")]
    labels = scan.truth["labels"].ravel()[matches.index[found]]
    return int(np.isin(labels, WORN).sum())


def last_matches(face, scan, model, settings) -> Matches:
    """Eq. 6 of the skin's vertices at the end of the schedule."""
    target = depth_target(scan, settings.depth)
    occluder = find_occluders(model, face.vertices_mm, face.appearance, target, settings.occluders)
    state = State(
        face.initial, face.vertices_mm, face.vertices_mm, face.appearance, occluder=occluder
    )
    return match_level(state, model, target, 1.0, settings)[0]


def by_subject(keys: Iterable[str], values: Iterable[float]) -> np.ndarray:
    """Mean of each subject's frames: frames of one person are not independent."""
    rows: dict[str, list[float]] = {}
    for key, value in zip(keys, values, strict=True):
        rows.setdefault(key.split("/")[0], []).append(value)
    return np.array([np.mean(row) for row in rows.values()])


def interval(values: np.ndarray) -> str:
    """Mean and half the width of Student's 95 % confidence interval."""
    if len(values) < 2:
        return f"{np.mean(values):.2f}" if len(values) else "–"
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / len(values) ** 0.5
    return f"{np.mean(values):.2f} ± {half:.2f}"


def ratio_interval(above: np.ndarray, below: np.ndarray) -> str:
    """Ratio of two paired means with its bootstrap 95 % interval (10,000 draws of subjects)."""
    picks = np.random.default_rng(0).integers(len(above), size=(10_000, len(above)))
    drawn = above[picks].sum(1) / np.maximum(below[picks].sum(1), 1e-12)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return f"{above.sum() / max(below.sum(), 1e-12):.2f} ({low:.2f} to {high:.2f})"
