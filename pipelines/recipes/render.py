"""Faces at controlled poses: people, photos, scans or meshes → one image a pose, with labels."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from faces.errors import BadInput
from faces.models import load_model
from pipelines.plan import ShardTask, chunk, first_tasks, next_tasks
from pipelines.recipes import Recipe
from pipelines.recipes.registering import RegisteringConfig, scan_inputs
from pipelines.recipes.registering import identify as identify_registering
from pipelines.rendering.inputs import (
    KINDS,
    backgrounds_id,
    check_model,
    check_renderer,
    face_inputs,
    kind_of,
    known_buffers,
    layout_of,
)
from pipelines.rendering.report import write_render_report
from pipelines.report import write_report
from pipelines.setting import setting
from pipelines.stages import register, render, scans
from synth.pose_plan import PRESETS, PosePlan, preset
from synth.settings import RenderSettings
from synth.subjects import SubjectSettings

OWN_RANGE = ("yaw_range", "ratio", "step")  # what a preset does not go together with


@dataclass(frozen=True)
class RenderConfig(RegisteringConfig):
    """Settings of ``synth render``."""

    per_shard: int = setting(8, "faces a shard; 10 to 60 seconds of work is a good size")
    faces: str | None = setting(
        None, "a set with registered faces, or a folder of photos, scans or meshes", "local"
    )
    faces_kind: str = setting("", f"what --faces is: {', '.join(KINDS)}", noted=True)
    subjects: int | None = setting(None, "or so many virtual people", "amount")
    preset: str | None = setting(None, f"poses: {', '.join(PRESETS)} (docs/poses.md)")
    rung: int | None = setting(None, "of --preset ladder: one set of 0, 10, …, 100 % alone")
    yaw_range: tuple[float, float] | None = setting(None, "or |yaw| from A to B, degrees: 60,90")
    ratio: float | None = setting(None, "share of views with |yaw| > 45°, 0 to 1")
    views: int | None = setting(None, "an input; of the ladder 10 where not given")
    step: float | None = setting(None, "of yaw inside the range, degrees; 2.5 without --views")
    pitch_range: tuple[float, float] | None = setting(None, "drawn for each input: -20,20")
    both_sides: bool = setting(True, "mirror the range to the other side")
    people: SubjectSettings = setting(SubjectSettings, "the virtual people")
    render: RenderSettings = setting(RenderSettings, "how a view is rendered", bare=True)
    backgrounds_id: str = setting("", "what --background-folder holds", noted=True)

    @property
    def scans(self) -> str | None:
        """The folder of scans to register first; None where there is nothing to register."""
        return self.faces if self.faces_kind == "scans" else None

    def check_poses(self) -> None:
        """Raise BadInput as pose_plan does; of a whole ladder, as any of its rungs would."""
        whole = self.preset == "ladder" and self.rung is None
        replace(self, rung=0).pose_plan if whole else self.pose_plan

    @property
    def pose_plan(self) -> PosePlan:
        """The poses of every input.

        Raises:
            BadInput: none are asked for, or what cannot be had, with the nearest that can.
        """
        plan = self._named() if self.preset is not None else self._ranged()
        if self.preset is None or self.pitch_range is None:
            return plan
        return plan.with_pitches(self.pitch_range)

    def _named(self) -> PosePlan:
        extra = [name for name in OWN_RANGE if getattr(self, name) is not None]
        if self.preset != "ladder" and (self.views, self.rung) != (None, None):
            extra.append("views or --rung")
        if extra:
            flags = ", ".join(f"--{name.replace('_', '-')}" for name in extra)
            got, expected = f"given with {flags}", "a preset alone (the ladder takes --views)"
            raise BadInput(f"--preset {self.preset}", got, expected, "leave one of them out")
        if self.preset != "ladder":
            return preset(self.preset)
        ladder = PosePlan.ladder(10 if self.views is None else self.views)
        shares = {round(100 * plan.requested_share): plan for plan in ladder}
        if self.rung not in shares:
            near = min(shares, key=lambda share: abs(share - (self.rung or 0)))
            expected = f"one of {', '.join(map(str, shares))}"
            raise BadInput("--rung", f"{self.rung}", expected, f"nearest: --rung {near}")
        return shares[self.rung]

    def _ranged(self) -> PosePlan:
        if self.yaw_range is None:
            expected = f"--preset ({', '.join(PRESETS)}) or --yaw-range A,B"
            raise BadInput("poses", "none asked for", expected, "see docs/poses.md")
        return PosePlan.ranged(
            self.yaw_range,
            self.ratio,
            self.views,
            self.step,
            self.pitch_range or (0.0, 0.0),
            self.both_sides,
        )


def plan(config: RenderConfig, out: Path) -> Sequence[ShardTask]:
    """One shard for every ``per_shard`` faces, behind those of scans and registered faces where
    the faces are yet to be registered.

    Raises:
        BadInput: nothing there to render.
    """
    if config.faces_kind == "scans":
        tasks = plan_faces(config, out)
        return [*tasks, *next_tasks(out, "samples", tasks[len(tasks) // 2 :])]
    return first_tasks(out, "samples", chunk(face_inputs(config), config.per_shard))


def plan_faces(config: RenderConfig, out: Path) -> Sequence[ShardTask]:
    """The first two stages alone: what the eleven sets of a ladder share.

    Raises:
        BadInput: no scans there.
    """
    first = first_tasks(out, "scans", chunk(scan_inputs(config), config.per_shard))
    return [*first, *next_tasks(out, "registered", first)]


def identify(config: RenderConfig) -> RenderConfig:
    """The settings with what the faces, the model and the backgrounds are.

    Raises:
        BadInput: neither or both of people and faces, none there, poses or buffers that cannot be
            had, a back end that cannot render them here, or a model that the set's faces were not
            registered with.
    """
    if (config.faces is None) == (config.subjects is None):
        got = "neither is given" if config.faces is None else "both are given"
        raise BadInput("--faces and --subjects", got, "one of them", "say what is to be rendered")
    config.check_poses()
    settings = replace(config.render, buffers=known_buffers(config.render.buffers))
    kind = kind_of(config)
    config = replace(config, render=settings, faces_kind=kind)
    check_renderer(config)
    if kind == "scans":
        config = replace(config, layout=layout_of(config))
    config = replace(config, backgrounds_id=backgrounds_id(settings))
    config = identify_registering(config)
    if kind == "set":
        check_model(config)
    return config


def finish(out: Path, config: RenderConfig) -> None:
    """The report, after the manifest is written."""
    write_render_report(out)


def report(out: Path, config: RenderConfig, faces: int) -> Path:
    """The report anew, of so many faces."""
    return write_render_report(out, faces)


def finish_faces(out: Path, config: RenderConfig) -> None:
    """The report on the registered faces alone."""
    write_report(out, load_model(config.model))


def report_faces(out: Path, config: RenderConfig, faces: int) -> Path:
    """The report on the registered faces alone, anew."""
    return write_report(out, load_model(config.model), faces)


RECIPE = Recipe(
    name="render",
    config=RenderConfig,
    plan=plan,
    stages={"scans": scans.run, "registered": register.run, "samples": render.run},
    finish=finish,
    identify=identify,
    report=report,
)
# What the sets of a ladder share where faces are to be registered: OUT/faces.
FACES = Recipe(
    name="faces",
    config=RenderConfig,
    plan=plan_faces,
    stages={"scans": scans.run, "registered": register.run},
    finish=finish_faces,
    identify=identify,
    report=report_faces,
)
