"""A recipe whose stages sleep: what the engine itself costs, and what it survives.

``python -m benchmarks.sleeping --out OUT --scheduler ... --inputs N`` makes a set. Each call of a
stage is written to a log, where work done twice can be counted.
"""

import argparse
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from manifests.schema import ROW_COLUMNS
from pipelines.config import RunConfig
from pipelines.flags import add_arguments as add_settings
from pipelines.flags import from_arguments
from pipelines.plan import ShardTask, chunk, first_tasks, next_tasks
from pipelines.recipes import RECIPES, Recipe
from pipelines.setting import setting
from pipelines.stages.base import Item, StageSample, process_inputs

REQUIRED = [column.name for column in ROW_COLUMNS if column.required]


@dataclass(frozen=True)
class SleepConfig(RunConfig):
    """Settings of the recipe."""

    inputs: int = setting(8, "inputs of the first stage", "amount")
    nbytes: int = setting(2000, "bytes a sample")
    sleep_s: float = setting(0.0, "seconds an input takes in each stage", "local")
    burn_s: float = setting(0.0, "CPU-seconds an input takes in each stage", "local")
    log: str = setting("", "file that gets a line for each call of a stage", "local")


def plan(config: SleepConfig, out: Path) -> list[ShardTask]:
    """Two stages, shard by shard."""
    refs = [{"key": f"input{i:07d}"} for i in range(config.inputs)]
    first = first_tasks(out, "scans", chunk(refs, config.per_shard))
    return [*first, *next_tasks(out, "samples", first)]


def scans(task: ShardTask, config: SleepConfig):
    """First stage."""
    return process_inputs(task, config, _one)


def samples(task: ShardTask, config: SleepConfig):
    """Second stage."""
    return process_inputs(task, config, _one)


def _one(item: Item, config: SleepConfig):
    if config.log:  # one write in append mode is one line, whoever else writes
        with open(config.log, "ab", buffering=0) as file:
            stage = "samples" if item.members else "scans"
            file.write(f"{stage} {item.key} {os.getpid()}\n".encode())
    time.sleep(config.sleep_s)
    end = time.process_time() + config.burn_s
    while time.process_time() < end:
        pass
    yield StageSample(item.key, {"bin": item.rng.bytes(config.nbytes)}, _row(item))


def _row(item: Item) -> dict[str, object]:
    return {**dict.fromkeys(REQUIRED, "sleeping"), "subject": item.key}


STAGES = {"scans": scans, "samples": samples}
RECIPE = Recipe("sleeping", SleepConfig, plan, STAGES)
RECIPES["sleeping"] = "benchmarks.sleeping:RECIPE"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A verb's: a flag for every setting."""
    add_settings(parser, SleepConfig)


def run(args: argparse.Namespace) -> int:
    """A verb's: make the set."""
    from pipelines.run import run_recipe  # not by the processes that only do the stages' work

    return run_recipe(RECIPE, from_arguments(SleepConfig, args, {}))


def main() -> int:
    """The command of one verb; its exit status."""
    from pipelines import cli

    # By name, and not as "__main__": workers import it under that.
    cli.VERBS["sleeping"] = ("benchmarks.sleeping", "make a set of stages that sleep")
    return cli.main(["sleeping", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
