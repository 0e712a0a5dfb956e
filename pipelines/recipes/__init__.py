"""Recipes: each the stages of one set. The table names them; they are imported when asked for."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from faces.errors import BadInput
from manifests.ledger import ShardRecord
from pipelines.config import RunConfig
from pipelines.plan import ShardTask

# Name -> "module:attribute" of a Recipe.
RECIPES: dict[str, str] = {
    "fg3d": "pipelines.recipes.fg3d:RECIPE",
    "render": "pipelines.recipes.render:RECIPE",
    "faces": "pipelines.recipes.render:FACES",
    "subjects": "pipelines.recipes.subjects:RECIPE",
}


@dataclass(frozen=True)
class Recipe:
    """How one kind of set is made.

    Attributes:
        name: as in RECIPES.
        config: its settings' type.
        plan: (config, set folder) -> tasks; deterministic.
        stages: stage name -> function.
        finish: (set folder, config) -> None, after the manifest is written: reports, sheets.
        complete: nested dicts of what file and flags say -> the same with what that implies, e.g.
            the values of a named profile; defaults fill what is still missing.
        identify: config -> config, with what its files hold noted beside their paths, so that a
            set depends on contents and not on where they lie.
        report: (set folder, config, number of faces) -> the page; None where there is no report.
        warm_up: "module:function" names that each worker calls once.
    """

    name: str
    config: type[RunConfig]
    plan: Callable[[Any, Path], Sequence[ShardTask]]
    stages: Mapping[str, Callable[[ShardTask, Any], ShardRecord]]
    finish: Callable[[Path, Any], None] | None = None
    complete: Callable[[dict[str, Any]], dict[str, Any]] = lambda given: given
    identify: Callable[[Any], Any] = lambda config: config
    report: Callable[[Path, Any, int], Path] | None = None
    warm_up: tuple[str, ...] = field(default=())


def find_recipe(name: str) -> Recipe:
    """A recipe by name.

    Raises:
        BadInput: there is none of this name.
    """
    if name not in RECIPES:
        raise BadInput(f"recipe '{name}'", "unknown", f"one of {[*RECIPES]}", "check plan.json")
    module, _, attribute = RECIPES[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
