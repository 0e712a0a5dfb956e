"""The set's README and provenance: what it is, from whom, under which terms, made how."""

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib import metadata
from typing import TYPE_CHECKING

from manifests import atomic, loading
from manifests.licences import hugging_face_name
from manifests.lists import MANIFEST, SAMPLES
from manifests.pose_counts import BINS
from manifests.schema import PLACE_COLUMNS, ROW_COLUMNS, SCHEMA_VERSION, UNKNOWN
from manifests.summary import SetSummary

if TYPE_CHECKING:
    from manifests.storage import Location

OPENCV = ("opencv-python", "opencv-python-headless")  # builds of one library; an image has the last

# What a rerun needs to have in the same versions to get the same bytes.
_PACKAGES = ("facesynth", "numpy", "scipy", "numba", OPENCV[0], "pillow", "pyarrow")

_SIZES = ((1e3, "n<1K"), (1e4, "1K<n<10K"), (1e5, "10K<n<100K"), (1e6, "100K<n<1M"))
_SIZES += ((1e7, "1M<n<10M"), (1e8, "10M<n<100M"), (1e9, "100M<n<1B"))

WHAT = {
    "fg3d": "Images of registered faces, rotated out of plane, with their 3D geometry.",
    "render": "Faces rendered at planned poses, with their 3D geometry.",
    "subjects": "RGB-D frames of virtual people, with the truth about each.",
}
PRIVACY = (
    "Pictures of faces are personal data; where they show real people, the shape and the "
    "landmarks beside them are biometric data too."
)
_USE = (
    "Use them only as the licence and the consent of their source allow: not to tell who somebody "
    "is unless the consent covers it."
)


def write_card(
    set_dir: "Location", summary: SetSummary, recipe: str, seed: int, config_hash: str
) -> None:
    """Write README.md and provenance.json of a set.

    Neither holds a time, a user, a machine or an absolute path: equal sets have equal cards.

    Args:
        set_dir: the set's folder.
        summary: of the set.
        recipe: name of the recipe that made the set.
        seed: of the run.
        config_hash: of the run; the settings themselves lie in config.toml.
    """
    provenance = make_provenance(summary, recipe, seed, config_hash)
    text = json.dumps(provenance, indent=1, ensure_ascii=False) + "\n"
    atomic.write_file(set_dir / "provenance.json", text.encode())
    atomic.write_file(set_dir / "README.md", _readme(summary, provenance).encode())


def make_provenance(
    summary: SetSummary, recipe: str, seed: int, config_hash: str
) -> dict[str, object]:
    """Versions, seed, settings' hash, and the sources with their terms and sizes."""
    return {
        "schema": SCHEMA_VERSION,
        "recipe": recipe,
        "seed": seed,
        "config_hash": config_hash,
        "versions": package_versions(),
        "sources": [asdict(terms) for terms in summary.terms],
    }


def package_versions() -> dict[str, str]:
    """Versions, as installed here, of what decides a set's bytes.

    OpenCV stands under one name, whichever of its builds is installed: they differ in windows on
    screens, not in pixels.
    """
    names = {package: (package,) for package in _PACKAGES} | {OPENCV[0]: OPENCV}
    versions = {package: _version(builds) for package, builds in names.items()}
    return {"python": platform.python_version()} | versions


def _version(builds: Sequence[str]) -> str:
    """Of the first of these packages that is installed."""
    for build in builds:
        with suppress(metadata.PackageNotFoundError):
            return metadata.version(build)
    return "not installed"


def about_people(summary: SetSummary) -> str:
    """Whom the pictures show, in a sentence."""
    if summary.simulated == summary.samples:
        return "Every face is simulated: no real person is shown."
    if not summary.simulated:
        return "The faces are those of real people."
    return (
        f"{summary.simulated:,} of {summary.samples:,} samples show simulated faces, the others "
        "real people."
    )


def _readme(summary: SetSummary, provenance: Mapping[str, object]) -> str:
    """The dataset card, in Markdown."""
    sections = {
        "What is in it": _contents(summary),
        "Whose faces, under which terms": _terms(summary),
        "Loading it": _loading(summary),
        "What failed": _failures(summary),
        "How it was made": _made(provenance),
        "Columns of `manifest.parquet`": _table(("name", "type", "about"), _columns()),
    }
    title = f"{provenance['recipe']}: {WHAT.get(str(provenance['recipe']), 'A set of faces.')}"
    lines = [*_header(summary, str(provenance["recipe"])), f"# {title}"]
    for name, body in sections.items():
        lines += ["", f"## {name}", "", *body]
    return "\n".join(lines) + "\n"


def _header(summary: SetSummary, recipe: str) -> list[str]:
    """What Hugging Face reads: YAML of our own words, numbers and shards' names only."""
    tags = ["3d-face", "head-pose", "webdataset"]
    tags += ["synthetic"] if summary.simulated == summary.samples else []
    return [
        "---",
        f"pretty_name: facesynth {recipe}",
        *_licence(summary),
        "size_categories:",
        f"- {next((name for limit, name in _SIZES if summary.samples < limit), 'n>1T')}",
        "task_categories:",
        "- image-to-3d",
        "- keypoint-detection",
        "tags:",
        *(f"- {tag}" for tag in tags),
        *_configs(summary),
        "---",
    ]


def _licence(summary: SetSummary) -> list[str]:
    free = "CC0-1.0"  # a face model under it adds no limits
    licences = sorted(
        {terms.licence for terms in summary.terms}
        | {licence for _, licence, _ in summary.models if not licence.startswith(free)}
    )
    if len(licences) == 1 and (name := hugging_face_name(licences[0])):
        return [f"license: {name}"]
    if not licences or UNKNOWN in licences:
        return ["license: unknown"]
    return ["license: other", "license_name: by-source"]


