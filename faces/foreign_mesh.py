"""Mesh files of others opened with trimesh, once their headers promise no more than they hold."""

import json
import struct
import warnings
from pathlib import Path

import trimesh

from faces.errors import BadInput
from faces.pictures import check_picture, no_own_limit
from imaging.limits import limits, raise_it

GLB = b"glTF"
# numbers in an element, by glTF's name
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
REMEDY = "export it again as OBJ, PLY or GLB"


def load_mesh(path: Path, **options) -> trimesh.Trimesh | trimesh.Scene:
    """What trimesh makes of an OBJ, PLY or GLB.

    Args:
        path: the file.
        options: of trimesh.load.

    Raises:
        BadInput: missing, too large, damaged, or with a header that cannot be true.
    """
    what, most = f"mesh '{path}'", limits().mesh_bytes
    if not path.is_file():
        raise BadInput(what, "no such file", "a mesh", "check the path")
    if (size := path.stat().st_size) > most:
        raise BadInput(what, f"{size:,} bytes", f"at most {most:,}", raise_it("mesh_bytes"))
    if path.suffix.lower() == ".glb":
        check_glb(path.read_bytes(), what)
    try:
        with warnings.catch_warnings(), no_own_limit():
            warnings.simplefilter("ignore")
            # A link's textures lie beside its target, and trimesh looks nowhere else.
            return trimesh.load(path.resolve(), process=False, **options)
    except Exception as error:  # its parsers let every kind through on a damaged file
        got = f"unreadable ({type(error).__name__}: {error})"
        raise BadInput(what, got, "OBJ, PLY or GLB", REMEDY) from error


def check_glb(data: bytes, what: str) -> None:
    """Refuse a GLB that would be given more room than its file fills, or whose images are bombs.

    glTF 2.0, 3.6.2: an accessor without a buffer stands for zeros, of any count that it names.

    Raises:
        BadInput: no GLB, a list beyond the limit, or an image beyond its own.
    """
    most = limits().mesh_elements
    try:
        magic, _, _, length, _ = struct.unpack_from("<4sIIII", data)
        if magic != GLB:
            raise ValueError("no GLB")
        record = json.loads(data[20 : 20 + length])
        for accessor in record.get("accessors", []):
            count = accessor["count"]
            if count * WIDTHS[accessor["type"]] > 3 * most:
                got = f"a list of {count:,} entries by its header"
                raise BadInput(what, got, f"at most {most:,}", raise_it("mesh_elements"))
        for view in _views(record):
            start = 20 + length + 8 + view.get("byteOffset", 0)
            check_picture(data[start : start + view["byteLength"]], f"texture of {what}")
    except BadInput:
        raise
    except (struct.error, ValueError, KeyError, TypeError, AttributeError, LookupError) as error:
        got = f"unreadable (a damaged GLB: {type(error).__name__}: {error})"
        raise BadInput(what, got, "GLB (glTF 2.0)", REMEDY) from error


def _views(record: dict) -> list[dict]:
    """Where the images lie in the binary chunk."""
    images = [image["bufferView"] for image in record.get("images", []) if "bufferView" in image]
    return [record["bufferViews"][number] for number in images]
