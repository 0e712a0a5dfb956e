"""What an earlier shard of the same name still has to give: samples of unchanged inputs.

A stage is a pure function of the settings, the input's key and the input. So where these are the
same, and only a neighbour failed, was added or was mended, the samples are taken over as they are.
"""

import hashlib
import logging
from collections.abc import Iterator
from itertools import islice

from manifests.ledger import ShardRecord, canonical_json, read_sidecar
from manifests.shard import BadShard, read_shard, scan_shard
from pipelines.plan import ShardTask
from pipelines.stages.item import Item, StageSample

log = logging.getLogger(__name__)

Kept = dict[tuple[str, str], list[StageSample]]


def input_digest(item: Item) -> str:
    """32 hexadecimal digits over all that a stage gets to see of an input."""
    digest = hashlib.sha256(canonical_json([item.ref, item.row]))
    for suffix in sorted(item.members):
        data = item.members[suffix]
        digest.update(f"{suffix}:{len(data)}:".encode())
        digest.update(data)
    return digest.hexdigest()[:32]


def kept_samples(task: ShardTask, config_hash: str) -> Kept:
    """(key, digest) -> samples of each input of the earlier shard that did not fail.

    Empty where there is none, where other settings made it, or where it is damaged: then all is
    made anew.
    """
    try:
        record = read_sidecar(task.path)
        if record.config_hash != config_hash or not record.inputs:
            return {}
        if scan_shard(task.path).sha256 != record.sha256:
            raise BadShard(f"shard '{record.name}': its checksum differs from the sidecar's")
        return _by_input(record, _samples(task, record))
    except FileNotFoundError:
        return {}
    except BadShard as error:
        log.warning("%s; all its inputs are worked on again", error)
        return {}


def _samples(task: ShardTask, record: ShardRecord) -> Iterator[StageSample]:
    for (key, members), row in zip(read_shard(task.path), record.rows, strict=True):
        yield StageSample(key, members, dict(row))


def _by_input(record: ShardRecord, samples: Iterator[StageSample]) -> Kept:
    return {(key, digest): list(islice(samples, count)) for key, digest, count in record.inputs}
