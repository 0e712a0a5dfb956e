"""A toy recipe for the engine's tests: scans of random bytes, then samples made from them.

It is a module of its own, and a program, so that workers and subprocesses can import it.
"""

import os
import signal
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from manifests.schema import ROW_COLUMNS
from pipelines.config import RunConfig, from_dict, setting
from pipelines.plan import ShardTask, chunk, first_tasks, next_tasks
from pipelines.recipes import RECIPES, Recipe
from pipelines.run import run_recipe
from pipelines.stages.base import Item, StageSample, process_inputs


@dataclass(frozen=True)
class ToyConfig(RunConfig):
    """Settings of the toy recipe."""

    inputs: int = setting(6, "number of toy scans", "amount")
    nbytes: int = setting(700, "bytes a member")
    bad: tuple[str, ...] = setting((), "keys that fail")
    broken_task: str = setting("", "task whose stage function fails as a whole")
    killer: str = setting("", "key whose processing kills its process, every time")
    kill_once: str = setting("", "key that kills its process once; needs flag_dir")
    flag_dir: str = setting("", "folder of the toy's notes", "local")
    pause_s: float = setting(0.0, "seconds an input takes", "local")


def note(config: ToyConfig, text: str) -> None:
    """Append a line to the log of work done, which tests count."""
    if config.flag_dir:
        with open(Path(config.flag_dir) / "work.log", "a") as file:
            file.write(text + "\n")


def scan_one(item: Item, config: ToyConfig):
    """One toy scan: random bytes."""
    note(config, f"scan {item.key}")
    time.sleep(config.pause_s)
    if item.key in config.bad:
        raise ValueError(f"scan '{config.flag_dir}{item.key}': is bad on purpose")
    if item.key == config.killer:
        os.kill(os.getpid(), signal.SIGKILL)
    once = Path(config.flag_dir) / "killed"
    if item.key == config.kill_once and not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    row = dict.fromkeys((c.name for c in ROW_COLUMNS if c.required), "toy")
    row["subject"] = item.ref["subject"]
    yield StageSample(item.key, {"bin": item.rng.bytes(config.nbytes)}, row)


def views_one(item: Item, config: ToyConfig):
    """Two toy samples of one toy scan, with unequal members."""
    note(config, f"views {item.key}")
    time.sleep(config.pause_s)
    for i in range(2):
        members = {
            "jpg": item.rng.bytes(config.nbytes + i),
            "vertices.npy": item.members["bin"][::-1],
        }
        row = {**item.row, "scan": item.key, "yaw_deg": 15.0 * i}
        yield StageSample(f"{item.key}/v{i}", members, row)


def scans(task: ShardTask, config: ToyConfig):
    """Stage 1."""
    if task.name == config.broken_task:
        raise RuntimeError("stage function is broken on purpose")
    return process_inputs(task, config, scan_one)


def samples(task: ShardTask, config: ToyConfig):
    """Stage 2."""
    return process_inputs(task, config, views_one)


def toy_plan(config: ToyConfig, out: Path) -> list[ShardTask]:
    """Both stages, shard by shard."""
    refs = [{"key": f"s{i:03d}", "subject": f"person{i // 2}"} for i in range(config.inputs)]
    first = first_tasks(out, "scans", chunk(refs, config.per_shard))
    return [*first, *next_tasks(out, "samples", first)]


STAGES = {"scans": scans, "samples": samples}
RECIPE = Recipe("toy", ToyConfig, toy_plan, STAGES)
RECIPES["toy"] = "engine_toy:RECIPE"


def toy_config(out: Path, scheduler: str = "inline", **values) -> ToyConfig:
    """Settings for a small set in ``out``; ``workers`` and other run options by name."""
    run = {"out": str(out), "scheduler": scheduler, "dashboard": "127.0.0.1:0"}
    run |= {
        k: values.pop(k) for k in ("workers", "overwrite", "max_failed", "progress") if k in values
    }
    return from_dict(ToyConfig, {"per_shard": 2, **values, "run": run})


if __name__ == "__main__":
    arguments = {"flag_dir": sys.argv[2], "pause_s": float(sys.argv[3]), "inputs": 10}
    sys.exit(run_recipe(RECIPE, toy_config(Path(sys.argv[1]), sys.argv[4], workers=2, **arguments)))
