"""Captures for the quality gate: every sensor and occluder, and inputs broken on purpose."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from faces.morphable import MorphableModel
from faces.types import Landmarks, Scan
from pipelines.seeds import rng_for
from synth.capture import CaptureSettings, capture
from synth.props.wardrobe import OCCLUDERS
from synth.sensors.presets import PRESETS
from synth.subjects import SubjectSettings, sample_subject

SENSORS = tuple(PRESETS)
WORN = tuple(name for name in OCCLUDERS if name != "random")
BALL_MM = 85.0  # radius, about a head's
BROKEN_EVERY = 4  # one capture in so many is broken


def make_capture(model: MorphableModel, index: int, seed: int) -> tuple[Scan, str, str, str]:
    """(scan, sensor, occluder, what was broken, or "") of one capture; the sensors and occluders
    take turns, so that every pair of them comes once in 42 captures."""
    turn = index // (len(SENSORS) * len(WORN))  # or the broken would always have the same sensors
    sensor = SENSORS[(index + turn) % len(SENSORS)]
    worn = WORN[index % len(WORN)]
    key = f"gate{index:05d}/frame000"
    people = replace(SubjectSettings(), occluder=worn)
    subject = sample_subject(model, rng_for(seed, "subjects", key), people, key=key)
    rng = rng_for(seed, "capture", key)
    scan = capture(subject, model, rng, CaptureSettings(sensor=PRESETS[sensor]))
    if index % BROKEN_EVERY:
        return scan, sensor, worn, ""
    kind = list(FAULTS)[index // BROKEN_EVERY % len(FAULTS)]
    return FAULTS[kind](scan, rng), sensor, worn, kind


def ball(scan: Scan, rng: np.random.Generator) -> Scan:
    """A ball of one colour in the face's place; no face, hence no truth."""
    camera = scan.camera
    centre = scan.truth["translation_mm"]
    rows, columns = np.mgrid[: camera.height, : camera.width] + 0.5
    rays = camera.unproject(np.stack([columns, rows], -1), np.ones(rows.shape))
    # |z·ray − centre| = radius
    a, b = (rays**2).sum(-1), rays @ centre
    root = b**2 - a * (centre @ centre - BALL_MM**2)
    hit = root > 0
    depth = np.where(hit, (b - np.sqrt(np.maximum(root, 0))) / a, 0)
    towards = np.where(hit, (centre[2] - depth) / BALL_MM, 0)[..., None]
    tone = rng.uniform([120, 80, 60], [230, 180, 160])
    color = np.where(hit[..., None], tone * (0.3 + 0.7 * towards), 60).astype(np.uint8)
    noisy = depth + hit * rng.normal(0, 0.5, depth.shape)
    return replace(scan, color=color, depth_mm=noisy.astype(np.float32), truth={})


def flat_photo(scan: Scan, _: np.random.Generator) -> Scan:
    """A photograph of the face: its colours on a plane."""
    plane = np.full_like(scan.depth_mm, scan.truth["vertices_mm"][:, 2].min() + 20)
    return replace(scan, depth_mm=plane)


def upside_down(scan: Scan, _: np.random.Generator) -> Scan:
    """Depth stored bottom row first."""
    return replace(scan, depth_mm=scan.depth_mm[::-1].copy())


def scattered_landmarks(scan: Scan, rng: np.random.Generator) -> Scan:
    """Six landmarks in ten anywhere in the face's box."""
    return with_wrong_landmarks(scan, rng, 0.6)


def shifted_landmarks(scan: Scan, rng: np.random.Generator) -> Scan:
    """All landmarks half a face to one side and turned, as of another person's frame."""
    points = scan.landmarks.points_px
    middle, size = points.mean(0), np.ptp(points, axis=0)
    angle = np.radians(rng.uniform(15, 35))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    moved = (points - middle) @ turn + middle + size * [0.3 * rng.choice([-1, 1]), 0.15]
    return replace(scan, landmarks=replace(scan.landmarks, points_px=moved))


def other_scale(scan: Scan, rng: np.random.Generator) -> Scan:
    """Depth in a wrong unit, by a quarter or so."""
    factor = rng.choice([0.72, 0.78, 1.28, 1.38])
    return replace(scan, depth_mm=(scan.depth_mm * factor).astype(np.float32))


def heavy_noise(scan: Scan, rng: np.random.Generator) -> Scan:
    """Depth with 3 to 12 mm of noise, fine and in patches, and half of it missing."""
    noise = rng.normal(0, 1, scan.depth_mm.shape)
    smooth = cv2.GaussianBlur(noise, (0, 0), 6)
    rough = rng.uniform(3, 12) * (noise + smooth / smooth.std()) / np.sqrt(2)
    kept = (scan.depth_mm > 0) & (rng.random(scan.depth_mm.shape) < 0.5)
    return replace(scan, depth_mm=np.where(kept, scan.depth_mm + rough, 0).astype(np.float32))


def half_cut(scan: Scan, rng: np.random.Generator) -> Scan:
    """No depth on one side of the nose."""
    nose = scan.landmarks.points_px[27:36, 0].mean()
    columns = np.arange(scan.camera.width)
    lost = columns > nose if rng.random() < 0.5 else columns < nose
    return replace(scan, depth_mm=np.where(lost, 0, scan.depth_mm))


def with_wrong_landmarks(scan: Scan, rng: np.random.Generator, share: float) -> Scan:
    """So many of the landmarks replaced by points anywhere in the box of them all."""
    points = scan.landmarks.points_px.copy()
    wrong = rng.permutation(len(points))[: round(share * len(points))]
    points[wrong] = rng.uniform(points.min(0), points.max(0), (len(wrong), 2))
    return replace(scan, landmarks=Landmarks(points, "ibug68", np.ones(len(points))))


FAULTS: dict[str, Callable[[Scan, np.random.Generator], Scan]] = {
    "ball": ball,
    "flat photo": flat_photo,
    "upside down": upside_down,
    "scattered landmarks": scattered_landmarks,
    "shifted landmarks": shifted_landmarks,
    "other scale": other_scale,
    "heavy noise": heavy_noise,
    "half cut": half_cut,
}
