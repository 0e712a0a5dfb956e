"""Make one set of the parts that several machines made with --part 1/N to --part N/N."""

import argparse
import dataclasses
from pathlib import Path

from pipelines.lock import RunLock
from pipelines.parts import join_parts
from pipelines.run import finish_set, read_config
from pipelines.verbs.recipe import tell_where


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("parts", type=Path, nargs="+", help="folders of all parts")
    parser.add_argument("--out", type=Path, required=True, help="folder of the set")
    parser.add_argument("--max-failed", type=float, help="share of inputs that may fail")
    parser.add_argument(
        "--any-versions", action="store_true", help="join what other versions of packages made"
    )


def run(args: argparse.Namespace) -> int:
    """Join the parts and finish the set; 1 where too much failed."""
    with RunLock(args.out):
        join_parts(args.parts, args.out, args.any_versions)
        recipe, config = read_config(args.out)
        options = dataclasses.replace(config.run, part="", out=str(args.out))
        status = finish_set(args.out, recipe, dataclasses.replace(config, run=options))
    tell_where(args.out)
    allowed = config.run.max_failed if args.max_failed is None else args.max_failed
    return 1 if status.failed_share > allowed else 0
