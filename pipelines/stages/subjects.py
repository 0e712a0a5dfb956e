"""Stage "samples" of the recipe "subjects": virtual people, frames of each, with their truth."""

from collections.abc import Iterator
from dataclasses import asdict

from faces.models import load_model
from faces.morphable import MorphableModel
from faces.rotation import euler_from_matrix
from faces.types import Scan
from manifests.ledger import ShardRecord
from pipelines.plan import ShardTask
from pipelines.seeds import rng_for
from pipelines.stages.base import Item, StageSample, process_inputs
from synth.capture import capture
from synth.rgbd import rgbd_members
from synth.subjects import next_frame, sample_subject


def run(task: ShardTask, config) -> ShardRecord:
    """See pipelines.stages.base; ``config`` is a pipelines.recipes.subjects.SubjectsConfig."""
    return process_inputs(task, config, _person)


def _person(item: Item, config) -> Iterator[StageSample]:
    """Every frame of one person; a frame's bytes do not depend on how many there are."""
    model = load_model(config.model)
    subject = sample_subject(model, item.rng, config.people, key=f"{item.key}/frame000")
    for frame in range(config.expressions):
        key = f"{item.key}/frame{frame:03d}"
        rng = rng_for(config.seed, "capture", key)
        if frame:
            subject = next_frame(subject, model, rng, config.people, key)
        yield _sample(capture(subject, model, rng, config.capture), model)


def _sample(scan: Scan, model: MorphableModel) -> StageSample:
    yaw, pitch, roll = euler_from_matrix(scan.truth["rotation"])
    row = {
        "subject": scan.subject,
        "scan": scan.key,
        **asdict(scan.provenance),
        "model": model.name,
        "model_licence": model.licence,
        "width": scan.camera.width,
        "height": scan.camera.height,
        "yaw_deg": yaw,
        "pitch_deg": pitch,
        "roll_deg": roll,
    }
    return StageSample(scan.key, rgbd_members(scan), row)
