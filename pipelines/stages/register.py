"""Stage "registered": each scan in the model's topology, by T-ICP; a photo by the model's fit."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cached_property

import numpy as np

from faces.models import load_model
from faces.morphable import MorphableModel
from faces.types import RegisteredFace
from manifests.ledger import ShardRecord
from pipelines.members import face_members, scan_from_members
from pipelines.plan import ShardTask
from pipelines.stages.base import Item, StageSample, process_inputs, task_items
from registration.batched import register_batch
from registration.photo_fit import register_photo
from registration.readers.base import DEPTHLESS
from registration.ticp import register
from synth.beyond import fitting_model


def run(task: ShardTask, config) -> ShardRecord:
    """See pipelines.stages.base; ``config`` has ``model``, ``basis``, ``ticp``, ``photo``,
    ``device``, ``scans`` and ``layout``."""
    if config.scans and config.layout in DEPTHLESS:
        return process_inputs(task, config, _register_photo)
    alone = config.device == "cpu"
    return process_inputs(task, config, _register if alone else _Batch(task, config).register)


def _register(item: Item, config) -> Iterator[StageSample]:
    scan = scan_from_members(item.key, item.members)
    yield _sample(register(scan, _fitted(config), config.ticp), config)


def _register_photo(item: Item, config) -> Iterator[StageSample]:
    scan = scan_from_members(item.key, item.members)
    yield _sample(register_photo(scan, _fitted(config), config.photo), config)


class _Batch:
    """The scans of a shard, all registered on the device when the first of them is asked for."""

    def __init__(self, task: ShardTask, config):
        self.task, self.config = task, config

    def register(self, item: Item, config) -> Iterator[StageSample]:
        """As _register, of this batch's outcome for the scan."""
        outcome = self._outcomes[item.key]
        if isinstance(outcome, Exception):
            raise outcome
        yield _sample(outcome, config)

    @cached_property
    def _outcomes(self) -> dict[str, RegisteredFace | Exception]:
        config, scans, outcomes = self.config, [], {}
        for item in task_items(self.task, config.seed):
            try:
                scans.append(scan_from_members(item.key, item.members))
            except Exception as error:
                outcomes[item.key] = error
        faces = register_batch(scans, _fitted(config), config.ticp, config.device)
        found = {scan.key: face for scan, face in zip(scans, faces, strict=True)}
        return outcomes | found


def _fitted(config) -> MorphableModel:
    model = load_model(config.model)
    return fitting_model(model) if config.basis == "truncated" else model


def _sample(face: RegisteredFace, config) -> StageSample:
    face = in_full(face, _fitted(config), load_model(config.model))
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
    return StageSample(face.key, face_members(face), row)


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
