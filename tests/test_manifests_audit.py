"""The audit of tables whose shares are known, in every format, and of damaged ones."""

import csv
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from manifests import pose_tables
from manifests.audit import NAMED_FAULTS, PAPER_BINS, Audit, Plan, paper_audit
from manifests.pose_tables import BadTable, Fault, read_pose_table

# Two people, three plans; 4 of 10 are large, one exactly at the edge is not.
YAWS = [0, 10, -20, 45, -45, 50, -65, 80, 90, 30]
COLUMNS = {
    "key": [f"k{number}" for number in range(10)],
    "subject": ["anna"] * 6 + ["ben"] * 4,
    "split": ["train"] * 8 + ["test"] * 2,
    "yaw_deg": [float(yaw) for yaw in YAWS],
    "pitch_deg": [5.0] * 10,
    "plan": ["a"] * 5 + ["b"] * 4 + [None],
    "requested_large_share": [0.0] * 5 + [1.0] * 4 + [None],
    "achieved_large_share": [0.0] * 5 + [1.0] * 4 + [None],
    "requested_yaw_deg": [float(yaw) for yaw in YAWS[:9]] + [None],
}


def audited(path):
    return Audit(path.name, "table").add(read_pose_table(path))


def written(folder, kind, columns=COLUMNS):
    path = folder / f"poses.{kind}"
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    if kind == "parquet":
        pq.write_table(pa.table(columns), path)
    elif kind == "jsonl":
        path.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n")
    else:
        with open(path, "w", newline="") as file:
            writer = csv.DictWriter(file, list(columns))
            writer.writeheader()
            writer.writerows(rows)
    return path


@pytest.mark.parametrize("kind", ["parquet", "csv", "jsonl"])
def test_every_format_gives_the_known_counts(kind, tmp_path):
    audit = audited(written(tmp_path, kind))
    assert audit.counts.bins.tolist() == [2, 2, 2, 1, 1, 2, 0]
    assert (audit.counts.large, audit.rows) == (4, 10)
    assert audit.groups["subject"] == {"anna": [6, 1], "ben": [4, 3]}
    assert audit.groups["split"] == {"train": [8, 3], "test": [2, 1]}
    assert audit.groups["source"] == {}
    none, all_large = {0.0: 5}, {1.0: 4}
    assert audit.plans == {"a": Plan(5, 0, none, none), "b": Plan(4, 4, all_large, all_large)}
    assert audit.requested.total == 9
    assert audit.counts.grid.sum() == 10
    assert not audit.faults


def test_batches_add_up(tmp_path, monkeypatch):
    """A table in many batches has the audit of the same table in one."""
    rng = np.random.default_rng(4)
    columns = {
        "yaw_deg": rng.uniform(-100, 100, 5000),
        "subject": [f"s{k}" for k in rng.integers(0, 50, 5000)],
        "plan": [f"p{k}" for k in rng.integers(0, 3, 5000)],
        "requested_large_share": np.full(5000, 0.5),
    }
    path = written(tmp_path, "parquet", columns)
    whole = audited(path).to_dict()
    monkeypatch.setattr(pose_tables, "BATCH_ROWS", 333)
    assert audited(path).to_dict() == whole
    assert whole["large_share"] == np.mean(np.abs(columns["yaw_deg"]) > 45)


def test_plans_tell_requested_from_counted(tmp_path):
    """A set that says 60 % and holds 40 % is found out."""
    columns = {
        "yaw_deg": [60.0] * 4 + [10.0] * 6,
        "requested_large_share": [0.6] * 10,
        "achieved_large_share": [0.6] * 10,
    }
    plans = audited(written(tmp_path, "parquet", columns)).to_dict()["plans"]
    assert list(plans) == [""]
    assert plans[""] == {"rows": 10, "requested": 0.6, "achieved": 0.6, "counted": 0.4}


