"""From a recipe and its settings to a finished set."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from faces.errors import BadInput
from manifests import atomic
from manifests.card import write_card
from manifests.croissant import write_croissant
from manifests.index import SHARDS, merge
from manifests.ledger import shard_paths, stage_folders
from manifests.shard import sidecar_path
from manifests.storage import exists, locate, make_folder, of_this_process, read_bytes
from manifests.summary import Terms, summarise
from pipelines.cluster import open_client
from pipelines.config import STORED, changed, config_hash, from_dict, parse_toml, to_dict, to_toml
from pipelines.engine import run_plan
from pipelines.eyes import follow
from pipelines.folders.lock import RunLock, checked
from pipelines.folders.versions import check_versions
from pipelines.isolation.options import limits_of
from pipelines.plan import PLAN, Part, ShardTask, load_plan, save_plan
from pipelines.recipes import Recipe, find_recipe
from pipelines.status import SetStatus, format_status, read_status

log = logging.getLogger(__name__)

CONFIG = "config.toml"
LOCAL = ".run/local.toml"  # paths and schedulers of this machine; no part of the set


def run_recipe(recipe: Recipe, config: Any, again: bool = False) -> int:
    """Make a set, or go on with it; 0 when all is well, 1 when too much failed.

    Args:
        recipe: what to make.
        config: an instance of ``recipe.config``; ``config.run.out`` is the set's folder.
        again: work once more on failed inputs.

    Raises:
        BadInput: --out holds a set of other settings, or the options make no sense.
        Locked: another run works in --out.
        KeyboardInterrupt: passed on; what is committed stays.
    """
    out, part = locate(config.run.out), Part.parse(config.run.part)
    _check_reach(out, config.run.scheduler)
    limits, tasks = limits_of(config.run), recipe.plan(config, out)
    with RunLock(out) as lock:
        open_set(out, recipe.name, config, tasks)
        own = [task for task in tasks if task.index in part]
        with (
            open_client(config.run, recipe.warm_up) as client,
            follow(own, config.run, client) as eye,
        ):
            watched = checked(eye, lock)
            summary = run_plan(own, recipe.stages, config, client, watched, limits, again)
        if summary.blocked:
            log.error("%d shards could not be made; the same command tries again", summary.blocked)
            return 1
        status = finish_part(out) if part.of > 1 else finish_set(out, recipe, config)
    return 1 if status.failed_share > config.run.max_failed else 0


def open_set(out: Path, recipe: str, config: Any, tasks: Sequence[ShardTask]) -> None:
    """Make the folder and write down plan and settings, unless another set lies there.

    Args:
        tasks: the whole plan, whatever part of it is to be made here.

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
    begun = bool(out.exists() and stage_folders(out))
    check_versions(out, begun and not config.run.overwrite, config.run.any_versions)
    for tar in strangers:
        atomic.remove(sidecar_path(tar))
        atomic.remove(tar)
    make_folder((out / LOCAL).parent)
    # The plan first: settings without a plan would tell of a set that nobody can go on with.
    save_plan(out, recipe, config_hash(config), tasks, Part.parse(config.run.part))
    atomic.write_file(out / LOCAL, to_toml(config, ("local",)).encode())
    atomic.write_file(out / CONFIG, to_toml(config, STORED).encode())


def finish_part(out: Path) -> SetStatus:
    """Write the lists of a part; its status. Manifest, card and report are made by the merge."""
    merge(out)
    status = replace(read_status(out), runner=None)  # we do, and are done
    for line in format_status(status):
        log.info("%s", line)
    log.info("a part: when all are done, 'synth merge PART... --out SET' makes the set of them")
    return status


def finish_set(out: Path, recipe: Recipe, config: Any) -> SetStatus:
    """Write manifest, lists, card and report; the status of the set."""
    merge(out)
    status = replace(read_status(out), runner=None)  # we do, and are done
    summary = summarise(out)
    write_card(out, summary, recipe.name, config.seed, config_hash(config))
    write_croissant(out, summary, recipe.name)
    if recipe.finish:
        recipe.finish(out, config)
    for line in format_status(status):
        log.info("%s", line)
    log.info("hash of the set: %s", set_hash(out))
    if "test" not in summary.splits:
        log.info("the test split is empty: none of these few subjects falls in its tenth")
    for terms in summary.unknown_terms:
        _warn_of(terms)
    return status


def _warn_of(terms: Terms) -> None:
    """Say what nobody said of a source."""
    names = " and ".join(terms.unknown)
    log.warning(
        "source '%s': its %s is unknown (%d samples say so); give --%s, or write source.json "
        "beside the scans, and make the set anew",
        terms.source,
        names,
        terms.samples,
        " and --".join(terms.unknown),
    )


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


def _check_reach(out: Path, scheduler: str) -> None:
    """Raise BadInput where the workers would write to another place than this process reads."""
    if of_this_process(out) and scheduler != "inline":
        raise BadInput(
            f"--out {out}",
            f"is memory of this process; --scheduler {scheduler} works in others",
            "a folder or store that all workers see",
            "give another --out, or --scheduler inline",
        )


def set_hash(out: Path) -> str:
    """What names a finished set's contents: the SHA-256 of its shards.json.

    That lists the checksum of every shard and of the manifest, and neither times nor places: the
    hash is the same for any workers, interruptions or parts. ``sha256sum shards.json`` prints it.

    Raises:
        OSError: the set is not finished.
    """
    return hashlib.sha256(read_bytes(out / SHARDS)).hexdigest()


def _drift(out: Path, recipe: str, config: Any) -> list[str]:
    """What differs between the settings of the set that lies there and these, amounts aside."""
    if not exists(out / CONFIG):
        return []
    # A store whose connection broke while the plan was written has none.
    if exists(out / PLAN) and load_plan(out)["recipe"] != recipe:
        return [f"recipe: {load_plan(out)['recipe']} -> {recipe}"]
    amounts = {line.partition(":")[0] for line in changed({}, to_dict(config, ("amount",)))}
    lines = changed(_read_toml(out / CONFIG), to_dict(config, STORED))
    return [line for line in lines if line.partition(":")[0] not in amounts]


def _strangers(out: Path, tasks: Sequence[ShardTask]) -> list[Path]:
    planned = {task.path for task in tasks}
    try:
        folders = stage_folders(out)
    except FileNotFoundError:
        return []
    return [tar for folder in folders for tar in shard_paths(folder) if tar not in planned]


def _read_toml(path: Path) -> dict[str, Any]:
    return parse_toml(read_bytes(path).decode(), path.name) if exists(path) else {}
