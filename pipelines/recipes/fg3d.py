"""The FG3D set: scans → T-ICP registration → out-of-plane views (Beyond 3DMM Space, section 3)."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from augment.degrade import DegradeSettings
from augment.settings import RotateSettings
from augment.view_plan import PROFILES, PlanSettings
from faces.errors import BadInput
from faces.models import load_model
from manifests.ledger import ShardRecord
from pipelines.config import RunConfig, setting, to_dict
from pipelines.plan import ShardTask, chunk, first_tasks, next_tasks
from pipelines.recipes import Recipe
from pipelines.report import write_report
from pipelines.stages import augment, degrade, register, scans
from registration.batched_solver import torch_device
from registration.photo_fit import PhotoSettings
from registration.readers.base import LAYOUTS, ScanRef
from registration.ticp import TicpSettings
from synth.capture import CaptureSettings
from synth.subjects import SubjectSettings

# Simulated people are samples of the default model: fitted with all of its modes, much of what is
# to be found would be known beforehand. "auto" is therefore "truncated" (synth.beyond.
# fitting_model) for them, and "full" for scans.
BASES = ("auto", "full", "truncated")


@dataclass(frozen=True)
class Fg3dConfig(RunConfig):
    """Settings of ``synth fg3d``."""

    per_shard: int = setting(2, "scans a shard; 10 to 60 seconds of work is a good size")
    subjects: int = setting(4, "simulated subjects, where no --scans are given", "amount")
    scans: str | None = setting(None, "folder of scans", "local")
    layout: str = setting("auto", f"of --scans: auto, {', '.join(LAYOUTS)} (docs/scans.md)")
    depth_scale: float | None = setting(None, "millimetres a unit of the depth images (rgbd, tum)")
    unit: str | None = setting(None, "of the meshes: mm, cm, m or auto (layouts of meshes)")
    frames: str | None = setting(None, "of a recording: every:N or sharpest:N (docs/scans.md)")
    intrinsics: str | None = setting(None, "default, freiburg1, freiburg2 or freiburg3 (tum)")
    source: str | None = setting(None, "name of the data set; else of source.json or the folder")
    licence: str | None = setting(None, "of the scans; else of source.json")
    consent: str | None = setting(None, "that the people gave; else of source.json")
    detector: str = setting("auto", "of landmarks: auto, mediapipe, face-alignment or file")
    face_landmarker: str | None = setting(None, "MediaPipe's face_landmarker.task", "local")
    model: str = setting("default", "face model: default, or a path to another", "local")
    model_id: str = setting("", "what --model holds; noted by the run itself")
    device: str = setting("cpu", "that registers: cpu; or cuda, cuda:N or cpu-torch, by the shard")
    basis: str = setting("auto", "modes fitted: full, truncated or auto; see BASES")
    landmarker_id: str = setting("", "checksum of --face-landmarker; noted by the run itself")
    people: SubjectSettings = setting(SubjectSettings, "the simulated subjects")
    capture: CaptureSettings = setting(CaptureSettings, "the simulated camera")
    ticp: TicpSettings = setting(TicpSettings, "the registration")
    photo: PhotoSettings = setting(PhotoSettings, "the fit to a photo (layout photo)")
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


def identify(config: Fg3dConfig) -> Fg3dConfig:
    """The settings with what the model and the detector's file hold, and the basis chosen.

    Raises:
        BadInput: no model there, no such file, no such basis or no such device.
        MissingExtra: the device needs torch, which is not installed.
    """
    if config.device != "cpu" and "://" not in config.run.scheduler:  # else the workers' own GPUs
        torch_device(config.device)
    if config.basis not in BASES:
        raise BadInput("--basis", config.basis, f"one of {', '.join(BASES)}", "choose one")
    basis = config.basis
    if basis == "auto":
        basis = "full" if config.scans else "truncated"
    landmarker_id = ""
    if config.scans and config.face_landmarker:
        path = Path(config.face_landmarker)
        if not path.is_file():
            raise BadInput(
                f"--face-landmarker {path}", "no such file", "face_landmarker.task", "check it"
            )
        landmarker_id = hashlib.sha256(path.read_bytes()).hexdigest()
    model_id = load_model(config.model).fingerprint()
    return replace(config, model_id=model_id, landmarker_id=landmarker_id, basis=basis)


def finish(out: Path, config: Fg3dConfig) -> None:
    """The report, after the manifest is written."""
    write_report(out, load_model(config.model))


def samples(task: ShardTask, config: Fg3dConfig) -> ShardRecord:
    """Stage "samples": the views as they are, or degraded from the shard of views."""
    return (degrade if config.degrade.enabled else augment).run(task, config)


def _inputs(config: Fg3dConfig) -> list[dict]:
    if config.scans:
        refs = scans.reader_of(config).refs()
        return [asdict(ref) | {"bytes": _sizes(config, ref)} for ref in refs]
    if config.subjects < 1:
        raise BadInput("--subjects", str(config.subjects), "at least 1", "give --scans or more")
    return scans.subject_refs(config.subjects)


def _sizes(config: Fg3dConfig, ref: ScanRef) -> dict[str, int]:
    """Bytes of each file of a scan: other data under the same name is another input."""
    return {role: (Path(config.scans) / f).stat().st_size for role, f in ref.files.items()}


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
)
