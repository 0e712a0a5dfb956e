"""Mesh files that are in a model's topology already: the same vertices in the same order."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import trimesh

from faces.errors import BadInput
from faces.files import read_text
from faces.foreign_mesh import load_mesh
from faces.mesh import similarity
from faces.morphable import MorphableModel

SUFFIXES = (".obj", ".ply", ".glb")
TEXTURES = (".png", ".jpg", ".jpeg")


@dataclass(frozen=True, slots=True, eq=False)
class ModelMesh:
    """Attributes:
    shape_mm: (V, 3) float64, in the model frame: the file's vertices after the similarity that
        brings them nearest to the model's mean, so that unit, axes and place do not matter.
    colors: (V, 3) float32 sRGB in [0, 1]; None where the file has none.
    texture: the image beside it, NAME.png or NAME.jpg, to be laid on the model's uv; or None.
    """

    shape_mm: np.ndarray
    colors: np.ndarray | None
    texture: Path | None


def find_meshes(root: Path) -> list[Path]:
    """All mesh files below a folder, sorted."""
    return sorted(p for p in Path(root).rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())


def is_model_mesh(path: Path, model: MorphableModel) -> bool:
    """Whether a file has as many vertices as the model."""
    try:
        return len(_read(path)[0]) == model.vertex_count
    except BadInput:
        return False


def read_model_mesh(path: Path, model: MorphableModel) -> ModelMesh:
    """A face in the model's topology.

    Raises:
        BadInput: unreadable, another number of vertices, or vertices that are not finite.
    """
    vertices, colors = _read(path)
    what = f"mesh '{path}'"
    if len(vertices) != model.vertex_count:
        expected = f"the {model.vertex_count:,} of model '{model.name}'"
        remedy = "register it (--layout mesh), or name its --model"
        raise BadInput(what, f"{len(vertices):,} vertices", expected, remedy)
    if not np.isfinite(vertices).all():
        bad = int((~np.isfinite(vertices)).any(1).sum())
        got = f"{bad:,} of {len(vertices):,} vertices are NaN or infinite"
        raise BadInput(what, got, "finite coordinates", "repair the mesh")
    scale, rotation, translation = similarity(vertices, model.mean_mm.astype(np.float64))
    beside = (path.with_suffix(suffix) for suffix in TEXTURES)
    texture = next((image for image in beside if image.is_file()), None)
    return ModelMesh(scale * vertices @ rotation.T + translation, colors, texture)


def _read(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    """Vertices (N, 3) in the file's order and colours (N, 3) in [0, 1], or None.

    An OBJ is read here: trimesh parts a vertex that has two texture coordinates.
    """
    if path.suffix.lower() == ".obj":
        return _read_obj(path)
    what, remedy = f"mesh '{path}'", "export it again"
    mesh = load_mesh(path, force="mesh")
    if not isinstance(mesh, trimesh.Trimesh):
        raise BadInput(what, "no triangles", "a triangle mesh", remedy)
    colors = None
    if mesh.visual.kind == "vertex":
        colors = np.asarray(mesh.visual.vertex_colors[:, :3], dtype=np.float32) / 255
    return np.asarray(mesh.vertices, dtype=np.float64), colors


def _read_obj(path: Path) -> tuple[np.ndarray, np.ndarray | None]:
    text = read_text(path, f"mesh '{path}'", "mesh_bytes", errors="replace")
    try:
        table = _numbers([line[2:] for line in text.splitlines() if line.startswith("v ")])
    except ValueError as error:
        remedy = "export it again"
        raise BadInput(f"mesh '{path}'", f"unreadable ({error})", "an OBJ", remedy) from error
    if table.shape[1] < 3:
        raise BadInput(f"mesh '{path}'", "no vertices", "lines 'v X Y Z'", "export it again")
    colors = table[:, 3:6].astype(np.float32) if table.shape[1] == 6 else None
    return table[:, :3], colors


def _numbers(rows: list[str]) -> np.ndarray:
    """(N, C) float64 of lines with as many numbers each.

    Raises:
        ValueError: they have not, or what is there is no number.
    """
    if not rows:
        return np.zeros((0, 0))
    table = np.loadtxt(rows, dtype=np.float64, comments=None, ndmin=2)
    if len(table) < len(rows):
        raise ValueError(f"{len(rows) - len(table)} empty lines")
    return table
