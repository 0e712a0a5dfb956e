"""What is rendered: virtual people, registered faces, or meshes in the model's topology."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from faces.model_meshes import read_model_mesh
from faces.models import load_model
from faces.types import Provenance
from manifests.ledger import read_sidecar
from manifests.shard import read_entry
from manifests.storage import Ranges, locate
from pipelines.members import Members, accepted_face, scan_from_members
from pipelines.plan import ShardTask
from pipelines.rendering.rendered import RenderedFace, registered_labels, rendered_buffers
from pipelines.seeds import rng_for
from pipelines.stages.base import Item
from registration.readers.base import provenance_of
from synth.mesh_source import MeshSource
from synth.person_source import PersonSource
from synth.registered_source import RegisteredSource
from synth.render import renderer
from synth.renderer import Renderer
from synth.settings import RenderSettings
from synth.sources import Renderable
from synth.subjects import sample_subject

# What an input is: how its face is described, and the face itself.
Source = tuple[RenderedFace, Renderable]


@contextmanager
def open_sources(task: ShardTask, config) -> Iterator[Callable[[Item], Source]]:
    """A function from an input of the task to its source; shards it reads stay open meanwhile.

    Args:
        task: of the stage "samples".
        config: a pipelines.recipes.render.RenderConfig.
    """
    if config.faces_kind == "people":
        yield lambda item: _person(item, config)
    elif config.faces_kind == "meshes":
        yield lambda item: _mesh(item, config)
    else:
        with ExitStack() as stack:
            shards = _Shards(task, config, stack)
            yield lambda item: _registered(item, shards, config)


class _Shards:
    """Registered faces and their scans, in this set or another; a tar is opened once."""

    def __init__(self, task: ShardTask, config, stack: ExitStack):
        own = config.faces_kind != "set"
        self._root = task.path.parent.parent if own else locate(config.faces)
        self._name = task.path.stem
        self._stack = stack
        self._open: dict[str, tuple] = {}

    def members(self, stage: str, item: Item) -> Members:
        """The members of an input's scan or registered face."""
        name = f"{stage}/{item.ref.get('shard', self._name)}"
        if name not in self._open:
            tar = self._root / f"{name}.tar"
            entries = {entry.key: entry for entry in read_sidecar(tar).entries}
            file = self._stack.enter_context(Ranges(tar))
            self._open[name] = (file, entries)
        file, entries = self._open[name]
        return read_entry(file, entries[item.key])


def _person(item: Item, config) -> Source:
    model = load_model(config.model)
    rng = rng_for(config.seed, "subjects", item.key)
    subject = sample_subject(model, rng, config.people, key=f"{item.key}/frame000")
    source = PersonSource(subject, model, item.rng, _settings(config))
    provenance = Provenance.simulated(model.licence)
    labels = {
        "identity": subject.identity.round(5),
        "expression": subject.expression.round(5),
    }
    return RenderedFace(item.key, item.key, provenance, model, source.shape_mm, labels), source


def _registered(item: Item, shards: _Shards, config) -> Source:
    model = load_model(config.model)
    face = accepted_face(item.key, item.members or shards.members("registered", item), model)
    scan = scan_from_members(item.key, shards.members("scans", item))
    source = RegisteredSource(scan, face, model, _settings(config), _renderer(config.render))
    described = (face.key, face.subject, face.provenance, model, face.shape_mm)
    return RenderedFace(*described, *registered_labels(face)), source


def _mesh(item: Item, config) -> Source:
    model, path = load_model(config.model), Path(config.faces) / item.ref["file"]
    mesh = read_model_mesh(path, model)
    given = {name: getattr(config, name) for name in ("source", "licence", "consent")}
    provenance = provenance_of(Path(config.faces), path.parent, given)
    source = MeshSource(mesh, model, _settings(config), _renderer(config.render))
    return RenderedFace(item.key, item.ref["subject"], provenance, model, mesh.shape_mm), source


def _settings(config) -> RenderSettings:
    return replace(config.render, buffers=rendered_buffers(config.render.buffers))


def _renderer(settings: RenderSettings) -> Renderer:
    return _made(settings.renderer, settings.supersample)


@lru_cache(maxsize=2)
def _made(name: str, supersample: int) -> Renderer:
    """One back end a process: making one may open a display or a device."""
    return renderer(name, supersample)
