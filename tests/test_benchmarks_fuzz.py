"""Corrupted inputs, a few of each kind, through ``synth fg3d``: processed or recorded, with words.

The whole of it is benchmarks/fuzz.py; seeds are fixed, so that what fails here fails again.
"""

import pytest

from benchmarks.fuzz import fuzz, lost, spoilt, unhelpful
from faces.morphable import save_model
from tests.toy import toy_model


@pytest.mark.parametrize(("kind", "count"), [("rgbd", 24), ("obj", 10), ("tum", 6)])
def test_every_corrupted_input_is_processed_or_recorded(tmp_path, kind, count):
    save_model(toy_model(), tmp_path / "toy.npz")
    outcome = fuzz(kind, count, seed=5, home=tmp_path)
    assert outcome.status in (0, 1), outcome.log  # no crash, no hang
    assert not lost(outcome)
    assert spoilt(outcome) == 0
    records = [record for found in outcome.records.values() for record in found]
    assert records
    assert not [record for record in records if unhelpful(record)]
    assert outcome.peak_mb < 2000  # a toy's run takes 500; a header believed takes terabytes
