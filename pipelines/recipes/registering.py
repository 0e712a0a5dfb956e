"""What recipes that register faces share: where the scans lie, and how they are registered."""

import hashlib
import re
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TypeVar

from faces.errors import BadInput
from faces.models import load_model
from pipelines.config import RunConfig
from pipelines.setting import setting
from pipelines.stages import scans
from registration.batched_solver import torch_device
from registration.photo_fit import PhotoSettings
from registration.readers.base import LAYOUTS, ScanRef
from registration.ticp import TicpSettings

# Simulated people are samples of the default model: fitted with all of its modes, much of what is
# to be found would be known beforehand. "auto" is therefore "truncated" (synth.beyond.
# fitting_model) for them, and "full" for scans.
BASES = ("auto", "full", "truncated")


@dataclass(frozen=True)
class RegisteringConfig(RunConfig):
    """Settings of the stages "scans" and "registered"; a recipe has ``scans``, the folder,
    besides, None where people are simulated."""

    layout: str = setting("auto", f"of the scans: auto, {', '.join(LAYOUTS)} (docs/scans.md)")
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
    model_id: str = setting("", "what --model holds", noted=True)
    device: str = setting("cpu", "that registers: cpu; or cuda, cuda:N or cpu-torch, by the shard")
    basis: str = setting(
        "auto", f"modes fitted: {', '.join(BASES)}; truncated for simulated people"
    )
    landmarker_id: str = setting("", "checksum of --face-landmarker", noted=True)
    ticp: TicpSettings = setting(TicpSettings, "the registration")
    photo: PhotoSettings = setting(PhotoSettings, "the fit to a photo (layout photo)")


UNSUITABLE = re.compile(r"[\x00-\x1f\x7f\\]")  # in a key: not in a tar, says manifests.shard

C = TypeVar("C", bound=RegisteringConfig)


def identify(config: C) -> C:
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


def scan_inputs(config: RegisteringConfig) -> list[dict]:
    """The scans of ``config.scans`` as inputs of the stage "scans".

    Raises:
        BadInput: no scans there.
    """
    refs = scans.reader_of(config).refs()
    return [_input(asdict(ref) | {"bytes": _sizes(config, ref)}) for ref in refs]


def _input(ref: dict) -> dict:
    """An input as the plan keeps it; one whose name no text can hold is noted as refused."""
    written, reason = _written(ref), None
    if written != ref:
        reason = ["its name is not UTF-8", "a name in UTF-8", "rename it, e.g. with convmv"]
    elif UNSUITABLE.search(ref["key"]):
        got = "its name has a backslash or a control character"
        reason = [got, "a name that every system can read", "rename its folder or file"]
    return written | {"refused": [f"scan {written['key']!r}", *reason]} if reason else ref


def _written(value):
    """A value in which bytes of names that are no UTF-8 read ``\\udcXX``."""
    if isinstance(value, dict):
        return {key: _written(inner) for key, inner in value.items()}
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    return value


def _sizes(config: RegisteringConfig, ref: ScanRef) -> dict[str, int]:
    """Bytes of each file of a scan: other data under the same name is another input."""
    paths = {role: Path(config.scans) / file for role, file in ref.files.items()}
    # What is not there is told when the scan is read.
    return {role: path.stat().st_size if path.exists() else 0 for role, path in paths.items()}
