"""Make virtual people: RGB-D frames in the rgbd layout, with everything about them known."""

import argparse

from manifests.storage import locate
from pipelines.recipes.subjects import FOLDER, RECIPE
from pipelines.verbs.recipe import add_recipe_arguments, run_from_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments: a settings file, and a flag for every setting."""
    add_recipe_arguments(parser, RECIPE)


def run(args: argparse.Namespace) -> int:
    """Make the frames, or go on with them, and say where they lie."""
    config, status = run_from_arguments(RECIPE, args)
    out = locate(config.run.out)
    print(
        f"{config.count * config.expressions} frames lie in {out / FOLDER}\n"
        f"  register       synth fg3d --scans {out / FOLDER} --layout rgbd --detector file\n"
        f"  check          synth verify {out}"
    )
    return status
