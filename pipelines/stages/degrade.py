"""Stage "samples" of a degraded set: each view with the faults of a camera and a network.

The shards of views keep the images without faults.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict

from augment.degrade import draw_degradation, encode_degraded
from imaging.codec import decode_image
from manifests.ledger import ShardRecord
from pipelines.plan import ShardTask
from pipelines.seeds import rng_for
from pipelines.stages.base import Item, StageSample, process_inputs


def run(task: ShardTask, config) -> ShardRecord:
    """See pipelines.stages.base; ``config`` has ``degrade`` and ``seed``."""
    return process_inputs(task, config, _degraded)


def _degraded(item: Item, config) -> Iterator[StageSample]:
    """The sample with another image and the record of how it was made; all else is the view's."""
    how = draw_degradation(rng_for(config.seed, "degrade", item.key), config.degrade)
    clean = item.members["jpg"]
    labels = json.loads(item.members["json"]) | {"degradation": asdict(how)}
    members = item.members | {
        "jpg": encode_degraded(decode_image(clean, item.key), how) if how.any else clean,
        "json": json.dumps(labels, separators=(",", ":"), allow_nan=False).encode(),
    }
    if config.degrade.keep_clean:
        members["clean.jpg"] = clean
    yield StageSample(item.key, members, item.row | {"degraded": how.any})
