"""Stage "scans": RGB-D frames or photos with their landmarks, from a folder or simulated."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import lru_cache

from faces.detectors import Detector, make_detector
from faces.errors import BadInput
from faces.models import load_model
from faces.types import Scan
from manifests.ledger import ShardRecord
from pipelines.members import scan_members
from pipelines.plan import ShardTask
from pipelines.seeds import rng_for
from pipelines.stages.base import Item, StageSample, process_inputs
from registration.depth import check_depth
from registration.locate import locate
from registration.readers.base import DEPTHLESS, Reader, ScanRef, open_layout
from synth.capture import capture
from synth.subjects import sample_subject

READER_OPTIONS = ("depth_scale", "unit", "frames", "intrinsics", "source", "licence", "consent")
SUBJECT_MODEL = "default"  # what simulated people are samples of, whichever model is fitted


def run(task: ShardTask, config) -> ShardRecord:
    """See pipelines.stages.base; ``config`` is a pipelines.recipes.fg3d.Fg3dConfig."""
    return process_inputs(task, config, _read if config.scans else _simulate)


def reader_of(config) -> Reader:
    """The reader that the settings ask for.

    Raises:
        BadInput: the folder is missing or an option does not fit its layout.
    """
    options = {
        name: value for name in READER_OPTIONS if (value := getattr(config, name)) is not None
    }
    return open_layout(config.layout, config.scans, **options)


def subject_refs(count: int) -> list[dict]:
    """Inputs of ``count`` simulated subjects, one frame each."""
    return [{"key": f"subject{i:05d}/frame000", "subject": f"subject{i:05d}"} for i in range(count)]


def _simulate(item: Item, config) -> Iterator[StageSample]:
    model = load_model(SUBJECT_MODEL)
    person = rng_for(config.seed, "subjects", item.ref["subject"])
    subject = sample_subject(model, person, config.people, key=item.key)
    yield _sample(capture(subject, model, item.rng, config.capture))


def _read(item: Item, config) -> Iterator[StageSample]:
    if "refused" in item.ref:
        raise BadInput(*item.ref["refused"])
    reader = reader_of(config)
    ref = ScanRef(item.key, item.ref["subject"], item.ref["files"])
    detector = _detector(config.detector, config.face_landmarker, config.scans)
    scan = locate(reader.read(ref), detector, reader, ref)
    if config.layout not in DEPTHLESS:
        check_depth(scan)
    yield _sample(scan)


@lru_cache(maxsize=2)
def _detector(name: str, landmarker: str | None, scans: str) -> Detector:
    """One detector a process: making it costs more than using it."""
    if name == "file":
        return make_detector(name, root=scans)
    return make_detector(name, **({"model_path": landmarker} if landmarker else {}))


def _sample(scan: Scan) -> StageSample:
    row = {"subject": scan.subject, "scan": scan.key, **asdict(scan.provenance)}
    return StageSample(scan.key, scan_members(scan), row)
