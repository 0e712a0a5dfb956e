"""Virtual people before a simulated RGB-D camera, as any depth camera's export would lie there."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from faces.errors import BadInput
from faces.models import load_model
from manifests import atomic
from manifests.ledger import shard_paths
from manifests.shard import read_shard
from manifests.storage import make_folder
from pipelines.config import RunConfig
from pipelines.plan import ShardTask, chunk, first_tasks
from pipelines.recipes import Recipe
from pipelines.setting import setting
from pipelines.stages import subjects
from synth.capture import CaptureSettings
from synth.props.wardrobe import OCCLUDERS
from synth.rgbd import camera_json
from synth.sensors.presets import sensor as named_sensor
from synth.subjects import SubjectSettings

FOLDER = "rgbd"
WHOLE_TRUTH = CaptureSettings(albedo_map=True)


@dataclass(frozen=True)
class SubjectsConfig(RunConfig):
    """Settings of ``synth subjects``."""

    per_shard: int = setting(8, "people a shard; 10 to 60 seconds of work is a good size")
    count: int = setting(8, "people", "amount")
    expressions: int = setting(1, "frames of each, each with its own expression, pose and light")
    sensor: str | None = setting(None, "clean, structured-light, tof, stereo, truedepth, scanner")
    occluder: str = setting("random", ", ".join(OCCLUDERS))
    model: str = setting("default", "face model: default, or a path to another", "local")
    model_id: str = setting("", "what --model holds", noted=True)
    people: SubjectSettings = setting(SubjectSettings, "the people")
    capture: CaptureSettings = setting(WHOLE_TRUTH, "the camera; --sensor replaces its sensor")


def plan(config: SubjectsConfig, out: Path) -> Sequence[ShardTask]:
    """One task for every ``per_shard`` people.

    Raises:
        BadInput: fewer than one person or frame.
    """
    for flag, value in (("--count", config.count), ("--expressions", config.expressions)):
        if value < 1:
            raise BadInput(flag, str(value), "at least 1", "ask for one or more")
    refs = [{"key": f"subject{i:05d}"} for i in range(config.count)]
    return first_tasks(out, "samples", chunk(refs, config.per_shard))


def identify(config: SubjectsConfig) -> SubjectsConfig:
    """The settings with the named sensor's constants, the occluder and what the model holds.

    Raises:
        BadInput: no sensor or occluder of this name, no model there.
    """
    capture = config.capture
    if config.sensor is not None:
        capture = replace(capture, sensor=named_sensor(config.sensor))
    if config.occluder not in OCCLUDERS:
        allowed = f"one of {', '.join(OCCLUDERS)}"
        raise BadInput("--occluder", config.occluder, allowed, "choose one")
    people = replace(config.people, occluder=config.occluder)
    model_id = load_model(config.model).fingerprint()
    return replace(config, people=people, capture=capture, model_id=model_id)


def finish(out: Path, config: SubjectsConfig) -> None:
    """The shards laid out as OUT/rgbd/SUBJECT/FRAME.* with one camera.json for all."""
    root = out / FOLDER
    make_folder(root)
    atomic.write_file(root / "camera.json", camera_json(config.capture.camera).encode())
    for shard in shard_paths(out / "samples"):
        for key, members in read_shard(shard):
            make_folder((root / key).parent)
            for suffix, data in members.items():
                atomic.write_file(root / f"{key}.{suffix}", data)


RECIPE = Recipe(
    name="subjects",
    config=SubjectsConfig,
    plan=plan,
    stages={"samples": subjects.run},
    finish=finish,
    identify=identify,
)
