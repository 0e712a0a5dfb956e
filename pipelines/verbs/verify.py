"""Read every byte of a set and say what is missing, damaged or inconsistent."""

import argparse

from manifests.storage import locate
from manifests.verify import verify
from pipelines.folders.lock import working
from pipelines.plan import WHOLE, load_plan
from pipelines.run import set_hash


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("set", help="folder or URL of the set")


def run(args: argparse.Namespace) -> int:
    """Print the problems, and the set's hash where there is none; 1 if there are any."""
    out = locate(args.set)
    plan = load_plan(out)
    if said := working(out):
        print(f"{said}; what it has yet to make counts as a problem")
    problems = verify(out, [name for name, _, _ in plan["shards"]])
    for problem in problems:
        print(problem)
    count = len(problems)
    print(f"{count} problem{'' if count == 1 else 's'} in {len(plan['shards'])} shards")
    if problems:
        return 1
    whole = plan["part"].of == WHOLE.of
    print(f"hash of {'the set' if whole else 'part ' + str(plan['part'])}: {set_hash(out)}")
    return 0
