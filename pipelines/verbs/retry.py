"""Work once more on the inputs of a set that failed, and on what depends on them.

The samples of the other inputs are taken over as they are; nothing good is touched until the new
shard is whole.
"""

import argparse
import dataclasses
import logging

from manifests.storage import locate
from pipelines.config import RunOptions
from pipelines.flags import add_option
from pipelines.run import read_config, run_recipe
from pipelines.status import read_status

log = logging.getLogger(__name__)

# What may differ from the run's: where it runs, and how much an input may take.
OPTIONS = ("scheduler", "workers", "memory", "input_timeout", "isolate", "max_failed")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("set", help="folder or URL of the set")
    for name in (*OPTIONS, "any_versions"):
        add_option(parser, RunOptions, name)


def run(args: argparse.Namespace) -> int:
    """Go on with the run, failed inputs included; its exit status."""
    out = locate(args.set)
    recipe, config = read_config(out)
    given = {name: getattr(args, name) for name in OPTIONS if hasattr(args, name)}
    # What was allowed once is not allowed for good.
    given |= {"overwrite": False, "any_versions": getattr(args, "any_versions", False)}
    config = dataclasses.replace(config, run=dataclasses.replace(config.run, **given))
    failed = sum(read_status(out).reasons.values())
    log.info("%d failed inputs are worked on again", failed)
    return run_recipe(recipe, config, again=True)
