"""What the verbs that make a set share: settings from a file and flags, then the run."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from faces.errors import BadInput
from pipelines.config import parse_toml
from pipelines.flags import add_arguments, from_arguments
from pipelines.recipes import Recipe
from pipelines.run import run_recipe

if TYPE_CHECKING:
    from manifests.storage import Location


def add_recipe_arguments(parser: argparse.ArgumentParser, recipe: Recipe) -> None:
    """``--config FILE`` and a flag for each of the recipe's settings."""
    parser.add_argument("--config", type=Path, help="TOML file of settings; flags override it")
    add_arguments(parser, recipe.config)


def run_from_arguments(recipe: Recipe, args: argparse.Namespace) -> tuple[Any, int]:
    """Make the set that file and flags describe; its settings and the exit status.

    Raises:
        BadInput: as config_from_arguments or run_recipe.
    """
    config = config_from_arguments(recipe, args)
    return config, run_recipe(recipe, config)


def config_from_arguments(recipe: Recipe, args: argparse.Namespace) -> Any:
    """The settings that file and flags describe, with what the recipe notes of their files.

    Raises:
        BadInput: no such file, or an unknown setting.
    """
    base = {}
    if args.config is not None:
        try:
            base = parse_toml(args.config.read_text(), str(args.config))
        except FileNotFoundError as error:
            raise BadInput(
                f"--config {args.config}", "no such file", "a TOML file", "check the path"
            ) from error
    return recipe.identify(from_arguments(recipe.config, args, base, recipe.complete))


def tell_where(out: "Location") -> None:
    """Say where a set lies and what to do with it."""
    print(
        f"the set lies in {out}\n"
        f"  look at        {out / 'report' / 'index.html'}\n"
        f"  read           {out / 'manifest.parquet'} and {out / 'samples'}\n"
        f"  check          synth verify {out}"
    )
