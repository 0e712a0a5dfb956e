"""Render faces at controlled poses: a set for a preset or a range of yaws, eleven for the ladder.

--faces takes a set with registered faces (of synth fg3d), or a folder of photos, of scans in any
layout that synth fg3d knows, or of meshes in the model's topology; --subjects N makes people.
"""

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from manifests.storage import locate
from pipelines.recipes.render import FACES, RECIPE, RenderConfig
from pipelines.run import run_recipe
from pipelines.verbs.recipe import add_recipe_arguments, config_from_arguments, tell_where
from synth.pose_plan import PosePlan
from synth.settings import RenderSettings

if TYPE_CHECKING:
    from manifests.storage import Location

SHARED = "faces"  # folder of a ladder's registered faces


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The verb's arguments: a settings file, and a flag for every setting."""
    add_recipe_arguments(parser, RECIPE)


def run(args: argparse.Namespace) -> int:
    """Make the set or sets, or go on with them, and say where they lie."""
    config = config_from_arguments(RECIPE, args)
    if config.preset != "ladder" or config.rung is not None:
        return _one(config)
    return _ladder(config)


def _one(config: RenderConfig) -> int:
    print(config.pose_plan)
    status = run_recipe(RECIPE, config)
    tell_where(locate(config.run.out))
    return status


def _ladder(config: RenderConfig) -> int:
    """Eleven sets OUT/000 … OUT/100; what they share is registered once, in OUT/faces."""
    out, status = locate(config.run.out), 0
    if config.faces_kind == "scans":
        shared = out / SHARED
        status = run_recipe(FACES, _faces_alone(config, shared))
        config = replace(config, faces=str(shared), faces_kind="set")
    views = 10 if config.views is None else config.views
    for plan in PosePlan.ladder(views):
        rung = round(100 * plan.requested_share)
        run_here = replace(config.run, out=str(out / f"{rung:03d}"))
        one = replace(config, rung=rung, run=run_here)
        print(one.pose_plan)
        status = max(status, run_recipe(RECIPE, one))
    print(f"eleven sets lie in {out}/000 to {out}/100\n  compare        synth audit {out}/*")
    return status


def _faces_alone(config: RenderConfig, out: "Location") -> RenderConfig:
    """The settings of the registration, without those of poses and pictures."""
    return replace(
        config,
        preset=None,
        views=None,
        pitch_range=None,
        render=RenderSettings(),
        backgrounds_id="",
        run=replace(config.run, out=str(out)),
    )
