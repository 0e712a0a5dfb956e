"""Run again the shards of a set that have failed inputs, and what depends on them."""

import argparse
import dataclasses
import logging
from pathlib import Path

from manifests.index import read_records
from manifests.shard import sidecar_path
from pipelines.run import read_config, run_recipe

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("set", type=Path, help="folder of the set")
    parser.add_argument("--scheduler", help="another scheduler than the run's")
    parser.add_argument("--workers", type=int, help="another number of workers than the run's")


def run(args: argparse.Namespace) -> int:
    """Unmark the shards with failures and go on with the run; its exit status."""
    recipe, config = read_config(args.set)
    given = {k: v for k in ("scheduler", "workers") if (v := getattr(args, k)) is not None}
    config = dataclasses.replace(config, run=dataclasses.replace(config.run, **given))
    failed = drop_failed(args.set)
    log.info("%d shards with failed inputs are made again", failed)
    return run_recipe(recipe, config)


def drop_failed(out: Path) -> int:
    """Remove the sidecars of shards with failures; how many. The tars stay until replaced.

    A later shard made from one of them is made again only if the new one differs.
    """
    failed = [record for record in read_records(out) if record.failures]
    for record in failed:
        sidecar_path(out / f"{record.name}.tar").unlink(missing_ok=True)
    return len(failed)
