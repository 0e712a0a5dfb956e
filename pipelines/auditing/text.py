"""An audit in words: sets side by side in the paper's bins, what they hold, and what to render."""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from manifests.audit import LOST, Audit, Plan
from manifests.pose_counts import BINS, SMALL_BINS, PoseCounts
from manifests.pose_mix import Addition, views_to_reach

LISTED = 20  # lines of one list; the JSON has all that was kept
VIEWS_A_FACE = 26  # of the paper's best mix: ±[60°, 90°] every 2.5° (section 2.3.1)


def audit_lines(audits: Sequence[Audit]) -> list[str]:
    """The table of all sets, then what is to be said of each."""
    lines = _table(audits)
    for audit in audits:
        details = [*_composition(audit), *_plans(audit), *_faults(audit)]
        if details:
            lines += ["", audit.name, *details]
    return lines


def mix_lines(audit: Audit, target: Fraction) -> list[str]:
    """What to render so that a share of large poses is reached, and the command that does."""
    addition = views_to_reach(audit.counts.large, audit.counts.total, target)
    wanted = _percent(float(target))
    lines = ["", f"{audit.name}: {wanted} large poses"]
    if addition.why_not:
        return [*lines, f"  cannot be had by adding views: {addition.why_not}"]
    if not addition.views:
        return [*lines, f"  it has {_percent(audit.counts.large_share)}: nothing to render"]
    kind = "large" if addition.large else "small"
    lines.append(
        f"  at least {addition.views:,} {kind} views more, which make {_percent(addition.share)}"
    )
    for faces, views in ways_of(audit, addition):
        share = _percent(share_after(audit, addition, faces * views))
        lines.append(f"  {_many(faces, 'face')} at {_many(views, 'view')}: {share}")
        lines.append(f"    {render_command(audit, addition, faces, views)}")
    return lines


def render_command(audit: Audit, addition: Addition, faces: int, views: int) -> str:
    """The ``synth render`` that makes ``views`` of the needed kind of each of so many faces."""
    asked = "--yaw-range 60,90 --ratio 1.0" if addition.large else "--yaw-range 0,45 --ratio 0.0"
    all_photos = audit.kind == "photos" and faces == audit.counts.total
    place = audit.name if all_photos else "FACES"
    return f"synth render --faces {place} --out OUT {asked} --views {views}"


def ways_of(audit: Audit, addition: Addition) -> list[tuple[int, int]]:
    """(faces, views a face), each at least what is needed: the set's own faces, and the fewest.

    The set's own faces are its subjects, or its images where nobody says who they show. The
    fewest take no more views a face than the paper's best mix.
    """
    own = len(audit.groups["subject"]) or audit.counts.total
    few = -(-addition.views // VIEWS_A_FACE)
    numbers = [own, few] if own <= addition.views else [few]
    return list(dict.fromkeys((faces, -(-addition.views // faces)) for faces in numbers))


def share_after(audit: Audit, addition: Addition, views: int) -> Fraction:
    """Share of large poses once this many views of the needed kind are there, exact."""
    large = audit.counts.large + (views if addition.large else 0)
    return Fraction(large, audit.counts.total + views)


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _table(audits: Sequence[Audit]) -> list[str]:
    columns = [("", _labels())]
    for audit in audits:
        columns.append((audit.name, _cells(audit, audit.counts)))
        if audit.requested.total:
            columns.append(("requested", _cells(audit, audit.requested)))
    widths = [max(len(head), *map(len, cells)) for head, cells in columns]
    rows = zip(*([head, *cells] for head, cells in columns), strict=True)
    return [_line(row, widths) for row in rows]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = cells
    padded = [f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True)]
    return "   ".join([f"{first:<{widths[0]}}", *padded]).rstrip()


def _labels() -> list[str]:
    bins = [f"|yaw| {name}" for name in BINS]
    return ["images", "with a pose", *bins, "small and medium", "large (> 45°)"]


def _cells(audit: Audit, counts: PoseCounts) -> list[str]:
    total, small = counts.total, int(counts.bins[:SMALL_BINS].sum())
    shares = [_counted(int(n), total) for n in [*counts.bins, small, counts.large]]
    return [f"{audit.rows:,}{' ' * 9}", _counted(total, audit.rows), *shares]


def _counted(count: int, total: int) -> str:
    share = _percent(count / total) if total else "–"
    return f"{count:,} {share:>8}"


def _percent(share: float | Fraction) -> str:
    return f"{100 * float(share):.3f}%"


def _composition(audit: Audit) -> list[str]:
    lines = []
    for name in ("split", "source"):
        group = sorted(audit.groups[name].items(), key=lambda item: -item[1][0])
        for value, (count, large) in group[:LISTED]:
            share = _percent(large / count)
            lines.append(f"  {name} {value}: {count:,} images, {share} large")
        if len(group) > LISTED:
            lines.append(f"  {name}: {len(group) - LISTED:,} others")
    if audit.groups["subject"]:
        count, large = np.array(list(audit.groups["subject"].values())).T
        lines.append(
            f"  {len(count):,} subjects with {count.min():,} to {count.max():,} images "
            f"(median {np.median(count):g}), {(large == 0).sum():,} of them without a large pose"
        )
    return lines


def _plans(audit: Audit) -> list[str]:
    plans = sorted(audit.plans.items())
    lines = [f"  {_plan(name, plan)}" for name, plan in plans[:LISTED]]
    return lines + [f"  {len(plans) - LISTED} other plans"] * (len(plans) > LISTED)


def _plan(name: str, plan: Plan) -> str:
    said = plan.to_dict()
    parts = [f"{k} {_percent(said[k])}" for k in ("requested", "achieved") if said[k] is not None]
    parts.append(f"counted {_percent(said['counted'])}")
    return f"plan {name or '(unnamed)'}: {plan.rows:,} images, large: {', '.join(parts)}"


def _faults(audit: Audit) -> list[str]:
    if not audit.faults:
        return []
    kinds = ", ".join(f"{count:,} {kind}" for kind, count in sorted(audit.faults.items()))
    count = sum(audit.faults.values())
    lines = [f"  {count:,} of {audit.rows:,} gave no pose ({kinds})"]
    lines += [f"    {f.name}: {f.kind}: {f.what}" for f in audit.named[:LISTED]]
    lines += [f"    and {count - LISTED:,} others"] * (count > LISTED)
    if any(audit.faults[kind] for kind in LOST):
        low, high = map(_percent, audit.large_share_bounds)
        lines.append(f"  large: {low} to {high}, as the faces not found are none or all large")
    return lines
