"""The pose of the face in a photo: landmarks, then the model's fit; for photos by the thousand."""

import io
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from faces.blas import one_thread
from faces.detectors import Detector, make_detector
from faces.errors import BadInput
from faces.landmarks import to_ibug68
from faces.models import load_model
from faces.morphable import MorphableModel
from faces.rotation import euler_from_matrix
from faces.types import FaceFit, Provenance, Scan
from manifests.pose_tables import Fault
from pipelines.isolation.process import limit_threads
from registration.photo_fit import PhotoSettings, fit_photo
from registration.photo_quality import PhotoQualitySettings
from registration.readers.base import ScanRef
from registration.readers.photo import SUFFIXES, PhotoReader, photo_camera, read_photo

# Files that hold pictures and are not read; anything else in a folder is no picture.
UNREAD_SUFFIXES = (".webp", ".bmp", ".gif", ".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2")
INNER = slice(17, 68)  # of ibug68: the jaw's points slide, and tell little
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class PoseOptions:
    """Attributes:
    landmarker: MediaPipe's face_landmarker.task; None for what this machine has.
    model: that is fitted, as load_model takes it.
    workers: processes; the result is the same for any number.
    """

    landmarker: str | None = None
    model: str = "default"
    workers: int = 1


@dataclass(frozen=True, slots=True)
class PhotoJob:
    """One photo to be fitted.

    Attributes:
        name: in messages, and the row's key.
        ref: of a reader's photo below ``root``; None where there are bytes.
        root: the folder.
        data: of an image file.
        labels: fields of the row that are known already.
    """

    name: str
    ref: ScanRef | None = None
    root: Path = Path()
    data: bytes = b""
    labels: Row = field(default_factory=dict)


def photo_jobs(folder: Path) -> Iterator[PhotoJob | Fault]:
    """The photos of a folder and those below it; pictures that cannot be read as faults.

    Raises:
        BadInput: no photo.
    """
    refs = PhotoReader(folder).refs()
    taken = {ref.files["color"] for ref in refs}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name in taken or path.name.startswith(".") or not path.is_file():
            continue
        if path.suffix.lower() in SUFFIXES:
            yield Fault("left out", name, "another photo has its name but for the suffix")
        elif path.suffix.lower() in UNREAD_SUFFIXES:
            yield Fault("left out", name, f"of a format that is not read: {' '.join(SUFFIXES)} are")
    yield from (PhotoJob(ref.files["color"], ref, folder) for ref in refs)


def poses_of(
    items: Iterable[PhotoJob | Row | Fault], options: PoseOptions
) -> Iterator[Row | Fault]:
    """Rows of manifests.pose_tables.SCHEMA in the order of the items; rows and faults go through.

    A photo in which no face is found, or that does not fit one, becomes a fault with its reason.

    Raises:
        BadInput: no detector, or no model: nothing that one photo could be to blame for.
    """
    if options.workers <= 1:
        for item in items:
            yield pose_row(item, options) if isinstance(item, PhotoJob) else item
        return
    pending: deque[Future | Row | Fault] = deque()
    context = get_context("spawn")  # a forked MediaPipe hangs
    with ProcessPoolExecutor(options.workers, context, limit_threads) as pool:
        for item in items:
            is_job = isinstance(item, PhotoJob)
            pending.append(pool.submit(pose_row, item, options) if is_job else item)
            if len(pending) > 4 * options.workers:
                yield _result(pending.popleft())
        while pending:
            yield _result(pending.popleft())


def _result(item: Future | Row | Fault) -> Row | Fault:
    return item.result() if isinstance(item, Future) else item


def pose_row(job: PhotoJob, options: PoseOptions) -> Row | Fault:
    """The row of a photo: key, yaw_deg, pitch_deg and its labels; or why there is none.

    Raises:
        BadInput: as poses_of.
    """
    try:
        scan = _read(job)
    except BadInput as error:
        return _fault("damaged", job, error)
    if scan.landmarks is None:
        detector = detector_of(options)
        try:
            scan = replace(scan, landmarks=detector.detect(scan.color, job.name))
        except BadInput as error:
            return _fault("no face", job, error)
    model = load_model(options.model)
    try:
        fit = fit_pose(scan, model)
    except BadInput as error:
        return _fault("no fit", job, error)
    yaw, pitch = head_angles(fit.pose.rotation)
    return {**job.labels, "key": job.name, "yaw_deg": yaw, "pitch_deg": pitch}


def _fault(kind: str, job: PhotoJob, error: BadInput) -> Fault:
    return Fault(kind, job.name, f"{error.got}; expected {error.expected}")


def _read(job: PhotoJob) -> Scan:
    if job.ref is not None:
        return PhotoReader(job.root).read(job.ref)
    color, focal_35mm = read_photo(io.BytesIO(job.data), job.name)
    camera = photo_camera(color.shape[1], color.shape[0], focal_35mm)
    nothing = np.zeros(color.shape[:2], np.float32)
    return Scan(job.name, job.name, color, nothing, camera, Provenance("unknown"))


@one_thread
def fit_pose(scan: Scan, model: MorphableModel) -> FaceFit:
    """Fit of a photo with landmarks, on the model's coarse level, as registration fits photos.

    Raises:
        BadInput: too few landmarks, or landmarks that are no face's: half of the inner ones are
            farther from the fit than what makes registration reject a photo.
    """
    fit = fit_photo(scan, model, PhotoSettings().fit)
    level = model.coarse if model.coarse is not None else model
    points = fit.vertices_mm[level.landmarks["ibug68"][INNER]]
    apart = scan.camera.project(points) - to_ibug68(scan.landmarks).points_px[INNER]
    gap_mm = np.nanmedian(np.linalg.norm(apart, axis=1) * points[:, 2] / scan.camera.fx)
    limit = PhotoQualitySettings().landmarks_median_mm[1]
    if not gap_mm <= limit:
        got, remedy = f"landmarks {gap_mm:.1f} mm from the fit (median)", "look at the photo"
        raise BadInput(f"photo '{scan.key}'", got, f"at most {limit:g} mm", remedy)
    return fit


def head_angles(rotation: np.ndarray) -> tuple[float, float]:
    """(yaw, pitch) in degrees of a rotation (3, 3), with yaw in [-180, 180].

    Of the two triples of angles that give one matrix, the one with less pitch and roll: a head
    turned beyond its profile has a yaw of 95°, rather than 85° with pitch and roll of 180°.
    """
    yaw, pitch, roll = euler_from_matrix(rotation)
    other = [np.copysign(180.0, yaw) - yaw, *(a - np.copysign(180.0, a) for a in (pitch, roll))]
    if abs(other[1]) + abs(other[2]) < abs(pitch) + abs(roll):
        yaw, pitch = float(other[0]), float(other[1])
    return yaw, pitch


@lru_cache(maxsize=2)
def detector_of(options: PoseOptions) -> Detector:
    """One detector a process: making it costs more than using it."""
    return make_detector("auto", **({"model_path": options.landmarker}))
