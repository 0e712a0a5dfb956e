"""Where the time of `synth render` goes: CPU milliseconds a sample, by what is done.

    python -m benchmarks.render_stage [--subjects 4 | --faces PATH] [--preset chen20]
        [--buffers depth,normal,...] [--light ...] [--profile FILE]

The stage's own steps, one after another in one process, as a worker does them: a face is made ready
(drawn or read, unwrapped), rendered at every pose, its labels are packed, and the shard is written.
The first face goes before the clock starts: it loads the model and compiles. ``--profile`` writes
what cProfile saw, in CPU time, for pstats or snakeviz.
"""

import argparse
import cProfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.tables import print_table
from manifests.shard import ShardWriter
from pipelines.config import RunOptions
from pipelines.recipes.render import RECIPE, RenderConfig
from pipelines.rendering.rendered import rendered_samples
from pipelines.rendering.sources import open_sources
from pipelines.stages.base import task_items
from pipelines.stages.render import look_at
from pipelines.verbs.recipe import add_recipe_arguments, config_from_arguments

STEPS = ("face", "render", "labels", "shard")


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_recipe_arguments(parser, RECIPE)
    parser.add_argument("--profile", type=Path, help="file for pstats")
    args = parser.parse_args()
    profile = cProfile.Profile(time.process_time)
    with tempfile.TemporaryDirectory() as folder:
        config = config_from_arguments(RECIPE, args)
        if config.faces_kind == "scans":
            parser.error("--faces: register them first (synth render), then give that set")
        config = replace(config, run=RunOptions(out=folder))
        seconds, samples = measure(config, Path(folder), profile if args.profile else None)
    if args.profile:
        profile.dump_stats(args.profile)
    total = sum(seconds.values())
    rows = [
        (step, f"{1e3 * seconds[step] / samples:.2f}", f"{seconds[step] / total:.0%}")
        for step in STEPS
    ]
    print(config.pose_plan)
    print_table(
        ("step", "CPU ms a sample", "share"), [*rows, ("all", f"{1e3 * total / samples:.2f}", "")]
    )
    print(f"\n{samples} samples, {samples / total:.0f} a second of one core")


def measure(
    config: RenderConfig, out: Path, profile: cProfile.Profile | None
) -> tuple[Counter, int]:
    """CPU seconds by step, and the number of samples, over all tasks of a config."""
    seconds: Counter = Counter()
    samples, warm = 0, False
    for task in RECIPE.plan(config, out):
        with ShardWriter(task.path) as writer, open_sources(task, config) as source_of:
            for item in task_items(task, config.seed):
                if not warm:
                    make(source_of, item, config, Counter())
                    warm = True
                    if profile:
                        profile.enable()
                made = make(source_of, item, config, seconds)
                samples += len(made)
                with clocked(seconds, "shard"):
                    for sample in made:
                        writer.add(sample.key, sample.members)
    if profile:
        profile.disable()
    return seconds, samples


def make(source_of, item, config: RenderConfig, seconds: Counter) -> list:
    """The samples of one face, as pipelines.stages.render makes them."""
    with clocked(seconds, "face"):
        face, source = source_of(item)
    with clocked(seconds, "render"):
        views = look_at(source, face.key, config)
    with clocked(seconds, "labels"):
        return rendered_samples(face, views, config.pose_plan, config.render, config.seed)


@contextmanager
def clocked(seconds: Counter, step: str) -> Iterator[None]:
    """Add the CPU time of the block to a step's."""
    start = time.process_time()
    yield
    seconds[step] += time.process_time() - start


if __name__ == "__main__":
    main()
