"""Make an FG3D set: scans or simulated subjects in, registered faces and rotated views out."""

import argparse
from pathlib import Path

from faces.errors import BadInput
from pipelines.config import add_arguments as add_settings
from pipelines.config import from_arguments, parse_toml
from pipelines.recipes.fg3d import RECIPE, Fg3dConfig
from pipelines.run import run_recipe


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments: a settings file, and a flag for every setting."""
    parser.add_argument("--config", type=Path, help="settings as TOML; flags go before it")
    add_settings(parser, Fg3dConfig)


def run(args: argparse.Namespace) -> int:
    """Make the set, or go on with it, and say where it lies."""
    base = {}
    if args.config is not None:
        if not args.config.is_file():
            raise BadInput(f"--config {args.config}", "no such file", "a TOML file", "check it")
        base = parse_toml(args.config.read_text(encoding="utf-8"), str(args.config))
    config = from_arguments(Fg3dConfig, args, base)
    status = run_recipe(RECIPE, config)
    out = Path(config.run.out)
    print(
        f"the set lies in {out}\n"
        f"  look at        {out / 'report' / 'index.html'}\n"
        f"  read           {out / 'manifest.parquet'} and {out / 'samples'}\n"
        f"  check          synth verify {out}"
    )
    return status
