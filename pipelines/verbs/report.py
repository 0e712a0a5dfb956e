"""Write the HTML report of a set anew, from its shards alone."""

import argparse
from pathlib import Path

from faces.models import load_model
from pipelines.report import MAX_FACES, write_report
from pipelines.run import read_config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("set", type=Path, help="folder of the set")
    parser.add_argument("--faces", type=int, default=MAX_FACES, help="how many faces to show")


def run(args: argparse.Namespace) -> int:
    """Write the report and say where it lies."""
    _, config = read_config(args.set)
    print(write_report(args.set, load_model(config.model), args.faces))
    return 0
