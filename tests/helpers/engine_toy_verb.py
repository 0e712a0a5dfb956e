"""The toy recipe as a verb of the command."""

import argparse

from engine_toy import RECIPE

from pipelines.verbs.recipe import add_recipe_arguments, run_from_arguments


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments."""
    add_recipe_arguments(parser, RECIPE)


def run(args: argparse.Namespace) -> int:
    """Make the toy set."""
    return run_from_arguments(RECIPE, args)[1]
