"""The HTML of a set's report: verdicts, the review list, tables of error, a section a face."""

import html
import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from faces.types import Provenance, Quality
from manifests.index import failure_files
from pipelines import pictures
from pipelines.truth import COLUMNS, PLACES, mean_errors

VERDICTS = ("accept", "review", "reject")

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1400px; color: #222 }
h1 { font-size: 1.5rem } h2 { font-size: 1.05rem; margin: 2.2rem 0 .3rem }
img { max-width: 100%; display: block; margin: .3rem 0 }
table { border-collapse: collapse } td, th { padding: .15rem .8rem .15rem 0; text-align: left }
.accept { color: #18733a } .review { color: #a86500 } .reject { color: #b3261e }
.bar { background: #3b6fb5; height: .8rem } small { color: #666 }
"""


@dataclass(frozen=True, slots=True)
class FaceEntry:
    """One face of the report, with its picture files relative to the report's folder.

    Attributes:
        key, provenance, quality: of the registered face.
        panels, views: picture files; None where it is not shown or has no views.
        errors: pipelines.truth.truth_errors; None without truth.
        places: pipelines.truth.place_errors, mm; None without truth.
    """

    key: str
    provenance: Provenance
    quality: Quality
    panels: str | None = None
    views: str | None = None
    errors: dict[str, float] | None = None
    places: dict[str, float] | None = None


def write_page(set_dir: Path, entries: list[FaceEntry]) -> str:
    """The whole page; sections only of faces that have pictures."""
    shown = [entry for entry in entries if entry.panels]
    some = "" if len(shown) == len(entries) else f" {len(shown)} are shown."
    name = html.escape(set_dir.name)
    body = [
        f"<h1>{name}: {len(entries)} registered faces</h1>",
        f"<p>{_verdicts(entries)}{some}</p>",
        _review_list(entries),
        _truth_table(entries),
        _place_table(entries),
        failure_table(set_dir),
        "<h2>Faces</h2><p>Each: input, detected landmarks, initial fit, registration, distance to "
        f"the scan (blue 0 to red {pictures.ERROR_SPAN_MM:g} mm, grey unmatched), distance to the "
        f"truth where it is known (red {pictures.TRUTH_SPAN_MM:g} mm), fitted texture and light; "
        "then its views, and the same with their landmarks (red: hidden).</p>",
        *(_face_section(entry) for entry in shown),
    ]
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<title>{name}</title><style>{STYLE}</style>{''.join(body)}</html>\n"
    )


def _verdicts(entries: list[FaceEntry]) -> str:
    verdicts = [entry.quality.verdict for entry in entries]
    counts = ((name, verdicts.count(name)) for name in VERDICTS)
    told = (f"<span class={name}>{count} {name}</span>" for name, count in counts if count)
    return ", ".join(told) + "."


def review_order(entries: list[FaceEntry]) -> list[FaceEntry]:
    """Those not accepted, worst first: by verdict, then by severity."""
    doubtful = [entry for entry in entries if entry.quality.verdict != "accept"]
    worst = {name: rank for rank, name in enumerate(reversed(VERDICTS))}
    return sorted(doubtful, key=lambda e: (worst[e.quality.verdict], -e.quality.severity, e.key))


def _review_list(entries: list[FaceEntry]) -> str:
    """A table of the faces that a person should look at, with why; "" where there are none."""
    doubtful = review_order(entries)
    if not doubtful:
        return ""
    rows = "".join(
        f"<tr><td>{_link(entry)}<td class={entry.quality.verdict}>{entry.quality.verdict}"
        f"<td>{entry.quality.severity:.1f}<td>{_chance(entry)}"
        f"<td>{html.escape(entry.quality.reason)}</tr>"
        for entry in doubtful
    )
    return (
        f"<h2>To look at: {len(doubtful)} of {len(entries)}, worst first</h2>"
        "<p>Rejected faces give no samples. The chance is that of an error beyond what is useful, "
        "from all figures together; the severity is the chance, or a figure that alone decides, in "
        "shares of what is accepted. No truth goes into either.</p>"
        f"<table><tr><th>face<th>verdict<th>severity<th>chance<th>why</tr>{rows}</table>"
    )


def _chance(entry: FaceEntry) -> str:
    chance = entry.quality.figures.get("failure_chance")
    return "" if chance is None else f"{chance:.0%}"


def _link(entry: FaceEntry) -> str:
    key = html.escape(entry.key)
    return f'<a href="#{key}">{key}</a>' if entry.panels else key


def _face_section(entry: FaceEntry) -> str:
    quality, provenance = entry.quality, entry.provenance
    name, source, licence, consent, reason = (
        html.escape(text)
        for text in (
            entry.key,
            provenance.source,
            provenance.licence,
            provenance.consent,
            f"{quality.verdict}: {quality.reason}" if quality.reason else quality.verdict,
        )
    )
    views = f'<img src="{entry.views}" alt="views" loading=lazy>' if entry.views else ""
    return (
        f'<h2 id="{name}">{name} <span class={quality.verdict}>{reason}</span></h2>'
        f"<small>{_figures(quality)}; {source}, licence {licence}, consent {consent}</small>"
        f'<img src="{entry.panels}" alt="registration" loading=lazy>{views}'
    )


def _figures(quality: Quality) -> str:
    """The figures that a person looks at first: of a depth scan, or of a photo."""
    color = f"colour residual {quality.color_residual:.3f}"
    if math.isnan(quality.residual_mm):
        gap = quality.figures["landmarks_median_mm"]
        return f"no depth: the fitted model alone; landmarks {gap:.2f} mm off, {color}"
    return (
        f"residual {quality.residual_mm:.2f} mm, coverage {quality.coverage:.0%}, "
        f"flipped {quality.flipped:.2%}, {color}"
    )


def _truth_table(entries: list[FaceEntry]) -> str:
    """Errors of each face and their mean; "" where no truth is known."""
    known = [entry for entry in entries if entry.errors]
    if not known:
        return ""
    mean = mean_errors([entry.errors for entry in known])
    return (
        "<h2>Error against truth</h2><p>On the face without ears and neck; d is the outer "
        "interocular distance, NME is after rigid alignment.</p>"
        + _table(COLUMNS, [(entry, entry.errors) for entry in known], mean)
    )


def _place_table(entries: list[FaceEntry]) -> str:
    """Mean error of each place of the face, in mm; "" where no truth is known."""
    known = [entry for entry in entries if entry.places]
    if not known:
        return ""
    names = {name: name for name in PLACES if name in known[0].places}
    mean = {name: float(np.mean([entry.places[name] for entry in known])) for name in names}
    return (
        "<h2>Error against truth by place</h2><p>Mean distance in mm of the skin's vertices, seen "
        "or hidden, without alignment.</p>"
        + _table(names, [(entry, entry.places) for entry in known], mean)
    )


def _table(
    columns: dict[str, str],
    rows: list[tuple[FaceEntry, dict[str, float]]],
    mean: dict[str, float],
) -> str:
    """Figures of the faces that are shown, and the mean of all."""
    named = [(_link(entry), figures) for entry, figures in rows if entry.panels]
    named.append((f"<b>mean of {len(rows)}</b>", mean))
    body = "".join(
        f"<tr><td>{name}" + "".join(f"<td>{figures[column]:.2f}" for column in columns) + "</tr>"
        for name, figures in named
    )
    head = "".join(f"<th>{title}" for title in columns.values())
    return f"<table><tr><th>face{head}</tr>{body}</table>"


def failure_table(set_dir: Path) -> str:
    """The inputs that failed, with why; "" where none did."""
    rows = [
        json.loads(line)
        for path in failure_files(set_dir)
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    if not rows:
        return ""
    cells = "".join(
        "<tr>"
        + "".join(f"<td>{html.escape(str(row[k]))}</td>" for k in ("key", "stage", "message"))
        + "</tr>"
        for row in rows
    )
    return f"<h2>{len(rows)} failures</h2><table><tr><th>input<th>stage<th>why</tr>{cells}</table>"
