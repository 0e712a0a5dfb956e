"""One generator an input, whatever the worker, the order or the number of workers."""

import hashlib

import numpy as np

# The numbers are part of every set ever made: add at the end, never renumber.
STREAMS = {
    "subjects": 1,
    "capture": 2,
    "scans": 3,
    "registered": 4,
    "samples": 5,
    "augment": 6,
    "render": 7,
    "pair": 8,
    "degrade": 9,
    "views": 10,
    "poses": 11,
}


def rng_for(seed: int, stage: str | int, index: int | str) -> np.random.Generator:
    """The generator of one input of one stage.

    Args:
        seed: of the run, >= 0.
        stage: a name of STREAMS, or its number.
        index: the input's number, or its key: a key's numbers do not shift when inputs are added
            before it. A key counts by the first 64 bits of its SHA-256.

    Raises:
        ValueError: a stage that STREAMS does not know.
    """
    if isinstance(stage, str):
        if stage not in STREAMS:
            raise ValueError(f"stage '{stage}': has no random stream; expected one of {[*STREAMS]}")
        stage = STREAMS[stage]
    if isinstance(index, str):
        index = int.from_bytes(hashlib.sha256(index.encode()).digest()[:8], "big")
    sequence = np.random.SeedSequence(seed, spawn_key=(stage, index))
    return np.random.Generator(np.random.Philox(sequence))
