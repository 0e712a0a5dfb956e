"""Show how far a set is, from its sidecars alone; works while a run goes on and after it."""

import argparse
import json
import sys
import time
from pathlib import Path

from pipelines.status import StatusReader, format_status, status_json

_CLEAR = "\x1b[H\x1b[J"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("set", type=Path, help="folder of the set")
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
    reader = StatusReader(args.set)
    while True:
        status = reader.read()
        if args.watch and sys.stdout.isatty() and not args.json:
            sys.stdout.write(_CLEAR)
        lines = [json.dumps(status_json(status))] if args.json else format_status(status)
        print("\n".join(lines), flush=True)
        if not args.watch or status.complete:
            return 0 if status.complete and not status.reasons else 1
        time.sleep(max(0.2, args.watch))
