"""Show how far a set is, from its sidecars alone; works while a run goes on and after it."""

import argparse
import json
import sys
import time
from typing import TYPE_CHECKING

from manifests.index import SHARDS
from manifests.storage import exists, locate
from pipelines.folders.lock import working
from pipelines.run import set_hash
from pipelines.status import StatusReader, format_status, status_json

if TYPE_CHECKING:
    from manifests.storage import Location

_CLEAR = "\x1b[H\x1b[J"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("set", help="folder or URL of the set")
    parser.add_argument("--json", action="store_true", help="one JSON object a line, for machines")
    parser.add_argument(
        "--watch",
        type=float,
        nargs="?",
        const=5.0,
        metavar="SECONDS",
        help="show it again every so many seconds (default 5) until the set is complete",
    )


def run(args: argparse.Namespace) -> int:
    """Print the status; 1 while shards are missing or inputs failed."""
    out = locate(args.set)
    reader = StatusReader(out)
    while True:
        status = reader.read()
        if args.watch and sys.stdout.isatty() and not args.json:
            sys.stdout.write(_CLEAR)
        lines = [json.dumps(status_json(status))] if args.json else format_status(status)
        if not args.json and not status.runner:
            lines += _afterword(out, status.complete)
        print("\n".join(lines), flush=True)
        if not args.watch or status.complete:
            return 0 if status.complete and not status.reasons else 1
        time.sleep(max(0.2, args.watch))


def _afterword(out: "Location", complete: bool) -> list[str]:
    """Of a set that nobody works on: its hash, or that its run was killed."""
    if not complete:
        return [said] if (said := working(out)) else []
    return [f"hash: {set_hash(out)}"] if exists(out / SHARDS) else []
