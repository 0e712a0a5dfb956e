"""How well a photo's yaw is known: virtual subjects at known poses through the route of the audit.

    python -m benchmarks.audit --face-landmarker face_landmarker.task [--subjects 12] [--workers 2]

Each subject with hair and nothing else, twice in each of the paper's six bins of |yaw|, once to
either side: yaw uniform in the bin, pitch within ±15°, roll within ±10°. Landmarks by MediaPipe;
for comparison the same with the jaw sliding to the outline, as other detectors' does; and the
projected truth with 3 px of noise. The model fitted has fewer modes than the people were made of.
Printed by true bin: the share of faces found, error of the yaw (found less true, positive
outward), the share put in the right bin and on the right side of 45°; then how a set of these
poses would be counted.
"""

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from benchmarks.tables import print_table
from faces.camera import Pose
from faces.detectors import make_detector
from faces.errors import BadInput
from faces.landmarks import to_ibug68
from faces.models import load_model
from faces.rotation import matrix_from_euler
from manifests.pose_counts import BINS, EDGES_DEG, bin_of, is_large
from pipelines.auditing.pose_photos import fit_pose, head_angles
from pipelines.isolation.process import limit_threads
from pipelines.seeds import rng_for
from synth.beyond import fitting_model
from synth.capture import capture
from synth.subjects import SubjectSettings, sample_subject

LOWER_DEG = (0.0, *EDGES_DEG[:-1])
PITCH_DEG, ROLL_DEG = 15.0, 10.0
ROUTES = ("MediaPipe", "MediaPipe, its jaw sliding to the outline", "true landmarks")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--face-landmarker", required=True, type=Path)
    parser.add_argument("--subjects", type=int, default=12)
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--workers", type=int, default=1)
    args = parser.parse_args()
    jobs = [(args.seed, number, args.face_landmarker) for number in range(args.subjects)]
    context = get_context("spawn")
    with ProcessPoolExecutor(args.workers, context, limit_threads) as pool:
        people = list(pool.map(measured, jobs))
    frames = np.array([frame for person, _ in people for frame in person])
    seconds = sum(spent for _, spent in people) / len(frames)
    print(
        f"{args.subjects} subjects, {len(frames)} frames, {seconds:.3f} CPU s a fit with detector"
    )
    for number, name in enumerate(ROUTES):
        print(f"\n{name}")
        report(frames[:, 0], frames[:, 1 + number])


def measured(job: tuple[int, int, Path]) -> tuple[list[tuple[float, ...]], float]:
    """(true yaw, that by each route or NaN) of each frame of a subject; CPU seconds of MediaPipe's.

    The first frame, for which the network is loaded, is not timed.
    """
    seed, number, landmarker = job
    model, detector = load_model("default"), make_detector("mediapipe", model_path=landmarker)
    fitted, rows, spent = fitting_model(model), [], 0.0
    for name, pose in poses(seed, number):
        rng = rng_for(seed, "capture", name)
        person = rng_for(seed, "subjects", f"audit{number:05d}")
        people = replace(SubjectSettings(), occluder="hair")
        subject = sample_subject(model, person, people, key=name)
        pose = Pose(pose, subject.pose.translation_mm)
        scan = capture(replace(subject, pose=pose), model, rng)
        started = time.process_time()
        by_detector = yaw_of(scan, fitted, detector)
        spent += (time.process_time() - started) * bool(rows)
        slid = yaw_of(scan, fitted, detector, slide=True)
        rows.append((head_angles(pose.rotation)[0], by_detector, slid, yaw_of(scan, fitted)))
    return rows, spent * len(rows) / (len(rows) - 1)


def poses(seed: int, number: int):
    """(name, rotation) of each frame of a subject, two in each bin."""
    for place, (low, high) in enumerate(zip(LOWER_DEG, EDGES_DEG, strict=True)):
        for side in (-1, 1):
            name = f"audit{number:05d}/{BINS[place]}{side:+d}"
            rng = rng_for(seed, "views", name)
            yaw, pitch, roll = rng.uniform(
                (low, -PITCH_DEG, -ROLL_DEG), (high, PITCH_DEG, ROLL_DEG)
            )
            yield name, matrix_from_euler(side * yaw, pitch, roll)


def yaw_of(scan, model, detector=None, slide=False) -> float:
    """The fitted yaw, degrees; NaN where no face is found or none fits.

    ``slide``: as if a detector of 68 points had found them, whose jaw is the outline.
    """
    try:
        if detector is not None:
            found = detector.detect(scan.color, scan.key)
            scan = replace(scan, landmarks=to_ibug68(found) if slide else found)
        return head_angles(fit_pose(scan, model).pose.rotation)[0]
    except BadInput:
        return float("nan")


def report(true: np.ndarray, found: np.ndarray) -> None:
    """The table by bin and the counts, of (N,) yaws in degrees."""
    seen, rows = np.isfinite(found), []
    for place in [*range(len(EDGES_DEG)), None]:
        here = np.full(len(true), True) if place is None else bin_of(true) == place
        rows.append(["all" if place is None else BINS[place], *figures(true, found, here)])
    columns = ["true |yaw|", "frames", "found", "mean error °", "median |error| °", "worst °"]
    print_table([*columns, "right bin", "right side of 45°"], rows)
    counted = np.bincount(bin_of(found[seen]), minlength=len(BINS))[: len(EDGES_DEG)]
    truth = np.bincount(bin_of(true), minlength=len(BINS))[: len(EDGES_DEG)]
    print(f"counted {counted.tolist()} of {truth.tolist()}")
    shares = [np.mean(is_large(yaws)) for yaws in (true, true[seen], found[seen])]
    words = "large: {:.1%} in truth, {:.1%} of those found in truth, {:.1%} as counted"
    print(words.format(*shares))


def figures(true: np.ndarray, found: np.ndarray, here: np.ndarray) -> list[str]:
    """Cells of the frames ``here`` (N,) bool; a face that is not found is not in the right bin."""
    seen = here & np.isfinite(found)
    cells = [f"{here.sum()}", f"{seen.sum() / here.sum():.0%}"]
    if not seen.any():
        return [*cells, "–", "–", "–", "0%", "0%"]
    error = (found - true)[seen]
    outward = error * np.sign(true[seen])
    right = (bin_of(found[seen]) == bin_of(true[seen])).sum() / here.sum()
    side = (is_large(found[seen]) == is_large(true[seen])).sum() / here.sum()
    size = np.abs(error)
    errors = [f"{outward.mean():+.1f}", f"{np.median(size):.1f}", f"{size.max():.1f}"]
    return [*cells, *errors, f"{right:.0%}", f"{side:.0%}"]


if __name__ == "__main__":
    main()
