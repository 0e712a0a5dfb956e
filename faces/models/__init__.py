"""Morphable models: the embedded default and importers of others."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np

from faces.coarsening import coarsened
from faces.errors import BadInput
from faces.mesh import vertex_normals
from faces.morphable import MorphableModel, read_model

DEFAULT = Path(__file__).parent / "data" / "facesynth-head-1.npz"
KINDS = {
    "ict": "ICT-FaceKit: its folder or .npz",
    "bfm09": "Basel Face Model 2009: 01_MorphableModel.mat or BFM_model_front.mat",
    "bfm17": "Basel Face Model 2017 or 2019: .h5",
    "flame": "FLAME 2020 or 2023: .pkl or .npz",
    "facescape": "FaceScape's bilinear model: .npz, or an older version's folder",
}


@lru_cache(maxsize=4)
def load_model(spec: str = "default") -> MorphableModel:
    """The morphable model that ``spec`` names.

    Args:
        spec: "default" for the embedded model; a path to a model that
            faces.morphable.save_model wrote; or another model's file or folder, as import_model
            takes it, told apart by its suffix and what it holds.

    Raises:
        BadInput: ``spec`` is none of these.
        MissingExtra: the file's format needs a package that is not installed.
    """
    if spec == "default":
        return read_model(DEFAULT)
    path = Path(spec)
    kind = _kind_of(path)
    if kind is not None:
        return import_model(kind, path)
    if path.suffix == ".npz" and path.is_file():
        return read_model(path)
    got = "no such model file"
    if path.is_dir():
        got = "a folder without generic_neutral_mesh.obj (ICT-FaceKit) or core_*.npy (FaceScape)"
    raise BadInput(
        f"model '{spec}'",
        got,
        f'"default", an .npz written by save_model, or one of {"; ".join(KINDS.values())}',
        "check the path",
    )


@lru_cache(maxsize=1)
def reference_face() -> tuple[np.ndarray, np.ndarray]:
    """The default model's 68 points (68, 3) mm and the normals there (68, 3), float64."""
    model = load_model("default")
    landmarks = model.landmarks["ibug68"]
    normals = vertex_normals(model.mean_mm.astype(np.float64), model.triangles)
    return model.mean_mm[landmarks].astype(np.float64), normals[landmarks]


def import_model(
    kind: str, path: str | Path, landmarks: str | Path | None = None
) -> MorphableModel:
    """A model from another's files, with a coarse level (faces.coarsening) where it is fine.

    Args:
        kind: one of KINDS.
        path: the file or folder.
        landmarks: where its 68 landmarks lie, a file of the importer's docstring; its own table or
            a file beside the model by default.

    Raises:
        BadInput: the kind is unknown, or the files are not what it takes.
        MissingExtra: the format needs a package that is not installed.
    """
    path = Path(path)
    if kind not in KINDS:
        raise BadInput("model", f"kind '{kind}'", ", ".join(KINDS), "name one of them")
    if not path.exists():
        raise BadInput(f"model '{path}'", "no such file", KINDS[kind], "check the path")
    if kind != "ict":
        return coarsened(_reader(kind)(path, landmarks))
    if landmarks is not None:
        got = "landmarks for ICT-FaceKit"
        raise BadInput(f"model '{path}'", got, "its own 68", "leave --landmarks out")
    return coarsened(_read_ict(path))


def _read_ict(path: Path) -> MorphableModel:
    from faces.models.ict import NEUTRAL, find_ict_folder, read_ict_folder, read_ict_npz

    if path.is_file():
        return read_ict_npz(path)
    if (folder := find_ict_folder(path)) is None:
        got = f"a folder without {NEUTRAL}"
        raise BadInput(f"model '{path}'", got, KINDS["ict"], "check the path")
    return read_ict_folder(folder)


def _reader(kind: str) -> Callable[..., MorphableModel]:
    """The importer of a kind; each brings in its own packages."""
    if kind == "bfm09":
        from faces.models.bfm09 import read_bfm09 as reader
    elif kind == "bfm17":
        from faces.models.bfm17 import read_bfm17 as reader
    elif kind == "flame":
        from faces.models.flame import read_flame as reader
    else:
        from faces.models.facescape import read_facescape as reader
    return reader


def _kind_of(path: Path) -> str | None:
    """The kind of another model's file or folder; None where it is none, or one of ours."""
    from faces.models.facescape import find_facescape_core, is_facescape_npz
    from faces.models.flame import is_flame_npz
    from faces.models.ict import find_ict_folder, is_ict_npz

    if path.is_dir():
        if find_ict_folder(path) is not None:
            return "ict"
        return "facescape" if find_facescape_core(path) is not None else None
    if not path.is_file():
        return None
    if path.suffix == ".npz":
        tests = {"ict": is_ict_npz, "flame": is_flame_npz, "facescape": is_facescape_npz}
        return next((kind for kind, is_one in tests.items() if is_one(path)), None)
    suffixes = {".mat": "bfm09", ".h5": "bfm17", ".hdf5": "bfm17", ".pkl": "flame"}
    return suffixes.get(path.suffix.lower())
