"""Morphable models: the embedded default and importers of others."""

from functools import lru_cache
from pathlib import Path

from faces.errors import BadInput
from faces.morphable import MorphableModel, read_model

DEFAULT = Path(__file__).parent / "data" / "facesynth-head-1.npz"


@lru_cache(maxsize=4)
def load_model(spec: str = "default") -> MorphableModel:
    """The morphable model that ``spec`` names.

    Args:
        spec: "default" for the embedded model; a path to a model that
            faces.morphable.save_model wrote; the folder of ICT-FaceKit's shapes (its FaceXModel,
            or the folder that holds it); or an .npz of the whole of ICT-FaceKit.

    Raises:
        BadInput: ``spec`` is none of these.
    """
    from faces.models.ict import find_ict_folder, is_ict_npz, read_ict_folder, read_ict_npz

    if spec == "default":
        return read_model(DEFAULT)
    path = Path(spec)
    if path.is_dir() and (folder := find_ict_folder(path)) is not None:
        return read_ict_folder(folder)
    if path.suffix == ".npz" and path.is_file():
        return read_ict_npz(path) if is_ict_npz(path) else read_model(path)
    got = "a folder without generic_neutral_mesh.obj" if path.is_dir() else "no such model file"
    raise BadInput(
        f"model '{spec}'",
        got,
        '"default", an .npz written by save_model, or ICT-FaceKit as a folder or .npz',
        "check the path",
    )
