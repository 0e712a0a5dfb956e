"""Whose faces, under which terms: what sources say in tests, and what a set's rows say of it."""

import json
from pathlib import Path

import pyarrow.parquet as pq

STUDIO = {"source": "studio", "licence": "CC-BY-4.0", "consent": "research"}
SIMULATED = {"source": "simulated", "licence": "CC0-1.0", "consent": "not a person"}  # the toy's
UNKNOWN = {"licence": "unknown", "consent": "unknown"}


def say(folder: Path) -> None:
    """Put the studio's terms beside a subject's scans."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "source.json").write_text(json.dumps(STUDIO))


def said(out: Path) -> dict[str, dict[str, str]]:
    """subject -> its terms in a set's manifest, the same in each of its rows."""
    names = ["subject", *STUDIO]
    found = {}
    for row in pq.read_table(Path(out) / "manifest.parquet", columns=names).to_pylist():
        subject = row.pop("subject")
        assert found.setdefault(subject, row) == row, subject
    return found
