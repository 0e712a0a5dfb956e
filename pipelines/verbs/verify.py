"""Read every byte of a set and say what is missing, damaged or inconsistent."""

import argparse

from manifests.verify import verify
from pipelines.plan import load_plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("set", help="folder or URL of the set")


def run(args: argparse.Namespace) -> int:
    """Print the problems; 1 if there are any."""
    names = [name for name, _, _ in load_plan(args.set)["shards"]]
    problems = verify(args.set, names)
    for problem in problems:
        print(problem)
    count = len(problems)
    print(f"{count} problem{'' if count == 1 else 's'} in {len(names)} shards")
    return 1 if problems else 0
