"""The page's panels of text, as HTML; whatever comes from a set is escaped."""

import base64
import html
import time
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.dashboard.look import Theme
from pipelines.status import duration

_CHIPS = {"running": "accent", "complete": "good", "stopped": "bad", "waiting": "soft"}


def head(snapshot: Mapping[str, Any], theme: str, dask_page: str) -> str:
    """Name, state and links."""
    state = snapshot["state"]
    other = "light" if theme == "dark" else "dark"
    link = f"<a href='{dask_page}'>Dask</a>" if dask_page else ""
    when = snapshot["last"]
    last = f"last shard {time.strftime('%H:%M:%S', time.localtime(when))}" if when else ""
    return (
        f"<div class=head><h1>{html.escape(snapshot['title'])}</h1>"
        f"<span class=chip style='color:var(--{_CHIPS[state]})'>{state}</span>"
        f"<span class=soft>{last}</span>"
        f"<nav>{link}<a href='?theme={other}'>{other}</a></nav></div>"
    )


def tiles(snapshot: Mapping[str, Any]) -> str:
    """The figures that count."""
    stages = snapshot["stages"]
    last = stages[-1] if stages else {"samples": 0, "rate": 0.0, "stage": "samples"}
    done, total = (sum(stage[key] for stage in stages) for key in ("done", "total"))
    failures = sum(stage["failures"] for stage in stages)
    left = snapshot["left_s"]
    told = "a second now" if snapshot["state"] == "running" else "a second on average"
    cells = [
        (f"{last['samples']:,}", html.escape(last["stage"]), ""),
        (f"{last['rate']:.1f}", told, ""),
        ("–" if left is None else duration(left), "left", ""),
        (f"{done:,}<small class=soft> of {total:,}</small>", "shards", ""),
        (f"{failures:,}", "failed inputs", "bad" if failures else "good"),
    ]
    body = "".join(
        f"<div class=tile><b class='{kind}'>{value}</b><span>{about}</span></div>"
        for value, about, kind in cells
    )
    return f"<div class=tiles>{body}</div>"


def stages(snapshot: Mapping[str, Any], theme: Theme) -> str:
    """A bar a stage."""
    rows = []
    for index, row in enumerate(snapshot["stages"]):
        color = theme.lines[index % len(theme.lines)]
        share = 100 * row["done"] / max(1, row["total"])
        cost = f"{row['seconds'] / row['samples']:.2f} s each" if row["samples"] else "–"
        rows.append(
            f"<div class=stage><span class=name><i class=dot style='background:{color}'></i>"
            f"{html.escape(row['stage'])}</span>"
            f"<span class=track><i style='width:{share:.1f}%;background:{color}'></i></span>"
            f"<span class=figures>{row['done']:,} / {row['total']:,}"
            f"<br><span class=soft>{row['rate']:.1f}/s · {cost}</span></span></div>"
        )
    return "".join(rows)


def reasons(snapshot: Mapping[str, Any]) -> str:
    """The reasons of failures, the most frequent first."""
    rows: Sequence[Sequence[Any]] = snapshot["reasons"]
    if not rows:
        return "<div class=empty>No input has failed.</div>"
    most = max(row[-1] for row in rows)
    body = "".join(
        f"<div class=reason><p><b>{count:,}</b><span>{html.escape(message)} "
        f"<span class=soft>{html.escape(exception)} in {html.escape(stage)}</span></span></p>"
        f"<div class=track><i style='width:{100 * count / most:.1f}%'></i></div></div>"
        for stage, exception, message, count in rows[:8]
    )
    more = len(rows) - 8 + snapshot["more_reasons"]
    return body + (f"<p class=soft>and {more} more reasons</p>" if more > 0 else "")


def sheet(pictures: Mapping[str, Any] | None) -> str:
    """Pictures of the last shard."""
    if not pictures or not pictures["pictures"]:
        return "<div class=empty>Pictures come with the first shard that holds some.</div>"
    body = "".join(
        f"<img src='data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}'"
        f" title='{html.escape(caption)}' alt='{html.escape(caption)}'>"
        for jpeg, caption in pictures["pictures"]
    )
    name = html.escape(pictures["shard"])
    return f"<div class=sheet>{body}</div><p class=soft>shard {name}</p>"


def nothing_yet() -> dict[str, Any]:
    """The snapshot of a page that was sent none."""
    return {
        "title": "facesynth",
        "state": "waiting",
        "last": 0.0,
        "begin": 0.0,
        "left_s": None,
        "stages": [],
        "series": {},
        "reasons": [],
        "more_reasons": 0,
        "poses": [],
    }
