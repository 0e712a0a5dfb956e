"""Stage "registered": each scan in the model's topology, by T-ICP."""

from collections.abc import Iterator
from dataclasses import asdict, replace

import numpy as np

from faces.models import load_model
from faces.morphable import MorphableModel
from faces.types import RegisteredFace
from manifests.ledger import ShardRecord
from pipelines.members import face_members, scan_from_members
from pipelines.plan import ShardTask
from pipelines.stages.base import Item, StageSample, process_inputs
from registration.ticp import register
from synth.beyond import fitting_model


def run(task: ShardTask, config) -> ShardRecord:
    """See pipelines.stages.base; ``config`` has ``model``, ``basis`` and ``ticp``."""
    return process_inputs(task, config, _register)


def _register(item: Item, config) -> Iterator[StageSample]:
    model = load_model(config.model)
    fitted = fitting_model(model) if config.basis == "truncated" else model
    scan = scan_from_members(item.key, item.members)
    face = in_full(register(scan, fitted, config.ticp), fitted, model)
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


def in_full(face: RegisteredFace, fitted: MorphableModel, model: MorphableModel) -> RegisteredFace:
    """The face with its initial coefficients in the order of ``model``.

    Args:
        face: registered with ``fitted``.
        fitted: the first identity modes of ``model`` and some of its expressions.
        model: whose expressions that were not fitted get weight 0.
    """
    expression = np.zeros(len(model.expression_names))
    where = [model.expression_names.index(name) for name in fitted.expression_names]
    expression[where[: len(face.initial.expression)]] = face.initial.expression
    return replace(face, initial=replace(face.initial, expression=expression))
