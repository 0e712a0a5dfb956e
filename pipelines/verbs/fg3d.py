"""Make an FG3D set: scans or simulated subjects in, registered faces and rotated views out."""

import argparse

from manifests.storage import locate
from pipelines.recipes.fg3d import RECIPE
from pipelines.verbs.recipe import add_recipe_arguments, run_from_arguments, tell_where


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments: a settings file, and a flag for every setting."""
    add_recipe_arguments(parser, RECIPE)


def run(args: argparse.Namespace) -> int:
    """Make the set, or go on with it, and say where it lies and what to look at."""
    config, status = run_from_arguments(RECIPE, args)
    tell_where(locate(config.run.out))
    return status
