"""Show how far a set is, from its sidecars alone; works while a run goes on and after it."""

import argparse

from pipelines.status import format_status, read_status


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("set", help="folder or URL of the set")


def run(args: argparse.Namespace) -> int:
    """Print the status; 1 while shards are missing or inputs failed."""
    status = read_status(args.set)
    print("\n".join(format_status(status)))
    return 0 if status.complete and not status.reasons else 1
