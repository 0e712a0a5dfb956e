"""Files from outside, read no further than imaging.limits allows: text, JSON and arrays."""

import io
import json
import math
import os
import re
import zipfile
from pathlib import Path

import numpy as np

from faces.errors import BadInput
from imaging.limits import limits, raise_it

MOST_MEMBERS = 10_000  # of an .npz; a sample has a dozen


def read_bytes(path: Path, what: str, limit: str = "text_bytes") -> bytes:
    """The whole of a plain file.

    Args:
        path: the file.
        what: it is, for the message, e.g. ``"camera 'a/camera.json'"``.
        limit: name of the field of imaging.limits.Limits that bounds its size.

    Raises:
        BadInput: no plain file (a pipe would never end), not readable, or larger than the limit.
    """
    most = getattr(limits(), limit)
    if not path.is_file():
        raise BadInput(what, "no such file", "a plain file", "check the name and the layout")
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except OSError as error:
        raise BadInput(what, f"unreadable ({error.strerror})", "a file", "check it") from error
    if len(data) > most:
        got = f"{path.stat().st_size:,} bytes"
        raise BadInput(what, got, f"at most {most:,}", raise_it(limit))
    return data


def read_text(path: Path, what: str, limit: str = "text_bytes", errors: str = "strict") -> str:
    """A text file in UTF-8; see read_bytes.

    Raises:
        BadInput: as read_bytes; or other bytes than UTF-8's, where ``errors`` is "strict".
    """
    try:
        return read_bytes(path, what, limit).decode("utf-8-sig", errors)
    except UnicodeDecodeError as error:
        got = f"bytes that are no UTF-8, the first at {error.start:,}"
        raise BadInput(what, got, "text in UTF-8", "save it as UTF-8, or copy it again") from error


def read_json(path: Path, what: str):
    """What a JSON file holds; see read_text.

    Raises:
        BadInput: as read_text; or no JSON.
    """
    text = read_text(path, what)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInput(what, f"no JSON ({error})", "JSON", "repair the file") from error


def read_array(path: Path, what: str) -> np.ndarray:
    """The array of an .npy; nothing in it is unpickled.

    Raises:
        BadInput: as read_bytes; or no plain array, or one that is cut short.
    """
    data = read_bytes(path, what, "archive_bytes")
    try:
        return _array(io.BytesIO(data), len(data))
    except (ValueError, EOFError, OverflowError) as error:
        remedy = "write it again with numpy.save"
        raise BadInput(what, str(error), "one plain array in .npy", remedy) from error


def read_arrays(path: Path, what: str) -> dict[str, np.ndarray]:
    """The arrays of an .npz by name; nothing in it is unpickled.

    Raises:
        BadInput: as read_bytes; no plain arrays, or more of them, unpacked, than the limit.
    """
    data, most = read_bytes(path, what, "archive_bytes"), limits().archive_bytes
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            unpacked = sum(member.file_size for member in members)
            if unpacked > most or len(members) > MOST_MEMBERS:
                got = f"{len(members):,} arrays of {unpacked:,} bytes once unpacked"
                raise BadInput(what, got, f"at most {most:,}", raise_it("archive_bytes"))
            return {m.filename.removesuffix(".npy"): _member(archive, m) for m in members}
    except BadInput:
        raise
    except Exception as error:  # zipfile and zlib let many kinds through on damaged bytes
        got = f"{type(error).__name__}: {error}"
        remedy = "write it again with numpy.savez, or delete it"
        raise BadInput(what, got, "plain arrays in .npz", remedy) from error


def beside(path: Path, name: str, what: str, root: Path | None = None) -> Path:
    """A file that another one names, e.g. a mesh its texture: below its folder, or below ``root``.

    Names are judged as they are written: links are the user's own, and are followed.

    Args:
        path: of the file that names it; a link stands for its target.
        name: as written there, with slashes of either kind.
        what: the file, for the message.
        root: a folder above it, e.g. of all scans.

    Raises:
        BadInput: the name leads elsewhere, or is none.
    """
    folders = [path.resolve().parent, *([] if root is None else [root.resolve()])]
    found = Path(os.path.normpath(folders[0] / name.replace("\\", "/")))
    drive = re.match("[A-Za-z]:", name)
    if "\0" in name or drive or not any(found.is_relative_to(folder) for folder in folders):
        got = f"it names '{name[:200]}', which lies outside of its folder"
        remedy = "put that file beside it and name it without folders"
        raise BadInput(what, got, "files in its own folder or below", remedy)
    return found


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    with archive.open(member) as file:
        data = file.read(member.file_size + 1)
    return _array(io.BytesIO(data), len(data))


def _array(file: io.BytesIO, size: int) -> np.ndarray:
    """An array whose header promises no more than there is: numpy would make room for it first."""
    version = np.lib.format.read_magic(file)
    one = version == (1, 0)
    header = np.lib.format.read_array_header_1_0 if one else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = header(file)
    if dtype.hasobject:
        raise ValueError("pickled objects, which are never loaded (allow_pickle is off)")
    count = math.prod(shape)  # in Python's integers, which do not overflow
    if count * dtype.itemsize != size - file.tell():
        got = f"an array {shape} of {dtype} in {size - file.tell():,} bytes"
        raise ValueError(f"{got}: its header promises {count * dtype.itemsize:,}")
    array = np.frombuffer(file.getbuffer(), dtype, count, file.tell())
    return array.reshape(shape, order="F" if fortran else "C").copy()
