"""Stage "samples" of the recipe "render": each face at every pose of the plan, with its labels."""

from collections.abc import Iterator

from faces.poses import TargetPose
from manifests.ledger import ShardRecord
from pipelines.plan import ShardTask
from pipelines.rendering.rendered import rendered_samples
from pipelines.rendering.sources import open_sources
from pipelines.seeds import rng_for
from pipelines.stages.base import Item, StageSample, process_inputs
from synth.sources import Renderable, SourceView


def run(task: ShardTask, config) -> ShardRecord:
    """See pipelines.stages.base; ``config`` is a pipelines.recipes.render.RenderConfig."""
    with open_sources(task, config) as source_of:

        def render(item: Item, config) -> Iterator[StageSample]:
            face, source = source_of(item)
            views = look_at(source, face.key, config)
            yield from rendered_samples(face, views, config.pose_plan, config.render, config.seed)

        return process_inputs(task, config, render)


def look_at(source: Renderable, key: str, config) -> list[tuple[TargetPose, SourceView]]:
    """A face at each pose of its plan; a view's random numbers depend on key and place alone."""
    poses = config.pose_plan.for_input(rng_for(config.seed, "poses", key))
    views = []
    for number, pose in enumerate(poses):
        rng = rng_for(config.seed, "render", f"{key}/{number}")
        view = source.view(pose.yaw_deg, pose.pitch_deg, pose.roll_deg, rng)
        views.append((pose, view))
    return views
