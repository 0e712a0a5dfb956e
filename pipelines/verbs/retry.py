"""Run again the shards of a set that have failed inputs, and what depends on them."""

import argparse
import dataclasses
import logging
from typing import TYPE_CHECKING

from manifests import atomic
from manifests.index import read_records
from manifests.shard import sidecar_path
from manifests.storage import locate
from pipelines.run import read_config, run_recipe

if TYPE_CHECKING:
    from manifests.storage import Location

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("set", help="folder or URL of the set")
    parser.add_argument("--scheduler", help="another scheduler than the run's")
    parser.add_argument("--workers", type=int, help="another number of workers than the run's")


def run(args: argparse.Namespace) -> int:
    """Unmark the shards with failures and go on with the run; its exit status."""
    out = locate(args.set)
    recipe, config = read_config(out)
    given = {k: v for k in ("scheduler", "workers") if (v := getattr(args, k)) is not None}
    config = dataclasses.replace(config, run=dataclasses.replace(config.run, **given))
    failed = drop_failed(out)
    log.info("%d shards with failed inputs are made again", failed)
    return run_recipe(recipe, config)


def drop_failed(out: "Location") -> int:
    """Remove the sidecars of shards with failures; how many. The tars stay until replaced.

    A later shard made from one of them is made again only if the new one differs.
    """
    failed = [record for record in read_records(out) if record.failures]
    for record in failed:
        atomic.remove(sidecar_path(out / f"{record.name}.tar"))
    return len(failed)
