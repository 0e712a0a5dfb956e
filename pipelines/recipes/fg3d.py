"""The FG3D set: scans → T-ICP registration → out-of-plane views (Beyond 3DMM Space, section 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from augment.degrade import DegradeSettings
from augment.settings import RotateSettings
from augment.view_plan import PROFILES, PlanSettings
from faces.errors import BadInput
from faces.models import load_model
from manifests.ledger import ShardRecord
from pipelines.config import to_dict
from pipelines.plan import ShardTask, chunk, first_tasks, next_tasks
from pipelines.recipes import Recipe
from pipelines.recipes.registering import RegisteringConfig, identify, scan_inputs
from pipelines.report import write_report
from pipelines.setting import setting
from pipelines.stages import augment, degrade, register, scans
from synth.capture import CaptureSettings
from synth.subjects import SubjectSettings


@dataclass(frozen=True)
class Fg3dConfig(RegisteringConfig):
    """Settings of ``synth fg3d``."""

    per_shard: int = setting(2, "scans a shard; 10 to 60 seconds of work is a good size")
    subjects: int = setting(4, "simulated subjects, where no --scans are given", "amount")
    scans: str | None = setting(None, "folder of scans", "local")
    people: SubjectSettings = setting(SubjectSettings, "the simulated subjects")
    capture: CaptureSettings = setting(CaptureSettings, "the simulated camera")
    profile: str = setting("fg3d", f"which views: {', '.join(PROFILES)}; --views.* override it")
    views: PlanSettings = setting(PlanSettings, "which views")
    rotate: RotateSettings = setting(RotateSettings, "how a view is made")
    degrade: DegradeSettings = setting(DegradeSettings, "faults of camera and network put on it")


def plan(config: Fg3dConfig, out: Path) -> Sequence[ShardTask]:
    """One chain of three shards for every ``per_shard`` scans, of four where views are degraded.

    Raises:
        BadInput: no scans there.
    """
    first = first_tasks(out, "scans", chunk(_inputs(config), config.per_shard))
    second = next_tasks(out, "registered", first)
    if not config.degrade.enabled:
        return [*first, *second, *next_tasks(out, "samples", second)]
    views = next_tasks(out, "views", second)
    return [*first, *second, *views, *next_tasks(out, "samples", views)]


def complete(given: dict[str, Any]) -> dict[str, Any]:
    """File and flags with the values of the profile that they name, where they give no others.

    Raises:
        BadInput: no such profile.
    """
    name = given.get("profile", Fg3dConfig.profile)
    if name not in PROFILES:
        raise BadInput("--profile", f"{name}", f"one of {', '.join(PROFILES)}", "choose one")
    views = given.get("views", {})
    if not isinstance(views, Mapping):  # refused with its name when the settings are read
        return given
    return given | {"views": to_dict(PROFILES[name]) | dict(views)}


def finish(out: Path, config: Fg3dConfig) -> None:
    """The report, after the manifest is written."""
    write_report(out, load_model(config.model))


def report(out: Path, config: Fg3dConfig, faces: int) -> Path:
    """The report anew, of so many faces."""
    return write_report(out, load_model(config.model), faces)


def samples(task: ShardTask, config: Fg3dConfig) -> ShardRecord:
    """Stage "samples": the views as they are, or degraded from the shard of views."""
    return (degrade if config.degrade.enabled else augment).run(task, config)


def _inputs(config: Fg3dConfig) -> list[dict]:
    if config.scans:
        return scan_inputs(config)
    if config.subjects < 1:
        raise BadInput("--subjects", str(config.subjects), "at least 1", "give --scans or more")
    return scans.subject_refs(config.subjects)


RECIPE = Recipe(
    name="fg3d",
    config=Fg3dConfig,
    plan=plan,
    stages={
        "scans": scans.run,
        "registered": register.run,
        "views": augment.run,
        "samples": samples,
    },
    finish=finish,
    complete=complete,
    identify=identify,
    report=report,
)
