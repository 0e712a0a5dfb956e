"""Pickles, .npy and .npz of other people read without executing anything in them.

A pickle is a program: loading one may run any function it names. Here every name it may use stands
for a class of faces.models.stand_ins that only keeps what it is given, and arrays are made of that
afterwards. NumPy arrays, SciPy sparse matrices, chumpy's leaves (``chumpy.ch.Ch``: the array under
"x") and plain containers come through; torch tensors are skipped unread; any other name is refused.
"""

import io
import math
import pickle
import zipfile
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from faces.errors import BadInput
from faces.models.stand_ins import KNOWN, Array, Buffered, Chumpy, Dtype, Scalar, Sparse, text_of
from imaging.limits import limits

# Whatever a damaged stream makes the unpickler raise, beside its own error.
_DAMAGED = (
    *(pickle.UnpicklingError, EOFError, ValueError, TypeError, AttributeError, LookupError),
    *(OverflowError, MemoryError, RecursionError, OSError, zipfile.BadZipFile),
)


class _Inert(pickle.Unpickler):
    """An unpickler whose only names are those of KNOWN."""

    def __init__(self, file, what: str):
        super().__init__(file, encoding="latin1")
        self.what = what

    def find_class(self, module, name):
        if (module, name) not in KNOWN:
            raise BadInput(
                self.what,
                f"a pickle that asks for '{module}.{name}'",
                "arrays, sparse matrices and plain containers alone",
                "do not load it elsewhere unless you trust it; take the file from the model's site",
            )
        return KNOWN[module, name]

    def persistent_load(self, _):
        raise ValueError("a reference to something outside of the file")


def read_pickle(path: str | Path):
    """What a pickle holds, its arrays as numpy.ndarray, sparse matrices as scipy.sparse.

    Raises:
        BadInput: the file is missing or damaged, or asks for a name that is not allowed.
    """
    what = f"pickle '{path}'"
    try:
        with open(path, "rb") as file:
            return _unpickled(file, what)
    except _DAMAGED as error:
        raise _unreadable(what, error) from error


def read_npy(path: str | Path):
    """A .npy: its array, or what the pickle in it holds (a 0-d object array gives its item).

    Raises:
        BadInput: as read_pickle.
    """
    what = f"file '{path}'"
    try:
        with open(path, "rb") as file:
            return _npy(file, what)
    except _DAMAGED as error:
        raise _unreadable(what, error) from error


def read_npz(path: str | Path, names: tuple[str, ...] | None = None) -> dict:
    """The members of an .npz by name, those of ``names`` that it has; all by default.

    Raises:
        BadInput: as read_pickle.
    """
    what = f"file '{path}'"
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            stored = {}
            for name in members if names is None else [n for n in names if n in members]:
                with archive.open(members[name]) as file:
                    stored[name] = _npy(file, f"{what}, member '{name}'")
            return stored
    except _DAMAGED as error:
        raise _unreadable(what, error) from error


def npz_names(path: str | Path) -> set[str]:
    """Names of an .npz's members; empty where the file is no .npz."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {name.removesuffix(".npy") for name in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return set()


def _unreadable(what: str, error: Exception) -> BadInput:
    if isinstance(error, BadInput):
        return error
    return BadInput(
        what,
        f"unreadable ({type(error).__name__}: {error})",
        "a whole file of arrays",
        "check the path, or fetch the file again",
    )


def _npy(file, what: str):
    version = np.lib.format.read_magic(file)
    header = {(1, 0): np.lib.format.read_array_header_1_0}.get(
        version, np.lib.format.read_array_header_2_0
    )
    shape, fortran, dtype = header(file)
    if not dtype.hasobject:
        count = math.prod(shape)
        if not 0 <= count * dtype.itemsize <= limits().model_bytes:
            raise ValueError(f"an array of shape {shape}")
        raw = file.read(count * dtype.itemsize)
        array = np.frombuffer(raw, dtype=dtype, count=count)
        return array.reshape(shape, order="F" if fortran else "C")
    held = _unpickled(io.BytesIO(file.read()), what)
    return held.item() if isinstance(held, np.ndarray) and held.shape == () else held


def _unpickled(file, what: str):
    return _made(_Inert(file, what).load(), {})


def _made(value, done: dict):
    """Stand-ins as what they stand for, in containers too; ``done`` ends loops, by id."""
    if id(value) in done:
        return done[id(value)][0]
    made = value
    if isinstance(value, dict):
        made = done.setdefault(id(value), ({}, value))[0]
        made.update({_made(k, done): _made(v, done) for k, v in value.items()})
    elif isinstance(value, list):
        made = done.setdefault(id(value), ([], value))[0]
        made.extend(_made(item, done) for item in value)
    elif isinstance(value, tuple):
        made = tuple(_made(item, done) for item in value)
    elif isinstance(value, Array | Buffered | Scalar):
        made = _with_items(value.made(), done)
    elif isinstance(value, Dtype):
        made = value.made()
    elif isinstance(value, Sparse):
        made = _sparse(value.layout, _made(value.state, done))
    elif isinstance(value, Chumpy):
        made = _leaf(_made(value.state, done))
    done[id(value)] = (made, value)  # the value is kept, so that no other takes its id
    return made


def _with_items(array: np.ndarray, done: dict) -> np.ndarray:
    if isinstance(array, np.ndarray) and array.dtype.hasobject:
        items = np.zeros(array.shape, dtype=object)
        for place, item in np.ndenumerate(array):
            items[place] = _made(item, done)
        return items
    return array


def _sparse(layout: str, state: dict):
    state = {text_of(key).lstrip("_"): item for key, item in state.items()}
    if layout == "coo":
        row, col = state["coords"] if "coords" in state else (state["row"], state["col"])
        return sp.coo_matrix((state["data"], (row, col)), shape=state["shape"])
    kind = {"csc": sp.csc_matrix, "csr": sp.csr_matrix}[layout]
    parts = (state["data"], state["indices"], state["indptr"])
    matrix = kind(parts, shape=tuple(int(size) for size in state["shape"]))
    matrix.check_format(full_check=True)
    return matrix


def _leaf(state) -> np.ndarray:
    if not isinstance(state, dict) or "x" not in state:
        raise ValueError("a chumpy object without its array 'x'")
    return np.asarray(state["x"])
