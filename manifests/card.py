"""The set's README and provenance: what it is, from whom, under which terms, made how."""

import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

import pyarrow as pa

from manifests import atomic
from manifests.schema import PLACE_COLUMNS, ROW_COLUMNS, SCHEMA_VERSION
from manifests.storage import locate

# What a rerun needs to have in the same versions to get the same bytes.
_PACKAGES = ("facesynth", "numpy", "scipy", "numba", "opencv-python", "pillow", "pyarrow")


def write_card(
    set_dir: Path, manifest: pa.Table, recipe: str, seed: int, config_hash: str, failed: int
) -> None:
    """Write README.md and provenance.json of a set.

    Neither holds a time, a user, a machine or an absolute path: equal sets have equal cards.

    Args:
        set_dir: the set's folder.
        manifest: of manifests.index.merge.
        recipe: name of the recipe that made the set.
        seed: of the run.
        config_hash: of the run; the settings themselves lie in config.toml.
        failed: inputs that gave no sample.
    """
    provenance = make_provenance(manifest, recipe, seed, config_hash)
    text = json.dumps(provenance, indent=1, ensure_ascii=False) + "\n"
    atomic.write_file(locate(set_dir) / "provenance.json", text.encode())
    atomic.write_file(locate(set_dir) / "README.md", _readme(manifest, provenance, failed).encode())


def make_provenance(
    manifest: pa.Table, recipe: str, seed: int, config_hash: str
) -> dict[str, object]:
    """Versions, seed, settings' hash, and the sources with their terms and sizes."""
    return {
        "schema": SCHEMA_VERSION,
        "recipe": recipe,
        "seed": seed,
        "config_hash": config_hash,
        "versions": package_versions(),
        "sources": _sources(manifest),
    }


def package_versions() -> dict[str, str]:
    """Versions, as installed here, of what decides a set's bytes."""
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def _sources(manifest: pa.Table) -> list[dict[str, object]]:
    names = ("source", "licence", "consent", "subject")
    rows = list(zip(*(manifest[name].to_pylist() for name in names), strict=True))
    samples = Counter(row[:3] for row in rows)
    subjects = Counter(row[:3] for row in set(rows))
    return [
        {
            "source": terms[0],
            "licence": terms[1],
            "consent": terms[2],
            "subjects": subjects[terms],
            "samples": samples[terms],
        }
        for terms in sorted(samples)
    ]


def _readme(manifest: pa.Table, provenance: Mapping[str, object], failed: int) -> str:
    """The dataset card, in Markdown."""
    subjects = len(set(manifest["subject"].to_pylist()))
    members = [n.removesuffix("/size") for n in manifest.column_names if n.endswith("/size")]
    lines = [
        f"# {provenance['recipe']}: images of faces with their 3D geometry",
        "",
        f"{manifest.num_rows:,} samples of {subjects:,} subjects; {failed:,} inputs failed.",
        f"Made by facesynth with seed {provenance['seed']}; settings in `config.toml`, "
        f"hash `{provenance['config_hash'][:16]}`; versions in `provenance.json`.",
        "",
        "## Splits",
        "",
        *_split_lines(manifest),
        "",
        "## Sources and terms",
        "",
        *_table(("source", "licence", "consent", "subjects", "samples"), provenance["sources"]),
        "",
        "These are images of faces: personal, and where they show real people biometric, data. "
        "Use them only as the licence and the consent of their source allow.",
        "",
        "## Members of a sample",
        "",
        *(f"- `KEY.{member}`" for member in members),
        "",
        "## Columns of `manifest.parquet`",
        "",
        *_table(("name", "dtype", "about"), _columns()),
        "",
    ]
    return "\n".join(lines)


def _split_lines(manifest: pa.Table) -> list[str]:
    splits = Counter(manifest["split"].to_pylist())
    lines = [f"- {name}: {splits[name]:,} samples" for name in ("train", "test")]
    if not splits["test"]:
        lines.append(
            "- The test split is empty: a subject's split depends on its name alone, and none of "
            "these few subjects fell in the one-in-ten share."
        )
    return lines


def _columns() -> list[dict[str, object]]:
    columns = PLACE_COLUMNS + ROW_COLUMNS
    return [{"name": f"`{c.name}`", "dtype": c.dtype, "about": c.about} for c in columns]


def _table(names: Sequence[str], rows: Sequence[Mapping[str, object]]) -> list[str]:
    head = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return head + [f"| {' | '.join(str(row[name]) for name in names)} |" for row in rows]
