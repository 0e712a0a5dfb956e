"""Manifest rows: typed, complete, and no unknown names."""

import numpy as np
import pytest

from manifests.schema import SAMPLE_FIELDS, check_row, missing_fields

ROW = {"subject": "p", "source": "s", "licence": "CC0-1.0", "consent": "yes"}


def test_numpy_values_become_plain_ones():
    row = check_row({**ROW, "yaw_deg": np.float32(0.5), "width": np.int64(256), "pitch_deg": 3})
    assert row == {**ROW, "yaw_deg": 0.5, "width": 256, "pitch_deg": 3.0}
    assert [type(row[n]) for n in ("yaw_deg", "width", "pitch_deg")] == [float, int, float]


def test_a_number_that_is_none_is_stored_as_none():
    assert check_row({**ROW, "residual_mm": float("nan")})["residual_mm"] is None


def test_an_unknown_column_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="did you mean 'yaw_deg'"):
        check_row({**ROW, "yaw_degs": 1.0})


def test_a_row_without_licence_is_refused():
    with pytest.raises(ValueError, match="no licence"):
        check_row({k: v for k, v in ROW.items() if k != "licence"})


@pytest.mark.parametrize(("name", "value"), [("width", 2.5), ("yaw_deg", "15"), ("model", 3)])
def test_a_value_of_another_type_is_refused(name, value):
    with pytest.raises(ValueError, match=name):
        check_row({**ROW, name: value})


def test_missing_fields_of_a_sample_are_named():
    whole = {field.name: 0 for field in SAMPLE_FIELDS if field.required}
    assert missing_fields(whole) == []
    del whole["rotation"]
    assert missing_fields(whole) == ["rotation"]
