"""Count the head poses of sets, pose tables, WebDataset tars and folders of photos.

Bins of |yaw| as in the large-pose paper, a heat map of yaw and pitch, of what a set is composed,
and with --target-ratio the views to render so that a share of the images are large poses.

Exit status: 0 all images have a pose; 1 some gave none (they are counted and named; see
--max-failed); 2 wrong usage, or a path that holds nothing of the kind.
"""

import argparse
import json
import os
from fractions import Fraction
from pathlib import Path

from faces.detectors import LANDMARKER_URL
from manifests.atomic import write_file
from manifests.audit import Audit, paper_audit
from manifests.pose_mix import share_of, views_to_reach
from pipelines.auditing.picture import draw_audits
from pipelines.auditing.pose_paths import EXPECTED, audit_path
from pipelines.auditing.pose_photos import PoseOptions
from pipelines.auditing.text import audit_lines, mix_lines


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help=EXPECTED.replace("%", "%%"))
    parser.add_argument(
        "--target-ratio",
        type=_share,
        metavar="R",
        help="share of large poses that is wanted, e.g. 0.5 or 1/3: say what to render",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything as JSON")
    parser.add_argument("--png", type=Path, metavar="FILE", help="draw bars and heat maps")
    about = f"for photos: MediaPipe's face_landmarker.task ({LANDMARKER_URL})"
    parser.add_argument("--face-landmarker", metavar="FILE", help=about)
    parser.add_argument("--model", default="default", help="for photos: the model that is fitted")
    parser.add_argument(
        "--workers", type=int, default=1, help="for photos: processes; 0: one a core"
    )
    parser.add_argument(
        "--max-failed", type=float, default=0.0, help="share without a pose with exit status 0"
    )


def run(args: argparse.Namespace) -> int:
    """Print the audit, write what was asked for; 1 if a path has more faults than it may."""
    workers = args.workers or len(os.sched_getaffinity(0))
    options = PoseOptions(args.face_landmarker, args.model, workers)
    audits = [audit_path(path, options) for path in args.paths]
    lines = audit_lines([*audits, paper_audit()])
    if args.target_ratio is not None:
        for audit in audits:
            lines += mix_lines(audit, args.target_ratio)
    print("\n".join(lines))
    if args.json is not None:
        record = [_record(audit, args.target_ratio) for audit in audits]
        text = json.dumps({"sets": record, "paper": paper_audit().to_dict()}, indent=1)
        write_file(args.json, text.encode() + b"\n")
    if args.png is not None:
        draw_audits([*audits, paper_audit()], args.png)
    failed = [sum(a.faults.values()) / a.rows > args.max_failed for a in audits]
    return 1 if any(failed) else 0


def _record(audit: Audit, target: Fraction | None) -> dict[str, object]:
    """An audit for the JSON, with what to add where a share is wanted."""
    record = audit.to_dict()
    if target is not None:
        addition = views_to_reach(audit.counts.large, audit.counts.total, target)
        record["to_reach"] = {
            "target": str(target),
            "large": addition.large,
            "small": addition.small,
            "share": float(addition.share),
            "why_not": addition.why_not,
        }
    return record


def _share(word: str) -> Fraction:
    try:
        return share_of(word)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
