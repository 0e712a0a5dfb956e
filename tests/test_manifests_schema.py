"""Manifest rows: typed, complete, and no unknown names."""

import ast
from pathlib import Path

import numpy as np
import pytest

from faces.types import Provenance
from manifests.schema import (
    NOT_A_PERSON,
    PLACE_COLUMNS,
    ROW_COLUMNS,
    SAMPLE_FIELDS,
    UNKNOWN,
    check_row,
    missing_fields,
)

ROOT = Path(__file__).parent.parent

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


@pytest.mark.parametrize("name", ["source", "licence", "consent", "subject"])
def test_a_row_without_its_terms_is_refused(name):
    for row in ({k: v for k, v in ROW.items() if k != name}, {**ROW, name: ""}):
        with pytest.raises(ValueError, match=f"no {name}"):
            check_row(row)


def test_records_and_rows_call_unknown_terms_the_same():
    assert Provenance("s") == Provenance("s", UNKNOWN, UNKNOWN)
    assert Provenance.simulated("").licence == UNKNOWN


@pytest.mark.parametrize(
    ("model", "licence"),
    [
        ("CC0-1.0 (made from public-domain targets)", "CC0-1.0"),
        ("MIT, (c) somebody", "MIT, (c) somebody"),
        ("X, its own terms (research)", "X, its own terms (research)"),
    ],
)
def test_simulated_people_have_their_models_licence(model, licence):
    assert Provenance.simulated(model) == Provenance("simulated", licence, NOT_A_PERSON)


def columns_set_in(path):
    """String keys of dictionaries in a module, and keywords: what may become a column."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    keys = (key for node in ast.walk(tree) if isinstance(node, ast.Dict) for key in node.keys)
    return {key.value for key in keys if isinstance(key, ast.Constant)}


def test_every_column_is_documented_and_some_recipe_fills_it():
    """check_row refuses a column that is not in the table, so that no recipe can have another."""
    filled = set(Provenance.__slots__)
    filled |= set().union(*map(columns_set_in, (ROOT / "pipelines").rglob("*.py")))
    for column in PLACE_COLUMNS + ROW_COLUMNS + SAMPLE_FIELDS:
        assert column.dtype in {"string", "int64", "float64", "bool", "array", "object"}
        assert column.about
        if column in ROW_COLUMNS:
            assert column.name in filled, column.name
    for column in PLACE_COLUMNS + ROW_COLUMNS:
        unit = {"_deg": "degrees", "_mm": "mm", "_px": "px"}.get(
            column.name[column.name.rfind("_") :]
        )
        assert unit is None or unit in column.about
    shares = [c for c in ROW_COLUMNS if c.name in ("coverage", "synthesised")]
    assert all("[0, 1]" in c.about for c in shares)


@pytest.mark.parametrize(("name", "value"), [("width", 2.5), ("yaw_deg", "15"), ("model", 3)])
def test_a_value_of_another_type_is_refused(name, value):
    with pytest.raises(ValueError, match=name):
        check_row({**ROW, name: value})


def test_missing_fields_of_a_sample_are_named():
    whole = {field.name: 0 for field in SAMPLE_FIELDS if field.required}
    assert missing_fields(whole) == []
    del whole["rotation"]
    assert missing_fields(whole) == ["rotation"]
