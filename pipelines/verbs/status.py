"""Show how far a set is, from its sidecars alone; works while a run goes on and after it."""

import argparse

from manifests.index import SHARDS
from manifests.storage import locate
from pipelines.lock import working
from pipelines.run import set_hash
from pipelines.status import format_status, read_status


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("set", help="folder or URL of the set")


def run(args: argparse.Namespace) -> int:
    """Print the status; 1 while shards are missing or inputs failed."""
    out = locate(args.set)
    status = read_status(out)
    print("\n".join(format_status(status)))
    if said := working(out):
        print(said)
    elif status.complete and (out / SHARDS).exists():
        print(f"hash: {set_hash(out)}")
    return 0 if status.complete and not status.reasons else 1
