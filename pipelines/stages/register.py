"""Stage "registered": each scan in the model's topology, by T-ICP."""

from collections.abc import Iterator
from dataclasses import asdict

from faces.models import load_model
from manifests.ledger import ShardRecord
from pipelines.members import face_members, scan_from_members
from pipelines.plan import ShardTask
from pipelines.stages.base import Item, StageSample, process_inputs
from registration.ticp import register


def run(task: ShardTask, config) -> ShardRecord:
    """See pipelines.stages.base; ``config`` has ``model`` and ``ticp``."""
    return process_inputs(task, config, _register)


def _register(item: Item, config) -> Iterator[StageSample]:
    face = register(
        scan_from_members(item.key, item.members), load_model(config.model), config.ticp
    )
    row = {
        "subject": face.subject,
        "scan": face.key,
        "model": face.model,
        **asdict(face.provenance),
        "verdict": face.quality.verdict,
        "reason": face.quality.reason,
        "residual_mm": face.quality.residual_mm,
        "coverage": face.quality.coverage,
    }
    yield StageSample(face.key, face_members(face), row)