def test_inputs_that_achieve_different_shares_are_averaged(tmp_path):
    """Three inputs of two views: none, one and both large, as each of them says."""
    columns = {
        "yaw_deg": [10.0, 20.0, 10.0, 60.0, 60.0, 70.0],
        "plan": ["p"] * 6,
        "achieved_large_share": [0.0, 0.0, 0.5, 0.5, 1.0, 1.0],
    }
    plan = audited(written(tmp_path, "parquet", columns)).to_dict()["plans"]["p"]
    assert plan == {"rows": 6, "requested": None, "achieved": 0.5, "counted": 0.5}


def test_rows_without_a_yaw_are_named_and_not_counted(tmp_path):
    columns = {"key": ["a", "b", None, "d"], "yaw_deg": [60.0, None, float("nan"), float("inf")]}
    audit = audited(written(tmp_path, "parquet", columns))
    assert (audit.counts.total, audit.rows) == (1, 4)
    assert audit.faults == {"no pose": 3}
    assert [fault.name for fault in audit.named] == ["b", "row 3", "d"]


def test_odd_lines_are_named_with_their_number(tmp_path):
    path = tmp_path / "poses.csv"
    path.write_text("yaw,pitch\n10,0\nabc,0\n,0\n50,0,7\n60\n")
    audit = audited(path)
    assert audit.counts.bins.tolist() == [1, 0, 0, 1, 0, 0, 0]  # line 6 only lacks its pitch
    found = [(f.kind, f.name) for f in audit.named]
    assert found == [
        ("damaged", "poses.csv line 3"),
        ("damaged", "poses.csv line 5"),
        ("no pose", "poses.csv line 4"),
    ]
    path = tmp_path / "poses.jsonl"
    path.write_text('{"yaw_deg": 10}\n[1]\n{"yaw_deg": tr\n{"yaw_deg": true}\n{"yaw_deg": "20"}\n')
    audit = audited(path)
    assert audit.counts.total == 2
    assert audit.faults == {"damaged": 3}


def test_faults_beyond_the_kept_ones_are_still_counted():
    audit = Audit("x", "tars").add(Fault("no face", str(n), "") for n in range(NAMED_FAULTS + 5))
    assert audit.faults["no face"] == NAMED_FAULTS + 5
    assert len(audit.named) == NAMED_FAULTS
    assert audit.to_dict()["large_share"] is None


def test_faces_that_are_not_found_bound_the_share():
    """1 large of 4 found, 4 lost: between 1 and 5 of 8. A damaged file hides no pose."""
    audit = Audit("x", "photos")
    audit.counts.add(np.array([0.0, 10, 20, 80]))
    for kind in ("no face", "no face", "no face", "no fit", "damaged", "left out"):
        audit.fault(Fault(kind, "name", "why"))
    assert audit.large_share_bounds == (1 / 8, 5 / 8)
    assert paper_audit().large_share_bounds == (paper_audit().counts.large_share,) * 2


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("x.parquet", b"PAR1 not", "expected a Parquet file"),
        ("x.csv", b"a,b\n1,2\n", "expected one called yaw_deg"),
        ("x.csv", b"", "expected one called yaw_deg"),
        ("x.csv", b"yaw\n\xff\xfe\n", "expected CSV in UTF-8"),
        ("x.txt", b"yaw\n1\n", "expected one of .parquet .csv"),
    ],
)
def test_what_is_no_table_is_refused(name, data, words, tmp_path):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadTable, match=words):
        list(read_pose_table(tmp_path / name))


def test_a_parquet_column_of_another_type_is_refused(tmp_path):
    pq.write_table(pa.table({"yaw_deg": ["left", "right"]}), tmp_path / "x.parquet")
    with pytest.raises(BadTable, match="type double"):
        list(read_pose_table(tmp_path / "x.parquet"))


def test_the_papers_row_is_the_papers():
    """Table 3: the bins add up to its total, and the share is its 6.342 %."""
    audit = paper_audit()
    assert sum(PAPER_BINS) == audit.rows == 4_489_391
    assert f"{100 * audit.counts.large_share:.3f}" == "6.342"
