"""The plan is a function of the inputs; the generators of keys."""

import numpy as np
import pytest

from faces.errors import BadInput
from pipelines.plan import chunk, first_tasks, inputs_hash, next_tasks
from pipelines.seeds import STREAMS, rng_for

REFS = [{"key": f"k{i}"} for i in range(5)]


def test_chunks_keep_order_and_lose_nothing():
    groups = chunk(REFS, 2)
    assert [len(group) for group in groups] == [2, 2, 1]
    assert [ref for group in groups for ref in group] == REFS


def test_added_inputs_leave_full_shards_as_they_were(tmp_path):
    before = first_tasks(tmp_path, "scans", chunk(REFS[:4], 2))
    after = first_tasks(tmp_path, "scans", chunk(REFS, 2))
    assert after[:2] == before
    assert inputs_hash(after[0]) == inputs_hash(before[0]) != inputs_hash(after[1])


def test_repeated_keys_are_refused():
    with pytest.raises(BadInput, match="'k0': the key occurs twice"):
        chunk([*REFS, {"key": "k0"}], 2)


def test_no_inputs_a_shard_is_refused():
    with pytest.raises(BadInput, match="per-shard"):
        chunk(REFS, 0)


def test_the_next_stage_reads_shard_by_shard(tmp_path):
    first = first_tasks(tmp_path, "scans", chunk(REFS, 2))
    second = next_tasks(tmp_path, "samples", first)
    assert [task.depends for task in second] == [task.name for task in first]
    assert [task.input_path for task in second] == [task.path for task in first]
    assert second[1].path == tmp_path / "samples" / "00001.tar"


def test_generators_are_repeatable_and_differ_by_seed_stage_and_input():
    inputs = [(0, "scans", "a"), (1, "scans", "a"), (0, "samples", "a"), (0, "scans", "b")]
    inputs += [(0, "scans", 0), (0, "scans", 1)]
    draws = {args: tuple(rng_for(*args).integers(0, 2**63, 2)) for args in inputs}
    assert len(set(draws.values())) == len(draws)
    assert draws[0, "scans", "a"] == tuple(rng_for(0, "scans", "a").integers(0, 2**63, 2))


def test_generators_are_those_of_the_documented_construction():
    sequence = np.random.SeedSequence(7, spawn_key=(STREAMS["samples"], 12))
    expected = np.random.Generator(np.random.Philox(sequence)).random(4)
    np.testing.assert_array_equal(rng_for(7, "samples", 12).random(4), expected)


def test_stream_numbers_differ():
    assert len(set(STREAMS.values())) == len(STREAMS)


def test_an_unknown_stage_is_refused():
    with pytest.raises(ValueError, match="no random stream"):
        rng_for(0, "smaples", 0)
