"""Each registered face's image rotated out of plane, with its labels.

Stage "samples", or "views" where they are degraded afterwards: the same bytes in either.
"""

from collections.abc import Iterator

import numpy as np

from augment.rotate import rotate
from augment.view_plan import plan_views
from faces.models import load_model
from faces.morphable import MorphableModel
from faces.rotation import euler_from_matrix
from faces.types import RegisteredFace, Scan, View
from manifests.ledger import ShardRecord, read_sidecar
from manifests.shard import read_entry
from manifests.splits import split_of
from manifests.storage import Ranges
from pipelines.members import (
    accepted_face,
    scan_from_members,
    vertex_member,
    view_members,
    view_row,
)
from pipelines.plan import ShardTask
from pipelines.seeds import rng_for
from pipelines.stages.base import Item, StageSample, process_inputs


def run(task: ShardTask, config) -> ShardRecord:
    """See pipelines.stages.base; ``config`` has ``model``, ``views``, ``rotate`` and ``seed``."""
    scans_tar = task.path.parent.parent / "scans" / task.path.name
    entries = {entry.key: entry for entry in read_sidecar(scans_tar).entries}
    with Ranges(scans_tar) as file:

        def augment(item: Item, config) -> Iterator[StageSample]:
            members = read_entry(file, entries[item.key])
            return _views(item, scan_from_members(item.key, members), config)

        return process_inputs(task, config, augment)


def _views(item: Item, scan: Scan, config) -> Iterator[StageSample]:
    model = load_model(config.model)
    face = accepted_face(item.key, item.members, model)
    yaw, pitch, _ = euler_from_matrix(face.pose.rotation)
    vertices = vertex_member(face)
    rng = rng_for(config.seed, "augment", item.key)  # whatever the stage is called
    plan = plan_views(yaw, pitch, rng, config.views)
    for number, view in enumerate(rotate(scan, face, model, plan, config.rotate)):
        key = f"{face.key}_view{number:03d}"
        yield _sample(key, view, face, vertices, model, config.seed)


def _sample(
    key: str,
    view: View,
    face: RegisteredFace,
    vertices: tuple[bytes, float],
    model: MorphableModel,
    seed: int,
) -> StageSample:
    indices = model.landmarks["ibug68"]
    iod_mm = float(np.linalg.norm(np.diff(face.shape_mm[indices[[36, 45]]], axis=0)))
    about = {
        "split": split_of(face.subject),
        "seed": seed,
        "iod_mm": iod_mm,
        "landmarks_mm": view.pose.apply(face.shape_mm[indices]).round(3),
    }
    members = view_members(key, view, face, vertices, about)
    row = view_row(view, face, iod_mm) | {"model_licence": model.licence}
    return StageSample(key, members, row)
