"""Write the HTML report of a set anew, from its shards alone."""

import argparse

from faces.errors import BadInput
from manifests.storage import locate
from pipelines.report import MAX_FACES
from pipelines.run import read_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("set", help="folder or URL of the set")
    parser.add_argument("--faces", type=int, default=MAX_FACES, help="how many faces to show")


def run(args: argparse.Namespace) -> int:
    """Write the report and say where it lies."""
    out = locate(args.set)
    recipe, config = read_config(out)
    if recipe.report is None:
        got, expected = f"recipe '{recipe.name}' has no report", "a set of faces"
        raise BadInput(f"set '{args.set}'", got, expected, "look at its folder")
    print(recipe.report(out, config, args.faces))
    return 0