def _configs(summary: SetSummary) -> list[str]:
    """The tars in one split, since train and test lie mixed in them.

    `datasets` takes the members' types from the first tar: one without samples, which is legal,
    must not be it.
    """
    lines = ["configs:"]
    if summary.shards:
        lines += ["- config_name: samples", "  default: true", "  data_files:"]
        lines += ["  - split: samples", "    path:"]
        lines += [f"    - {name}" for name in _tar_paths(summary)]
    lines += ["- config_name: manifest", "  data_files:"]
    return [*lines, "  - split: samples", f"    path: {MANIFEST}"]


def _tar_paths(summary: SetSummary) -> list[str]:
    if summary.first_shard_empty:
        return [shard["name"] for shard in summary.shards]
    return [f"{SAMPLES}/*.tar"]


def _contents(summary: SetSummary) -> list[str]:
    lines = [
        f"{summary.samples:,} samples of {summary.subjects:,} subjects. Samples lie in the tars "
        "of `samples/`, one member after the other; `manifest.parquet` has a row for each.",
        "",
        *(f"- `KEY.{member}`" for member in summary.members),
        "",
        *_splits(summary),
    ]
    if summary.poses:
        bins = summary.poses.bins.tolist()
        rows = [
            {"absolute yaw": name, "samples": f"{count:,}", "share": f"{count / sum(bins):.1%}"}
            for name, count in zip(BINS, bins, strict=True)
        ]
        lines += ["", *_table(("absolute yaw", "samples", "share"), rows), ""]
        lines.append(
            f"Degrees; {summary.poses.large_share:.1%} are large poses, turned by more than 45°."
        )
    return lines


def _splits(summary: SetSummary) -> list[str]:
    lines = ["A subject's split depends on its name alone and never changes when data are added:"]
    for name in ("train", "test"):
        samples, subjects = summary.splits.get(name, (0, 0))
        lines.append(f"- {name}: {samples:,} samples of {subjects:,} subjects")
    if "test" not in summary.splits:
        lines += ["", "The test split is empty: none of these few subjects fell in its tenth."]
    return lines


def _terms(summary: SetSummary) -> list[str]:
    rows = [
        {name: _cell(value) for name, value in asdict(terms).items()} for terms in summary.terms
    ]
    lines = [*_table(("source", "licence", "consent", "subjects", "samples"), rows), ""]
    if len({(terms.licence, terms.consent) for terms in summary.terms}) > 1:
        lines += [
            "**The sources differ in their terms.** Each row of the manifest says its own; what "
            "is done with the whole set must be allowed by all of them.",
            "",
        ]
    for terms in summary.unknown_terms:
        what = " and the ".join(terms.unknown)
        lines += [
            f"**Of the source {_cell(terms.source)} nobody said the {what} ({terms.samples:,} "
            "samples).** Ask whoever made the scans before you pass them on.",
            "",
        ]
    models = [
        {"face model": _cell(name), "licence": _cell(licence), "samples": f"{count:,}"}
        for name, licence, count in summary.models
    ]
    if models:
        lines += ["Shapes and labels are made with:", ""]
        lines += [*_table(("face model", "licence", "samples"), models), ""]
    lines.append(about_people(summary))
    if summary.simulated < summary.samples:
        lines[-1] += f" {PRIVACY} {_USE}"
    return lines


def _loading(summary: SetSummary) -> list[str]:
    codes = {
        "By place, from the manifest": loading.MANIFEST,
        "With WebDataset": loading.WEBDATASET,
        "With Hugging Face `datasets`": loading.DATASETS,
        "With Croissant": loading.CROISSANT,
    }
    if not {"jpg", "vertices.npy", "json"} <= set(summary.members):
        codes = {"With Croissant": loading.CROISSANT}
    lines = ["In this folder; `docs/formats.md` of facesynth says more of each format."]
    for name, code in codes.items():
        lines += ["", f"{name}:", "", "```python", *code.splitlines(), "```"]
    return lines


def _failures(summary: SetSummary) -> list[str]:
    if not summary.failures:
        return ["Nothing: every input gave its samples."]
    total = sum(summary.failures.values())
    rows = [
        {"stage": stage, "reason": exception, "inputs": f"{count:,}"}
        for (stage, exception), count in summary.failures.items()
    ]
    lines = _table(("stage", "reason", "inputs"), rows)
    return [f"{total:,} inputs; `failures/STAGE.jsonl` names each.", "", *lines]


def _made(provenance: Mapping[str, object]) -> list[str]:
    return [
        f"By `synth {provenance['recipe']}` with seed {provenance['seed']}; the settings are in "
        f"`config.toml` (hash `{str(provenance['config_hash'])[:16]}`), versions and sources in "
        "`provenance.json`. The same settings, inputs and versions give the same bytes; "
        "`shards.json` has every shard's SHA-256, and `synth verify` compares.",
    ]


def _columns() -> Iterable[dict[str, object]]:
    columns = PLACE_COLUMNS + ROW_COLUMNS
    return [
        {"name": f"`{c.name}`", "type": c.dtype, "about": c.about.replace("|", "\\|")}
        for c in columns
    ]


def _cell(value: object) -> str:
    """A value as text that stays in its cell of a table, whatever a source calls itself."""
    text = f"{value:,}" if isinstance(value, int) else " ".join(str(value).split())
    for character in "\\`*_[]<>|":
        text = text.replace(character, f"\\{character}")
    return text


def _table(names: Sequence[str], rows: Iterable[Mapping[str, object]]) -> list[str]:
    head = [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
    return head + [f"| {' | '.join(str(row[name]) for name in names)} |" for row in rows]
