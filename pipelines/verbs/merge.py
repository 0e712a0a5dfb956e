"""Make one set of the parts that several machines made with --part 1/N to --part N/N."""

import argparse
import dataclasses

from manifests.storage import locate
from pipelines.folders.lock import RunLock
from pipelines.folders.parts import join_parts
from pipelines.run import finish_set, read_config
from pipelines.verbs.recipe import tell_where


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("parts", nargs="+", help="folders or URLs of all parts")
    parser.add_argument("--out", required=True, help="folder or URL of the set")
    parser.add_argument("--max-failed", type=float, help="share of inputs that may fail")
    parser.add_argument(
        "--any-versions", action="store_true", help="join what other versions of packages made"
    )


def run(args: argparse.Namespace) -> int:
    """Join the parts and finish the set; 1 where too much failed."""
    out = locate(args.out)
    with RunLock(out):
        join_parts([locate(part) for part in args.parts], out, args.any_versions)
        recipe, config = read_config(out)
        options = dataclasses.replace(config.run, part="", out=str(out))
        status = finish_set(out, recipe, dataclasses.replace(config, run=options))
    tell_where(out)
    allowed = config.run.max_failed if args.max_failed is None else args.max_failed
    return 1 if status.failed_share > allowed else 0
