"""From a recipe and its settings to a finished set."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from faces.errors import BadInput
from manifests import atomic
from manifests.card import write_card
from manifests.index import merge
from manifests.ledger import shard_paths, stage_folders
from manifests.shard import sidecar_path
from pipelines.cluster import open_client
from pipelines.config import STORED, changed, config_hash, from_dict, parse_toml, to_dict, to_toml
from pipelines.engine import run_plan
from pipelines.eyes import follow
from pipelines.plan import ShardTask, load_plan, save_plan
from pipelines.recipes import Recipe, find_recipe
from pipelines.status import SetStatus, format_status, read_status

log = logging.getLogger(__name__)

CONFIG = "config.toml"
LOCAL = ".run/local.toml"  # paths and schedulers of this machine; no part of the set


def run_recipe(recipe: Recipe, config: Any) -> int:
    """Make a set, or go on with it; 0 when all is well, 1 when too much failed.

    Args:
        recipe: what to make.
        config: an instance of ``recipe.config``; ``config.run.out`` is the set's folder.

    Raises:
        BadInput: --out holds a set of other settings, or the options make no sense.
        KeyboardInterrupt: passed on; what is committed stays.
    """
    out = Path(config.run.out)
    tasks = recipe.plan(config, out)
    open_set(out, recipe.name, config, tasks)
    with (
        open_client(config.run, recipe.warm_up) as client,
        follow(tasks, config.run, client) as eye,
    ):
        summary = run_plan(tasks, recipe.stages, config, client, eye)
    if summary.blocked:
        log.error("%d shards could not be written; the same command tries again", summary.blocked)
        return 1
    status = finish_set(out, recipe, config)
    return 1 if status.failed_share > config.run.max_failed else 0


def open_set(out: Path, recipe: str, config: Any, tasks: Sequence[ShardTask]) -> None:
    """Make the folder and write down plan and settings, unless another set lies there.

    Raises:
        BadInput: the folder holds a set of other settings, with the list of what differs, or
            shards that the plan does not have; not with --overwrite.
    """
    drift = _drift(out, recipe, config)
    if drift and not config.run.overwrite:
        raise BadInput(
            f"--out {out}",
            f"holds a set of other settings ({'; '.join(drift)})",
            "the same settings or a new folder",
            "give another --out, or --overwrite to replace it",
        )
    strangers = _strangers(out, tasks)
    if strangers and not config.run.overwrite:
        raise BadInput(
            f"--out {out}",
            f"holds {len(strangers)} shards outside the plan (first: {strangers[0].name})",
            "as many inputs as before, or more",
            "give another --out, or --overwrite to delete them",
        )
    for tar in strangers:
        sidecar_path(tar).unlink(missing_ok=True)
        tar.unlink(missing_ok=True)
    (out / LOCAL).parent.mkdir(parents=True, exist_ok=True)
    # The plan first: settings without a plan would tell of a set that nobody can go on with.
    save_plan(out, recipe, config_hash(config), tasks)
    atomic.write_file(out / LOCAL, to_toml(config, ("local",)).encode())
    atomic.write_file(out / CONFIG, to_toml(config, STORED).encode())


def finish_set(out: Path, recipe: Recipe, config: Any) -> SetStatus:
    """Write manifest, lists, card and report; the status of the set."""
    manifest = merge(out)
    status = read_status(out)
    failed = sum(status.reasons.values())
    write_card(out, manifest, recipe.name, config.seed, config_hash(config), failed)
    if recipe.finish:
        recipe.finish(out, config)
    for line in format_status(status):
        log.info("%s", line)
    if "test" not in manifest["split"].to_pylist():
        log.info("the test split is empty: none of these few subjects falls in its tenth")
    return status


def read_config(out: Path) -> tuple[Recipe, Any]:
    """Recipe and settings of a set that a run wrote.

    Raises:
        BadInput: the folder has no plan or settings, or settings that the recipe does not know.
    """
    recipe = find_recipe(load_plan(out)["recipe"])
    data = _read_toml(out / CONFIG)
    for group, values in _read_toml(out / LOCAL).items():
        merged = {**data.get(group, {}), **values} if isinstance(values, dict) else values
        data[group] = merged
    data.setdefault("run", {})["out"] = str(out)  # the folder may have moved
    return recipe, from_dict(recipe.config, data, CONFIG)


def _drift(out: Path, recipe: str, config: Any) -> list[str]:
    """What differs between the settings of the set that lies there and these, amounts aside."""
    if not (out / CONFIG).exists():
        return []
    if load_plan(out)["recipe"] != recipe:
        return [f"recipe: {load_plan(out)['recipe']} -> {recipe}"]
    amounts = {line.partition(":")[0] for line in changed({}, to_dict(config, ("amount",)))}
    lines = changed(_read_toml(out / CONFIG), to_dict(config, STORED))
    return [line for line in lines if line.partition(":")[0] not in amounts]


def _strangers(out: Path, tasks: Sequence[ShardTask]) -> list[Path]:
    planned = {task.path for task in tasks}
    folders = stage_folders(out) if out.exists() else []
    return [tar for folder in folders for tar in shard_paths(folder) if tar not in planned]


def _read_toml(path: Path) -> dict[str, Any]:
    return parse_toml(path.read_text(), path.name) if path.exists() else {}
