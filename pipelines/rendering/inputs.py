"""What ``synth render`` is given: kinds of faces, their list, and what is noted of them."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from faces.errors import BadInput
from faces.model_meshes import find_meshes, is_model_mesh
from faces.models import load_model
from manifests.ledger import canonical_json, read_stage
from manifests.storage import exists, is_local, locate
from pipelines.plan import PLAN, load_plan
from pipelines.rendering.rendered import BUFFER_NAMES
from registration.readers.layouts import tell_layout
from registration.readers.photo import SUFFIXES as PHOTO_SUFFIXES
from synth.render import renderer
from synth.renderer import BUFFERS
from synth.rooms.room import find_photos
from synth.settings import RenderSettings

# virtual people; registered faces of a set; meshes in the model's topology; scans or photos
KINDS = ("people", "set", "meshes", "scans")
REGISTERED = "registered"


def kind_of(config) -> str:
    """Which of KINDS the inputs are.

    Raises:
        BadInput: no such folder.
    """
    if config.faces is None:
        return "people"
    root = locate(config.faces)
    if is_local(root) and not root.is_dir():
        expected = "a set, or a folder of photos, scans or meshes"
        raise BadInput(f"--faces {root}", "no such folder", expected, "check the path")
    if exists(root / PLAN):
        return "set"
    if not is_local(root):
        expected = "a finished set where it is a URL; scans and meshes in a local folder"
        raise BadInput(f"--faces {root}", f"no {PLAN} there", expected, "copy them, or mount it")
    if config.layout == "model":
        return "meshes"
    if config.layout == "auto":
        first = next(iter(find_meshes(root)), None)
        if first is not None and is_model_mesh(first, load_model(config.model)):
            return "meshes"
    return "scans"


def layout_of(config) -> str:
    """The layout of a folder of scans; "auto" told by what lies there, photos where no scans do.

    Raises:
        BadInput: nothing there that a layout has, or the namings of several layouts.
    """
    if config.layout != "auto":
        return config.layout
    root = Path(config.faces)
    try:
        return tell_layout(root)
    except BadInput:
        if any(path.suffix.lower() in PHOTO_SUFFIXES for path in root.rglob("*")):
            return "photo"
        raise


def face_inputs(config) -> list[dict]:
    """The inputs of a set whose faces need no registration.

    Raises:
        BadInput: none there.
    """
    lists = {"people": _people, "set": _registered, "meshes": _meshes}
    return lists[config.faces_kind](config)


def known_buffers(names: Sequence[str]) -> tuple[str, ...]:
    """Names of synth.renderer.BUFFERS for those of --buffers, each once, in the former's order.

    Raises:
        BadInput: an unknown one.
    """
    wanted = {BUFFER_NAMES.get(name, name) for name in names}
    short = {long: short for short, long in BUFFER_NAMES.items()}
    if unknown := sorted(wanted - set(BUFFERS)):
        known = ", ".join(short.get(name, name) for name in BUFFERS)
        raise BadInput("--buffers", f"'{unknown[0]}'", f"some of {known}", "choose among them")
    return tuple(name for name in BUFFERS if name in wanted)


def backgrounds_id(settings: RenderSettings) -> str:
    """Checksum of the names and sizes of the images behind the faces; "" without a folder.

    Raises:
        BadInput: the folder holds no image.
    """
    if settings.background != "folder":
        return ""
    root = Path(settings.background_folder)
    found = bool(settings.background_folder) and root.is_dir()
    try:
        photos = [Path(path) for path in find_photos(str(root))] if found else []
    except ValueError:
        photos = []
    if not photos:
        got = f"no image in --background-folder '{settings.background_folder}'"
        raise BadInput("--background folder", got, "JPEG or PNG files", "name their folder")
    sizes = [[path.relative_to(root).as_posix(), path.stat().st_size] for path in photos]
    return hashlib.sha256(canonical_json(sizes)).hexdigest()


def check_model(config) -> None:
    """Raise BadInput where a set's faces were registered with another model."""
    from pipelines.run import read_config  # which knows the recipes, and they this module

    _, made_with = read_config(locate(config.faces))
    if made_with.model_id != config.model_id:
        raise BadInput(
            f"--model {config.model}",
            f"not the one that the faces in '{config.faces}' were registered with",
            f"the model '{made_with.model}'",
            "name it with --model",
        )


def check_renderer(config) -> None:
    """Raise before any work what a back end cannot do.

    Raises:
        BadInput: virtual people by another than "raster", or no device for it here.
        MissingExtra: its package is not installed.
    """
    name = config.render.renderer
    if name == "raster":
        return
    if config.faces_kind == "people":
        expected = "raster: strands and glasses are drawn by it alone"
        raise BadInput("--renderer", f"'{name}' for virtual people", expected, "leave it out")
    renderer(name, config.render.supersample)


def _people(config) -> list[dict]:
    if config.subjects < 1:
        raise BadInput("--subjects", str(config.subjects), "at least 1", "ask for one or more")
    return [{"key": f"subject{i:05d}"} for i in range(config.subjects)]


def _registered(config) -> list[dict]:
    """Every registered face, with the checksums of the shards it is read from."""
    root = locate(config.faces)
    records = list(read_stage(root / REGISTERED))
    planned = [name for name, _, _ in load_plan(root)["shards"] if name.startswith(REGISTERED)]
    if not planned or len(records) < len(planned):
        got = f"{len(records)} of {len(planned)} shards of registered faces"
        expected = "a complete set of 'synth fg3d' or 'synth render'"
        raise BadInput(f"--faces {root}", got, expected, "run its command to the end")
    scans = {record.name.partition("/")[2]: record for record in read_stage(root / "scans")}
    refs = []
    for record in records:
        shard = record.name.partition("/")[2]
        content = {"shard": shard, "sha256": record.sha256, "scans": scans[shard].sha256}
        refs += [{"key": entry.key, **content} for entry in record.entries]
    if not refs:
        got = "no registered face"
        raise BadInput(f"--faces {root}", got, "at least one", f"see 'synth status {root}'")
    return refs


def _meshes(config) -> list[dict]:
    root = Path(config.faces)
    refs = [_mesh_ref(root, path) for path in find_meshes(root)]
    if not refs:
        raise BadInput(f"--faces {root}", "no mesh", "OBJ, PLY or GLB files", "check the folder")
    return refs


def _mesh_ref(root: Path, path: Path) -> dict:
    file = path.relative_to(root)
    key = file.with_suffix("").as_posix()
    subject = file.parts[0] if len(file.parts) > 1 else key  # a folder is a person
    return {"key": key, "subject": subject, "file": file.as_posix(), "bytes": path.stat().st_size}
